"""Who judges texts beside the utility, and how good each judge is on held-out ratings."""
