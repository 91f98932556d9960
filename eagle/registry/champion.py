"""Who is the champion: the new agent only where it is surely ahead of the present one on the same held-out cases.

An agent is judged as it is used: by the texts that its search keeps with the default budget, where one was run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from eagle.config import Config, DomainConfig
from eagle.core.artifacts import content_hash, hash_of, read_record, write_json
from eagle.core.errors import EagleError
from eagle.core.project import Project
from eagle.engine.identity import code_behind
from eagle.environment.adapted import kept_adapter
from eagle.evaluation.arm import Arm
from eagle.evaluation.bounds import BoundCheck
from eagle.evaluation.comparison import final_rows
from eagle.stats.bootstrap import TwoWayBootstrap

CASES = "cases.json"
EPISODE = ("horizon", "temperature")
"""Parameters of ``evaluate`` that decide an agent's U on a case; which cases there are is compared by themselves."""


@dataclass(frozen=True)
class CaseScores:
    """Final U of one agent on every held-out case, in SD of U over the encoded catalogue."""

    surroundings: str
    """Hash of what decides a score beside the agent: cases, encoder, environment model, utility, horizon, temperatures,
    the search and its gates, seed, code. Resamples, confidence and other arms decide none.
    """
    anchors: list[str]
    users: list[str]
    utility: list[float]

    def save(self, folder: Path) -> None:
        write_json(folder / CASES, asdict(self))

    @classmethod
    def load(cls, folder: Path) -> CaseScores:
        return read_record(
            folder / CASES,
            cls,
            "remove the alias `champion` in the registry, and run the same command again: the new agent becomes it",
        )


def surroundings(config: Config, project: Project, cases: pd.DataFrame, searched: bool) -> str:
    """Return the hash under which scores may be compared; ``cases`` has columns anchor and user, in case order.

    ``searched``: the scores are those of the texts that a search kept.
    """
    parts = [
        cases[["anchor", "user"]].to_numpy().tolist(),
        content_hash(project.encoder),
        content_hash(project.llm),
        content_hash(project.descriptions),
        *([content_hash(adapter)] if (adapter := kept_adapter(project.environment)) else []),
        config.seed,
        config.data.noun,
        *([config.domain.decisive()] if config.domain != DomainConfig() else []),
        *(getattr(config, name).decisive() for name in ("llm", "utility")),
        {name: getattr(config.evaluate, name) for name in EPISODE},
        *([config.evaluate.search.decisive(), content_hash(project.quality)] if searched else []),
        *([config.quality.decisive()] if searched else []),
        code_behind("eagle.serving.searching", config),
    ]
    return hash_of(parts)


def scores_of(trajectories: pd.DataFrame, arm: Arm, around: str) -> CaseScores:
    """Return an arm's final utilities from the trajectories table."""
    final = final_rows(trajectories[trajectories["arm"] == arm.name])
    return CaseScores(around, final["anchor"].tolist(), final["user"].tolist(), final["utility"].astype(float).tolist())


@dataclass(frozen=True)
class Promotion:
    """Whether the alias moves, and why.

    ``gain``: mean paired difference of final U, new less champion, with its interval.
    """

    moves: bool
    reason: str
    gain: dict[str, Any] | None = None
    replayed: bool = False


def decide(
    new: CaseScores,
    champion: CaseScores | None,
    replay: Callable[[], CaseScores],
    config: Config,
    broken: Sequence[BoundCheck] = (),
) -> Promotion:
    """Compare on the same cases; ``replay`` lets the champion play the new agent's cases where its own were others.

    Without a champion the new agent becomes it. With one it has to be ahead by an interval that excludes 0, and to keep
    its bounds: ``broken`` is empty. Where the champion cannot be replayed (its language model is not here), it stays.
    """
    if champion is None:
        return Promotion(True, "there was no champion")
    replayed = champion.surroundings != new.surroundings
    if replayed:
        try:
            champion = replay()
        except EagleError as error:
            return Promotion(
                False, f"the champion cannot play the new cases, so nothing shows that it is beaten: {error}"
            )
    difference = np.array(new.utility) - np.array(champion.utility)
    bootstrap = TwoWayBootstrap(
        new.anchors, new.users, config.evaluate.bootstrap, config.evaluate.confidence, config.seed
    )
    gain = bootstrap.mean(difference)
    wins = gain.low > 0  # never on the mean alone; one case has no interval and moves nothing
    reason = (
        f"mean paired difference of final U over {len(difference)} held-out cases is {gain.mean:+.3f} "
        f"[{gain.low:+.3f}, {gain.high:+.3f}]"
    )
    if broken:
        reason = f"{reason}; outside its bounds: {bounds_text(broken)}"
    return Promotion(wins and not broken, reason, gain.as_dict(), replayed)


def bounds_text(broken: Sequence[BoundCheck]) -> str:
    """Return "kept", or each broken bound with its figure, by the names of the parameters."""
    return "; ".join(map(_told, broken)) or "kept"


def _told(check: BoundCheck) -> str:
    value = "not measured" if check.value is None else f"{check.value:.3g}"
    return f"{check.name} {value} ({check.sense} {check.bound:g})"
