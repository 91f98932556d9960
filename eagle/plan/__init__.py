"""What a run will cost, before anything is spent: seconds, tokens and memory of every stage, from coefficients fitted
to measured runs.
"""
