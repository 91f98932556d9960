"""The engine behind an OpenAI-compatible endpoint."""
