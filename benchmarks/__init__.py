"""Measurements against other libraries; one module per subject, each with functions that return records."""
