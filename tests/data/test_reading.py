"""By kind: what people's files are like, and that each is read as it is meant or refused with the true cause."""

from __future__ import annotations

import bz2
import csv
import decimal
import gzip
import io
import lzma
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from eagle.config import FileColumns
from eagle.core.errors import EagleError
from eagle.data.files.tables import read_any
from tests.data.quirks import (
    COLUMNS,
    ITEM_NAMES,
    ITEMS,
    RATING_NAMES,
    RATINGS,
    items_text,
    ratings_text,
    read,
    same,
    table,
)

PLAIN = [(i, "The Straight Story", g, "A man rides on. He meets a girl.") for i, _, g, _ in ITEMS]


def packed(name: str, content: bytes, **others: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, inside in {name: content, **others}.items():
            archive.writestr(entry, inside)
    return buffer.getvalue()


def tarred(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def zstd(content: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    return bytes(sink.getvalue().to_pybytes())


CSV = ratings_text().encode()
READ_AS_MEANT: dict[str, tuple[str, bytes]] = {
    "byte-order mark": ("ratings.csv", b"\xef\xbb\xbf" + CSV),
    "two byte-order marks": ("ratings.csv", b"\xef\xbb\xbf\xef\xbb\xbf" + CSV),
    "UTF-16 with its mark": ("ratings.csv", ratings_text().encode("utf-16")),
    "UTF-16 without": ("ratings.csv", ratings_text().encode("utf-16-be")),
    "UTF-32": ("ratings.csv", ratings_text().encode("utf-32")),
    "semicolons": ("ratings.csv", ratings_text(separator=";").encode()),
    "tabs under .csv": ("ratings.csv", ratings_text(separator="\t").encode()),
    "commas under .tsv": ("ratings.tsv", CSV),
    "bars": ("ratings.csv", ratings_text(separator="|").encode()),
    "double colons": ("ratings.dat", ratings_text(separator="::").encode()),
    "control-A, as Hive writes": ("ratings", ratings_text(separator="\x01").encode()),
    "blanks": ("ratings.txt", ratings_text(separator=" ").encode()),
    "a blank after each comma": ("ratings.csv", CSV.replace(b",", b", ")),
    "Excel's sep=": ("ratings.csv", b"sep=;\r\n" + ratings_text(separator=";", end="\r\n").encode()),
    "CR LF": ("ratings.csv", ratings_text(end="\r\n").encode()),
    "CR of old Macs": ("ratings.csv", ratings_text(end="\r").encode()),
    "no line break at the end": ("ratings.csv", CSV.rstrip()),
    "blank lines between and after": ("ratings.csv", CSV.replace(b"\n", b"\n\n", 9) + b"\n \n\n"),
    "everything quoted": ("ratings.csv", table(RATING_NAMES, RATINGS, quoting=csv.QUOTE_ALL).encode()),
    "a separator at each line's end": ("ratings.csv", CSV.replace(b"\n", b",\n").replace(b",\n", b"\n", 1)),
    "and at the header's": ("ratings.csv", CSV.replace(b"\n", b",\n")),
    "at the header's alone": ("ratings.csv", CSV.replace(b"\n", b",\n", 1)),
    "an index column without a name": (
        "ratings.csv",
        table(("", *RATING_NAMES), [(str(n), *row) for n, row in enumerate(RATINGS)]).encode(),
    ),
    "empty rows of a sheet": ("ratings.csv", CSV + b",,,\n,,,\n"),
    "parts joined with their headers": (
        "ratings.csv",
        (ratings_text(RATINGS[:9]) + ratings_text(RATINGS[9:20]) + ratings_text(RATINGS[20:])).encode(),
    ),
    "gzip": ("ratings.csv.gz", gzip.compress(CSV)),
    "two gzip members": ("ratings.csv.gz", gzip.compress(CSV[:99]) + gzip.compress(CSV[99:])),
    "gzip without saying so": ("ratings.csv", gzip.compress(CSV)),
    "unpacked under its old name": ("ratings.csv.gz", CSV),
    "bzip2": ("ratings.csv.bz2", bz2.compress(CSV)),
    "xz": ("ratings.csv.xz", lzma.compress(CSV)),
    "zstandard": ("ratings.csv.zst", zstd(CSV)),
    "zstandard that begins with a frame of its packer": ("r.csv.zst", b"\x50\x2a\x4d\x18\4\0\0\0pack" + zstd(CSV)),
    "two frames of zstandard": ("ratings.csv.zst", zstd(CSV[:99]) + zstd(CSV[99:])),
    "lzma, before xz was": ("ratings.csv.lzma", lzma.compress(CSV, lzma.FORMAT_ALONE)),
    "zip": ("ratings.csv.zip", packed("ratings.csv", CSV)),
    "zip of macOS": ("ratings.csv.zip", packed("ratings.csv", CSV, **{"__MACOSX/._ratings.csv": b"\0\5\26\7"})),
    "zip with a readme": ("archive.zip", packed("ml/ratings.csv", CSV, **{"ml/README.txt": b"Read, me\n"})),
    "zip with other tables": ("ratings.zip", packed("a/ratings.csv", CSV, **{"a/tags.csv": b"user,tag\n1,x\n"})),
    "tar.gz": ("ratings.tar.gz", tarred("a/ratings.csv", CSV)),
    "zip in zip": ("ratings.zip", packed("ratings.csv.zip", packed("ratings.csv", CSV))),
}


@pytest.mark.parametrize("kind", READ_AS_MEANT)
def test_ratings_are_read_as_they_are_meant(tmp_path: Path, kind: str) -> None:
    name, content = READ_AS_MEANT[kind]
    (tmp_path / name).write_bytes(content)
    (tmp_path / "items.csv").write_text(items_text(), encoding="utf-8")
    same(read(tmp_path, ratings=name))


def backslashed(separator: str) -> str:
    quoted = ([cell.replace('"', '\\"') for cell in row] for row in (ITEM_NAMES, *ITEMS))
    return "".join(separator.join(f'"{cell}"' for cell in row) + "\n" for row in quoted)


ITEMS_AS_MEANT: dict[str, str] = {
    "semicolons and backslashes": backslashed(";"),
    "commas and backslashes": backslashed(","),
    "quotes as letters between tabs": "".join("\t".join(row) + "\n" for row in (ITEM_NAMES, *ITEMS)),
    "everything quoted": items_text(quoting=csv.QUOTE_ALL),
    "semicolons": items_text(separator=";"),
    "carets": items_text(separator="^"),
    "separators escaped, as MySQL writes": "".join(
        ",".join(cell.replace(",", "\\,").replace('"', '\\"') for cell in row) + "\n" for row in (ITEM_NAMES, *ITEMS)
    ),
}


@pytest.mark.parametrize("kind", ITEMS_AS_MEANT)
def test_items_are_read_as_they_are_meant(tmp_path: Path, kind: str) -> None:
    (tmp_path / "ratings.csv").write_bytes(CSV)
    (tmp_path / "items.csv").write_text(ITEMS_AS_MEANT[kind], encoding="utf-8")
    same(read(tmp_path))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_its_mark_is_seen_in_scripts_that_leave_few_bytes_empty(tmp_path: Path, encoding: str) -> None:
    rows = [(i, "千と千尋の神隠し", "Drama", "少女は一つの町で名前をなくし、それを取り戻す。") for i, *_ in ITEMS]
    (tmp_path / "ratings.csv").write_bytes(CSV)
    (tmp_path / "items.csv").write_bytes(items_text(rows).encode(encoding))
    built = read(tmp_path)
    same(built, items=rows)
    assert f"items.csv is read as {encoding.upper()}" in built.remarks[0]


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "cp850", "utf-7"])
def test_a_declared_encoding_is_used_where_a_file_is_not_utf8(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "ratings.csv").write_bytes(CSV)
    (tmp_path / "items.csv").write_text(items_text(), encoding=encoding)
    same(read(tmp_path, encoding=encoding))


def test_a_file_in_utf8_is_read_so_whatever_is_declared(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_bytes(CSV)
    (tmp_path / "items.csv").write_text(items_text(), encoding="utf-8")
    built = read(tmp_path, encoding="latin-1")
    same(built)
    assert any("items.csv is in UTF-8 and read so" in remark for remark in built.remarks)


@pytest.mark.parametrize(("written", "separator"), [("\\t", "\t"), ("tab", "\t"), ("::", "::"), ("~", "~")])
def test_a_declared_separator_is_used(tmp_path: Path, written: str, separator: str) -> None:
    (tmp_path / "ratings.csv").write_text(ratings_text(separator=separator))
    (tmp_path / "items.csv").write_text(table(ITEM_NAMES, PLAIN, separator))
    same(read(tmp_path, separator=written), items=PLAIN)


def test_columns_without_a_header_are_named_by_number(tmp_path: Path) -> None:
    (tmp_path / "u.data").write_text(table((), RATINGS, "\t"))
    (tmp_path / "u.item").write_text(table((), ITEMS, "|").replace("Drama|Comedy", "Drama"), encoding="cp1252")

    names = {"user": "#1", "rated_item": "#2", "rating": "#3", "timestamp": "#4"}
    columns = FileColumns(**names, item="#1", title="#2", genres="#3", text="#4")
    built = read(tmp_path, "u.data", "u.item", columns=columns, encoding="cp1252")
    assert len(built.ratings) == len(RATINGS)
    assert built.items["title"].tolist() == [row[1] for row in ITEMS]


def cut_at(text: str, share: float) -> bytes:
    return text.encode()[: int(len(text) * share)]


def frame() -> pd.DataFrame:
    return pd.DataFrame(RATINGS, columns=list(RATING_NAMES)).astype({"rating": float, "when": int})


STRAY = items_text().replace("Plain", '"Plain', 1)
SWALLOWING = items_text().replace(",Plain", ',"Plain', 1).replace("Last Signal", 'Last 12"', 1)
HTML = b"<!DOCTYPE html>\n<html><body>Please log in</body></html>"
REFUSED_RATINGS: dict[str, tuple[str, bytes, tuple[str, ...]]] = {
    "no header": (
        "ratings.csv",
        table((), RATINGS).encode(),
        ("first line looks like data", "line 1: 1,100", "header line", 'data.files.columns.user: "#1"'),
    ),
    "no header, double colons": (
        "ratings.dat",
        table((), RATINGS, "::").encode(),
        ("first line looks like data", 'separated by "::"'),
    ),
    "a matrix": (
        "ratings.csv",
        (
            "user," + ",".join(map(str, range(100, 140))) + "\n" + ("7," + ",".join(["", "4.5"] * 20) + "\n") * 9
        ).encode(),
        ("is a matrix", "one row for each rating", "melt", "and 29 more"),
    ),
    "cells too many in some rows": (
        "ratings.csv",
        CSV.replace(b"1000000010", b"1000000010,7").replace(b"1000000020", b"1000000020,"),
        (
            "line 2: 5 cells, the header has 4",
            "line 8: 5 cells, the header has 4, and the last is empty",
            "4 cells in every row",
        ),
    ),
    "row names of R": (
        "ratings.csv",
        (",".join(RATING_NAMES) + "\n" + table((), [(str(n), *row) for n, row in enumerate(RATINGS, 1)])).encode(),
        ("line 2: 5 cells, the header has 4", "counts the rows, give it a name in the header"),
    ),
    "decimal commas without quotes": (
        "ratings.csv",
        CSV.replace(b".5,", b",5,").replace(b".0,", b",0,"),
        ("5 cells, the header has 4", "decimal comma"),
    ),
    "rows too short": ("ratings.csv", CSV.replace(b",1000000010", b""), ("line 2: 3 cells, the header has 4",)),
    "cut within a row": ("ratings.csv", CSV[:-12], ("line 37: 3 cells", "without a line break: it may be cut off")),
    "cut within the last cell": ("ratings.csv", CSV[:-4], ("seems cut off", "a last cell like '1000000010'")),
    "cut gzip": ("ratings.csv.gz", gzip.compress(CSV)[:-20], ("incomplete or damaged", "fetch the file again")),
    "cut bzip2": ("ratings.csv.bz2", bz2.compress(CSV)[:-20], ("incomplete or damaged",)),
    "cut xz": ("ratings.csv.xz", lzma.compress(CSV)[:-20], ("incomplete or damaged",)),
    "cut zstandard": ("ratings.csv.zst", zstd(CSV)[:-20], ("incomplete or damaged",)),
    "cut zip": ("ratings.csv.zip", packed("ratings.csv", CSV)[:-20], ("incomplete or damaged",)),
    "cut tar.gz": ("ratings.tar.gz", tarred("ratings.csv", CSV)[:-20], ("incomplete or damaged",)),
    "damaged gzip": ("ratings.csv.gz", gzip.compress(CSV)[:40] + b"\xff" * 200, ("incomplete or damaged",)),
    "damaged zip": (
        "ratings.csv.zip",
        packed("ratings.csv", CSV).replace(packed("ratings.csv", CSV)[60:70], b"\xff" * 10),
        ("incomplete or damaged",),
    ),
    "empty zip": ("ratings.csv.zip", b"PK\x05\x06" + bytes(18), ("holds no table", "an empty archive")),
    "zip of leavings": ("ratings.zip", packed("__MACOSX/._ratings.csv", b"\0"), ("holds no table", "._ratings.csv")),
    "zip of several tables": (
        "archive.zip",
        packed("ratings.csv", CSV, **{"tags.csv": b"user,tag\n1,x\n"}),
        ("holds several files", "ratings.csv, tags.csv", "unpack it"),
    ),
    "an empty file": ("ratings.csv", b"", ("is empty",)),
    "an empty file, packed": ("ratings.csv.gz", gzip.compress(b" \n"), ("is empty",)),
    "zero bytes": ("ratings.csv", CSV + bytes(300), ("zero bytes", "300 of them, the first in line 38")),
    "a web page": ("ratings.csv", HTML, ("is a web page", "log in")),
    "lines of Python": ("ratings.csv", b"{'user': 1, 'item': 2}\n", ("as Python prints them", "ast.literal_eval")),
    "an array of JSON": ("ratings.csv", b"[[1, 2, 3], [1, 3, 4]]\n", ("is JSON",)),
    "a pickle of text": ("ratings.csv", b"(dp0\nVuser\np1\n(dp2\nI0\nVu0\np3\n", ("is a Python pickle",)),
    "YAML": ("ratings.csv", b"- user: u0\n  item: i1\n  rating: 3\n", ("is YAML", "yaml.safe_load")),
    "XML without a first line": ("ratings.csv", b"<ratings>\n<r><user>u</user></r>\n", ("is XML", "read_xml")),
    "one person alone": ("ratings.csv", b"item,rating,when\n100,3,1\n", ("no column 'user'", "one person alone")),
    "a script of SQL": ("ratings.csv", b"CREATE TABLE r (a int);\nINSERT INTO r VALUES (1);\n", ("script of SQL",)),
    "a dump of MySQL": ("ratings.csv", b"-- MySQL dump 10.13\n--\n", ("script of SQL",)),
    "a file of Weka": ("ratings.csv", b"@relation r\n@attribute user numeric\n@data\n1,2,3\n", ("Weka",)),
    "a sparse matrix": ("r.mtx", b"%%MatrixMarket matrix coordinate real general\n3 3 1\n1 1 2\n", ("Matrix Market",)),
    "blocks of the Netflix Prize": ("ratings.txt", b"1:\n15,3,2005-09-06\n16,4,2005-09-06\n2:\n", ("in blocks",)),
    "a stream of Arrow": ("r.arrow", b"\xff\xff\xff\xff\x10\1\0\0", ("a stream of Arrow", "open_stream")),
    "an old pickle": ("ratings.csv", b"\x80\x02cpandas\x00\1", ("a Python pickle",)),
    "names for more cells than there are": (
        "ratings.csv",
        b"user item rating else when\n1 2 3\n2 3 4\n",
        ("the rows have fewer cells than the first line", "3 cells in most rows"),
    ),
    "likes alone": ("ratings.csv", b"user,item,when\n1,2,3\n", ("no column 'rating'", "clicks, plays or purchases")),
    "a header alone": ("ratings.csv", b"user,item,rating,when\n", ("has no rows",)),
    "a table that psql printed": (
        "ratings.txt",
        (
            " user | item | rating | when\n------+------+------+-----\n" + table((), RATINGS, " | ") + "(36 rows)\n"
        ).encode(),
        ("as programs print it for people", "'------+------+------+-----'", "psql --csv"),
    ),
    "a table that mysql printed": (
        "ratings.txt",
        ("+---+---+\n| user | item | rating | when |\n+---+---+\n" + table((), RATINGS, " | ")).encode(),
        ("as programs print it for people", "'+---+---+'"),
    ),
    "a table of Markdown": (
        "ratings.md",
        ("| user | item | rating | when |\n|---|:--|---|---|\n" + table((), RATINGS, " | ")).encode(),
        ("as programs print it for people",),
    ),
    "a rule below the names": (
        "ratings.csv",
        CSV.replace(b"\n", b"\n----,----,------,----\n", 1),
        ("as programs print it for people", "away"),
    ),
    "a table that pandas printed": (
        "ratings.txt",
        frame().to_string(index=False).encode(),
        ("as programs print it for people", "runs of blanks", "to_csv"),
    ),
    "JSON lines": ("ratings.csv", b'{"user": 1, "item": 2}\n', ("is JSON", "read_json")),
    "a pointer of git LFS": ("ratings.csv", b"version https://git-lfs.github.com/spec/v1\noid", ("git lfs pull",)),
    "an Excel workbook": (
        "ratings.csv",
        packed("[Content_Types].xml", b"<x/>", **{"xl/workbook.xml": b"<x/>"}),
        ("is a workbook", "save its sheet as CSV"),
    ),
    "a 7z archive": ("ratings.csv", b"7z\xbc\xaf\x27\x1c\0\4", ("7z archive", "unpack")),
    "packed with compress": ("ratings.csv.Z", b"\x1f\x9d\x90" + bytes(range(256)), ("compress (.Z)", "unpack it")),
    "packed in a way that is not known": (
        "ratings.csv.br",
        bytes(range(250, -1, -1)) * 9,
        ("is no text, and of no kind that is known here", "unpack it first"),
    ),
    "a database of Access": ("ratings.mdb", b"\0\1\0\0Standard Jet DB\0" + bytes(90), ("a database of Access",)),
    "an archive of NumPy": ("r.npz", packed("user.npy", b"\x93", **{"item.npy": b"\x93"}), ("user.npy, item.npy",)),
    "a workbook of Numbers": ("r.numbers", packed("Index/Document.iwa", b"\0"), ("is a workbook",)),
    "lines of JSON under .json": ("ratings.json", b'{"user": 1}\n{"user": 2}\n', ("lines=True where each line",)),
    "no separator": ("ratings.csv", CSV.replace(b",", b"~"), ("one column only", "set data.files.separator")),
    "names below a heading": ("ratings.csv", b"Export of 2020,,,\n" + CSV, ("stand in line 2", "remove the lines")),
    "a column twice": ("ratings.csv", CSV.replace(b"rating", b"user", 1), ("several columns named 'user'",)),
    "many other columns": (
        "ratings.csv",
        (",".join(f"c{n}x" for n in range(99)) + "\n" + ",".join(["a b"] * 99) + "\n").encode(),
        ("no column 'user'", "c11x and 87 more"),
    ),
}


@pytest.mark.parametrize("kind", REFUSED_RATINGS)
def test_ratings_that_cannot_be_meant_are_refused_with_the_cause(tmp_path: Path, kind: str) -> None:
    name, content, words = REFUSED_RATINGS[kind]
    (tmp_path / name).write_bytes(content)
    (tmp_path / "items.csv").write_text(items_text(), encoding="utf-8")
    with pytest.raises(EagleError) as caught:
        read(tmp_path, ratings=name)
    for part in words:
        assert part in str(caught.value)
    assert name in str(caught.value)


REFUSED_ITEMS: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "Latin-1": (
        items_text().encode("latin-1"),
        ("not in UTF-8", "lines 2, 7", "byte 30", "cp1252: 100,Café Señor", "data.files.encoding", "iconv"),
    ),
    "Cyrillic": (
        items_text([(i, "Ирония судьбы", g, "Москва слезам не верит") for i, _, g, _ in ITEMS]).encode("cp1251"),
        ("lines 2, 3, 4", "cp1251: 100,Ирония судьбы", "likely cp1251"),
    ),
    "one line of another encoding": (
        items_text([(i, "Señor Café", g, t) for i, _, g, t in ITEMS]).encode().replace("é".encode(), b"\xe9", 1),
        ("not in UTF-8 throughout", "line 2", "7 other lines", "mixes encodings"),
    ),
    "cut within a letter": (items_text().encode()[: items_text().encode().index("ß".encode()) + 1], ("cut off",)),
    "a stray quote": (STRAY.encode(), ("line 5", "a quote opens a cell here")),
    "a stray quote that finds another": (SWALLOWING.encode(), ("line 5", "swallows 3 whole lines")),
    "a stray quote in the last cell": (
        items_text().replace("Nobody believes", '"Nobody believes').encode(),
        ("line 5", "a quote opens a cell here"),
    ),
    "a line break without quotes": (
        items_text().replace("Plain", "Pl\nain", 1).encode(),
        ("line 5: 2 cells", "line 6: 3 cells", "half of one that a line break has cut"),
    ),
    "a comma without quotes": (items_text().replace("Last Signal", "Last, Signal").encode(), ("line 8: 5 cells",)),
}


@pytest.mark.parametrize("kind", REFUSED_ITEMS)
def test_items_that_cannot_be_meant_are_refused_by_line(tmp_path: Path, kind: str) -> None:
    content, words = REFUSED_ITEMS[kind]
    (tmp_path / "ratings.csv").write_bytes(CSV)
    (tmp_path / "items.csv").write_bytes(content)
    with pytest.raises(EagleError) as caught:
        read(tmp_path)
    for part in words:
        assert part in str(caught.value)


def test_line_breaks_within_quotes_are_meant(tmp_path: Path) -> None:
    rows = [(i, t, g, f"First, of {i}.\n\n\tThen:\n12, 13\nthe end.") for i, t, g, _ in ITEMS]
    (tmp_path / "ratings.csv").write_bytes(CSV)
    (tmp_path / "items.csv").write_text(items_text(rows, end="\r\n"), encoding="utf-8", newline="")
    built = read(tmp_path)
    assert built.items["item"].tolist() == [row[0] for row in ITEMS]
    assert built.items["text"].tolist() == [f"First, of {i}. Then: 12, 13 the end." for i, *_ in ITEMS]


def test_as_many_rows_as_a_spreadsheet_holds_are_said(tmp_path: Path) -> None:
    """Opened and saved again, a longer file ends there, and nothing else tells."""
    (tmp_path / "r.csv").write_text("a,b\n" + "1,2\n" * (2**16 - 1))
    (said,) = read_any(tmp_path / "r.csv", {"a": "a"}).notes
    assert "r.csv has 65,536 rows, the most that a spreadsheet holds" in said
    (tmp_path / "r.csv").write_text("a,b\n" + "1,2\n" * 2**16)
    assert read_any(tmp_path / "r.csv", {"a": "a"}).notes == ()


def test_rows_that_are_no_numbers_are_named_by_the_files_own_lines(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_bytes(CSV.replace(b"\n", b"\n\n", 3).replace(b"4.0", b"five"))
    (tmp_path / "items.csv").write_text(items_text(), encoding="utf-8")
    lines = (tmp_path / "ratings.csv").read_text().splitlines()
    first = next(number for number, line in enumerate(lines, 1) if "five" in line)
    with pytest.raises(EagleError, match=f"line {first}: 'five'"):
        read(tmp_path)


def test_a_separator_that_is_declared_and_not_there_is_refused_with_the_one_that_is(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_text(ratings_text(separator=";"))
    (tmp_path / "items.csv").write_text(items_text(separator=";"), encoding="utf-8")
    with pytest.raises(EagleError, match=r'set data\.files\.separator: ";"') as caught:
        read(tmp_path, separator=",")
    assert len(caught.value.problems) == 2


def _spark(folder: Path) -> None:
    for number, rows in enumerate((RATINGS[:9], RATINGS[9:20], RATINGS[20:])):
        part = pd.DataFrame(rows, columns=list(RATING_NAMES))
        made = pa.table(
            {
                "user": pa.array(part["user"].astype(int), pa.int64()),
                "item": pa.array([item.encode() for item in part["item"]], pa.binary()),
                "rating": pa.array(part["rating"], pa.string()).cast(pa.decimal128(3, 1)),
                "when": pa.array(part["when"].astype(int)).cast(pa.timestamp("s")).cast(pa.timestamp("us", "UTC")),
            }
        )
        pa.parquet.write_table(made, folder / f"part-0000{number}-c000.snappy.parquet")
        (folder / f".part-0000{number}-c000.snappy.parquet.crc").write_bytes(b"crc")
    (folder / "_SUCCESS").touch()


def _csv_parts(folder: Path) -> None:
    (folder / "part-00000.csv").write_text(ratings_text(RATINGS[:9]))
    (folder / "part-00001.csv").touch()
    (folder / "part-00002.csv.gz").write_bytes(gzip.compress(ratings_text(RATINGS[9:]).encode()))
    (folder / "_SUCCESS").touch()


def _hive(folder: Path) -> None:
    for user, rows in frame().groupby("user", sort=False):
        (folder / f"user={user}").mkdir()
        rows.drop(columns="user").to_parquet(folder / f"user={user}" / "part-0.parquet")


@pytest.mark.parametrize("write", [_spark, _csv_parts, _hive])
def test_folders_of_parts_are_one_table(tmp_path: Path, write: Callable[[Path], None]) -> None:
    (tmp_path / "ratings.parquet").mkdir()
    write(tmp_path / "ratings.parquet")
    (tmp_path / "items.csv").write_text(items_text(), encoding="utf-8")
    built = read(tmp_path, ratings="ratings.parquet")
    same(built)
    assert len(built.source.files) > 2


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([], "without a table in it"),
        (["_SUCCESS"], "without a table in it"),
        (["_temporary/0"], "unfinished"),
        (["_delta_log/0.json", "part-0.parquet"], "is a table of Delta"),
    ],
)
def test_folders_that_are_no_table_are_refused(tmp_path: Path, names: list[str], words: str) -> None:
    (tmp_path / "ratings.parquet").mkdir()
    for name in names:
        path = tmp_path / "ratings.parquet" / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    (tmp_path / "items.csv").write_text(items_text(), encoding="utf-8")
    with pytest.raises(EagleError, match=words):
        read(tmp_path, ratings="ratings.parquet")


def test_a_bad_line_of_a_part_names_the_part(tmp_path: Path) -> None:
    (tmp_path / "ratings").mkdir()
    (tmp_path / "ratings" / "a.csv").write_text(ratings_text(RATINGS[:9]))
    (tmp_path / "ratings" / "b.csv").write_text(ratings_text(RATINGS[9:]).replace("4.0", "five"))
    (tmp_path / "items.csv").write_text(items_text(), encoding="utf-8")
    with pytest.raises(EagleError, match=r"line \d+ of b.csv: 'five'"):
        read(tmp_path, ratings="ratings")


def test_parquet_keeps_long_ids_with_gaps_and_columns_that_were_an_index(tmp_path: Path) -> None:
    long = 900_000_000_000_000_001
    ids = pd.array([long, long + 1, None, *range(len(RATINGS) - 3)], dtype="Int64")
    frame().assign(user=ids).set_index("item").to_parquet(tmp_path / "ratings.parquet")
    table = read_any(tmp_path / "ratings.parquet", {"user": "user", "item": "item"}).table
    assert table["user"].tolist()[:3] == [long, long + 1, pd.NA]
    assert table["item"].tolist() == [row[1] for row in RATINGS]


@pytest.mark.parametrize("cut", [8, 200, -10])
def test_cut_parquet_is_one_error(tmp_path: Path, cut: int) -> None:
    frame().to_parquet(tmp_path / "whole.parquet")
    (tmp_path / "ratings.parquet").write_bytes((tmp_path / "whole.parquet").read_bytes()[:cut])
    (tmp_path / "items.csv").write_text(items_text(), encoding="utf-8")
    with pytest.raises(EagleError, match="damaged or incomplete") as caught:
        read(tmp_path, ratings="ratings.parquet")
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("https://example.org/ratings.csv", "download it first"),
        ("~/ratings.csv", "in full"),
        ("kept.csv", "`dvc pull kept.csv.dvc`"),
        ("ratngs.csv", "did you mean 'ratings.csv'"),
        ("$HOME/ratings.csv", "what follows it are not replaced"),
        ("*.csv", "name one file"),
    ],
)
def test_a_path_that_is_not_there_says_what_to_do(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "ratings.csv").write_bytes(CSV)
    (tmp_path / "kept.csv.dvc").touch()
    (tmp_path / "items.csv").write_text(items_text(), encoding="utf-8")
    with pytest.raises(EagleError, match=words):
        read(tmp_path, ratings=name)


def test_names_of_columns_in_another_order_are_another_table(tmp_path: Path) -> None:
    """Read on, its users would be items; the mend of the one rating that is no number would hide them."""
    names, rows = ("item", "user", "rating", "when"), [(i, u, r, w) for u, i, r, w in RATINGS[9:]]
    (tmp_path / "ratings.csv").write_text(ratings_text(RATINGS[:9]) + table(names, rows))
    (tmp_path / "items.csv").write_text(items_text(), encoding="utf-8")
    with pytest.raises(
        EagleError, match=r"(?s)line 11: names of columns stand here in another order.*a file of its own"
    ):
        read(tmp_path)


@pytest.mark.parametrize("above", ["# made by us\n", "# one, two, three, four\n# more\n", "#\n"])
def test_comments_above_the_header_are_passed_over_and_said(tmp_path: Path, above: str) -> None:
    (tmp_path / "ratings.csv").write_text(above + ratings_text())
    (tmp_path / "items.csv").write_text(items_text(), encoding="utf-8")
    built = read(tmp_path)
    same(built)
    assert "at the top that begin with # passed over" in built.remarks[0]
    spoilt = (above + ratings_text()).replace("1000000010", "soon,1")
    (tmp_path / "ratings.csv").write_text(spoilt)
    with pytest.raises(EagleError, match=f"line {above.count(chr(10)) + 2}: 5 cells"):
        read(tmp_path)


def test_a_header_may_begin_with_such_a_sign(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_text("#" + ratings_text())
    (tmp_path / "items.csv").write_text(items_text(), encoding="utf-8")
    built = read(tmp_path, columns=COLUMNS.model_copy(update={"user": "#user"}))
    same(built)
    assert built.remarks == ()


def test_a_text_as_long_as_a_book_is_a_cell(tmp_path: Path) -> None:
    rows = [(i, t, g, "A page, and one more. " * 20_000) for i, t, g, _ in ITEMS[:1]] + ITEMS[1:]
    (tmp_path / "ratings.csv").write_bytes(CSV)
    (tmp_path / "items.csv").write_text(items_text(rows), encoding="utf-8")
    assert len(read(tmp_path).items["text"].iloc[0]) == 20_000 * 22 - 1


def test_decimals_uuids_and_an_index_that_counts_keep_all_ids_of_parquet(tmp_path: Path) -> None:
    first = 900_719_925_474_099_300
    ids = [decimal.Decimal(first + int(item)) for _, item, *_ in RATINGS]
    users = [bytes([int(user)] * 16) for user, *_ in RATINGS]
    made = {"user": pa.array(users, pa.binary(16)), "item": pa.array(ids, pa.decimal128(20, 0))}
    pa.parquet.write_table(
        pa.table({**made, "rating": [float(r) for _, _, r, _ in RATINGS], "when": [int(w) for *_, w in RATINGS]}),
        tmp_path / "ratings.parquet",
    )
    films = pd.DataFrame([row[1:] for row in ITEMS], columns=list(ITEM_NAMES[1:]))
    films.index = pd.RangeIndex(first + 100, first + 108, name="item")
    films.to_parquet(tmp_path / "items.parquet")
    built = read(tmp_path, ratings="ratings.parquet", items="items.parquet")
    assert built.ratings["item"].tolist() == [str(value) for value in ids]
    assert built.ratings["user"].tolist() == [value.hex() for value in users]
    assert built.items["item"].tolist() == [str(first + 100 + n) for n in range(8)]


@pytest.mark.parametrize("kind", [pa.decimal128(38, 9), pa.decimal256(60, 20), pa.decimal128(12, 3)])
def test_decimals_of_many_places_are_the_numbers_that_they_are(tmp_path: Path, kind: pa.DataType) -> None:
    """BigQuery's NUMERIC has nine places, whatever it holds."""
    items = [decimal.Decimal(item) for _, item, *_ in RATINGS]
    ratings = [decimal.Decimal(rating) for _, _, rating, _ in RATINGS]
    made = {"user": [user for user, *_ in RATINGS], "item": pa.array(items, kind), "rating": pa.array(ratings, kind)}
    pa.parquet.write_table(
        pa.table({**made, "when": [int(when) for *_, when in RATINGS]}), tmp_path / "ratings.parquet"
    )
    (tmp_path / "items.csv").write_text(items_text(), encoding="utf-8")
    same(read(tmp_path, ratings="ratings.parquet"))
    whole = read_any(tmp_path / "ratings.parquet", {"rating": "rating"}).table["rating"]
    assert whole.tolist() == [float(rating) for rating in ratings]


def test_bytes_that_are_no_text_and_a_name_twice_are_refused_as_such(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text(items_text(), encoding="utf-8")
    table_of = {"user": [b"\xc8\1", b"ok"], "item": ["1", "2"], "rating": [1.0, 2.0], "when": [1, 2]}
    pa.parquet.write_table(pa.table(table_of), tmp_path / "ratings.parquet")
    with pytest.raises(EagleError, match="column 'user' holds bytes that are no text"):
        read(tmp_path, ratings="ratings.parquet")
    twice = pa.table([pa.array([1])] * 5, names=["user", "item", "rating", "rating", "when"])
    pa.parquet.write_table(twice, tmp_path / "ratings.parquet")
    with pytest.raises(EagleError, match="several columns named 'rating'"):
        read(tmp_path, ratings="ratings.parquet")


def test_a_folder_of_different_tables_is_refused_with_their_columns(tmp_path: Path) -> None:
    folder = tmp_path / "all"
    folder.mkdir()
    (folder / "ratings.csv").write_bytes(CSV)
    (folder / "items.csv").write_text(items_text(), encoding="utf-8")
    with pytest.raises(EagleError, match="folder of several tables") as caught:
        read(tmp_path, ratings="all", items="all/items.csv")
    assert "items.csv: item, title, genres, text\n    ratings.csv: user, item" in str(caught.value)


def test_parts_of_different_names_are_read_as_one_with_a_word_and_a_readme_is_none(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "README.md").write_text("# Card\n")
    (folder / "test-00000-of-00001.csv").write_text(ratings_text(RATINGS[:9]))
    (folder / "train-00000-of-00001.csv").write_text(ratings_text(RATINGS[9:]))
    (tmp_path / "items.csv").write_text(items_text(), encoding="utf-8")
    built = read(tmp_path, ratings="data")
    same(built)
    assert "2 files read as one table: test-00000" in built.remarks[0]


@pytest.mark.parametrize("mark", ["dataset_dict.json", "state.json"])
def test_a_data_set_of_hugging_face_is_refused_as_one(tmp_path: Path, mark: str) -> None:
    (tmp_path / "ds" / "train").mkdir(parents=True)
    (tmp_path / "ds" / mark).write_text("{}")
    (tmp_path / "ds" / "train" / "data-00000-of-00001.arrow").write_bytes(b"\xff\xff\xff\xff\0")
    (tmp_path / "items.csv").write_text(items_text(), encoding="utf-8")
    with pytest.raises(EagleError, match="data set of Hugging Face"):
        read(tmp_path, ratings="ds")


def test_what_is_there_and_no_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text(items_text(), encoding="utf-8")
    (tmp_path / "link.csv").symlink_to("gone.csv")
    with pytest.raises(EagleError, match="is a link to what does not exist"):
        read(tmp_path, ratings="link.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(EagleError, match="is no file"):
        read(tmp_path, ratings="pipe.csv")
    with pytest.raises(EagleError, match="cannot be read\n  found: File name too long"):
        read(tmp_path, ratings="x" * 300)


def test_ids_that_are_kept_as_text_for_a_spreadsheet_are_text(tmp_path: Path) -> None:
    """As Goodreads exports an ISBN."""
    (tmp_path / "ratings.csv").write_bytes(CSV)
    rows = [(f'="{item}"', *others) for item, *others in ITEMS]
    (tmp_path / "items.csv").write_text(items_text(rows), encoding="utf-8")
    same(read(tmp_path))


def test_the_sign_with_which_dos_ends_a_text_is_no_line(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_bytes(CSV + b"\x1a")
    (tmp_path / "items.csv").write_text(items_text(), encoding="utf-8")
    same(read(tmp_path))


def test_byte_order_marks_of_files_that_were_put_behind_each_other_are_passed_over(tmp_path: Path) -> None:
    lines = ratings_text().splitlines(keepends=True)
    lines[9] = "\ufeff" + lines[9]
    (tmp_path / "ratings.csv").write_text("".join(lines), encoding="utf-8")
    (tmp_path / "items.csv").write_text(items_text(), encoding="utf-8")
    built = read(tmp_path)
    same(built)
    assert "1 byte-order mark at the beginning of later lines passed over" in built.remarks[0]


@pytest.mark.parametrize("below", ["(id),(text),[list],(prose)", "int,string,text,string"])
def test_units_and_kinds_below_the_names_are_no_item(tmp_path: Path, below: str) -> None:
    (tmp_path / "ratings.csv").write_bytes(CSV)
    (tmp_path / "items.csv").write_text(items_text().replace("\n", f"\n{below}\n", 1), encoding="utf-8")
    with pytest.raises(EagleError, match=r"units or kinds of values(?s:.*)line 2: (?s:.*)mend: remove line 2"):
        read(tmp_path)


def test_a_column_that_its_number_names_is_not_missing(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_bytes(CSV.replace(b"user", b"who", 1).replace(b",item", b",", 1))
    (tmp_path / "items.csv").write_text(items_text(), encoding="utf-8")
    with pytest.raises(EagleError) as caught:
        read(tmp_path, columns=COLUMNS.model_copy(update={"rated_item": "#2"}))
    assert [problem.what.partition(" has no")[2] for problem in caught.value.problems] == [" column 'user'"]
