"""Whether the Prefect server that the surroundings name answers; where none is named, Prefect starts one of its own."""

from __future__ import annotations

import httpx
from prefect.settings import PREFECT_API_KEY, PREFECT_API_URL

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
