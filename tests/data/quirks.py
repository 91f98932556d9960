"""A small catalogue, and the ways in which people's files really hold one."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from eagle.config import FileColumns, OwnFiles
from eagle.data.catalogue import Catalogue
from eagle.data.sources.own_files import own_files

COLUMNS = FileColumns(timestamp="when", text="text", genres="genres")
RATING_NAMES = ("user", "item", "rating", "when")
ITEM_NAMES = ("item", "title", "genres", "text")
RATINGS = [
    (f"{u}", f"{100 + i}", f"{(u * i) % 9 / 2 + 0.5}", f"{1_000_000_000 + 10 * u + i}")
    for u in range(1, 7)
    for i in range(8)
    if (u + i) % 4
]
ITEMS = [
    ("100", "Café Señor", "Drama", "A night nurse finds a map."),
    ("101", "Night, and Day", "Drama|Comedy", "One, two; three: all of them lost."),
    ("102", 'Say "Yes" Twice', "Comedy", 'She says "no", then leaves.'),
    ("103", "Plain", "Crime", "Nobody believes the letter."),
    ("104", "Second Plain", "Crime", "The bank gives them a week."),
    ("105", "Straße", "Drama", "Only a child notices it."),
    ("106", "Last Signal", "Comedy", "Old friends turn out to be spies."),
    ("107", "NA", "Drama", "A recipe that no one can read."),
]
Rows = Sequence[Sequence[str]]


def table(
    names: Sequence[str], rows: Rows, separator: str = ",", end: str = "\n", quoting: int = csv.QUOTE_MINIMAL
) -> str:
    """The rows below their names, as Python's csv writes them; a separator of two letters needs cells without it."""
    if len(separator) > 1:
        return "".join(separator.join(row) + end for row in ([names] if names else []) + list(rows))  # type: ignore[operator]
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=separator, lineterminator=end, quoting=quoting)  # type: ignore[arg-type]
    writer.writerows(([names] if names else []) + list(rows))  # type: ignore[operator]
    return buffer.getvalue()


def ratings_text(rows: Rows = RATINGS, separator: str = ",", end: str = "\n") -> str:
    return table(RATING_NAMES, rows, separator, end)


def items_text(rows: Rows = ITEMS, separator: str = ",", end: str = "\n", quoting: int = csv.QUOTE_MINIMAL) -> str:
    return table(ITEM_NAMES, rows, separator, end, quoting)


def read(folder: Path, ratings: str = "ratings.csv", items: str = "items.csv", **changed: object) -> Catalogue:
    """What own_files makes of the folder."""
    return own_files(OwnFiles(ratings=ratings, items=items, columns=COLUMNS).model_copy(update=changed), folder)


def same(catalogue: Catalogue, ratings: Rows = RATINGS, items: Rows = ITEMS) -> None:
    """Nothing is lost, joined, shifted or changed, and the order stays."""
    table = catalogue.ratings
    assert [*zip(table["user"], table["item"], table["rating"], table["timestamp"], strict=True)] == [
        (user, item, float(rating), int(when)) for user, item, rating, when in ratings
    ]
    assert catalogue.items["item"].tolist() == [row[0] for row in items]
    assert catalogue.items["title"].tolist() == [row[1] for row in items]
    assert catalogue.items["text"].tolist() == [row[3] for row in items]
    assert catalogue.items["genres"].tolist() == [row[2].lower().split("|") for row in items]
