"""What a stage says while it runs: a file of JSON lines for each start of a stage, for whoever follows it.

Writing a line takes microseconds and never disturbs the stage: a line that cannot be written is left out. Events are
``start`` (stage, process), ``figures`` (step, values), ``measured`` (what a finished stage leaves in its files) and
``end`` (status, and the error of a stage that failed); each has its time, seconds since 1970.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from numbers import Real
from pathlib import Path
from typing import Any

from eagle.core.parent import identity

JOURNAL = "EAGLE_JOURNAL"
"""Names the file to the stage, and to the processes that train for it."""
FINISHED, FAILED, KILLED = "FINISHED", "FAILED", "KILLED"
_LONGEST = 2000  # characters of an error
_DONE: Counter[str] = Counter()


@contextlib.contextmanager
def journal(folder: Path, stage: str) -> Iterator[Path]:
    """Name a new journal of ``folder`` to what runs inside, and write how that began and ended."""
    path = folder / f"{time.time_ns()}-{stage}.jsonl"
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    _DONE.clear()
    os.environ[JOURNAL] = str(path.resolve())
    try:
        say("start", stage=stage, process=identity(os.getpid()))
        yield path
        say("end", status=FINISHED)
    except KeyboardInterrupt:
        say("end", status=KILLED)
        raise
    except BaseException as error:
        say("end", status=FAILED, error=f"{type(error).__name__}: {error}"[:_LONGEST])
        raise
    finally:
        os.environ.pop(JOURNAL, None)


def say(event: str, **told: Any) -> None:
    """Write one line into the journal that the surroundings name; without one, do nothing."""
    path = os.environ.get(JOURNAL)
    if path is None:
        return
    # Begins a line of its own, also after one that a full disk has cut short.
    line = "\n" + json.dumps({"event": event, "time": time.time(), **told}, default=str) + "\n"
    with contextlib.suppress(OSError), open(path, "a", encoding="utf-8") as file:
        file.write(line)


def figures(step: int, values: Mapping[str, Any]) -> None:
    """Say the finite numbers among ``values`` at a step, with the six digits that a curve has in its file."""
    if JOURNAL in os.environ:
        known = {name: float(value) for name, value in values.items() if isinstance(value, Real)}
        finite = {name: float(f"{value:.6g}") for name, value in known.items() if math.isfinite(value)}
        say("figures", step=step, values=finite)


def done(what: str, count: int) -> None:
    """Say how much of a long work is done, over the whole stage; the step is the count."""
    _DONE[what] += count
    figures(_DONE[what], {f"done.{what}": _DONE[what]})
