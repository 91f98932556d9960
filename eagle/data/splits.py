"""Stage ``split``: what is learned from, what settings are chosen on, what is judged on.

1. Items: test, validation, train, with the same share of each among items with and without a text and among rare and
   popular ones. Items that nobody rated are in none of the three.
2. Users: the same, balanced over how much they rate. Only users with a fit row on a training item are held out: the
   others have no vector.
3. Ratings: every user's rows are divided into panel (the judge), holdout (warm test) and fit (the reward), evenly over
   the item splits.

Every draw depends on the seed and the ids alone, not on the order of rows.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from eagle.config import Config, SplitConfig
from eagle.core.artifacts import complete_or_absent, content_hash, read_json, write_json, write_table
from eagle.core.errors import EagleError, Problem, user_error
from eagle.core.folders import SplitFiles
from eagle.core.project import Project
from eagle.core.seeding import stream
from eagle.data.catalogue import Catalogue, read_catalogue

PARTS = ("fit", "holdout", "panel")
NEVER_RATED = "never_rated"
"""The split of items without ratings: neighbours in novelty, and nothing else."""
_RARITY_CLASSES = 3


def spread(share: float, strata: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return a mask (n,) that draws ``share`` of all rows and, within one row, of every stratum.

    Systematic sampling: rows in random order within their stratum, strata one after another, every ``1/share``-th is
    taken.
    """
    order = np.lexsort((generator.random(len(strata)), strata))
    steps = np.floor((np.arange(len(strata) + 1)) * share + generator.random())
    mask = np.zeros(len(strata), dtype=bool)
    mask[order] = np.diff(steps) > 0
    return mask


def _three_way(
    ids: pd.Series, strata: np.ndarray, validation: float, test: float, generator: np.random.Generator
) -> pd.DataFrame:
    """Return the table (id, split) of sorted ``ids``."""
    split = np.full(len(ids), "train", dtype=object)
    held = spread(test, strata, generator)
    split[held] = "test"
    rest = np.flatnonzero(~held)
    split[rest[spread(validation / (1 - test), strata[rest], generator)]] = "validation"
    return pd.DataFrame({str(ids.name): ids.to_numpy(), "split": split})


def _rarity(counts: pd.Series) -> np.ndarray:
    """Return a class 0..2 per row, from rarely to often rated."""
    ranks = counts.rank(method="first").to_numpy()
    return np.asarray((ranks - 1) * _RARITY_CLASSES // max(len(ranks), 1), dtype=int)


def split_items(catalogue: Catalogue, config: SplitConfig, seed: int) -> pd.DataFrame:
    """Return (item, split), sorted by item; balanced over having a text and over rarity."""
    items = catalogue.items.sort_values("item", ignore_index=True)
    counts = items["item"].map(catalogue.ratings["item"].value_counts()).fillna(0)
    has_text = items["text"].fillna("").str.strip().ne("").to_numpy(dtype=int)
    strata = has_text * _RARITY_CLASSES + _rarity(counts)
    return _three_way(items["item"], strata, config.validation_items, config.test_items, stream(seed, "split", "items"))


def with_never_rated(catalogue: Catalogue, config: SplitConfig, seed: int) -> pd.DataFrame:
    """Return :func:`split_items` of the rated items, and the others in the split never_rated; sorted by item.

    Nothing is learned from an item that nobody rated, and nothing is judged on it.
    """
    rated = catalogue.items["item"].isin(catalogue.ratings["item"])
    drawn = split_items(replace(catalogue, items=catalogue.items[rated]), config, seed)
    if rated.all():
        return drawn
    never = catalogue.items.loc[~rated, ["item"]].assign(split=NEVER_RATED)
    return pd.concat([drawn, never]).sort_values("item", ignore_index=True)


def split_ratings(ratings: pd.DataFrame, items: pd.DataFrame, config: SplitConfig, seed: int) -> pd.DataFrame:
    """Return (user, item, rating, part), sorted by user and item.

    Each user's rows are drawn from evenly over item splits, training items first; a user's first row on a training item
    is always fit, so that whoever rated one has a vector.
    """
    (user, _), (item, names) = (pd.factorize(ratings[name], sort=True) for name in ("user", "item"))
    sorted_rows = np.argsort(user * len(names) + item, kind="stable")  # by number: text sorts slowly
    table, user = ratings[["user", "item", "rating"]].iloc[sorted_rows].reset_index(drop=True), user[sorted_rows]
    blocks = items.set_index("item")["split"].map({"train": 0, "validation": 1, "test": 2})
    block = blocks.loc[names].to_numpy(dtype=np.int8)[item[sorted_rows]]
    generator = stream(seed, "split", "ratings")
    order = np.lexsort((generator.random(len(table)), block, user))
    first = np.r_[True, np.diff(user[order]) > 0] & (block[order] == 0)
    panel = _every(config.panel_ratings, user[order], generator) & ~first
    part = np.where(panel, PARTS.index("panel"), PARTS.index("fit")).astype(np.int8)
    rest = np.flatnonzero(~panel)
    holdout = _every(config.holdout_ratings, user[order][rest], generator) & ~first[rest]
    part[rest[holdout]] = PARTS.index("holdout")
    part[order] = part.copy()
    return table.assign(part=pd.array(pa.array(PARTS).take(pa.array(part)), dtype="str"))


def _every(share: float, groups: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return a mask that takes every ``1/share``-th row of each group (sorted, contiguous), from a random start in
    each.
    """
    starts = np.r_[True, np.diff(groups) > 0]
    index = np.arange(len(groups)) - np.maximum.accumulate(np.where(starts, np.arange(len(groups)), 0))
    offset = generator.random(int(starts.sum()))[np.cumsum(starts) - 1]
    return np.asarray(np.floor((index + 1) * share + offset) > np.floor(index * share + offset))


def split_users(
    catalogue: Catalogue, items: pd.DataFrame, parts: pd.DataFrame, config: SplitConfig, seed: int
) -> pd.DataFrame:
    """Return (user, split), sorted by user; balanced over how many ratings a user gave."""
    users = catalogue.users[["user"]].sort_values("user", ignore_index=True)
    train_items = items.loc[items["split"] == "train", "item"]
    anchored = parts[(parts["part"] == "fit") & parts["item"].isin(train_items)]["user"].unique()
    known = users["user"].isin(anchored)
    counts = users["user"].map(catalogue.ratings["user"].value_counts()).fillna(0)
    generator = stream(seed, "split", "users")
    drawn = _three_way(
        users["user"][known], _rarity(counts[known]), config.validation_users, config.test_users, generator
    )
    table = users.merge(drawn, on="user", how="left")
    table["split"] = table["split"].fillna("train")
    return table


def _require_rows(items: pd.DataFrame, users: pd.DataFrame, ratings: pd.DataFrame, config: SplitConfig) -> None:
    """Every part that was asked for holds something; all empty ones are reported at once."""
    asked = [
        ("training items", items["split"].eq("train").sum(), 1.0, "lower split.test_items and split.validation_items"),
        (
            "validation items",
            items["split"].eq("validation").sum(),
            config.validation_items,
            "raise split.validation_items",
        ),
        ("test items", items["split"].eq("test").sum(), config.test_items, "raise split.test_items"),
        ("training users", users["split"].eq("train").sum(), 1.0, "lower split.test_users and split.validation_users"),
        (
            "validation users",
            users["split"].eq("validation").sum(),
            config.validation_users,
            "raise split.validation_users",
        ),
        ("test users", users["split"].eq("test").sum(), config.test_users, "raise split.test_users"),
        ("fit ratings", ratings["part"].eq("fit").sum(), 1.0, "lower split.panel_ratings and split.holdout_ratings"),
        ("panel ratings", ratings["part"].eq("panel").sum(), config.panel_ratings, "raise split.panel_ratings"),
        ("holdout ratings", ratings["part"].eq("holdout").sum(), config.holdout_ratings, "raise split.holdout_ratings"),
    ]
    problems = [
        Problem(
            f"the split leaves no {name}",
            found=f"{len(items)} items, {len(users)} users, {len(ratings)} ratings in all",
            mend=mend,
        )
        for name, count, share, mend in asked
        if share > 0 and count == 0
    ]
    if problems:
        raise EagleError(problems)


def _require_checked(project: Project) -> None:
    record = read_json(project.validation)
    if record.get("catalogue") != content_hash(project.catalogue):
        raise user_error(
            f"{project.catalogue} has not passed its checks",
            found="data/validation.json speaks of another catalogue",
            mend="run `eagle stage validate` or `dvc repro`",
        )


def _write(folder: Path, items: pd.DataFrame, users: pd.DataFrame, ratings: pd.DataFrame, source: Path) -> None:
    with complete_or_absent(folder) as draft:
        files = SplitFiles(draft)
        write_table(files.items, items, "item_split", inputs=[source])
        write_table(files.users, users, "user_split", inputs=[source])
        write_table(files.ratings, ratings, "rating_split", inputs=[source])


def run(config: Config, project: Project) -> None:
    """Divide the checked catalogue; write ``data/splits/`` and ``reports/stages/split.json``."""
    _require_checked(project)
    catalogue = read_catalogue(project.catalogue)
    items = with_never_rated(catalogue, config.split, config.seed)
    ratings = split_ratings(catalogue.ratings, items, config.split, config.seed)
    users = split_users(catalogue, items, ratings, config.split, config.seed)
    _require_rows(items, users, ratings, config.split)
    _write(project.splits, items, users, ratings, project.catalogue)
    write_json(project.stage_metrics("split"), summary(catalogue, items, users, ratings))


def summary(catalogue: Catalogue, items: pd.DataFrame, users: pd.DataFrame, ratings: pd.DataFrame) -> dict[str, object]:
    """Return how many rows each part has, and how many of its items have a text."""
    with_text = catalogue.items.loc[catalogue.items["text"].notna(), "item"]

    def counts(values: pd.Series) -> dict[str, int]:
        return {str(name): int(number) for name, number in values.value_counts().sort_index().items()}

    return {
        "items": counts(items["split"]),
        "items_with_text": counts(items.loc[items["item"].isin(with_text), "split"]),
        "users": counts(users["split"]),
        "ratings": counts(ratings["part"]),
    }
