"""The agent at work: steering one user from one item, here or behind a server."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    """Offer ``SteeringModel``, which every registered agent's model file names, and import MLflow for that alone."""
    if name == "SteeringModel":
        from eagle.compute.beside import let_threads_sleep

        let_threads_sleep()
        from eagle.serving.model import SteeringModel

        return SteeringModel
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
