"""What is known of a user in words: derived from ratings, written by a model, expected tastes."""
