"""Ratings and items from any source in one catalogue form, checked, and divided into what is learned and what is held
out.
"""
