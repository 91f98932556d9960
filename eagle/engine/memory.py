"""Where memory runs out, work goes on with half as much at once."""

from __future__ import annotations

import logging
from collections.abc import Callable

import torch

from eagle.core.costs import UsageCounters
from eagle.core.errors import EagleError, user_error

_log = logging.getLogger(__name__)
_SAID = (
    "out of memory",
    "bad_alloc",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "could not create a primitive",
    "could not create a memory",
)
"""What C++, cuBLAS and oneDNN say, beside what accelerate knows."""


def halving(
    work: Callable[[int], None], at_once: int, *, doing: str, there: int, least: int, unit: str, usage: UsageCounters
) -> int:
    """Do ``work`` with ``at_once`` units at a time, and with half as many each time that memory runs out.

    ``doing``: what the work is ("writing"); ``there``: how many units there are; ``least``: fewer can't be done at a
    time, and memory that does not do for them is an EagleError. ``work`` is called anew with the smaller number and has
    to know what of it is done. Returns the last number.
    """
    while True:
        try:
            work(at_once)
            return at_once
        except (RuntimeError, MemoryError) as error:
            if not ran_out(error):
                raise
            found = str(error) or "MemoryError"
        # not in the handler: the error's traceback holds on to what the failed pass had made
        used = min(at_once, there)
        if used <= least:
            raise no_memory(f"{doing} with the smallest batch ({used} {unit})", found)
        at_once = max(used // 2, least)
        usage.halved += 1
        _release()
        _log.warning("memory ran out with %d %s at once: going on with %d (%s)", used, unit, at_once, _short(found))


def no_memory(doing: str, found: object) -> EagleError:
    """Return the error that says so."""
    return user_error(
        f"memory runs out while {doing}",
        found=_short(found),
        expected="memory for the model and one text with its prompt",
        mend="lower llm.max_new_tokens, take a smaller llm.model, or end other programs that hold memory",
    )


def _short(found: object) -> str:
    return str(found).splitlines()[0][:300]


def ran_out(error: Exception) -> bool:
    """Whether an error says that memory ran out, on whichever device."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or any(words in str(error) for words in _SAID):
        return True
    from accelerate.utils.memory import should_reduce_batch_size  # slow to import, and seldom needed

    return should_reduce_batch_size(error)


def _release() -> None:
    """Give back what the failed pass held, on the device too."""
    from accelerate.utils.memory import clear_device_cache

    clear_device_cache(garbage_collection=True)
