"""``python -m benchmarks`` (``make bench``): every benchmark, ours and its peers in turn, to reports/benchmarks.json
and a table.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.machine import describe
from benchmarks.records import Setting
from benchmarks.report import Report, commit_of
from benchmarks.run import MODULES, measure_all, names_of
from eagle.core import telemetry


def main(words: list[str] | None = None) -> None:
    """Measure what is asked for; the report is written after every module, so that an interrupted run keeps what it
    has.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only", nargs="+", choices=names_of(MODULES), help="records to measure again; the report keeps the others"
    )
    parser.add_argument("--size", choices=["full", "tiny"], default="full", help="tiny: does everything still run?")
    parser.add_argument("--runs", type=int, default=3, help="runs of every side")
    parser.add_argument(
        "--clock", choices=["wall", "cpu"], default="wall", help="cpu: processor seconds, on a machine that is busy"
    )
    parser.add_argument(
        "--sets", nargs="+", choices=Setting.sets, default=Setting.sets, help="sizes of the rating sets"
    )
    parser.add_argument("--project", type=Path, default=Path(), help="the folder that make run filled")
    parser.add_argument(
        "--report", type=Path, help="default: reports/benchmarks.json, reports/benchmarks_tiny.json at tiny size"
    )
    asked = parser.parse_args(words)
    telemetry.switch_off()
    setting = Setting(asked.size, asked.runs, asked.clock, asked.project.resolve(), tuple(asked.sets))
    name = "benchmarks_tiny.json" if asked.size == "tiny" else "benchmarks.json"
    report = Report.open(asked.report or Path("reports") / name, describe() | {"size": asked.size})
    commit = commit_of(Path(__file__).parent)
    for name, found in measure_all(setting, asked.only):
        report.add(found, commit)
        report.save()
        print(f"{name} done", flush=True)
    print(report.text())


if __name__ == "__main__":
    main()
