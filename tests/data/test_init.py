"""`eagle init`: a project folder from an installed package, its columns guessed from the user's files."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from pathlib import Path

import pandas as pd
import pytest
import yaml

from eagle.config import FileColumns, installed, load_config
from eagle.config.dependencies import name_own_files
from eagle.config.installed import renew_code, write_code
from eagle.config.starting import start_repository
from eagle.core.code import ROOT
from eagle.core.errors import EagleError
from eagle.core.project import Project
from eagle.data.beginning import begin
from eagle.data.fetch import load_source
from eagle.data.sources.own_files import own_files
from tests.dvc_here import dvc

begins_repositories = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed, and begins them")


def _csv(folder: Path) -> tuple[Path, Path]:
    ratings, items = folder / "scores.csv", folder / "games.csv"
    rows = [f"u{user},{item},{(user + item) % 10 + 1}" for user in range(40) for item in range(30)]
    ratings.write_text("\n".join(["user_id,game_id,score", *rows]) + "\n", encoding="utf-8")
    games = [f"{item},Game {item},{1990 + item},Cards;Dice" for item in range(30)]
    items.write_text("\n".join(["id,name,year,category", *games]) + "\n", encoding="utf-8")
    return ratings, items


def test_csv_columns_scale_and_separator_are_seen(tmp_path: Path) -> None:
    ratings, items = _csv(tmp_path)
    begin(tmp_path / "new", ratings, items, None, "board game")
    data = load_config(tmp_path / "new/params.yaml").data
    columns = data.files.columns
    assert (columns.user, columns.rated_item, columns.rating) == ("user_id", "game_id", "score")
    assert (columns.item, columns.title, columns.year, columns.genres) == ("id", "name", "year", "category")
    assert (data.files.genre_separator, data.rating_min, data.rating_max) == (";", 1, 10)
    assert data.noun == "board game" and columns.text is None and columns.timestamp is None
    assert len(own_files(data.files, tmp_path / "new").ratings) == 1200


def test_tab_separated_files_with_texts_inside_the_folder(tmp_path: Path) -> None:
    rows = [f"a{user}\t{item}\t{item % 5 + 1}" for user in range(9) for item in range(9)]
    tables = {
        "r.tsv": ["Customer\tBook-ID\tStars", *rows],
        "i.tsv": ["Book-ID\tBook-Title", *(f"{item}\tBook {item}" for item in range(9))],
        "t.tsv": ["Book-ID\tBlurb", *(f"{item}\tA tale of {item} rivers." for item in range(9))],
    }
    for name, lines in tables.items():
        (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    begin(tmp_path, tmp_path / "r.tsv", tmp_path / "i.tsv", tmp_path / "t.tsv", "book")
    files = load_config(tmp_path / "params.yaml").data.files
    assert (files.ratings, files.texts) == ("r.tsv", "t.tsv")
    assert (files.columns.user, files.columns.title, files.columns.text) == ("Customer", "Book-Title", "Blurb")
    assert len(own_files(files, tmp_path).items) == 9


def test_names_that_yaml_would_change_are_written_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("用户,No,评分\nu1,1,3\nu1,2,4\nu2,1,5\n", encoding="utf-8")
    (tmp_path / "i.csv").write_text("No,标题\n1,山\n2,水\n", encoding="utf-8")
    said = begin(tmp_path / "new", tmp_path / "r.csv", tmp_path / "i.csv", None, "书")
    text = (tmp_path / "new/params.yaml").read_text(encoding="utf-8")
    data = load_config(tmp_path / "new/params.yaml").data
    assert (data.files.columns.rated_item, data.files.columns.item, data.noun) == ("No", "No", "书")
    assert 'item: "No"' in text and 'noun: "书"' in text
    assert "params.yaml, rating: NOT FOUND among '用户', 'No', '评分': name the column" in said


def test_what_is_not_seen_is_said_in_params_yaml(tmp_path: Path) -> None:
    ratings, items = _csv(tmp_path)
    ratings.write_text(ratings.read_text(encoding="utf-8").replace("score", "xyz"), encoding="utf-8")
    said = begin(tmp_path / "new", ratings, items, None, None)
    missing = "NOT FOUND among 'user_id', 'game_id', 'xyz': name the column"
    assert f"params.yaml, rating: {missing}" in said
    assert any(line.startswith("params.yaml, noun: NOT NAMED") for line in said)
    written = (tmp_path / "new/params.yaml").read_text(encoding="utf-8").splitlines()
    assert [line.split(":")[0].strip() for line in written if missing in line] == ["rating"]


@pytest.mark.parametrize("name", ["Who", "account_id", "xyz", "Лицо"])
def test_people_are_found_by_more_names_or_as_the_column_that_is_left(tmp_path: Path, name: str) -> None:
    ratings, items = _csv(tmp_path)
    ratings.write_text(ratings.read_text(encoding="utf-8").replace("user_id", name), encoding="utf-8")
    begin(tmp_path / "new", ratings, items, None, "board game")
    assert load_config(tmp_path / "new/params.yaml").data.files.columns.user == name


def test_of_a_date_and_a_time_of_the_day_the_date_is_taken(tmp_path: Path) -> None:
    ratings, items = _csv(tmp_path)
    table = pd.read_csv(ratings).assign(time="10:15", date="2019-03-14")
    table.to_csv(ratings, index=False)
    begin(tmp_path / "new", ratings, items, None, "board game")
    assert load_config(tmp_path / "new/params.yaml").data.files.columns.timestamp == "date"


def test_an_index_is_nobody(tmp_path: Path) -> None:
    """Its values do not come again."""
    ratings, items = _csv(tmp_path)
    lines = ratings.read_text(encoding="utf-8").splitlines()
    rows = [f"{row},{line.partition(',')[2]}" for row, line in enumerate(lines[1:])]
    ratings.write_text("\n".join(["row,game_id,score", *rows]) + "\n", encoding="utf-8")
    said = begin(tmp_path / "new", ratings, items, None, "board game")
    assert "params.yaml, user: NOT FOUND among 'row', 'game_id', 'score': name the column" in said


def test_a_declared_encoding_is_used_and_written(tmp_path: Path) -> None:
    ratings, items = _csv(tmp_path)
    items.write_bytes(items.read_text(encoding="utf-8").replace("Game", "Spiel für").encode("latin-1"))
    with pytest.raises(EagleError, match="is not in UTF-8"):
        begin(tmp_path / "new", ratings, items, None, "game")
    assert not (tmp_path / "new").exists()
    begin(tmp_path / "new", ratings, items, None, "game", "latin-1")
    files = load_config(tmp_path / "new/params.yaml").data.files
    assert files.encoding == "latin-1" and own_files(files, tmp_path).items["title"].iloc[0] == "Spiel für 0"
    with pytest.raises(EagleError, match="Python knows no encoding named 'latin-x'"):
        begin(tmp_path / "other", ratings, items, None, "game", "latin-x")


def test_ratings_that_are_no_numbers_give_no_scale(tmp_path: Path) -> None:
    ratings, items = _csv(tmp_path)
    ratings.write_text(ratings.read_text(encoding="utf-8") + 'u1,99,"3,5"\n', encoding="utf-8")
    said = begin(tmp_path / "new", ratings, items, None, "game")
    assert "params.yaml, rating_min: not seen, since not all of 'score' are numbers: write it" in said
    assert load_config(tmp_path / "new/params.yaml").data.rating_min is None


def test_years_that_end_the_titles_need_no_column(tmp_path: Path) -> None:
    ratings, items = _csv(tmp_path)
    films = [f"{item},Film {item} ({1990 + item}),Drama" for item in range(30)]
    items.write_text("\n".join(["id,name,category", *films]) + "\n", encoding="utf-8")
    said = begin(tmp_path / "new", ratings, items, None, "film")
    assert not any("year" in line and "name the column" in line for line in said)
    assert "the years that end the titles are read" in (tmp_path / "new/params.yaml").read_text(encoding="utf-8")


def test_values_tell_what_names_do_not(tmp_path: Path) -> None:
    rows = [f"u{user},{item},{(user + item) % 10 + 1}" for user in range(20) for item in range(500, 530)]
    games = [
        f"{n},{n + 500},Game {n},{1990 + n},The {n} players draw cards and trade them for towers" for n in range(30)
    ]
    (tmp_path / "r.csv").write_text("\n".join(["user,ref,score", *rows]) + "\n", encoding="utf-8")
    (tmp_path / "i.csv").write_text("\n".join(["row,key,name,first,rules", *games]) + "\n", encoding="utf-8")
    begin(tmp_path / "new", tmp_path / "r.csv", tmp_path / "i.csv", None, "board game")
    columns = load_config(tmp_path / "new/params.yaml").data.files.columns
    assert (columns.rated_item, columns.item, columns.year, columns.text) == ("ref", "key", "first", "rules")


def _guessed(folder: Path, ratings: list[str], items: list[str]) -> FileColumns:
    (folder / "r.csv").write_text("\n".join(ratings) + "\n", encoding="utf-8")
    (folder / "i.csv").write_text("\n".join(items) + "\n", encoding="utf-8")
    begin(folder / "new", folder / "r.csv", folder / "i.csv", None, "book")
    return load_config(folder / "new/params.yaml").data.files.columns


def test_names_of_ids_are_believed_only_where_their_values_join(tmp_path: Path) -> None:
    """Items may have an id of their own kind before the one that the ratings have, as books of Goodreads do."""
    rows = [f"u{user},{item},{(user + item) % 5 + 1}" for user in range(9) for item in range(500, 530)]
    books = [f"{n},{n + 500},Book {n}" for n in range(30)]
    columns = _guessed(tmp_path, ["user_id,book_id,rating", *rows], ["id,book_id,title", *books])
    assert (columns.rated_item, columns.item) == ("book_id", "book_id")
    (tmp_path / "other").mkdir()
    columns = _guessed(tmp_path / "other", ["user_id,book_id,rating", *rows], ["book_id,id,title", *books])
    assert (columns.rated_item, columns.item) == ("book_id", "id")


def test_a_known_name_gives_way_where_another_joins_more(tmp_path: Path) -> None:
    """Reviews of Amazon have the variant's asin and the parent_asin, of which only the second is in the list."""
    rows = [
        f"u{user},{'V' if (user + item) % 3 == 0 else 'B'}{item},B{item},{(user + item) % 5 + 1}"
        for user in range(9)
        for item in range(30)
    ]
    teas = [f"B{n},Tea {n}" for n in range(30)]
    columns = _guessed(tmp_path, ["user_id,asin,parent_asin,rating", *rows], ["parent_asin,title", *teas])
    assert (columns.rated_item, columns.item) == ("parent_asin", "parent_asin")


def test_columns_that_folders_name_are_guessed_too(tmp_path: Path) -> None:
    ratings, items = _csv(tmp_path)
    table = pd.read_csv(ratings)
    for user, rows in table.groupby("user_id"):
        (tmp_path / "parts" / f"user_id={user}").mkdir(parents=True)
        rows.drop(columns="user_id").to_parquet(tmp_path / "parts" / f"user_id={user}" / "part-0.parquet")
    begin(tmp_path / "new", tmp_path / "parts", items, None, "game")
    assert load_config(tmp_path / "new/params.yaml").data.files.columns.user == "user_id"


def test_a_file_without_a_header_has_numbered_columns(tmp_path: Path) -> None:
    ratings, items = _csv(tmp_path)
    ratings.write_text(ratings.read_text(encoding="utf-8").partition("\n")[2], encoding="utf-8")
    said = begin(tmp_path / "new", ratings, items, None, "game")
    assert load_config(tmp_path / "new/params.yaml").data.files.columns.rated_item == "#2"
    assert any("ratings: no header was seen: line 1 looks like data ('u0', '0', '1')" in line for line in said)
    with pytest.raises(EagleError, match="has no column 'user', 'rating': its first line looks like data"):
        load_source(load_config(tmp_path / "new/params.yaml").data, tmp_path / "new")


WIDE = "\n".join([",".join(["7", *["99"] * 20]), *[",".join(["7", *["99", "4.5"] * 10])] * 9])
NO_TABLES = {
    "a heading above": ("Export\n\nuser,item,rating\n" + "u,1,2\n" * 9, "may stand in line 3"),
    "whole lines in quotes": ('"user,item,rating"\n' + '"u,1,2"\n' * 9, "each line stands in quotes as a whole"),
    "another separator above": ("user,item,rating\n" + "u;1;2\n" * 9, 'write ";" into the first line too'),
    "one column": ("rating\n" + "4\n" * 9, "one column only"),
    "a matrix": ("who," + ",".join(map(str, range(30))) + "\n" + ("u," + "4," * 29 + "5\n") * 9, "id_vars='who'"),
    "a matrix without a header": (WIDE, "header=None"),
}


@pytest.mark.parametrize("kind", NO_TABLES)
def test_first_lines_of_no_table_are_refused_before_anything_is_written(tmp_path: Path, kind: str) -> None:
    ratings, items = _csv(tmp_path)
    ratings.write_text(NO_TABLES[kind][0], encoding="utf-8")
    with pytest.raises(EagleError) as caught:
        begin(tmp_path / "new", ratings, items, None, "game")
    assert NO_TABLES[kind][1] in str(caught.value)
    assert len(caught.value.problems) == 1
    assert not (tmp_path / "new").exists()


def _wide(users: int, items: int) -> pd.DataFrame:
    cells = [[(user + item) % 5 + 1 for item in range(items)] for user in range(users)]
    return pd.DataFrame(cells, index=[f"u{user}" for user in range(users)], columns=list(map(str, range(items))))


def test_matrices_of_parquet_and_of_few_items_are_refused_as_such(tmp_path: Path) -> None:
    _, items = _csv(tmp_path)
    _wide(40, 30).rename_axis("who").reset_index().to_parquet(tmp_path / "wide.parquet")
    _wide(40, 9).rename_axis("who").to_csv(tmp_path / "small.csv")
    for name in ("wide.parquet", "small.csv"):
        with pytest.raises(EagleError, match="is a matrix: a row for each user, a column for each item"):
            begin(tmp_path / "new", tmp_path / name, items, None, "game")


def test_a_matrix_with_items_in_its_rows_is_turned_the_other_way(tmp_path: Path) -> None:
    _, items = _csv(tmp_path)
    _wide(40, 30).T.rename_axis("game_id").to_csv(tmp_path / "turned.csv")
    with pytest.raises(EagleError, match=r"a row for each item(?s:.*)id_vars='game_id', var_name='user'"):
        begin(tmp_path / "new", tmp_path / "turned.csv", items, None, "game")


def test_names_that_pandas_counts_are_a_header(tmp_path: Path) -> None:
    ratings, items = _csv(tmp_path)
    rows = ratings.read_text(encoding="utf-8").splitlines()[1:]
    ratings.write_text("\n".join(["0,1,2,3", *(f"{row},7" for row in rows)]) + "\n", encoding="utf-8")
    said = begin(tmp_path / "new", ratings, items, None, "game")
    assert load_config(tmp_path / "new/params.yaml").data.files.columns.rated_item == "1"
    assert not any("no header" in line for line in said)


def test_what_stands_once_in_the_ratings_is_no_item(tmp_path: Path) -> None:
    """In one table of both, a number of the row is unique and joins with itself, and with any price."""
    rows = [
        f"{30 * user + item},u{user},Wine {item},{(user + item) % 5 + 1},{20 + item % 7}"
        for user in range(9)
        for item in range(30)
    ]
    (tmp_path / "all.csv").write_text("\n".join([",user,title,points,price", *rows]) + "\n", encoding="utf-8")
    begin(tmp_path / "new", tmp_path / "all.csv", tmp_path / "all.csv", None, "wine")
    assert load_config(tmp_path / "new/params.yaml").data.files.columns.rated_item == "item"  # the default: not found


def test_texts_whose_ids_are_called_otherwise_are_said(tmp_path: Path) -> None:
    ratings, items = _csv(tmp_path)
    (tmp_path / "t.csv").write_text("game,overview\n1,Two towers.\n", encoding="utf-8")
    said = begin(tmp_path / "new", ratings, items, tmp_path / "t.csv", "game")
    assert any("texts: has no column 'id': call the column of ids there as in" in line for line in said)


def test_files_that_are_swapped_are_said_to_be(tmp_path: Path) -> None:
    ratings, items = _csv(tmp_path)
    with pytest.raises(EagleError, match="seem swapped"):
        begin(tmp_path / "new", items, ratings, None, "game")


@pytest.mark.parametrize("sign", ["\n", "、"])
def test_separators_of_forms_and_of_other_scripts_are_guessed(tmp_path: Path, sign: str) -> None:
    ratings, items = _csv(tmp_path)
    pd.DataFrame({"id": range(30), "name": "Go", "category": [f"棋类{sign}策略"] * 30}).to_csv(items, index=False)
    begin(tmp_path / "new", ratings, items, None, "game")
    files = load_config(tmp_path / "new/params.yaml").data.files
    assert files.genre_separator == sign
    assert own_files(files, tmp_path / "new").items["genres"].iloc[0] == ["棋类", "策略"]


@pytest.mark.parametrize("separator", [",", ";", "\t", "::"])
def test_blanks_within_cells_separate_nothing(tmp_path: Path, separator: str) -> None:
    """Neither names are known here, nor does any cell have a quote; each title has six words."""
    rows = [separator.join((f"u{u}", str(i), str((u + i) % 5 + 1))) for u in range(9) for i in range(30)]
    books = [separator.join((str(i), f"The long way home, part {i}".replace(",", ""), "Ein Buch")) for i in range(30)]
    names = separator.join
    columns = _guessed(
        tmp_path, [names(("wer", "was", "wie")), *rows], [names(("📖 was", "📖 wie es heißt", "x")), *books]
    )
    assert (columns.rated_item, columns.item) == ("was", "📖 was")


def test_ids_in_a_column_without_a_name_are_found_by_its_number(tmp_path: Path) -> None:
    """pandas and R write an index or names of rows so."""
    rows = [f"u{user},{item},{(user + item) % 5 + 1}" for user in range(9) for item in range(500, 530)]
    books = [f"{n},Book {n}" for n in range(500, 530)]
    columns = _guessed(tmp_path, ["user_id,book_id,rating", *rows], [",title", *books])
    assert (columns.rated_item, columns.item) == ("book_id", "#1")
    files = load_config(tmp_path / "new/params.yaml").data.files
    assert own_files(files, tmp_path).items["item"].tolist() == [str(n) for n in range(500, 530)]
    with pytest.raises(EagleError, match=r'has no column .id.\n  found: columns "#1" \(no name\), title'):
        own_files(files.model_copy(update={"columns": columns.model_copy(update={"item": "id"})}), tmp_path)


def test_units_and_kinds_in_a_header_do_not_hide_its_names(tmp_path: Path) -> None:
    rows = [f"u{user}\t{item}\t{(user + item) % 5 + 1}\t{10**9 + item}" for user in range(9) for item in range(9)]
    head = '"user_id:token"\t"item_id:token"\t"rating\n(1 to 5)"\t"timestamp [s]"'
    (tmp_path / "r.tsv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    films = "\n".join(f"{item}\tFilm {item}\tdrama" for item in range(9))
    (tmp_path / "i.tsv").write_text(f"item_id:token\tmovie_title:token_seq\tgenre:token_seq\n{films}\n")
    begin(tmp_path / "new", tmp_path / "r.tsv", tmp_path / "i.tsv", None, "film")
    columns = load_config(tmp_path / "new/params.yaml").data.files.columns
    assert (columns.user, columns.rated_item, columns.rating) == ("user_id:token", "item_id:token", "rating\n(1 to 5)")
    assert (columns.timestamp, columns.item, columns.title) == (
        "timestamp [s]",
        "item_id:token",
        "movie_title:token_seq",
    )


def test_categories_in_a_column_each_are_said(tmp_path: Path) -> None:
    ratings, _ = _csv(tmp_path)
    films = "\n".join(f"{item},Film {item},{item % 2},{item % 3 // 2},0" for item in range(30))
    (tmp_path / "marks.csv").write_text(f"item,title,comedy,drama,unknown\n{films}\n", encoding="utf-8")
    said = begin(tmp_path / "new", ratings, tmp_path / "marks.csv", None, "film")
    assert any("genres: NONE: 3 columns of 0 and 1 (comedy, drama, unknown" in line for line in said)


def test_categories_in_numbered_columns_are_said(tmp_path: Path) -> None:
    ratings, _ = _csv(tmp_path)
    films = "\n".join(f"{item},Film {item},comedy,drama," for item in range(30))
    (tmp_path / "several.csv").write_text(f"item,title,genre1,genre2,genre3\n{films}\n", encoding="utf-8")
    said = begin(tmp_path / "new", ratings, tmp_path / "several.csv", None, "film")
    assert any(
        "genres: NONE: 3 columns (genre1, genre2, genre3) seem to hold one category each" in line for line in said
    )


def test_paths_of_categories_are_cut_where_several_stand_in_a_cell(tmp_path: Path) -> None:
    ratings, items = _csv(tmp_path)
    kinds = ["Games > Cards", "Games > Cards|Games > Dice", "Games > Boards", "Games > Dice"] * 7
    pd.DataFrame({"id": range(28), "name": "Go", "category": kinds}).to_csv(items, index=False)
    begin(tmp_path / "new", ratings, items, None, "game")
    files = load_config(tmp_path / "new/params.yaml").data.files
    assert own_files(files, tmp_path / "new").items["genres"].iloc[1] == ["games > cards", "games > dice"]


def test_signs_that_names_may_hold_are_guessed_where_they_clearly_separate(tmp_path: Path) -> None:
    ratings, items = _csv(tmp_path)
    kinds = [
        f"{one} & {other}"
        for one in ("Cards", "Dice", "War", "Art")
        for other in ("Luck", "Bluff", "Trade", "Team", "Sea")
    ]
    pd.DataFrame({"id": range(20), "name": "Go", "category": kinds}).to_csv(items, index=False)
    begin(tmp_path / "new", ratings, items, None, "game")
    assert load_config(tmp_path / "new/params.yaml").data.files.genre_separator == " & "


def test_a_comma_inside_of_names_is_not_guessed_to_separate_them(tmp_path: Path) -> None:
    ratings, items = _csv(tmp_path)
    kinds = ["Clothing, Shoes & Jewelry", "Arts, Crafts & Sewing", "Patio, Lawn & Garden"]
    pd.DataFrame({"id": range(30), "name": "Go", "category": kinds * 10}).to_csv(items, index=False)
    begin(tmp_path / "new", ratings, items, None, "game")
    files = load_config(tmp_path / "new/params.yaml").data.files
    assert own_files(files, tmp_path / "new").items["genres"].iloc[0] == ["clothing shoes & jewelry"]
    pd.DataFrame({"id": range(30), "name": "Go", "category": ["a, b", "b, c", "c"] * 10}).to_csv(items, index=False)
    begin(tmp_path / "other", ratings, items, None, "game")
    assert load_config(tmp_path / "other/params.yaml").data.files.genre_separator == ","


def test_lists_and_records_of_parquet_are_no_ids(tmp_path: Path) -> None:
    pairs = [(user, item) for user in range(9) for item in range(9)]
    ratings = pd.DataFrame(pairs, columns=["who", "what"]).assign(rating=[1 + sum(pair) % 5 for pair in pairs])
    ratings["who"] = "u" + ratings["who"].astype(str)
    ratings.assign(image=[[item] for _, item in pairs]).to_parquet(tmp_path / "r.parquet")
    films = pd.DataFrame({"code": range(9), "title": "Film", "features": [[f"f{item}"] for item in range(9)]})
    films.to_parquet(tmp_path / "i.parquet")
    begin(tmp_path / "new", tmp_path / "r.parquet", tmp_path / "i.parquet", None, "film")
    columns = load_config(tmp_path / "new/params.yaml").data.files.columns
    assert (columns.rated_item, columns.item) == ("what", "code")


def test_a_code_for_not_rated_does_not_begin_the_scale(tmp_path: Path) -> None:
    ratings, items = _csv(tmp_path)
    zeros = "".join(f"u{user},{item},0\n" for user in range(40, 100) for item in range(30))
    ratings.write_text(ratings.read_text(encoding="utf-8") + zeros, encoding="utf-8")
    said = begin(tmp_path / "new", ratings, items, None, "book")
    data = load_config(tmp_path / "new/params.yaml").data
    assert (data.rating_min, data.rating_max, data.not_rated) == (1, 10, ())
    advice = next(line for line in said if line.startswith("params.yaml, not_rated: 0 looks like a code"))
    assert "set data.not_rated: [0]" in advice and "if it is a rating, set rating_min: 0" in advice
    text = (tmp_path / "new/params.yaml").read_text(encoding="utf-8")
    assert "guessed without 0: see not_rated" in text and "60% of all ratings" in text


def test_a_slip_of_the_pen_does_not_stretch_the_scale(tmp_path: Path) -> None:
    """With 95 in it, all other ratings would lie within a tenth of the scale."""
    ratings, items = _csv(tmp_path)
    ratings.write_text(ratings.read_text(encoding="utf-8") + "u40,1,95\n", encoding="utf-8")
    said = begin(tmp_path / "new", ratings, items, None, "game")
    data = load_config(tmp_path / "new/params.yaml").data
    assert (data.rating_min, data.rating_max) == (1, 10)
    note = next(line for line in said if line.startswith("params.yaml, rating_max"))
    assert "1 rating far from all others, which go from 1 to 10: line 1202: 95" in note
    with pytest.raises(EagleError, match=r"(?s)out of range.*line 1202: user=u40, item=1, rating=95.*from 1 to 10"):
        load_source(data, tmp_path / "new")
    seen = load_source(data.model_copy(update={"rating_max": 95.0}), tmp_path / "new").remarks
    assert any("1 rating far from all others" in remark and "of the same scale?" in remark for remark in seen)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text("mine", encoding="utf-8")
    with pytest.raises(EagleError, match=r"holds a project already\n  found: params\.yaml"):
        begin(tmp_path, None, None, None, None)
    assert [path.name for path in tmp_path.iterdir()] == ["params.yaml"]


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EagleError, match=r"(?s)game cannot be written.*found: \[Errno"):
        begin(tmp_path / "file/game", None, None, None, None)


def test_one_file_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EagleError, match="a catalogue needs two files"):
        begin(tmp_path / "new", tmp_path / "r.csv", None, None, None)


def test_code_is_a_dependency_without_a_checkout(tmp_path: Path) -> None:
    begin(tmp_path, None, None, None, None)
    stages = yaml.safe_load((tmp_path / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    for name, stage in stages.items():
        deps = stage.get("do", stage)["deps"]
        assert f"code/{name}.txt" in deps and not [path for path in deps if path.startswith("eagle/")]
    stamp = tmp_path / "code/fetch.txt"
    right = stamp.read_text(encoding="utf-8")
    stamp.write_text("of an earlier version", encoding="utf-8")
    assert renew_code(tmp_path) == ["fetch"]
    assert renew_code(tmp_path) == [] and stamp.read_text(encoding="utf-8") == right


def test_only_a_stage_whose_code_changed_gets_another_stamp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "eagle", tmp_path / "upgrade/eagle")
    with (tmp_path / "upgrade/eagle/data/splits.py").open("a", encoding="utf-8") as file:
        file.write("UPGRADED = True\n")
    write_code(tmp_path)
    monkeypatch.setattr(installed, "ROOT", tmp_path / "upgrade")
    changed = write_code(tmp_path)
    assert "split" in changed and "fetch" not in changed and "report" not in changed


def test_code_of_a_checkout_gets_no_stamps(tmp_path: Path) -> None:
    assert renew_code(tmp_path) == [] and not list(tmp_path.iterdir())


def test_pipeline_and_schedules_are_those_of_the_checkout(tmp_path: Path) -> None:
    assert [path.read_bytes() for path in (installed.PIPELINE, installed.SCHEDULES)] == [
        (ROOT / name).read_bytes() for name in ("dvc.yaml", "prefect.yaml")
    ]
    begin(tmp_path, None, None, None, None)
    assert tomllib.loads((tmp_path / "prefect.toml").read_text()) == tomllib.loads((ROOT / "prefect.toml").read_text())
    assert (tmp_path / "plots.html").read_bytes() == (ROOT / "eagle/config/plots.html").read_bytes()
    for deployment in yaml.safe_load((tmp_path / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]:
        module, name = deployment["entrypoint"].rsplit(".", 1)
        assert name in (ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")


@begins_repositories
def test_a_repository_is_begun_and_dvc_reads_the_project(tmp_path: Path) -> None:
    new = tmp_path / "new"
    begin(new, *_csv(tmp_path), None, "board game")
    assert start_repository(new) == ["began a repository of git and DVC there"]
    assert start_repository(new) == []
    settings = (new / ".dvc/config").read_text(encoding="utf-8")
    assert "analytics = false" in settings and "html_template = ../plots.html" in settings
    assert not name_own_files(load_config(new / "params.yaml"), Project(new))
    status = dvc(new, "status", "fetch")
    assert "code/fetch.txt" in status and "scores.csv" in status


def test_a_repository_above_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    said = start_repository(tmp_path)
    assert (
        len(said) == 1 and "dvc init -q --subdir && dvc config core.analytics false && dvc config plots.html" in said[0]
    )
    assert [path.name for path in tmp_path.iterdir()] == [".git"]


def test_in_a_dvc_project_above_the_commands_are_said(tmp_path: Path) -> None:
    for name in (".git", ".dvc", "new"):
        (tmp_path / name).mkdir()
    (said,) = start_repository(tmp_path / "new")
    assert "dvc init -q --subdir && dvc config core.analytics false" in said and not list((tmp_path / "new").iterdir())


@begins_repositories
def test_a_dvc_project_above_that_does_without_git_is_no_repository(tmp_path: Path) -> None:
    dvc(tmp_path, "init", "-q", "--no-scm")
    (tmp_path / "new").mkdir()
    assert start_repository(tmp_path / "new") == ["began a repository of git and DVC there"]
    assert (tmp_path / "new/.dvc").is_dir()


def test_the_commands_that_are_left_run_as_they_are_printed(tmp_path: Path) -> None:
    new = tmp_path / "my games"
    new.mkdir()
    (tmp_path / ".git").mkdir()
    (said,) = start_repository(new)
    enter = said.split(": run ")[1].split(" && ")[0]
    shown = subprocess.run(["sh", "-c", f"{enter} && pwd -P"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert Path(shown.stdout.strip()) == new.resolve()


def test_without_git_the_commands_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    said = start_repository(tmp_path)
    assert "git not installed" in said[0] and "git init -q && dvc init -q" in said[0] and not list(tmp_path.iterdir())
