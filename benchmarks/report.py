"""The report of a run: JSON for machines, a table for people."""

from __future__ import annotations

import os
import subprocess
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.records import GOALS, Found, missing
from eagle.core.artifacts import read_json, write_json

NOT_TAKEN = "not measured yet"


@dataclass
class Report:
    """Records and curves by name, on one machine.

    Each record says at which commit, on which day and under which load.
    """

    path: Path
    machine: dict[str, Any]
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    curves: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @classmethod
    def open(cls, path: Path, machine: dict[str, Any]) -> Report:
        """Go on with the report at ``path`` where it is of the same machine, else begin a new one."""
        known = dict(read_json(path)) if path.is_file() else {}
        if known.get("machine") != machine:
            return cls(path, machine)
        return cls(path, machine, {r["name"]: r for r in known["records"] if r["note"] != NOT_TAKEN}, known["curves"])

    def add(self, found: Found, commit: str) -> None:
        """Take records and curves in, in the place of those of the same name."""
        taken = {"commit": commit, "day": f"{datetime.now(UTC):%Y-%m-%d}", "load": round(os.getloadavg()[0], 1)}
        for record in found.records:
            self.records[record.name] = asdict(record) | {"met": record.met} | taken
        self.curves.update(found.curves)

    def rows(self) -> list[dict[str, Any]]:
        """Return every record, those with a goal first and in their order, also those that were not taken."""
        goals = [
            self.records.get(name) or asdict(missing(name, NOT_TAKEN)) | {"met": None, "load": None} for name in GOALS
        ]
        return goals + [record for name, record in self.records.items() if name not in GOALS]

    def save(self) -> None:
        """Write the JSON and, beside it, the table."""
        write_json(self.path, {"machine": self.machine, "records": self.rows(), "curves": self.curves})
        self.path.with_suffix(".md").write_text(self.text(), encoding="utf-8")

    def text(self) -> str:
        """Return machine, records and curves as Markdown."""
        parts = [
            ", ".join(f"{name} {value}" for name, value in self.machine.items() if value is not None),
            "",
            *_table(self.rows()),
        ]
        for name, rows in self.curves.items():
            parts += [
                "",
                f"Cost curve of {name}:",
                "",
                *_lines(list(rows[0]), [[_shown(value) for value in row.values()] for row in rows]),
            ]
        return "\n".join([*parts, ""])


def _table(records: list[dict[str, Any]]) -> list[str]:
    verdicts = {True: "met", False: "MISSED", None: ""}
    rows = []
    for r in records:
        peer = "" if r["peer"] is None else f"{_shown(r['peer'])} ({r['peer_name']})"
        goal = f"{r['goal']} {verdicts[r['met']]}".strip() if r["goal"] else ""
        figures = [_shown(r["ours"]), peer, _shown(r["ratio"]), goal, _shown(r["runs"] or None), _shown(r["load"])]
        rows.append([r["name"], r["unit"], *figures, r["note"]])
    return _lines(["name", "unit", "ours", "peer", "ratio", "goal", "runs", "load", "note"], rows)


def _lines(head: list[str], rows: list[list[str]]) -> list[str]:
    return ["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows)]


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.10g}"


def commit_of(folder: Path) -> str:
    """Return the commit of the code that is measured, with a + where it was changed since.

    Empty outside a repository.
    """
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty=+", "--abbrev=10", "--exclude=*"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip()
