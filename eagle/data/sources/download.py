"""One large file over HTTP: with progress, going on where an earlier try stopped, complete under its final name."""

from __future__ import annotations

import os
import time
from pathlib import Path

import requests
import urllib3

from eagle.core.errors import EagleError, user_error
from eagle.core.progress import bar
from eagle.data.sources.packages import cannot_write

TRIES = 5
"""Interruptions in a row, without a byte between them, after which a download gives up."""
TIMEOUT_SECONDS = (10, 60)
"""To connect; between two blocks."""
_BLOCK = 1 << 18
ANEW = "EAGLE_FETCH_ANEW"
"""Environment variable of a run that asks whether a source is published anew, as a weekly schedule does."""


def asked_anew() -> bool:
    """Say whether this run is to ask again for what is there already."""
    return bool(os.environ.get(ANEW))


def partial(target: Path) -> Path:
    """Return where the bytes of an unfinished download wait to be gone on from."""
    return target.with_name(f"{target.name}.part")


def download(url: str, target: Path, pause_seconds: float = 1.0) -> None:
    """Fetch ``url`` into ``target``; what an interrupted try has left is asked for no second time (HTTP Range).

    Raises :class:`~eagle.core.errors.EagleError` when the address does not answer or refuses; the bytes had so far are
    kept.
    """
    part = partial(target)
    part.parent.mkdir(parents=True, exist_ok=True)
    failures = 0
    with requests.Session() as session:
        while True:
            before = _size(part)
            try:
                _fetch_rest(session, url, part)
                break
            except (requests.ConnectionError, requests.Timeout, urllib3.exceptions.HTTPError) as error:
                failures = 1 if _size(part) > before else failures + 1
                if failures >= TRIES:
                    raise _gave_up(url, part, error) from None
                time.sleep(pause_seconds * failures)
            except requests.RequestException as error:
                raise _gave_up(url, part, error) from None
            except OSError as error:
                raise cannot_write(part.parent, error) from None
    os.replace(part, target)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _fetch_rest(session: requests.Session, url: str, part: Path) -> None:
    """Append what is missing; a server that knows no ranges sends the whole file again."""
    had = _size(part)
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={had}-"} if had else {})
    with session.get(url, headers=headers, stream=True, timeout=TIMEOUT_SECONDS) as answer:
        if had and answer.status_code == requests.codes.requested_range_not_satisfiable:
            if answer.headers.get("Content-Range", "").endswith(f"/{had}"):
                return
            part.unlink()
            raise requests.ConnectionError("the file at this address has changed since the download began")
        answer.raise_for_status()
        goes_on = answer.status_code == requests.codes.partial_content
        length = answer.headers.get("Content-Length")
        start = had if goes_on else 0
        with (
            part.open("ab" if goes_on else "wb") as sink,
            bar(start + int(length) if length else None, part.stem, "B") as progress,
        ):
            progress.unit_scale, progress.unit_divisor = True, 1024
            progress.update(start)
            while block := answer.raw.read1(_BLOCK):  # whatever has come: iter_content drops a block that breaks off
                sink.write(block)
                progress.update(len(block))
    if length and _size(part) < start + int(length):
        raise requests.ConnectionError("the connection broke off")


def _gave_up(url: str, part: Path, error: Exception) -> EagleError:
    kept = _size(part)
    return user_error(
        f"{url} could not be downloaded",
        found=error,
        mend="check the network and data.archive_url, then run the same command again"
        + (f"; it goes on after the {kept} bytes in {part}" if kept else ""),
    )


def published_md5(url: str) -> str | None:
    """Return the MD5 hex digest that stands beside a file under ``<url>.md5``; None where there is none."""
    try:
        answer = requests.get(f"{url}.md5", timeout=TIMEOUT_SECONDS)
    except requests.RequestException:
        return None
    words = answer.text.lower().replace("=", " ").split() if answer.ok else []
    return next((word for word in words if len(word) == 32 and set(word) <= set("0123456789abcdef")), None)
