"""``python -m benchmarks.faults`` (``make faults``): a campaign of faults; its table is reports/faults.md."""

from __future__ import annotations

import argparse
import importlib
import math
import random
import time
from pathlib import Path

from benchmarks.faults.ledger import Case, Ledger, Outcome
from benchmarks.faults.undisturbed import world
from benchmarks.faults.world import World
from eagle.core import telemetry

KINDS = ("kill", "disk", "flip", "endpoint", "clock", "together", "schedules")


def campaign(made: World, ledger: Ledger, cases: list[Case], minutes: float = math.inf) -> None:
    """Try the cases that have no line yet; a case that ends with an error is one that lost something.

    None is begun once the minutes are over.
    """
    last = time.monotonic() + 60 * minutes
    for case in (case for case in cases if not ledger.done(case)):
        if time.monotonic() > last:
            return
        begun = time.perf_counter()
        try:
            outcome = case.run(made)
        except Exception as error:  # noqa: BLE001  the campaign goes on
            outcome = Outcome("lost", f"{type(error).__name__}: {str(error)[-300:]}")
        ledger.add(case, outcome, time.perf_counter() - begun)
        print(f"{case.kind} {case.name} ({case.group}): {outcome.ending}. {outcome.note}", flush=True)


def main(words: list[str] | None = None) -> int:
    """Run the campaign and return 1 where anything was lost or went unseen."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    parser.add_argument("--runs", type=int, default=200, help="kills; the other kinds take a number that follows")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument(
        "--minutes", type=float, default=math.inf, help="of each kind; the same command goes on from there"
    )
    parser.add_argument("--upto", help="only the stages up to this one, such as factors")
    parser.add_argument("--work", type=Path, default=Path(".cache/faults"), help="folder of the small project")
    parser.add_argument(
        "--ledger", type=Path, default=Path("reports/faults.jsonl"), help="what is done; is gone on with"
    )
    asked = parser.parse_args(words)
    telemetry.switch_off()
    ledger = Ledger(asked.ledger)
    with world(asked.work, asked.upto) as made:
        for kind in asked.kinds:
            module = importlib.import_module(f"benchmarks.faults.{kind}")
            cases = list(module.cases(asked.seed, asked.runs))
            random.Random(asked.seed).shuffle(cases)  # so that a stopped campaign has met every fault
            campaign(made, ledger, cases, asked.minutes)
    print(ledger.table())
    return int(any(entry.ending in ("lost", "silent") for entry in ledger.entries))


if __name__ == "__main__":
    raise SystemExit(main())
