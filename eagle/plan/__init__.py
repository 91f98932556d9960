"""What a run will cost, before anything is spent: a finished run's seconds, tokens and memory, scaled by the work that
the parameters name.
"""
