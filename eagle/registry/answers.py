"""A store that fails, be it a server or a database, is told soon, and in one message with the remedy."""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from mlflow.exceptions import MlflowException
from requests import RequestException
from sqlalchemy.exc import SQLAlchemyError

from eagle.core.artifacts import is_full
from eagle.core.commands import run_everything
from eagle.core.errors import EagleError, user_error

_REQUEST = "API request to"
"""How MLflow begins the message of a request that failed on its way, or that the server could not answer."""
_REMARK = "(raised as a result of"
"""How SQLAlchemy begins a line that it puts before what the database said."""
_SQLITE_FULL, _SQLITE_CLOSED = "database or disk is full", "attempt to write a readonly database"
_MENDS = {
    _SQLITE_FULL: "free some space and run the same command again; finished work is kept",
    _SQLITE_CLOSED: "see that it belongs to you and can be written, then run the same command again",
}
_CLOSED = (errno.EACCES, errno.EPERM, errno.EROFS)
_SAYS_ITSELF = logging.getLogger("mlflow.store.db.utils")
"""Shows the traceback of a database's failure, which is then told in one message."""


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
    lines = str(error).splitlines()
    found = next((line for line in lines if not line.startswith(_REMARK)), lines[0])
    mend = next((mend for said, mend in _MENDS.items() if said in found), None)
    return user_error(
        "the MLflow database of registry.tracking_uri cannot be used",
        found=found,
        expected="a database that can be read and written",
        mend=mend
        or "start its server, or bring back its back-up; where there is none, move the file away: what was made is "
        f"kept, and {run_everything()} registers it again",
    )


def no_writing(error: Exception) -> EagleError:
    """Return what a user is told of the files of a local store that could not be written."""
    return user_error(
        "the MLflow store of registry.tracking_uri cannot be written",
        found=str(error)[:300],
        mend=_MENDS[_SQLITE_FULL if is_full(error) else _SQLITE_CLOSED],
    )


def failure(error: Exception) -> EagleError | None:
    """Return what a user is told of a store that failed; None for an answer that says no, which is another matter."""
    if isinstance(error, RequestException) or str(error).startswith(_REQUEST):
        return no_answer(error)
    if isinstance(error, SQLAlchemyError) or isinstance(error.__cause__, SQLAlchemyError):
        return no_database(error)
    if is_full(error) or (isinstance(error, OSError) and error.errno in _CLOSED):
        return no_writing(error)
    return None


@contextmanager
def failures_told() -> Iterator[None]:
    """Raise EagleError where the store fails while it is written to, or read; other errors stay what they are."""
    level = _SAYS_ITSELF.level
    _SAYS_ITSELF.setLevel(logging.CRITICAL)
    try:
        yield
    except (MlflowException, OSError, SQLAlchemyError) as error:
        told = failure(error)
        if told is None:
            raise
        raise told from None
    finally:
        _SAYS_ITSELF.setLevel(level)
