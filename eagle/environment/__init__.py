"""The decision process: a frozen language model applies one action to a text."""
