"""Run the phases of params.yaml in order, log every update, and resume from a checkpoint with the identical result."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from eagle.compute.parallel import ALONE, Parallel
from eagle.core import costs, live
from eagle.core.progress import bar
from eagle.training.checkpoint import Progress, Trained, newest, restore, save
from eagle.training.records import Row, Sample


def no_figures() -> Row:
    """Return nothing: what a training takes that nobody watches."""
    return {}


class RunningPhase(Protocol):
    """A phase under way: ``groups`` is what a checkpoint holds."""

    kind: str
    updates: int
    groups: dict[str, Trained]

    def update(self, number: int) -> tuple[Row, list[Sample]]:
        """Take update ``number`` (counted from 0 within the phase); return its figures and samples."""
        ...


@dataclass
class Trainer:
    """Phases are made when their turn comes, so that optimizers start fresh on the parameters of the phase before."""

    phases: Sequence[Callable[[], RunningPhase]]
    checkpoints: Path  # this run's own folder; removed by :meth:`clean`
    checkpoint_every: int
    watch: Callable[[], Row] = no_figures  # too dear for every update: taken at checkpoints and at the end
    parallel: Parallel = ALONE
    progress: Progress = field(default_factory=Progress)

    def run(self) -> Progress:
        """Run what is left and return the log."""
        found = newest(self.checkpoints)
        if found is not None:
            self.progress = found[1]
            self._tell(self.progress.rows)
        for number in range(self.progress.phase, len(self.phases)):
            phase = self.phases[number]()
            if found is not None and number == found[1].phase:
                restore(found[0], phase.groups)
                self.parallel.wait()  # all have read it before the main process replaces it
            else:
                self.progress.phase, self.progress.done = number, 0
            self._run_phase(phase)
        return self.progress

    def _run_phase(self, phase: RunningPhase) -> None:
        state = self.progress
        with bar(phase.updates, f"train {phase.kind}", "update") as shown:
            shown.update(state.done)
            while state.done < phase.updates:
                row, samples = phase.update(state.done)
                state.done += 1
                due = state.done % self.checkpoint_every == 0 or state.done == phase.updates
                if due and self.parallel.main:
                    row = row | self.watch()
                number = len(state.rows) + 1
                costs.close_update(number)
                state.rows.append({"update": number, "phase": phase.kind, **row})
                self._tell(state.rows[-1:])
                state.samples.extend({"update": number, "phase": phase.kind, **s} for s in samples)
                if due and self.parallel.main:
                    save(self.checkpoints, phase.groups, state)
                shown.update()

    def _tell(self, rows: Sequence[Row]) -> None:
        """Say the rows of the curve to who follows; the processes that train together have the same ones."""
        for row in rows if self.parallel.main else ():
            live.figures(row["update"], {name: value for name, value in row.items() if name != "update"})

    def clean(self) -> None:
        """Remove the checkpoints: the result stands under its final name."""
        shutil.rmtree(self.checkpoints, ignore_errors=True)
