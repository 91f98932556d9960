"""A pipeline in MLflow while it runs: journals of its stages, and the process beside it that carries them."""
