"""A user's own files with one thing that is odd about them: read as meant, or refused with a cause that is true."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eagle.config import DataConfig, parse_config
from eagle.core.errors import EagleError
from eagle.data.catalogue import Catalogue
from eagle.data.fetch import filtered, load_source
from eagle.data.overview import Overview

Tables = tuple[pd.DataFrame, pd.DataFrame]
Change = Callable[[pd.DataFrame, pd.DataFrame], Tables]


def tables(users: int = 12, items: int = 20) -> Tables:
    """Each user rates each item but one; ratings from 1 to 5."""
    pairs = [(u, i) for u in range(users) for i in range(items) if i != u % items]
    ratings = pd.DataFrame(pairs, columns=["user", "item"])
    ratings["rating"] = 1 + (ratings["user"] * 7 + ratings["item"] * 3) % 5
    ratings["time"] = 1_500_000_000 + ratings.index
    films = pd.DataFrame({"item": range(items), "title": [f"Tale {i}" for i in range(items)]})
    films["kind"] = ["drama|war", "comedy", "crime|noir", "music"] * (items // 4)
    films["text"] = [f"The story of a thief and {i} of the friends that he is to meet." for i in range(items)]
    films["year"] = range(1980, 1980 + items)
    return ratings, films


def read(folder: Path, ratings: pd.DataFrame, items: pd.DataFrame, **data: Any) -> tuple[Catalogue, Overview]:
    ratings.to_csv(folder / "r.csv", index=False)
    items.to_csv(folder / "i.csv", index=False)
    columns = {"timestamp": "time", "text": "text", "year": "year", "genres": "kind"}
    files = {"ratings": "r.csv", "items": "i.csv", "columns": columns}
    config: DataConfig = parse_config({"data": {"source": "files", "files": files, **data}}).data
    return filtered(load_source(config, folder), config)


def _ids(writing: Callable[[Any], Any]) -> Change:
    return lambda ratings, items: (ratings.assign(item=ratings["item"].map(writing)), items)


def _rated(change: Callable[[pd.Series], Any]) -> Change:
    return lambda ratings, items: (ratings.assign(rating=change(ratings["rating"])), items)


def _again(rating: int) -> Change:
    def change(ratings: pd.DataFrame, items: pd.DataFrame) -> Tables:
        more = ratings.head(3).assign(rating=lambda t: t["rating"] if rating == 0 else rating, time=1_600_000_000)
        return pd.concat([ratings, more if rating else ratings.head(3)]), items

    return change


REFUSED: dict[str, tuple[Change, dict[str, Any], list[str]]] = {
    "ids with a word in front": (
        _ids("film{}".format),
        {},
        ["no rated item is in the items table", "20 of 20 rated items", "a word or sign around the number", "'film0'"],
    ),
    "some ids with .0": (
        _ids(lambda i: f"{i}.0" if i < 5 else i),
        {},
        ["5 of 20 rated items", "they differ by a trailing .0 (5 of 5", "data.unknown_items: drop"],
    ),
    "some rows of each id with .0": (
        lambda r, i: (r.assign(item=[f"{item}.0" if row % 2 else item for row, item in enumerate(r["item"])]), i),
        {},
        ["20 of 40 rated items", "they differ by a trailing .0 (20 of 20"],
    ),
    "leading zeros": (_ids("{:04d}".format), {}, ["they differ by leading zeros"]),
    "an item that is not there": (
        _ids(lambda i: 99 if i == 7 else i),
        {},
        ["1 of 20 rated items, 11 of 228 ratings", "only in r.csv: '99'", "only in i.csv: '7'"],
    ),
    "words that mean missing": (
        lambda r, i: (r.assign(user=r["user"].map(lambda u: "nan" if u == 3 else u)), i),
        {},
        ["'nan' in 19 rows", "words for a missing id"],
    ),
    "decimal commas": (
        _rated(lambda r: r.map("{},0".format)),
        {},
        ["228 rows", "'1,0'", "decimal comma"],
    ),
    "zeros that mean not rated, without a scale": (
        _rated(lambda r: np.where(r.index % 3, 0, 2 * r)),
        {},
        [
            "0.5 to 5, since neither data.rating_min nor data.rating_max is set",
            "0 looks like a code",
            "go from 2 to 10",
        ],
    ),
    "another scale": (_rated(lambda r: r * 20), {}, ["these ratings go from 20 to 100", "data.rating_max"]),
    "copies": (_again(0), {}, ["3 pairs of user and item in 6 rows: 3 exact copies, 0 pairs with different"]),
    "changed minds": (_again(9), {"rating_max": 9}, ["0 exact copies, 3 pairs with different ratings (changed"]),
    "people without a name": (
        lambda r, i: (r.assign(user=[user if n % 3 else "A Customer" for n, user in enumerate(r["user"])]), i),
        {},
        ["76 of these rows are of 'A Customer': if this stands for people without a name, leave its rows out"],
    ),
    "all equal": (_rated(lambda r: 0 * r + 3), {}, ["all ratings are the same", "228 ratings of 12 users, all 3"]),
    "no variance within users": (
        lambda r, i: (r.assign(rating=1 + r["user"] % 5), i),
        {},
        ["no user's ratings differ", "each user with one value"],
    ),
    "a wrong separator": (
        lambda r, i: (r, i.assign(kind=[f"{a}; {b}" for a in "abcde" for b in "wxyz"])),
        {},
        ["not separated by '|'", 'data.files.genre_separator: ";"'],
    ),
    "days or months first": (
        lambda r, i: (r.assign(time="03/04/2019"), i),
        {},
        ["may have the day or the month first", "data.files.day_first"],
    ),
    "an item twice": (lambda r, i: (r, pd.concat([i, i.head(1)])), {}, ["in several rows, which are alike", "item 0"]),
    "an item in a row for each category": (
        lambda r, i: (r, i.assign(kind=i["kind"].str.split("|")).explode("kind")),
        {},
        ["an item id stands in several rows, which differ in their categories alone", "20 rows", "into one row"],
    ),
    "an item in a row for each language": (
        lambda r, i: (r, pd.concat([i, i.assign(title="Märchen", text="Ein Dieb.")])),
        {},
        ["in several rows, which differ in title, text", "40 rows"],
    ),
    "users and items swapped": (
        lambda r, i: (r.assign(user=r["item"], item=r["user"] + 900), i),
        {},
        ["no rated item is in the items table", "rated_item seem swapped"],
    ),
    "lists of categories cut short": (
        lambda r, i: (r, i.assign(kind="['drama', 'w")),
        {},
        ["column 'kind' holds lists or records that cannot be read", "20 rows of 20: line 2"],
    ),
    "records for titles": (
        lambda r, i: (r, i.assign(title=[f"{{'en': '{t}'}}" for t in i["title"]])),
        {},
        ["column 'title' holds lists or records", "line 2"],
    ),
    "no title": (lambda r, i: (r, i.assign(title=[None, *i["title"][1:]])), {}, ["an item has no title"]),
    "words for missing titles": (
        lambda r, i: (r, i.assign(title=["nan", "NA", "nan", "NA", "Null", *i["title"][5:]])),
        {},
        ["column 'title' holds words for a missing title", "'nan' in 2 rows, 'NA' in 2 rows; the first in line 2"],
    ),
    "a missing rating": (_rated(lambda r: r.where(r.index != 4)), {}, ["a rating is missing", "1 row"]),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_meant_is_refused_with_its_cause(kind: str, tmp_path: Path) -> None:
    change, data, words = REFUSED[kind]
    with pytest.raises(EagleError) as caught:
        read(tmp_path, *change(*tables()), **data)
    for said in words:
        assert said in str(caught.value)
    assert len(caught.value.problems) == 1


SETTLED: dict[str, tuple[Change, dict[str, Any], int, list[str]]] = {
    "as usual": (lambda r, i: (r, i), {}, 228, ["nothing"]),
    "all ids with .0": (_ids("{}.0".format), {}, 228, ["nothing"]),
    "unknown items left out": (
        _ids(lambda i: 99 if i == 7 else i),
        {"unknown_items": "drop"},
        217,
        ["11 ratings of 1 item left out that the items table lacks"],
    ),
    "codes left out": (
        _rated(lambda r: np.where(r.index % 10 == 0, 99, r)),
        {"not_rated": [99]},
        205,
        ["23 ratings left out that mean 'not rated'"],
    ),
    "zeros within the scale": (
        _rated(lambda r: np.where(r.index % 3, 0, 2 * r)),
        {"rating_min": 0, "rating_max": 10},
        228,
        ["0 looks like a code for 'not rated': 67%", "data.not_rated: [0]"],
    ),
    "copies, the latest kept": (_again(0), {"duplicates": "latest"}, 228, ["3 ratings left out as repeated"]),
    "a scale that is hardly used": (
        lambda r, i: (r, i),
        {"rating_min": 0, "rating_max": 100},
        228,
        ["ratings go from 1 to 5 on a scale of 0 to 100"],
    ),
    "letters that a program spelled": (
        lambda r, i: (r, i.assign(text=r"It is\n\nto be told at the caf\u00e9 of " + i["title"])),
        {},
        228,
        ["20 titles and texts spell line breaks or letters as programs do"],
    ),
    "bytes that Python printed": (
        lambda r, i: (r, i.assign(title=[str(title.encode()) for title in i["title"]])),
        {},
        228,
        ["bytes as Python prints them (b'...') are read as text in title"],
    ),
    "counts of plays": (
        _rated(lambda r: (1.05 ** np.arange(len(r))).round()),
        {"rating_min": 1, "rating_max": 65_000},
        228,
        ["half of the ratings go from 1 to 254 on a scale up to 65000, as counts of plays"],
    ),
    "users with one value": (
        lambda r, i: (r.assign(rating=r["rating"].where(r["user"] > 3, 4)), i),
        {},
        228,
        ["4 users of 12 (33%) gave one rating to everything"],
    ),
    "tags and entities": (
        lambda r, i: (r, i.assign(text="<p>It is a story &amp; more.</p>")),
        {},
        228,
        ["tags or entities of HTML taken out of 20 texts"],
    ),
    "years that are none": (
        lambda r, i: (r, i.assign(year=["unknown", 0, 99999, *range(1983, 2000)])),
        {},
        228,
        ["3 cells in column 'year' hold no year", "'unknown'"],
    ),
    "many categories": (
        lambda r, i: (r, i.assign(kind=["a|b|c|d"] * 10 + ["a|e"] * 5 + ["f"] * 5)),
        {"max_categories": 4},
        228,
        ["2 of 6 categories left out as the rarest", "5 items had no other"],
    ),
    "words for missing categories": (
        lambda r, i: (r, i.assign(kind=["nan", "N/A", "NA", *i["kind"][3:]])),
        {},
        228,
        ["words for missing categories in column 'kind' count as none: 'nan' in 1 row, 'N/A' in 1 row, 'NA' in 1 row"],
    ),
    "texts in another language": (
        lambda r, i: (r, i.assign(text="Die Geschichte von dem Dieb und der Frau ist nicht alt.")),
        {},
        228,
        ["100% of the texts whose language can be told are not English"],
    ),
    "words for missing texts": (
        lambda r, i: (r, i.assign(text=["N/A", "-", *i["text"][2:]])),
        {},
        228,
        ["2 texts without a word count as none: 'N/A', '-'"],
    ),
    "one text for many": (
        lambda r, i: (r, i.assign(text=["It is to be told.", "It is to be told.", *i["text"][2:]])),
        {},
        228,
        ["2 items whose text another has too", "'It is to be told.' of 2"],
    ),
    "one title for many": (
        lambda r, i: (r, i.assign(title=["The Same"] * 3 + i["title"].tolist()[3:])),
        {},
        228,
        ["3 items whose title another has too", "'The Same' of 3"],
    ),
    "titles for texts": (
        lambda r, i: (r, i.assign(text=i["title"])),
        {},
        228,
        ["20 items whose text is the title again"],
    ),
    "texts that were read in another encoding": (
        lambda r, i: (r, i.assign(text=[f"{t} CafÃ©" for t in i["text"]])),
        {},
        228,
        ["20 titles and texts seem to be in UTF-8 that was once read as cp1252"],
    ),
    "texts that were read in another encoding than declared": (
        lambda r, i: (r, i.assign(title=[f"Èðîíèÿ ñóäüáû {n}" for n in range(20)])),
        {},
        228,
        ["20 titles and texts seem as if they are read in another encoding, such as 'Èðîíèÿ"],
    ),
    "texts without some letters": (
        lambda r, i: (r, i.assign(text=[f"{t} Caf\ufffd" for t in i["text"]])),
        {},
        228,
        ["20 titles and texts seem as if they have lost letters, for which '\ufffd' stands"],
    ),
    "times of a spreadsheet": (
        lambda r, i: (r.assign(time=43538), i),
        {},
        228,
        ["228 times of 228 in column 'time' would lie before 1995", "as a spreadsheet counts"],
    ),
    "weights behind categories": (
        lambda r, i: (r, i.assign(kind=[f"rock ({90 + n % 3})|jazz: 0.{n % 2 + 1}" for n in range(20)])),
        {},
        228,
        ["5 of 5 categories end in a number, such as 'jazz: 0 1'"],
    ),
    "few texts": (
        lambda r, i: (r, i.assign(text=["It is a story of the sea.", *[None] * 19])),
        {},
        228,
        ["19 items without a text"],
    ),
    "times of which one is unread": (
        lambda r, i: (r.assign(time=["soon", *["2019-03-14"] * 227]), i),
        {},
        228,
        ["1 time in column 'time' could not be read", "'soon'"],
    ),
}


@pytest.mark.parametrize("kind", SETTLED)
def test_what_can_be_meant_is_read_so_and_said(kind: str, tmp_path: Path) -> None:
    change, data, ratings, words = SETTLED[kind]
    kept, seen = read(tmp_path, *change(*tables()), **data)
    assert len(kept.ratings) == ratings
    assert (len(kept.users), len(kept.items)) == (12, 20)
    of_their_size = ("of all pairs of user and item are rated", "users with 10 ratings or more")
    unusual = [words for words in seen.unusual if not any(size in words for size in of_their_size)]
    for said in words:
        assert said in " ".join(unusual or ["nothing"])
    assert f"of {ratings:,} kept" in dict(seen.lines)["ratings"]
    assert not any("<" in text or "\n" in text for text in kept.items["text"].dropna())


def test_the_latest_of_repeated_ratings_is_kept_by_time_and_else_by_place(tmp_path: Path) -> None:
    ratings, items = tables()
    early = ratings.head(1).assign(rating=5, time=1)
    late = ratings.head(1).assign(rating=4, time=2_000_000_000)
    for rows, rating in (
        ([early, ratings], ratings["rating"][0]),
        ([late, ratings], 4),
        ([ratings, early], ratings["rating"][0]),
    ):
        kept, _ = read(tmp_path, pd.concat(rows), items, duplicates="latest")
        pair = kept.ratings[(kept.ratings["user"] == "0") & (kept.ratings["item"] == ratings["item"].astype(str)[0])]
        assert pair["rating"].tolist() == [rating]
    untimed = pd.concat([ratings, late]).drop(columns="time").assign(time=None)
    kept, _ = read(tmp_path, untimed, items, duplicates="latest")
    assert kept.ratings.set_index(["user", "item"])["rating"][("0", "1")] == 4


def test_items_that_nobody_rated_stay_and_are_said(tmp_path: Path) -> None:
    ratings, items = tables()
    more = items.head(4).assign(item=["n1", "n2", "n3", "n4"])
    kept, seen = read(tmp_path, ratings, pd.concat([items, more]))
    assert kept.items["item"].tolist()[-4:] == ["n1", "n2", "n3", "n4"]
    assert "4 that nobody rated, kept as neighbours in novelty" in dict(seen.lines)["items"]
    kept, seen = read(tmp_path, ratings, pd.concat([items, more]), never_rated="drop")
    assert len(kept.items) == 20
    assert "4 that nobody rated, left out" in dict(seen.lines)["items"]


def test_items_in_the_file_of_ratings_are_no_copies_to_drop(tmp_path: Path) -> None:
    """Dropping rows that are alike, as copies of items are, would drop ratings here."""
    ratings, items = tables()
    ratings.merge(items, on="item").to_csv(tmp_path / "all.csv", index=False)
    files = {"ratings": "all.csv", "items": "all.csv", "columns": {"text": "text"}}
    with pytest.raises(EagleError, match=r"write its items into a file of their own, table\.drop_dup"):
        load_source(parse_config({"data": {"source": "files", "files": files}}).data, tmp_path)


def test_filters_are_named_with_what_they_leave_out(tmp_path: Path) -> None:
    ratings, items = tables()
    rare = pd.concat([ratings, pd.DataFrame({"user": ["x", "x"], "item": [0, 1], "rating": [1, 2]})])
    kept, seen = read(tmp_path, rare, items, max_ratings=100)
    lines = dict(seen.lines)
    assert (len(kept.users), len(kept.ratings)) == (5, 95)
    assert lines["users"] == (
        "5 of 13 kept; 1 with fewer than 10 ratings left out (data.min_ratings_per_user); 7 not drawn "
        "(data.max_ratings: 100)"
    )
    assert lines["ratings"].startswith("95 of 230 kept; 2 of users and items with too few left out; 133 of users not")


def _texts_file(folder: Path, ids: list[Any]) -> None:
    ratings, items = tables()
    ratings.to_csv(folder / "r.csv", index=False)
    items.drop(columns="text").to_csv(folder / "i.csv", index=False)
    pd.DataFrame({"item": ids, "text": "It is a story of the sea and of the wind."}).to_csv(
        folder / "t.csv", index=False
    )


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        ([f"{i:05d}" for i in range(20)], "has texts of no item|leading zeros"),
        ([*range(3), *(f"{i}.0" for i in range(3, 20))], "has texts of few items|a trailing .0"),
        ([f"other {chr(97 + i)}" for i in range(20)], "has texts of no item|0 of 20 ids match"),
    ],
)
def test_texts_that_match_no_or_few_items_are_refused(ids: list[Any], words: str, tmp_path: Path) -> None:
    _texts_file(tmp_path, ids)
    files = {"ratings": "r.csv", "items": "i.csv", "texts": "t.csv", "columns": {"text": "text"}}
    with pytest.raises(EagleError) as caught:
        load_source(parse_config({"data": {"source": "files", "files": files}}).data, tmp_path)
    for said in words.split("|"):
        assert said in str(caught.value)


def test_texts_of_many_other_items_are_said(tmp_path: Path) -> None:
    _texts_file(tmp_path, [*range(5), *(f"x{chr(97 + i)}" for i in range(20))])
    files = {"ratings": "r.csv", "items": "i.csv", "texts": "t.csv", "columns": {"text": "text"}}
    found = load_source(parse_config({"data": {"source": "files", "files": files}}).data, tmp_path)
    assert found.items["text"].notna().sum() == 5
    assert "only 5 of the 25 ids of t.csv (20%) are items" in found.remarks[0]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    item=st.sampled_from(["{}", "{}.0", "{:04d}", "a{}"]),
    rated=st.sampled_from(["{}", "{}.0", "{:04d}", "a{}"]),
    rating=st.sampled_from(["{}", "{}.0", "{},0", "0{}"]),
    time=st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%s", "%s000"]),
    copies=st.integers(0, 2),
)
def test_quirks_are_read_as_meant_or_refused_and_never_change_the_counts(
    item: str, rated: str, rating: str, time: str, copies: int, tmp_path: Path
) -> None:
    ratings, items = tables()
    odd = ratings.assign(
        item=ratings["item"].map(rated.format),
        rating=ratings["rating"].map(rating.format),
        time=pd.to_datetime(ratings["time"], unit="s", utc=True).dt.strftime(time.replace("%s", "~"))
        if "%s" not in time
        else ratings["time"].astype(str) + time[2:],
    )
    odd = pd.concat([odd, odd.head(copies)])
    written = items.assign(item=items["item"].map(item.format))
    joins = {item, rated} <= {"{}", "{}.0"} or item == rated
    ambiguous = time == "%d/%m/%Y" and not (pd.to_datetime(ratings["time"], unit="s").dt.day > 12).any()
    if not joins or copies or rating == "{},0" or ambiguous:
        with pytest.raises(EagleError) as caught:
            read(tmp_path, odd, written)
        message = str(caught.value)
        if rating == "{},0":
            assert "decimal comma" in message
        elif not joins:
            assert "they differ by" in message
        else:
            assert "more than once" in message or ambiguous
        return
    kept, _ = read(tmp_path, odd, written)
    assert (len(kept.users), len(kept.items), len(kept.ratings)) == (12, 20, 228)
    assert kept.ratings["rating"].tolist() == ratings["rating"].tolist()
    days = (kept.ratings["timestamp"] // 86400).tolist()
    assert days == (ratings["time"] // 86400).tolist()
