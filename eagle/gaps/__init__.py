"""The content gaps that a run found."""
