"""What came out: MLflow runs, the registered agent and its champion.

Only this room and ``eagle.serving.model`` import MLflow.
"""
