"""Work in which one of several processes finds a mistake while the other waits; light, because each of them imports it."""

from __future__ import annotations

from eagle.errors import user_error
from eagle.training.parallel import Parallel


def mistaken(parallel: Parallel) -> None:
    if not parallel.main:
        raise user_error("the second process found a mistake", found=1, expected=2, mend="mend it")
    parallel.wait()
