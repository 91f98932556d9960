"""What every benchmark returns: records with a goal, and the clock and the number of runs they were taken with."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Literal

GOALS = {
    "generation_batch_1": "ratio >= 4",
    "generation_best": "ratio >= 2.5",
    "engine_share": "ratio >= 0.6",
    "rl_step_tokens": "ratio >= 2",
    "rl_step_memory": "ratio <= 0.5",
    "design": "ratio >= 50",
    "design_by_hand": "ratio >= 1",
    "als": "ratio >= 1",
    "als_implicit": "ratio >= 1",
    "als_25m_memory": "ours <= 4",
    "noop_repro": "ours <= 3",
    "eagle_help": "ours <= 0.5",
}
"""What each record is asked for; a ratio says how many times better we are where more is better, and our share where
less is asked.
"""

Clock = Literal["wall", "cpu"]


@dataclass(frozen=True)
class Setting:
    """How a benchmark is to be taken."""

    size: Literal["full", "tiny"] = "full"
    runs: int = 3
    clock: Clock = "wall"  # cpu: seconds of processor time, for a machine that does other work
    project: Path = Path()  # its catalogue, models and DVC outputs are measured
    sets: tuple[str, ...] = ("100k", "1m", "10m", "25m")  # of ratings

    def now(self) -> float:
        """Seconds on the chosen clock."""
        return time.perf_counter() if self.clock == "wall" else time.process_time()

    @property
    def seconds(self) -> str:
        """The unit of a time."""
        return "s" if self.clock == "wall" else "CPU s"


@dataclass(frozen=True)
class Record:
    """One line of the table; ``peer`` and ``ratio`` are None where there is no peer or it is not installed, which
    ``note`` says.
    """

    name: str
    unit: str
    ours: float | None
    peer: float | None = None
    peer_name: str | None = None
    ratio: float | None = None
    goal: str | None = None
    runs: int = 0
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where it cannot be said."""
        if self.goal is None:
            return None
        what, sense, number = self.goal.split()
        value = self.ratio if what == "ratio" else self.ours
        if value is None:
            return None
        return value >= float(number) if sense == ">=" else value <= float(number)


@dataclass(frozen=True)
class Found:
    """What a benchmark returns: records, and curves by name (rows of figures)."""

    records: list[Record]
    curves: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def interleaved(sides: Mapping[str, Callable[[], Any]], runs: int) -> dict[str, list[Any]]:
    """Let the sides take turns, ``runs`` times each: what else the machine does falls on all of them."""
    found: dict[str, list[Any]] = {name: [] for name in sides}
    for _ in range(runs):
        for name, side in sides.items():
            found[name].append(side())
    return found


def compared(
    name: str,
    unit: str,
    ours: Sequence[float],
    peer: Sequence[float],
    peer_name: str,
    *,
    inverse: bool = False,
    note: str = "",
) -> Record:
    """Return medians and the median of the runs' ratios, ours / peer, or peer / ours where ``inverse`` (times of which
    less is better).
    """
    ratios = [b / a if inverse else a / b for a, b in zip(ours, peer, strict=True)]
    figures = rounded(median(ours)), rounded(median(peer))
    return Record(name, unit, *figures, peer_name, rounded(median(ratios)), GOALS.get(name), len(ours), note)


def alone(name: str, unit: str, ours: Sequence[float], *, note: str = "") -> Record:
    """Return the median of figures that have no peer, or whose peer is missing."""
    return Record(name, unit, rounded(median(ours)), goal=GOALS.get(name), runs=len(ours), note=note)


def missing(name: str, note: str) -> Record:
    """Return the record of a figure that could not be taken."""
    return Record(name, "", None, goal=GOALS.get(name), note=note)


def rounded(value: float) -> float:
    """Four significant digits."""
    return float(f"{value:.4g}")
