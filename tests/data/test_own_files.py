from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from eagle.config import FileColumns, OwnFiles
from eagle.core.errors import EagleError
from eagle.data.columns.categories import genre_list
from eagle.data.columns.times import seconds
from eagle.data.columns.years import year_of
from eagle.data.sources.own_files import own_files

RATINGS = pd.DataFrame({"who": ["007", "8"], "what": ["a1", "b2"], "stars": [4.5, 1], "when": [10, 20]})
ITEMS = pd.DataFrame(
    {
        "id": ["a1", "b2", "c3"],
        "name": ["Hat, The (1950)", "NA", "Coat"],
        "tags": ["Drama; Sci.Fi;drama", "(no genres listed)", None],
        "made": [1, 2, 3],
    }
)
TEXTS = pd.DataFrame({"id": ["b2", "zz"], "plot": [" Two \n lines ", "of nothing"]})
COLUMNS = FileColumns(
    user="who", rated_item="what", rating="stars", timestamp="when", item="id", title="name", text="plot", genres="tags"
)
FILES = OwnFiles(ratings="r.csv", items="i.csv", texts="t.csv", genre_separator=";", columns=COLUMNS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, table in (("r", RATINGS), ("i", ITEMS), ("t", TEXTS)):
        table.to_csv(tmp_path / f"{name}.csv", index=False)
        table.to_csv(tmp_path / f"{name}.tsv.gz", index=False, sep="\t")
        table.to_parquet(tmp_path / f"{name}.parquet")
    return tmp_path


@pytest.mark.parametrize("ending", ["csv", "tsv.gz", "parquet"])
def test_files_of_each_kind_give_the_same_catalogue(folder: Path, ending: str) -> None:
    files = FILES.model_copy(update={"ratings": f"r.{ending}", "items": f"i.{ending}", "texts": f"t.{ending}"})
    built = own_files(files, folder)
    assert built.ratings.values.tolist() == [["007", "a1", 4.5, 10], ["8", "b2", 1.0, 20]]
    assert built.items["item"].tolist() == ["a1", "b2", "c3"]
    assert built.items["title"].tolist() == ["The Hat", "NA", "Coat"]
    assert built.items["year"].tolist() == [1950, pd.NA, pd.NA]
    assert built.items["genres"].tolist() == [["drama", "sci fi"], [], []]
    assert built.items["text"].tolist() == [pd.NA, "Two lines", pd.NA]
    assert set(built.source.files) == {f"r.{ending}", f"i.{ending}", f"t.{ending}"}


def test_only_ratings_and_titles_are_needed(tmp_path: Path) -> None:
    pd.DataFrame({"user": [1], "item": [2], "rating": [3]}).to_csv(tmp_path / "r.csv", index=False)
    pd.DataFrame({"item": [2], "title": ["Hat"]}).to_csv(tmp_path / "i.csv", index=False)
    built = own_files(OwnFiles(ratings="r.csv", items=str(tmp_path / "i.csv")), tmp_path)
    assert built.items.values.tolist() == [["2", "Hat", pd.NA, [], pd.NA]]
    assert built.ratings.values.tolist() == [["1", "2", 3.0, pd.NA]]


def test_text_and_year_may_stand_in_the_items_file(tmp_path: Path) -> None:
    RATINGS.to_csv(tmp_path / "r.csv", index=False)
    ITEMS.assign(plot=["one", "", None], made=["1950-03-01", 1960, "1970"]).to_csv(tmp_path / "i.csv", index=False)
    columns = COLUMNS.model_copy(update={"year": "made"})
    built = own_files(FILES.model_copy(update={"texts": None, "columns": columns}), tmp_path)
    assert built.items["text"].tolist() == ["one", pd.NA, pd.NA]
    assert built.items["year"].tolist() == [1950, 1960, 1970]


def test_all_wrong_files_and_columns_are_told_at_once(folder: Path) -> None:
    (folder / "broken.parquet").write_bytes(b"PAR1 not really")
    columns = COLUMNS.model_copy(update={"user": "whoo", "rating": "star"})
    files = FILES.model_copy(update={"columns": columns, "items": "broken.parquet", "texts": "t.cvs"})
    with pytest.raises(EagleError) as caught:
        own_files(files, folder)
    message = str(caught.value)
    assert len(caught.value.problems) == 4
    for part in (
        "no column 'whoo'",
        "did you mean 'who'?",
        "data.files.columns.rating",
        "did you mean 'stars'?",
        "broken.parquet cannot be read",
    ):
        assert part in message
    assert "t.cvs does not exist" in message
    assert "did you mean 't.csv'?" in message


def test_nothing_set_names_both_parameters() -> None:
    with pytest.raises(EagleError) as caught:
        own_files(OwnFiles(), Path())
    assert [p.what.split()[-4] for p in caught.value.problems] == ["data.files.ratings", "data.files.items"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("r.csv", "", "cannot be read as a table"),
        ("r.csv", 'who,what\n1,2\n"3,4,5', "cannot be read as a table"),
        ("r.xlsx", "x", "is of no known kind"),
        ("none/r.csv", None, "does not exist"),
    ],
)
def test_unreadable_files_are_one_clear_error(folder: Path, name: str, content: str | None, message: str) -> None:
    if content is not None:
        (folder / name).write_text(content)
    with pytest.raises(EagleError, match=message) as caught:
        own_files(FILES.model_copy(update={"ratings": name}), folder)
    assert len(caught.value.problems) == 1


def test_ratings_that_are_no_numbers_are_named_by_row(folder: Path) -> None:
    RATINGS.assign(stars=["4", "good"]).to_csv(folder / "r.csv", index=False)
    with pytest.raises(EagleError, match="line 3: 'good'"):
        own_files(FILES, folder)


def test_two_texts_of_one_item_are_named(folder: Path) -> None:
    pd.concat([TEXTS, TEXTS.head(1)]).to_csv(folder / "t.csv", index=False)
    with pytest.raises(EagleError, match=r"(?s)1 items: b2.*keep one text of each item"):
        own_files(FILES, folder)


def test_texts_whose_ids_are_called_otherwise_say_to_call_them_alike(folder: Path) -> None:
    """To set data.files.columns.item, as for the file of items, would only break that file."""
    TEXTS.rename(columns={"id": "movieId"}).to_csv(folder / "t.csv", index=False)
    with pytest.raises(EagleError, match=r"(?s)no column 'id'.*call the column of ids 'id' in this file too"):
        own_files(FILES, folder)


def test_texts_without_a_text_column_say_which_parameter_is_missing(folder: Path) -> None:
    with pytest.raises(EagleError, match=r"set data\.files\.columns\.text"):
        own_files(FILES.model_copy(update={"columns": COLUMNS.model_copy(update={"text": None})}), folder)


def test_cells_are_read_in_their_usual_writings() -> None:
    assert genre_list(["Crime", "crime", "Film, Noir"], "|") == ["crime", "film noir"]
    assert genre_list(float("nan"), "|") == genre_list("", "|") == []
    assert seconds(pd.Series(["1970-01-02", "1970-01-01T00:01:00", "soon"])).tolist() == [86400, 60, pd.NA]
    assert year_of(pd.Series(["Dec 1995", "1995.0", None, "late"])).tolist() == [1995, 1995, pd.NA, pd.NA]
