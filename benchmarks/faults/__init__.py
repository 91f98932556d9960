"""Faults of every kind, put on a small project on purpose: what is lost, what goes unseen (``make faults``)."""
