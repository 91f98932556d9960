"""The arms that ``evaluate.methods`` adds, and the table of all texts that any arm considered.

Each of these methods runs by itself after the usual arms, so that the usual arms' texts do not depend on them. The same
action on the same text gives the same text all the same: the environment remembers what it wrote.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from eagle.compute.sharding import ShardCache
from eagle.compute.workers import Workers
from eagle.config import Config
from eagle.core.errors import EagleError, Problem, did_you_mean, user_error
from eagle.environment.steering import Case, Writer
from eagle.evaluation.arm import Arm, arms_of, policy_arms, proposer_arms
from eagle.evaluation.searches import method_arm, searches
from eagle.latent.text_utility import TextUtility
from eagle.methods.acting import ShardedAgents, WorkerAgent
from eagle.methods.base import Method
from eagle.methods.context import MethodContext
from eagle.methods.open import open_method
from eagle.methods.proposers import search_with
from eagle.methods.running import candidate_rows, run_method, trajectory_rows
from eagle.policies.base import Agent

COLUMNS = [
    "comparison", "arm", "case", "anchor", "user", "step", "draw", "action", "text", "utility", "preference", "novelty",
    "eligible", "accepted",
]  # fmt: skip
"""Of reports/candidates.parquet. comparison: arms (the main table's cases) or budgets (those of the comparison at equal
budgets, where draw is the place among all texts of a case). novelty is the distance part of U, NaN where a utility of
one's own has none."""


@dataclass(frozen=True)
class PolicyArms:
    """Opens arms in which a language model acts, by name, for methods that build on one."""

    config: Config
    workers: Workers
    cache: ShardCache

    def __call__(self, name: str) -> Agent:
        known = [arm.name for arm in (*policy_arms(self.config), *proposer_arms(self.config))]
        if name not in known:
            raise user_error(
                f"there is no arm {name!r} to build on",
                expected=f"one of {', '.join(known)}",
                mend=did_you_mean(name, known),
            )
        return WorkerAgent(ShardedAgents([name], self.workers, self.cache, self.config.llm.shard_rows), name)


def open_methods(kinds: Iterable[str], context: MethodContext) -> list[tuple[str, Method]]:
    """Open methods by their names, a search with a language model of the run once for each; return each with its
    kind.
    """
    found: list[tuple[str, Method]] = []
    for kind in kinds:
        each = searches(kind, context.config)
        found += [(kind, search_with(context, kind, name, start)) for name, start in each.items()] or [
            (kind, open_method(kind, context))
        ]
    return found


@dataclass(frozen=True)
class MethodArms:
    """Further methods, opened, each with its arm."""

    methods: Sequence[Method]
    config: Config

    @classmethod
    def open(cls, config: Config, context: MethodContext) -> MethodArms:
        """Open what ``evaluate.methods`` names; EagleError where two arms would have one name."""
        opened = open_methods(config.evaluate.methods, context)
        names = [arm.name for arm in arms_of(config)]
        problems = []
        for kind, method in opened:
            if method.name in names:
                problems.append(
                    Problem(
                        f"evaluate.methods: {kind} would be a second arm of one name",
                        found=method.name,
                        expected=f"a name other than {', '.join(names)}",
                        mend="give your own another name, or name it once",
                    )
                )
            names.append(method.name)
        if problems:
            raise EagleError(problems)
        return cls([method for _, method in opened], config)

    @property
    def budget(self) -> int:
        """Texts that each of them may ask of the environment for one case."""
        return self.config.evaluate.search.budget

    @property
    def arms(self) -> list[Arm]:
        return [method_arm(m.name, self.budget, self.config, getattr(m, "label", None)) for m in self.methods]

    def run(
        self, cases: Sequence[Case], writer: Writer, utility: TextUtility
    ) -> tuple[list[pd.DataFrame], list[pd.DataFrame]]:
        """Return the trajectories and the candidates of every method."""
        ran = [(m.name, run_method(m, cases, self.budget, self.config.seed, writer, utility)) for m in self.methods]
        return [trajectory_rows(*one) for one in ran], [candidate_rows(*one) for one in ran]


def candidates_table(
    scored: pd.DataFrame, considered: pd.DataFrame | None, at_budgets: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return every text that any arm considered, with its U and the parts of U.

    ``scored``: trajectories of all arms; ``considered``: scored candidates of the arms whose methods say which they had
    (None: no arm did). All other arms take the one text that they draw. ``at_budgets``: candidates of the comparison at
    equal budgets, valued.
    """
    own = scored[scored["step"] > 0].assign(draw=0, accepted=True)
    if considered is not None:
        own = pd.concat([own[~own["arm"].isin(set(considered["arm"]))], considered], ignore_index=True)
    tables = [own.rename(columns={"distance_bonus": "novelty"}).assign(comparison="arms")]
    if at_budgets is not None:
        eligible = (at_budgets["new"] & at_budgets["whole"]).astype("boolean")
        tables.append(at_budgets.assign(comparison="budgets", draw=at_budgets["order"], eligible=eligible))
    return pd.concat([table.reindex(columns=COLUMNS) for table in tables], ignore_index=True)
