"""Stage evaluate: every arm on the same held-out anchors and users; trajectories, tables and metrics.

1. Follows the paper's Table 2 in its columns and arms; anchors and users are held out, all arms share cases and seeds.
2. Adds baselines: random actions, a linear rule (once, and for the same H), a softmax policy, fixed best actions.
3. Differs: judges in place of 124 raters, a simulated panel and a shelf of hidden ratings (eagle.evaluation.judges),
   each of them judged on ratings that it has not seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from eagle.config import Config
from eagle.core import live
from eagle.core.project import Project
from eagle.data.descriptions import Descriptions
from eagle.data.stored import in_units, rating_unit, read_item_split, read_rating_split
from eagle.engine.folders import check_model_folder
from eagle.engine.open import open_language_model
from eagle.evaluation.budget_table import BudgetTable
from eagle.evaluation.budgets import BudgetRun
from eagle.evaluation.cases import HeldOut, case_groups, pick_cases, texts_of
from eagle.evaluation.comparison import Comparison
from eagle.evaluation.inputs import input_hashes
from eagle.evaluation.judges.base import Judge, JudgeData
from eagle.evaluation.judges.fitting import fit_judges, judged_by_all
from eagle.evaluation.method_arms import candidates_table
from eagle.evaluation.running import Arms
from eagle.evaluation.scoring import RememberingEncoder, as_offered, in_stars, score, with_eligible
from eagle.evaluation.searches import means_over_seeds
from eagle.evaluation.writing import EvaluationResult, write_evaluation
from eagle.latent.encoders import load_encoder
from eagle.latent.sentence import SentenceModel
from eagle.latent.text_utility import TextUtility
from eagle.quality.columns import GATES, quality_columns
from eagle.quality.gates import TextGates
from eagle.quality.judging import Following, Perplexity, load_perplexity
from eagle.stats.bootstrap import TwoWayBootstrap


def run(config: Config, project: Project) -> None:
    """Play all arms, judge their texts, and write what :func:`eagle.evaluation.writing.write_evaluation` names."""
    if config.evaluate.other_model:
        check_model_folder(Path(config.evaluate.other_model), chat=True)  # before an evaluation that would end there
    held, hashes = pick_cases(config.evaluate, config.seed, project), input_hashes(config, project)
    encoder = RememberingEncoder(load_encoder(project.encoder, project.text_model))

    arms = Arms.open(config, project, held, hashes, encoder)
    utility = arms.text_utility

    def worth(rows: pd.DataFrame) -> pd.DataFrame:
        return score(rows, held.cases, encoder, utility.utility)

    def scored(rows: pd.DataFrame) -> pd.DataFrame:
        return with_eligible(worth(rows), held.cases, utility)

    ran = arms.run(played=lambda rows: tell_utilities(worth(rows)))
    judges = open_judges(config, project, held)
    judged = judged_by_all(judges, scored(ran.trajectories), held.cases)
    odd = perplexity(config, project)
    judged = quality_columns(judged, texts_of(held), arms.gates, perplexity=odd, following=following(arms))
    considered = None if ran.considered is None else scored(ran.considered)

    comparison = Comparison(
        arms=ran.arms,
        judged=as_offered(judged),
        cases=held.cases,
        candidates=arms.material.candidates.shared,
        groups=case_groups(held, project),
        bootstrap=bootstrap_over(held, config),
        seed=config.seed,
        counts=ran.counts,
        judged_columns=[column for judge in judges.values() for column in judge.columns],
    )
    budgets = None if ran.budgets is None else at_budgets(config, ran.budgets, arms.gates, utility, judges)
    found = EvaluationResult(
        arms=ran.arms,
        trajectories=judged,
        candidates=candidates_table(judged, considered, None if ran.budgets is None else ran.budgets.candidates),
        results=comparison.results(),
        checks={name: judge.check() for name, judge in judges.items()},
        budgets=budgets,
    )
    write_evaluation(config, project, held, hashes, found)
    arms.finish()


def tell_utilities(played: pd.DataFrame) -> None:
    """Say the mean U of some arms after each change to who follows the stage, while others still write."""
    means = played.pivot_table(index="step", columns="arm", values="utility")
    for row in means.reset_index().to_dict("records"):
        live.figures(int(row.pop("step")), {f"utility.{arm}": mean for arm, mean in row.items()})


def open_judges(config: Config, project: Project, held: HeldOut) -> dict[str, Judge]:
    """Return the judges, fitted to ratings (in units, as U's) that no stage before learns from, by name."""
    unit = rating_unit(project.catalogue_files.source)
    ratings = in_units(read_rating_split(project.split_files.ratings), unit)
    described = Descriptions.load(project.descriptions)
    data = JudgeData(
        ratings=ratings[ratings["part"] == "panel"],
        texts={item: (text, described.years[item]) for item, text in described.texts.items()},
        raters=held.raters,
        seed=config.seed,
        resamples=config.evaluate.bootstrap,
        confidence=config.evaluate.confidence,
        hidden=hidden_ratings(ratings, read_item_split(project.split_files.items), config.evaluate.split),
        cases=held.cases,
    )
    return fit_judges(config.evaluate.judges, data)


def following(arms: Arms) -> Following:
    """Return the judge of whether a change follows its action, against the listed actions."""
    return Following(SentenceModel(arms.project.text_model), arms.material.candidates.shared)


def perplexity(config: Config, project: Project) -> Perplexity | None:
    """Return the base model as a judge of odd texts, where ``quality.perplexity`` asks for it."""
    if not config.quality.perplexity:
        return None
    return load_perplexity(project, config, open_language_model(config.llm, project.llm))


def at_budgets(
    config: Config, ran: BudgetRun, gates: TextGates, utility: TextUtility, judges: Mapping[str, Judge]
) -> pd.DataFrame:
    """Return reports/budget.csv: what every method wins at each budget."""
    cases = ran.held.cases
    anchors = in_stars(cases, cases, utility.encoder, utility.utility)
    answers = judged_answers(ran, gates, utility, judges)
    # A mean is over searches that the comparison has: evaluate.budgets.methods may leave them out.
    means = {mean: of for mean, of in means_over_seeds(config).items() if set(of) <= set(answers["arm"])}
    return BudgetTable(bootstrap_over(ran.held, config), judged_figures(judges), means).of(answers, anchors)


def judged_answers(ran: BudgetRun, gates: TextGates, utility: TextUtility, judges: Mapping[str, Judge]) -> pd.DataFrame:
    """Return the answers at all budgets, with what U, judges and gates say of them."""
    cases = ran.held.cases
    answers = in_stars(ran.answers().reset_index(drop=True), cases, utility.encoder, utility.utility)
    return quality_columns(judged_by_all(judges, answers, cases), texts_of(ran.held), gates)


def judged_figures(judges: Mapping[str, Judge]) -> list[str]:
    """Return the columns of judges and gates that the table has."""
    return [*(column for judge in judges.values() for column in judge.columns), *GATES]


def hidden_ratings(ratings: pd.DataFrame, items: pd.DataFrame, split: str) -> pd.DataFrame:
    """Return user, item, rating, split: all ratings of validation items and, where ``split`` is test, of test items."""
    kept = items[items["split"].isin({"validation", split})]
    return ratings[["user", "item", "rating"]].merge(kept[["item", "split"]], on="item")


def bootstrap_over(held: HeldOut, config: Config) -> TwoWayBootstrap:
    """Return the resampler of the held-out cases."""
    settings = config.evaluate
    anchors, users = held.cases["anchor"].tolist(), held.cases["user"].tolist()
    return TwoWayBootstrap(anchors, users, settings.bootstrap, settings.confidence, config.seed)
