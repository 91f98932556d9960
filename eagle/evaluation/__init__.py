"""Held-out comparison of all arms: cases, rollouts, a simulated panel, intervals and tables."""
