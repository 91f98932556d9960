"""The engine that runs here, on torch: all that is about speed."""
