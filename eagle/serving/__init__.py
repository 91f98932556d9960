"""The agent at work: steering one user from one item, here or behind a server."""
