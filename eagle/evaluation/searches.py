"""Searches by name: whose arm each one is, and the means over agents that differ in their training seed alone."""

from __future__ import annotations

from collections.abc import Iterable

from eagle.built_in.methods import OTHERS, SEARCHES, label_of
from eagle.config import Config, seeded
from eagle.evaluation.arm import Arm, eagle_arm, reference_arm

SEARCH_EAGLE, SEARCH_REFERENCE = "search_eagle", "search_reference"
MEANS = {SEARCH_EAGLE: "search_eagle_mean", SEARCH_REFERENCE: "search_reference_mean"}
"""What the mean over training seeds is called in the comparison at equal budgets, by kind of search."""


def seeds_of_first(config: Config) -> list[str]:
    """Return the first trained arm and those that differ from it in their seed alone."""
    return [arm for arm in config.train.arms if seeded(arm)[0] == seeded(config.train.arms[0])[0]]


def searches(kind: str, config: Config) -> dict[str, str]:
    """Return by name the searches of one kind, each with the reference that it draws from or that its agent started
    from; the first one has the plain name.

    With EAGLE there is one for every trained policy, with references one for every training seed of the first; other
    kinds have none.
    """
    starts = {SEARCH_EAGLE: config.train.arms, SEARCH_REFERENCE: seeds_of_first(config)}.get(kind, ())
    return {_further(kind, start) if place else kind: start for place, start in enumerate(starts)}


def means_over_seeds(config: Config) -> dict[str, list[str]]:
    """Return the means by name, each with the searches that it is over; nothing where one seed was trained."""
    alike = seeds_of_first(config)
    if len(alike) < 2:
        return {}
    return {
        mean: [name for name, start in searches(kind, config).items() if start in alike] for kind, mean in MEANS.items()
    }


def eagle_among(names: Iterable[str]) -> str:
    """Return which of the names in a comparison at equal budgets stands for EAGLE: its mean over seeds if there is
    one.
    """
    return MEANS[SEARCH_EAGLE] if MEANS[SEARCH_EAGLE] in set(names) else SEARCH_EAGLE


def method_arm(name: str, budget: int, config: Config, label: str | None = None) -> Arm:
    """Return the arm of a method that may ask for ``budget`` texts; a search with EAGLE has the start of its agent.

    ``label``: what a reader calls a method of one's own; without one it goes by its name.
    """
    start, reference = searches(SEARCH_EAGLE, config).get(name), searches(SEARCH_REFERENCE, config).get(name)
    if name in SEARCHES:
        label = SEARCHES[name].label
    elif start is not None:
        label = eagle_arm(start, budget).label
    elif reference is not None:
        label = reference_arm(reference, budget).label
    else:
        label = OTHERS[name].label if name in OTHERS else label or name
        return Arm(name, "method", None, "free", label, budget)
    return Arm(name, "search", start, "listed", f"{label}, best of {budget}", budget)


def label_at_budgets(name: str, arms: Iterable[Arm]) -> str:
    """Return what a reader calls a method of the comparison at equal budgets; ``arms`` are those of the run."""
    known = {mean: f"{label_of(kind)}, mean over seeds" for kind, mean in MEANS.items()}
    for arm in arms:
        if arm.is_main:
            known[_further(SEARCH_EAGLE, str(arm.start))] = arm.label
        elif arm.kind == "reference":
            known[_further(SEARCH_REFERENCE, str(arm.start))] = arm.label
    return known.get(name) or label_of(name)


def _further(kind: str, start: str) -> str:
    return f"{kind}_{start}"
