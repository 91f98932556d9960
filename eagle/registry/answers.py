"""A store that fails, be it a server or a database, is told soon, and in one message with the remedy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mlflow.exceptions import MlflowException
from requests import RequestException
from sqlalchemy.exc import SQLAlchemyError

from eagle.core.commands import run_everything
from eagle.core.errors import EagleError, user_error

_REQUEST = "API request to"
"""How MLflow begins the message of a request that failed on its way, or that the server could not answer."""


def no_answer(error: Exception) -> EagleError:
    """Return what a user is told of a tracking server that failed; ``error`` names its address."""
    return user_error(
        "the MLflow server of registry.tracking_uri does not answer",
        found=" ".join(str(error).split()),
        expected="a running `mlflow server`, with its database and its store of artifacts",
        mend="start it, or correct registry.tracking_uri; then give the same command again: what was made is kept",
    )


def no_database(error: Exception) -> EagleError:
    """Return what a user is told of a database that MLflow opens without a server, and that failed."""
    return user_error(
        "the MLflow database of registry.tracking_uri cannot be used",
        found=str(error).splitlines()[0],
        expected="a database that can be read and written",
        mend="start its server, or bring back its back-up; where there is none, move the file away: what was made is "
        f"kept, and {run_everything()} registers it again",
    )


def failure(error: Exception) -> EagleError | None:
    """Return what a user is told of a store that failed; None for an answer that says no, which is another matter."""
    if isinstance(error, RequestException) or str(error).startswith(_REQUEST):
        return no_answer(error)
    if isinstance(error, SQLAlchemyError) or isinstance(error.__cause__, SQLAlchemyError):
        return no_database(error)
    return None


@contextmanager
def failures_told() -> Iterator[None]:
    """Raise EagleError where the store fails while it is written to, or read; other errors stay what they are."""
    try:
        yield
    except (MlflowException, RequestException, SQLAlchemyError) as error:
        told = failure(error)
        if told is None:
            raise
        raise told from None
