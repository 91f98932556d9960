"""The changes of a trial: a few training items, a few actions each, written by the project's own environment."""

from __future__ import annotations

import pandas as pd

from eagle.actions.anchors import choose_anchors
from eagle.actions.labels import frequent_labels
from eagle.actions.seeds import Seed, generic_seeds, personalized_seeds
from eagle.config import Config
from eagle.core.project import Project
from eagle.core.seeding import derive_seed, stream
from eagle.data.descriptions import Descriptions
from eagle.data.stored import read_item_split
from eagle.domains.base import Domain
from eagle.domains.open import domain_of
from eagle.environment.rewrite import Rewriter

ANCHORS, ACTIONS, PERSONALIZED = 4, 5, 2
SAMPLES = 2  # of every action on the first anchor


def write_changes(config: Config, project: Project) -> pd.DataFrame:
    """Return one row for each change: anchor (number), item, before, year, action, sample, text (None where it failed),
    cause, copied.

    Fewer where the catalogue has fewer training items or the domain fewer actions. Sample 1 is only of the first
    anchor.
    """
    descriptions, splits = Descriptions.load(project.descriptions), read_item_split(project.split_files.items)
    training = int((splits["split"] == "train").sum())
    anchors = choose_anchors(descriptions.table, splits, "train", min(ANCHORS, training), config.seed)
    seeds = draw_seeds(*frequent_labels(descriptions.table, splits, domain_of(config)), config.seed)
    asked = [
        (anchor, item, before, descriptions.years[item], seed.action, sample)
        for sample in range(SAMPLES)
        for anchor, (item, before) in enumerate(zip(anchors["item"], anchors["text"], strict=True))
        for seed in seeds
        if sample == 0 or anchor == 0
    ]
    table = pd.DataFrame(asked, columns=["anchor", "item", "before", "year", "action", "sample"])
    draws = [derive_seed(config.seed, "trial", row.item, row.action, row.sample) for row in table.itertuples()]
    answers = Rewriter.open(config, project).rewrite(list(table["before"]), list(table["action"]), draws)
    return table.assign(
        year=table["year"].astype(object).where(table["year"].notna(), None),
        text=pd.Series([answer.text for answer in answers], dtype=object),
        cause=pd.Series([answer.cause for answer in answers], dtype=object),
        copied=[answer.copied for answer in answers],
    )


def draw_seeds(labels: list[str], domain: Domain, seed: int) -> list[Seed]:
    """Draw ACTIONS seed actions, PERSONALIZED of them made for a taste where the catalogue's labels give as many."""
    generic, personalized = generic_seeds(domain), personalized_seeds(labels, domain)
    taste = min(PERSONALIZED, len(personalized))
    drawn = [
        [pool[place] for place in stream(seed, "trial", name).permutation(len(pool))[:count]]
        for name, pool, count in (("generic", generic, ACTIONS - taste), ("personalized", personalized, taste))
    ]
    return [each for part in drawn for each in part]
