"""Stage actions: K candidate actions for every anchor.

1. Follows the paper (Sec. 5.1, App. C): five categories, a generic and a personalised half.
2. Differs: K is smaller, most candidates are our own seeds, shared by all anchors at the same index; the last
   ``actions.llm_written`` are the model's own for that anchor (written).
3. Anchors are drawn from training and validation items only; test items, which the evaluation starts from, never get
   cached transitions.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd

from eagle.actions.anchors import choose_anchors
from eagle.actions.candidate_list import is_valid_action
from eagle.actions.duplicates import duplicate_rate
from eagle.actions.labels import frequent_labels
from eagle.actions.seeds import Seed, choose_seeds, generic_seeds, personalized_seeds
from eagle.actions.written import Request, WrittenStatistics
from eagle.actions.written_shards import write_on_workers
from eagle.config import ActionsConfig, Config
from eagle.core.artifacts import write_json, write_table
from eagle.core.errors import user_error
from eagle.core.project import Project
from eagle.core.seeding import stream
from eagle.data.descriptions import Descriptions
from eagle.data.stored import read_item_split
from eagle.domains.base import Domain
from eagle.domains.open import domain_of
from eagle.profiles.stored import Profiles

Answers = tuple[list[tuple[str, str, str]], WrittenStatistics]
Write = Callable[[Sequence[Request], Sequence[str], Mapping[str, Sequence[Seed]]], Answers]
"""From requests, actions that are taken, and reserve seeds by half, to (action, category, origin) per request."""
COLUMNS = ["anchor", "split", "action_index", "action", "category", "kind", "origin"]


def halves(settings: ActionsConfig) -> tuple[int, int, int, int]:
    """Return how many candidates are (generic seeds, personalised seeds, generic written, personalised written)."""
    if settings.llm_written >= settings.per_anchor:
        raise user_error(
            "actions.llm_written leaves no shared seed actions",
            found=f"{settings.llm_written} of actions.per_anchor {settings.per_anchor}",
            expected="fewer than actions.per_anchor",
            mend="lower actions.llm_written: actions that all anchors share are what transfers to new anchors",
        )
    personalized = round(settings.per_anchor * settings.personalized_share)
    personalized_written = round(settings.llm_written * settings.personalized_share)
    generic_written = settings.llm_written - personalized_written
    generic = settings.per_anchor - personalized - generic_written
    if min(generic, personalized - personalized_written) < 0:
        generic, personalized_written, generic_written = 0, settings.llm_written, 0
    return generic, settings.per_anchor - settings.llm_written - generic, generic_written, personalized_written


def requests_for(
    anchors: pd.DataFrame, profiles: pd.DataFrame, counts: tuple[int, int], domain: Domain, first_slot: int, seed: int
) -> list[Request]:
    """Return the requests for written actions.

    Each personalised one shows the profile of a training user drawn for it.
    """
    shorts = profiles.loc[profiles["split"] == "train", ["user", "short"]].sort_values("user")["short"].tolist()
    categories = domain.categories
    found = []
    for place, (item, text) in enumerate(zip(anchors["item"], anchors["text"], strict=True)):
        drawn = stream(seed, "profiles for actions", item).permutation(len(shorts))
        for number in range(sum(counts)):
            personal = number >= counts[0]
            profile = shorts[drawn[number % len(shorts)]] if personal and shorts else ""
            category = categories[(number + place) % len(categories)]
            kind = "personalized" if personal else "generic"
            found.append(Request(item, first_slot + number, text, category, kind, profile))
    return found


def _seed_rows(anchors: pd.DataFrame, seeds: Sequence[Seed]) -> list[tuple[Any, ...]]:
    return [
        (item, split, index, seed.action, seed.category, seed.kind, "seed")
        for item, split in zip(anchors["item"], anchors["split"], strict=True)
        for index, seed in enumerate(seeds)
    ]


def build_actions(
    config: Config, descriptions: pd.DataFrame, splits: pd.DataFrame, profiles: pd.DataFrame, write: Write
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the actions table and the stage's figures.

    ``write`` is called only where actions.llm_written is above 0.
    """
    settings = config.actions
    generic, personalized, *written_counts = halves(settings)
    labels, domain = frequent_labels(descriptions, splits, domain_of(config))
    seeds = choose_seeds(labels, domain, generic, personalized)
    anchors = pd.concat(
        [
            choose_anchors(descriptions, splits, split, count, config.seed)
            for split, count in (("train", settings.train_anchors), ("validation", settings.validation_anchors))
        ],
        ignore_index=True,
    )
    rows, statistics = _seed_rows(anchors, seeds), WrittenStatistics()
    if settings.llm_written:
        splits_of = dict(zip(anchors["item"], anchors["split"], strict=True))
        requests = requests_for(
            anchors, profiles, (written_counts[0], written_counts[1]), domain, len(seeds), config.seed
        )
        reserve = {
            "generic": generic_seeds(domain)[generic:],
            "personalized": personalized_seeds(labels, domain)[personalized:],
        }
        answers, statistics = write(requests, [s.action for s in seeds], reserve)
        rows += [
            (request.anchor, splits_of[request.anchor], request.slot, action, category, request.kind, origin)
            for request, (action, category, origin) in zip(requests, answers, strict=True)
        ]
    table = (
        pd.DataFrame(rows, columns=COLUMNS)
        .sort_values(["split", "anchor", "action_index"], kind="stable")
        .reset_index(drop=True)
    )
    return table, _figures(table, statistics, anchors)


def _figures(table: pd.DataFrame, written: WrittenStatistics, anchors: pd.DataFrame) -> dict[str, Any]:
    rates = [duplicate_rate(rows["action"].tolist()) for _, rows in table.groupby("anchor")]
    drawn = max(written.drawn, 1)
    return {
        "anchors": {split: int(n) for split, n in anchors["split"].value_counts().items()},
        "anchors_with_plot": int((anchors["plot"].fillna("") != "").sum()),
        "actions": len(table),
        "distinct_actions": int(table["action"].nunique()),
        "duplicate_rate": float(sum(rates) / max(len(rates), 1)),
        "valid_rate": float(table["action"].map(is_valid_action).mean()),
        "origin": {origin: int(n) for origin, n in table["origin"].value_counts().items()},
        "kind": {kind: int(n) for kind, n in table["kind"].value_counts().items()},
        "category": {category: int(n) for category, n in table["category"].value_counts().items()},
        "written_drawn": written.drawn,
        "written_invalid_rate": written.invalid / drawn,
        "written_repeated_rate": written.repeated / drawn,
        "written_from_reserve": written.reserve,
        "written_samples": written.samples[:20],
    }


def run(config: Config, project: Project) -> None:
    """Stage actions: read splits, descriptions and profiles; write data/actions.parquet and
    reports/stages/actions.json.
    """
    descriptions = Descriptions.load(project.descriptions).table
    splits = read_item_split(project.split_files.items)
    profiles = Profiles.load(project.profiles).table
    table, figures = build_actions(config, descriptions, splits, profiles, partial(write_on_workers, config, project))
    write_table(project.actions, table, "actions", inputs=[project.descriptions, project.profiles])
    write_json(project.stage_metrics("actions"), figures)
    shutil.rmtree(project.unfinished("actions"), ignore_errors=True)
