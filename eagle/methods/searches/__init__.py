"""Searches over texts: what they share, and trees, evolution and quality diversity."""
