"""Candidate actions, their cached transitions, and the exploration design over them."""
