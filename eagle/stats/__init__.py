"""Figures and their intervals: ranking within users, and the bootstraps."""
