"""What came of every case, kept line by line: a stopped campaign goes on where it was."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from benchmarks.report import commit_of

if TYPE_CHECKING:
    from benchmarks.faults.world import World

Ending = Literal["identical", "told", "unclear", "lost", "silent", "skipped"]
ENDINGS: dict[Ending, str] = {
    "identical": "finished, or made again, with the results of an undisturbed run",
    "told": "refused by one clear message; afterwards finished with identical results",
    "unclear": "identical results in the end, but what was said is no clear message",
    "lost": "another result, a file left half-written, or no way to finish",
    "silent": "a changed byte decided a result, or could have, and nothing was said",
    "skipped": "cannot be tried on this machine",
}


@dataclass(frozen=True)
class Outcome:
    """How a case ended; ``note`` is one line about it."""

    ending: Ending
    note: str = ""


@dataclass(frozen=True)
class Case:
    """One fault: its kind, the group in which the table counts it, a name of its own, and how to put it on a world."""

    kind: str
    group: str
    name: str
    run: Callable[[World], Outcome]


@dataclass(frozen=True)
class _Entry:
    kind: str
    group: str
    name: str
    ending: Ending
    note: str
    seconds: float
    commit: str


class Ledger:
    """The cases that are done, in a file of JSON lines, and the table of them beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        self.entries = [_Entry(**json.loads(line)) for line in lines]
        self._commit = commit_of(Path(__file__).parent)

    def done(self, case: Case) -> bool:
        """Whether the case has its line."""
        return any((entry.kind, entry.name) == (case.kind, case.name) for entry in self.entries)

    def add(self, case: Case, outcome: Outcome, seconds: float) -> None:
        """Write the line of a case, and the table anew."""
        entry = _Entry(case.kind, case.group, case.name, outcome.ending, outcome.note, round(seconds, 1), self._commit)
        self.entries.append(entry)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(entry)) + "\n")
        self.path.with_suffix(".md").write_text(self.table(), encoding="utf-8")

    def table(self) -> str:
        """Return the counts by kind and group as Markdown, and every case that is neither identical nor told."""
        counts = Counter((e.kind, e.group, e.ending) for e in self.entries)
        groups = list(dict.fromkeys((e.kind, e.group) for e in self.entries))
        rows = [["kind", "fault", "cases", *ENDINGS], ["---"] * (3 + len(ENDINGS))]
        for kind, group in groups:
            found = [counts[kind, group, ending] for ending in ENDINGS]
            rows.append([kind, group, str(sum(found)), *(str(n) if n else "" for n in found)])
        worse = [e for e in self.entries if e.ending not in ("identical", "told")]
        told = [f"- {e.kind} {e.name} ({e.group}), {e.ending}: {e.note}" for e in worse]
        return "\n".join(["| " + " | ".join(row) + " |" for row in rows] + ["", *told, ""])
