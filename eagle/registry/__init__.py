"""What came out: MLflow runs, the registered agents and their champion."""
