"""A tracking server that does not answer is told soon, and in one message with the remedy."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from mlflow.exceptions import MlflowException
from requests import RequestException

from eagle.core.errors import EagleError, user_error

_PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "30"}
_REQUEST = "API request to"
"""How MLflow begins the message of a request that failed on its way, or that the server could not answer."""


@contextmanager
def soon() -> Iterator[None]:
    """Ask a server for seconds where MLflow asks for four minutes; what the user has set stays."""
    added = {name: value for name, value in _PATIENCE.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]


def no_answer(error: Exception) -> EagleError:
    """Return what a user is told of a tracking server that failed; ``error`` names its address."""
    return user_error(
        "the MLflow server of registry.tracking_uri does not answer",
        found=" ".join(str(error).split()),
        expected="a running `mlflow server`, with its database and its store of artifacts",
        mend="start it, or correct registry.tracking_uri; then give the same command again: what was made is kept",
    )


def on_its_way(error: Exception) -> bool:
    """Say whether a request never came to an answer; an answer that says no is another matter."""
    if isinstance(error, MlflowException):
        return str(error).startswith(_REQUEST)
    return isinstance(error, RequestException)


@contextmanager
def failures_told() -> Iterator[None]:
    """Raise EagleError where the server fails while it is written to, or read; other errors stay what they are."""
    try:
        yield
    except (MlflowException, RequestException) as error:
        if not on_its_way(error):
            raise
        raise no_answer(error) from None
