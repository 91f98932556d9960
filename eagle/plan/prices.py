"""Prices of terms: fitted to measured runs, and what a run will cost by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import nnls

from eagle.core.artifacts import read_json
from eagle.plan.work import Amounts, Work, add

TARGETS = ("seconds", "peak_memory_mib", "prompt_tokens", "new_tokens")
WRITTEN = "tokens written"  # the term of seconds whose amount is the stage's new tokens
SHIPPED = Path(__file__).with_name("prices.json")
PRIOR = (
    0.03  # weight, in measured stages, of the belief that a stage's terms share evenly: it decides where the runs don't
)
ROUNDS = 30  # of prices and paces in turn
START = 0.1  # share of a start beside another term in that belief

Costs = dict[str, float]
Prices = dict[str, Amounts]
"""By target: the price of each term."""
Run = Sequence[tuple[Work, Costs]]
"""Work and measured costs of each stage."""


@dataclass(frozen=True)
class Priced:
    """Prices and where they come from: machine, pace of every run, size of the language model, and the error on
    settings left out.
    """

    prices: Prices
    machine: str
    paces: Sequence[float]
    parameters: int
    error: Mapping[str, float]

    @classmethod
    def shipped(cls) -> Priced:
        """Read the prices that the package holds."""
        told: dict[str, Any] = read_json(SHIPPED)
        return cls(**told)


def solve(rows: Sequence[tuple[Amounts, float]]) -> Amounts:
    """Return prices, none negative, that make the relative errors of ``rows`` (amounts, measured) small in the
    least-squares sense.
    """
    rows = [(amounts, measured) for amounts, measured in rows if measured > 0]
    terms = sorted({term for amounts, _ in rows for term in amounts})
    if not rows:
        return {}
    table = np.array([[amounts.get(term, 0.0) / measured for term in terms] for amounts, measured in rows])
    largest = table.argmax(axis=0)  # the stage in which a term weighs most
    scale = table[largest, range(len(terms))]
    believed = [_share(term, rows[place][0]) for term, place in zip(terms, largest, strict=True)]
    weight = np.sqrt(PRIOR)
    goal = np.concatenate([np.ones(len(rows)), weight * np.array(believed)])
    found, _ = nnls(np.vstack([table / scale, weight * np.eye(len(terms))]), goal)
    return {term: float(price) for term, price in zip(terms, found / scale, strict=True)}


def _share(term: str, amounts: Amounts) -> float:
    """Return which share of a stage with these terms one of them is believed to take."""
    weights = {name: START if name.startswith("start of ") else 1.0 for name in amounts}
    return weights[term] / sum(weights.values())


def fit(runs: Sequence[Run]) -> tuple[Prices, list[float]]:
    """Return the prices of all terms, and the pace of every run: how many times the seconds of the first one it takes
    for the same work.

    Prices and paces are fitted in turn: runs beside other programs, or on fewer cores, tell about terms that the first
    run has not.
    """
    stages = [stage for run in runs for stage in run]
    prices = {
        target: solve([(getattr(work, target), costs[target]) for work, costs in stages])
        for target in TARGETS
        if target != "seconds"
    }
    paces = [1.0] * len(runs)
    for _ in range(ROUNDS):
        prices["seconds"] = solve([row for run, pace in zip(runs, paces, strict=True) for row in _seconds(run, pace)])
        found = [pace_of(run, prices) for run in runs]
        paces = [pace / found[0] for pace in found]
    prices["seconds"] = {
        term: price * found[0] for term, price in prices["seconds"].items()
    }  # relative errors alone make sums too small
    return prices, paces


def pace_of(run: Run, prices: Prices) -> float:
    """Return how many times the expected seconds a run took: in all stages whose terms are priced, for the tokens that
    they wrote.
    """
    priced = [(amounts, seconds) for amounts, seconds in _seconds(run) if amounts.keys() <= prices["seconds"].keys()]
    expected = sum(_sum(amounts, prices["seconds"]) for amounts, _ in priced)
    return sum(seconds for _, seconds in priced) / expected if expected else 1.0


def _seconds(run: Run, pace: float = 1.0) -> list[tuple[Amounts, float]]:
    return [(_with_tokens(work, costs["new_tokens"]), costs["seconds"] / pace) for work, costs in run]


def _with_tokens(work: Work, new_tokens: float) -> Amounts:
    amounts = dict(work.seconds)
    add(amounts, WRITTEN, new_tokens)
    return amounts


def cost(work: Work, prices: Prices) -> Costs:
    """Return what a stage will cost. A term without a price costs nothing: see :func:`unpriced`."""
    found = {target: _sum(getattr(work, target), prices[target]) for target in TARGETS if target != "seconds"}
    return {"seconds": _sum(_with_tokens(work, found["new_tokens"]), prices["seconds"]), **found}


def _sum(amounts: Amounts, prices: Amounts) -> float:
    return sum(amount * prices.get(term, 0.0) for term, amount in amounts.items())


def unpriced(work: Mapping[str, Work], prices: Prices) -> list[str]:
    """Return what no fitted run had and so is missing from the forecast, as "target: term"."""
    named = {(target, term) for stage in work.values() for target in TARGETS for term in getattr(stage, target)}
    lacking = {(target, term) for target, term in named if term not in prices[target]}
    return [f"{target}: {term}" for target, term in sorted(lacking)]


def errors(run: Run, prices: Prices) -> dict[str, float]:
    """Return how far prices are off a run that they were not fitted to.

    Seconds at the run's own pace, tokens in all stages that write, memory; medians over stages. Not looked at are
    stages below a hundredth of the run's seconds, and those with a term that has no price.
    """
    whole, pace = sum(costs["seconds"] for _, costs in run), pace_of(run, prices)
    off: dict[str, list[float]] = {"seconds of a stage": [], "tokens written by a stage": [], "memory of a stage": []}
    for work, costs in run:
        if costs["seconds"] < 0.01 * whole or unpriced({"": work}, prices):
            continue
        expected = cost(work, prices)
        off["seconds of a stage"].append(expected["seconds"] * pace / costs["seconds"] - 1)
        off["memory of a stage"].append(expected["peak_memory_mib"] / costs["peak_memory_mib"] - 1)
        if work.new_tokens and costs["new_tokens"]:
            off["tokens written by a stage"].append(expected["new_tokens"] / costs["new_tokens"] - 1)
    return {name: float(np.median(np.abs(values))) for name, values in off.items() if values}
