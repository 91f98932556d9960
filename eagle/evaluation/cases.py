"""The held-out cases: anchors crossed with users, neither seen in training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from eagle.config import EvaluateConfig
from eagle.core.errors import user_error
from eagle.core.project import Project
from eagle.core.seeding import stream
from eagle.data.descriptions import Descriptions
from eagle.data.stored import items_of_split, read_ratings, read_user_split, read_users
from eagle.domains.text import Description
from eagle.environment.steering import Case

RATERS = 200  # more move the mean rater preference by less than its interval


@dataclass(frozen=True)
class HeldOut:
    """Anchors and users of the comparison; case i * n_users + j is anchor i with user j."""

    cases: pd.DataFrame
    """case (int), anchor, user, text (the anchor's own), year (None where unknown)."""
    anchors: tuple[str, ...]
    users: tuple[str, ...]
    raters: tuple[str, ...]
    """Users of the split whose preferences are asked as other raters', at most RATERS."""


def _draw(ids: list[str], count: int, seed: int, name: str) -> list[str]:
    """Draw without replacement; fewer where there are not enough."""
    order = stream(seed, "evaluate", name).permutation(len(ids))
    return sorted(np.array(sorted(ids))[order[:count]].tolist())


def pick_cases(config: EvaluateConfig, seed: int, project: Project) -> HeldOut:
    """Draw ``config.anchors`` held-out items that have a plot and ``config.users`` held-out users, and cross them.

    Raises EagleError where the split holds no such item or user.
    """
    users = read_user_split(project.split_files.users)
    described = Descriptions.load(project.descriptions)
    held_items = items_of_split(project.split_files.items, config.split)
    candidates = [item for item in held_items if described.plots.get(item)]
    raters = users.loc[users["split"] == config.split, "user"].tolist()
    if not candidates or not raters:
        raise user_error(
            f"nothing to evaluate on in the {config.split} split",
            found=f"{len(candidates)} items with a plot, {len(raters)} users",
            expected="at least one of each",
            mend=f"raise split.{config.split}_items and split.{config.split}_users, or describe.write_at_most",
        )
    anchors = _draw(candidates, config.anchors, seed, "anchors")
    chosen = _draw(raters, config.users, seed, "users")
    return HeldOut(
        _cross(anchors, chosen, described), tuple(anchors), tuple(chosen), tuple(_draw(raters, RATERS, seed, "raters"))
    )


def cases_of(held: HeldOut) -> list[Case]:
    """Return the cases as the environment takes them."""
    columns = ["case", "anchor", "user", "text", "year"]
    return [Case(*row) for row in held.cases[columns].itertuples(index=False, name=None)]


def texts_of(held: HeldOut) -> dict[int, str]:
    """Return the anchor's text of every case."""
    return dict(zip(held.cases["case"].tolist(), held.cases["text"].tolist(), strict=True))


def _cross(anchors: list[str], users: list[str], described: Descriptions) -> pd.DataFrame:
    rows = [(anchor, user) for anchor in anchors for user in users]
    cases = pd.DataFrame(rows, columns=["anchor", "user"])
    cases.insert(0, "case", np.arange(len(cases)))
    cases["text"] = [Description.read(described.texts[anchor]).render() for anchor in cases["anchor"]]
    cases["year"] = pd.Series([described.years[anchor] for anchor in cases["anchor"]], dtype=object)
    return cases


def anchor_groups(ratings: pd.DataFrame, anchors: tuple[str, ...]) -> dict[str, str]:
    """Return "low_rated" or "high_rated" for every anchor: below or from the median of their shrunk mean ratings.

    The mean over all raters, shrunk towards the catalogue's by five ratings. The paper splits by rated 1-3 and 4-5 [P
    Sec. 5.2]; held-out users have mostly not rated the anchors, so the anchor's mean stands in.
    """
    overall = float(ratings["rating"].mean())
    grouped = ratings[ratings["item"].isin(anchors)].groupby("item")["rating"].agg(["sum", "count"])
    means = dict.fromkeys(anchors, overall) | ((grouped["sum"] + 5 * overall) / (grouped["count"] + 5)).to_dict()
    middle = float(np.median([means[a] for a in anchors]))
    return {a: "low_rated" if means[a] < middle else "high_rated" for a in anchors}


def case_groups(held: HeldOut, project: Project) -> dict[str, np.ndarray]:
    """Return labels of every case: how its anchor is rated, and what the source says about its user."""
    ratings = read_ratings(project.catalogue_files.ratings)
    kinds = anchor_groups(ratings, held.anchors)
    groups = {"anchors": np.array([kinds[anchor] for anchor in held.cases["anchor"]])}
    people = read_users(project.catalogue_files.users).set_index("user")
    for column in ("gender", "age_group"):
        if column in people:
            labels = people[column].astype("string").fillna("unknown").to_dict()
            groups[column] = np.array([str(labels.get(user, "unknown")) for user in held.cases["user"]])
    return groups
