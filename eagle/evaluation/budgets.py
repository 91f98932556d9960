"""The comparison at equal budgets: every method may ask for as many texts per case, one change each.

1. Each method runs once, at the largest budget. Its answer at a smaller one is the best eligible of its first texts.
2. The first change of an anchor by a listed action does not depend on the user, and neither does the text's seed. So
   one bank of texts per anchor answers for all users, and there are many more users than in the main table.
3. A case in which no candidate is eligible counts as none found: its gain is 0, and its text is the anchor's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from eagle.config import Config
from eagle.core.project import Project
from eagle.data.stored import read_user_split
from eagle.environment.steering import Writer
from eagle.evaluation.cases import HeldOut, cases_of, pick_cases
from eagle.evaluation.method_arms import open_methods
from eagle.evaluation.scoring import valued_rows
from eagle.latent.text_utility import TextUtility
from eagle.methods.context import MethodContext
from eagle.methods.running import candidate_rows, run_method


def budgets_up_to(most: int) -> list[int]:
    """Return 1, 2, 4 and so on, and ``most`` itself."""
    powers = [2**n for n in range(most.bit_length())]
    return [budget for budget in powers if budget < most] + ([most] if most else [])


def pick_budget_cases(config: Config, project: Project) -> HeldOut:
    """Return the cases of the comparison: the main table's anchors and users first, and more of the same split."""
    settings, main = config.evaluate.budgets, config.evaluate
    users = settings.users or len(read_user_split(project.split_files.users))  # no split has more
    wanted = main.model_copy(update={"users": users, "anchors": settings.anchors or main.anchors})
    return pick_cases(wanted, config.seed, project)


@dataclass(frozen=True)
class BudgetRun:
    """The cases of the comparison and every text that a method considered for them."""

    held: HeldOut
    candidates: pd.DataFrame
    """One row per candidate; see :func:`eagle.methods.running.candidate_rows`, and utility, new and whole."""
    most: int

    def answers(self) -> pd.DataFrame:
        """Return the answer of every arm to every case at each budget: arm, budget, case, text, found."""
        return pd.concat([answers_at(self.candidates, self.held.cases, b) for b in budgets_up_to(self.most)])


def run_budgets(
    config: Config, held: HeldOut, context: MethodContext, writer: Writer, utility: TextUtility
) -> BudgetRun:
    """Run every method of ``evaluate.budgets.methods`` at the largest budget."""
    settings = config.evaluate.budgets
    one_change = config.evaluate.search.model_copy(update={"steps": 1})
    there = config.model_copy(update={"evaluate": config.evaluate.model_copy(update={"search": one_change})})
    context = replace(context.with_config(there), users=held.users)
    methods = [method for _, method in open_methods(settings.methods, context)]
    cases = cases_of(held)
    tables = [
        candidate_rows(m.name, run_method(m, cases, settings.most, config.seed, writer, utility)) for m in methods
    ]
    return BudgetRun(held, valued(pd.concat(tables, ignore_index=True), held.cases, utility), settings.most)


def valued(candidates: pd.DataFrame, cases: pd.DataFrame, utility: TextUtility) -> pd.DataFrame:
    """Return ``candidates`` with utility, preference, novelty, new and whole; a failed text is not whole."""
    found = valued_rows(candidates, cases, utility)
    whole = found.whole & candidates["valid"].to_numpy(bool)
    parts = {"preference": found.preference, "novelty": found.distance}
    return candidates.assign(utility=found.utility, **parts, new=found.new, whole=whole)


def answers_at(candidates: pd.DataFrame, cases: pd.DataFrame, budget: int) -> pd.DataFrame:
    """Return each arm's answer to each case among its first ``budget`` candidates: the best eligible text.

    Columns arm, budget, case, anchor, user, step, action, text, found. The anchor's own text where nothing is eligible.
    """
    first = candidates[(candidates["order"] < budget) & candidates["new"] & candidates["whole"]]
    ranked = first.sort_values(["arm", "case", "utility", "order"], ascending=[True, True, False, True], kind="stable")
    best = ranked.drop_duplicates(["arm", "case"])[["arm", "case", "step", "action", "text"]]
    every = pd.MultiIndex.from_product([_arms(candidates), cases["case"]], names=["arm", "case"]).to_frame(index=False)
    found = every.merge(best, how="left", on=["arm", "case"]).merge(
        cases[["case", "anchor", "user", "text"]], on="case", suffixes=("", "_of_anchor")
    )
    known = found["text"].notna()
    return found.assign(
        budget=budget,
        found=known,
        step=found["step"].fillna(0).astype(int),
        action=found["action"].fillna(""),
        text=found["text"].where(known, found["text_of_anchor"]),
    ).drop(columns="text_of_anchor")


def _arms(candidates: pd.DataFrame) -> Sequence[str]:
    return list(dict.fromkeys(candidates["arm"]))
