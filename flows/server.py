"""Whether the Prefect server that the surroundings name answers, before a flow begins and while it runs.

Where none is named, Prefect starts one of its own.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import httpx
from prefect.settings import PREFECT_API_KEY, PREFECT_API_URL

from eagle.core.commands import run_everything
from eagle.core.errors import EagleError, user_error

PATIENCE = 10.0
"""Seconds to wait for an answer."""


def require_server() -> None:
    """Raise EagleError where PREFECT_API_URL, of the environment or of Prefect's profile, names no living server."""
    address = PREFECT_API_URL.value()
    if not address:
        return
    key = PREFECT_API_KEY.value()
    headers = {"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}
    try:
        httpx.get(f"{address.rstrip('/')}/health", timeout=PATIENCE, headers=headers).raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _no_answer(address, str(error)) from None


def _no_answer(address: str, why: str) -> EagleError:
    return user_error(
        "no Prefect server answers where PREFECT_API_URL says",
        found=f"{address}: {why}",
        expected="a running Prefect server",
        mend="start it with `prefect server start`, or do without: `unset PREFECT_API_URL` (in a profile: `prefect "
        "config unset PREFECT_API_URL`)",
    )


@contextlib.contextmanager
def loss_told() -> Iterator[None]:
    """Raise EagleError where the server goes away while a flow runs inside.

    Prefect asks it for minutes (PREFECT_CLIENT_MAX_RETRIES); the stage that runs meanwhile is finished.
    """
    try:
        yield
    except httpx.HTTPError as error:  # flows ask nobody else by HTTP
        raise _gone(PREFECT_API_URL.value(), str(error)) from None


def _gone(address: str | None, why: str) -> EagleError:
    again = f"then {run_everything()} goes on from here: the results of all finished stages are kept"
    mend = "start it again with `prefect server start`, or do without: `unset PREFECT_API_URL`"
    return user_error(
        "the Prefect server stopped answering while the pipeline ran",
        found=f"{address or 'the temporary server'}: {why or 'no answer'}",
        mend=f"{mend}; {again}" if address else f"see that memory and disk are not full; {again}",
    )
