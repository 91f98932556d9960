"""What a source is, those that are built in, and what they are read from: released packages and own files."""
