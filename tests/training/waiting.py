"""Work in which one of several processes finds a mistake while the other waits.

Light, because each of them imports it.
"""

from __future__ import annotations

from eagle.compute.parallel import Parallel
from eagle.core.errors import user_error


def mistaken(parallel: Parallel) -> None:
    if not parallel.main:
        raise user_error("the second process found a mistake", found=1, expected=2, mend="mend it")
    parallel.wait()
