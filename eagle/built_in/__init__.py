"""The built-in parts, one line each: a part's name in params.yaml, and what opens it."""
