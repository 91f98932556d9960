"""Whole catalogues with random quirks: read as meant, or refused with a cause that was planted.

Never another number of users, items or ratings without a word.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eagle.config import parse_config
from eagle.core.errors import EagleError
from eagle.data.fetch import filtered, load_source

LEAST = 5
"""Fewest ratings of a user."""
SCALES = ((0.5, 5.0, 0.5), (1.0, 5.0, 1.0), (1.0, 10.0, 1.0), (-10.0, 10.0, 0.25), (0.0, 100.0, 1.0))
OUTSIDE = -99.0
Rating = tuple[str, str, float, int]


@dataclass(frozen=True)
class Planted:
    """A catalogue, what its files are like, what ought to come out, and what ought to be said."""

    ratings: tuple[Rating, ...]
    items: tuple[tuple[str, str, str], ...]
    """(id, title, text)"""
    low: float
    high: float
    step: float
    kept: tuple[Rating, ...] | None = None
    """None: all of ``ratings``."""
    data: dict[str, Any] = field(default_factory=dict)
    said: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    cells: Callable[[pd.DataFrame], pd.DataFrame] = lambda ratings: ratings
    """What happens to the ratings' cells, all of them texts, before they are written."""

    @property
    def truth(self) -> tuple[Rating, ...]:
        return self.ratings if self.kept is None else self.kept


def plain_world(rng: np.random.Generator, name: Callable[[int], str], scale: tuple[float, float, float]) -> Planted:
    """Users rate most items; each text is of its own."""
    low, high, step = scale
    users, items = int(rng.integers(8, 14)), int(rng.integers(12, 18))
    levels = np.arange(low, high + step / 2, step)
    ratings = [
        (f"u{u}", name(i), float(rng.choice(levels)), 1_500_000_000 + 1000 * u + i)
        for u in range(users)
        for i in range(items)
        if i < LEAST + 1 or rng.random() < 0.7
    ]
    rated = sorted({item for _, item, *_ in ratings})
    films = [(item, f"Tale «{item}», one", f"A thief finds letter {n} of a friend.") for n, item in enumerate(rated)]
    return Planted(tuple(ratings), tuple(films), low, high, step, data={"min_ratings_per_user": LEAST})


Quirk = Callable[[Planted, np.random.Generator], Planted]


def codes_left_out(world: Planted, rng: np.random.Generator) -> Planted:
    more = tuple((u, i, OUTSIDE, t) for u, i, _, t in _unrated(world, rng))
    if not more:
        return world
    return replace(
        world,
        ratings=world.ratings + more,
        kept=world.truth,
        data=world.data | {"not_rated": [OUTSIDE]},
        said=(*world.said, f"{_count(len(more), 'rating')} left out that mean 'not rated'"),
    )


def codes_unsaid(world: Planted, rng: np.random.Generator) -> Planted:
    first = world.truth[0]
    spoilt = tuple((u, i, OUTSIDE, t) if (u, i, r, t) == first else (u, i, r, t) for u, i, r, t in world.ratings)
    return replace(world, ratings=spoilt, refused=(*world.refused, "a rating is out of range"))


def copies(world: Planted, rng: np.random.Generator) -> Planted:
    again = tuple(world.truth[k] for k in rng.choice(len(world.truth), 3, replace=False))
    return replace(
        world,
        ratings=world.ratings + again,
        kept=world.truth,
        data=world.data | {"duplicates": "latest"},
        said=(*world.said, "3 ratings left out as repeated"),
    )


def changed_minds(world: Planted, rng: np.random.Generator) -> Planted:
    user, item, rating, time = world.truth[-1]
    other = world.low if rating != world.low else world.high
    return replace(
        world,
        ratings=((user, item, other, time - 5000), *world.ratings),
        kept=world.truth,
        data=world.data | {"duplicates": "latest"},
        said=(*world.said, "1 rating left out as repeated"),
    )


def repeated_unsaid(world: Planted, rng: np.random.Generator) -> Planted:
    return replace(
        world,
        ratings=world.ratings + world.truth[:2],
        refused=(*world.refused, "a user has rated an item more than once"),
    )


def unknown_items(world: Planted, rng: np.random.Generator) -> Planted:
    lost = world.items[0][0]
    gone = sum(item == lost for _, item, *_ in world.truth)
    return replace(
        world,
        items=world.items[1:],
        kept=tuple(row for row in world.truth if row[1] != lost),
        data=world.data | {"unknown_items": "drop"},
        said=(*world.said, f"{_count(gone, 'rating')} of 1 item left out that the items table lacks"),
    )


def unknown_unsaid(world: Planted, rng: np.random.Generator) -> Planted:
    return replace(world, items=world.items[1:], refused=(*world.refused, "a rated item is not in the items table"))


def never_rated(world: Planted, rng: np.random.Generator) -> Planted:
    return replace(
        world,
        items=(*world.items, ("990001", "Nobody's", "Nobody has rated this one.")),
        said=(*world.said, "1 that nobody rated, kept as neighbours"),
    )


def light_users(world: Planted, rng: np.random.Generator) -> Planted:
    item = world.truth[-1][1]
    more = tuple((f"light{k}", item, world.high, 1_400_000_000 + k) for k in range(2))
    return replace(
        world,
        ratings=world.ratings + more,
        kept=world.truth,
        said=(*world.said, f"2 with fewer than {LEAST} ratings left out"),
    )


def no_user(world: Planted, rng: np.random.Generator) -> Planted:
    word = str(rng.choice(["", "NULL", "nan"]))
    change = world.cells
    return replace(
        world,
        cells=lambda table: change(table).assign(user=lambda t: [word, *t["user"][1:]]),
        refused=(*world.refused, "an id in column 'user' is missing", "holds words for a missing id"),
    )


def decimal_commas(world: Planted, rng: np.random.Generator) -> Planted:
    change = world.cells
    return replace(
        world,
        cells=lambda table: change(table).assign(rating=lambda t: t["rating"].str.partition(".")[0] + ",5"),
        refused=(*world.refused, "holds what is not a number"),
    )


def float_ids(world: Planted, rng: np.random.Generator) -> Planted:
    """As after a merge with gaps; only ids that are whole numbers can become so."""
    if not all(re.fullmatch(r"[1-9]\d{0,9}", row[1]) for row in world.ratings):
        return world
    change = world.cells
    return replace(world, cells=lambda table: change(table).assign(item=lambda t: t["item"] + ".0"))


def milliseconds(world: Planted, rng: np.random.Generator) -> Planted:
    change = world.cells
    return replace(world, cells=lambda table: change(table).assign(when=lambda t: t["when"] + "000"))


def dates(world: Planted, rng: np.random.Generator) -> Planted:
    change = world.cells

    def written(table: pd.DataFrame) -> pd.DataFrame:
        table = change(table)
        seconds = table["when"].str.slice(stop=10).astype("int64")
        return table.assign(when=pd.to_datetime(seconds, unit="s").dt.strftime("%Y-%m-%dT%H:%M:%SZ"))

    return replace(world, cells=written)


def shuffled(world: Planted, rng: np.random.Generator) -> Planted:
    """Rows in any order; what is latest goes by the times."""
    order = rng.permutation(len(world.ratings))
    return replace(world, ratings=tuple(world.ratings[k] for k in order), kept=world.truth)


QUIRKS: tuple[Quirk, ...] = (
    unknown_items, unknown_unsaid, codes_left_out, codes_unsaid, copies, changed_minds, repeated_unsaid, never_rated,
    light_users, no_user, decimal_commas, float_ids, milliseconds, dates, shuffled,
)  # fmt: skip
#: Quirks that say opposite things, or of which one hides the other.
APART = (
    {copies, changed_minds, repeated_unsaid},
    {unknown_items, unknown_unsaid},
    {codes_left_out, codes_unsaid},
    {milliseconds, dates},
)
NAMES: dict[str, Callable[[int], str]] = {
    "numbers": lambda i: str(100 + i),
    "codes": lambda i: f"B00{i:02d}X",
    "padded": lambda i: f"{i:05d}",
    "long": lambda i: str(900_719_925_474_099_301 + 7 * i),
    "words": lambda i: f"tale, part {i}",
}


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}" + ("" if n == 1 else "s")


def _unrated(world: Planted, rng: np.random.Generator) -> list[Rating]:
    """Pairs that are not in the ratings."""
    there = {(u, i) for u, i, *_ in world.ratings}
    items = sorted({i for _, i, *_ in world.truth})
    users = sorted({u for u, *_ in world.truth})
    free = [(u, i, 0.0, 1_450_000_000) for u in users for i in items if (u, i) not in there]
    return free[: int(rng.integers(1, 9))]


def written_as(table: pd.DataFrame, path: Path, separator: str, encoding: str, pack: str) -> str:
    """Write the table and return the file's name."""
    if pack == "parquet":
        table.to_parquet(path.with_suffix(".parquet"), index=False)
        return path.with_suffix(".parquet").name
    content = table.to_csv(index=False, sep=separator).encode(encoding)
    name = f"{path.name}.csv" + (".gz" if pack == "gzip" else "")
    (path.parent / name).write_bytes(gzip.compress(content) if pack == "gzip" else content)
    return name


def compatible(chosen: list[Quirk]) -> list[Quirk]:
    kept: list[Quirk] = []
    for quirk in sorted(chosen, key=QUIRKS.index):  # what takes ratings away comes before what adds some
        if not any({quirk, other} <= group for other in kept for group in APART):
            kept.append(quirk)
    return kept


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**32 - 1),
    names=st.sampled_from(sorted(NAMES)),
    scale=st.sampled_from(SCALES),
    chosen=st.lists(st.sampled_from(QUIRKS), max_size=4, unique=True).map(compatible),
    separator=st.sampled_from([",", ";", "\t", "|"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    pack=st.sampled_from(["plain", "gzip", "parquet"]),
)
def test_a_catalogue_is_read_as_meant_or_refused_with_a_true_cause(
    tmp_path_factory: Any,
    seed: int,
    names: str,
    scale: tuple[float, float, float],
    chosen: list[Quirk],
    separator: str,
    encoding: str,
    pack: str,
) -> None:
    rng, folder = np.random.default_rng(seed), tmp_path_factory.mktemp("own")
    world = plain_world(rng, NAMES[names], scale)
    for quirk in chosen:
        world = quirk(world, rng)
    ratings = pd.DataFrame(world.ratings, columns=["user", "item", "rating", "when"])
    ratings = world.cells(ratings.assign(rating=ratings["rating"].map("{:g}".format), when=ratings["when"].astype(str)))
    items = pd.DataFrame(world.items, columns=["item", "title", "text"])
    files = {
        "ratings": written_as(ratings, folder / "ratings", separator, encoding, pack),
        "items": written_as(items, folder / "items", separator, encoding, pack),
        "encoding": "cp1252" if encoding == "cp1252" else None,
        "columns": {"timestamp": "when", "text": "text"},
    }
    data = {"source": "files", "files": files, "rating_min": world.low, "rating_max": world.high, **world.data}
    config = parse_config({"data": data}).data
    if world.refused:
        _is_refused_truly(world, lambda: filtered(load_source(config, folder), config))
        return
    kept, seen = filtered(load_source(config, folder), config)
    _is_as_meant(world, kept, "\n".join(seen.printed()))


def _is_refused_truly(world: Planted, run: Callable[[], Any]) -> None:
    try:
        run()
    except EagleError as error:
        told = [problem.what for problem in error.problems]
    else:
        raise AssertionError(f"nothing was said of {world.refused}")
    untrue = [what for what in told if not any(cause in what for cause in world.refused)]
    assert told and not untrue, untrue


def _is_as_meant(world: Planted, kept: Any, printed: str) -> None:
    found = kept.ratings
    rows = zip(found["user"], found["item"], found["rating"].astype(float), found["timestamp"], strict=True)
    assert sorted(rows) == sorted(world.truth)
    assert sorted(zip(kept.items["item"], kept.items["title"], kept.items["text"], strict=True)) == sorted(world.items)
    assert sorted(kept.users["user"]) == sorted({user for user, *_ in world.truth})
    for words in world.said:
        assert words in printed, printed
