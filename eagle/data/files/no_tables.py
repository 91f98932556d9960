"""What people have in place of a table, told by its first bytes, and how a table comes out of it."""

from __future__ import annotations

import re

from eagle.core.errors import user_error

AS_PARQUET = (
    "write it out as Parquet: pandas.read_json(..., dtype=False).to_parquet(...), with lines=True where each line is "
    "one record"
)
_OTHER: tuple[tuple[bytes, str, str], ...] = (
    (b"PARE", "an encrypted Parquet file", "write it out without encryption"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first"),
    (b"Rar!", "a RAR archive", "unpack it first"),
    (b"\x1f\x9d", "packed with compress (.Z)", "unpack it first"),
    (b"\0\1\0\0Standard ", "a database of Access", "write its table out as CSV"),
    (b"<stata_dta>", "a data file of Stata", "write it out as CSV: pandas.read_stata(...).to_csv(..., index=False)"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "save its sheet as CSV in UTF-8"),
    (b"SQLite format 3\0", "an SQLite database", "write its table out as CSV"),
    (b"\x89HDF", "an HDF5 file", "write its table out as Parquet or CSV"),
    (
        b"\xff\xff\xff\xff",
        "a stream of Arrow",
        "write its table out as Parquet: pyarrow.ipc.open_stream(...).read_all()",
    ),
    (b"ARROW1", "an Arrow (Feather) file", "write it out as Parquet: pandas.read_feather(...).to_parquet(...)"),
    (b"ORC", "an ORC file", "write it out as Parquet: pandas.read_orc(...).to_parquet(...)"),
    (b"Obj\x01", "an Avro file", "write it out as Parquet or CSV"),
    (b"RDX", "a data file of R", "write its table out as CSV: write.csv(table, row.names = FALSE)"),
    (b"\x93NUMPY", "a NumPy array", "write it out as CSV with a header line"),
    *((bytes([128, version]), "a Python pickle", "write its table out as Parquet or CSV") for version in range(2, 6)),
    (b"%PDF", "a PDF document", "use the table that it was made from"),
    (b"version https://git-lfs", "a pointer of git LFS, not the file itself", "run `git lfs pull` where it came from"),
)
_TEXTS: tuple[tuple[re.Pattern[bytes], str, str], ...] = (
    (
        re.compile(
            rb"(?i)(?:create|drop)\s+(?:table|database|schema|type)\s|insert\s+into\s|begin(?:\s+transaction)?;|"
            rb"pragma\s+\w+\s*=|set\s+@?\w+\s*=|--\s.*(?:dump|sql)"
        ),
        "a script of SQL, no table",
        "load it into the database that it is of, and write the table out as CSV",
    ),
    (
        re.compile(rb"\[?\{\s*u?'"),
        "records as Python prints them, no table and no JSON",
        "read them with ast.literal_eval (each line, if a record is one), and write them out: "
        "pandas.DataFrame(records).to_parquet(...)",
    ),
    (
        re.compile(rb"\((?:dp|lp)\d|c(?:copy_reg|__builtin__|pandas\.|numpy\.)"),
        "a Python pickle",
        "write its table out as Parquet or CSV",
    ),
    (
        re.compile(rb"(?:---\s*\n)?-\s+\w+:\s.*\n\s+\w+:\s"),
        "YAML, no table",
        "write it out as CSV: pandas.DataFrame(yaml.safe_load(...)).to_csv(..., index=False)",
    ),
    (
        re.compile(rb"<\w+[^<>]*>\s*<\w"),
        "XML or HTML, no table",
        "write it out as CSV: pandas.read_xml(...) or pandas.read_html(...)[0], and .to_csv(..., index=False)",
    ),
    (re.compile(rb"(?i)@relation\s"), "a file of Weka (ARFF)", "take its lines after @data, below a header line"),
    (
        re.compile(rb"%%MatrixMarket\s"),
        "a sparse matrix (Matrix Market)",
        "write rows, columns and values of scipy.io.mmread(...) out as CSV with a header line",
    ),
    (
        re.compile(rb"\d+:\s*\n\d+,"),
        "in blocks, an item above its ratings, as those of the Netflix Prize",
        "write the item into each row below it, and a header line",
    ),
)
_PAGES = (b"<!doctype", b"<html", b"<head", b"<?xml", b"<error")


def binary(content: bytes) -> bool:
    """Tell whether the start holds what no text does: a header line may begin with the letters of a magic number."""
    return any(byte < 9 for byte in content[:512])


def refuse_other(name: str, content: bytes) -> None:
    """Raise an :class:`~eagle.core.errors.EagleError` where the content is of a kind that is no table."""
    start = content[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    for magic, what, mend in _OTHER:
        if content.startswith(magic) and (binary(content) or magic[:1] in b"%v"):
            raise user_error(f"{name} is {what}", expected="CSV or Parquet", mend=mend)
    if start.lower().startswith(_PAGES):
        raise user_error(
            f"{name} is a web page or XML, no table",
            found=start[:40].decode("utf-8", "replace"),
            expected="CSV or Parquet",
            mend="fetch the file itself: a page that asks to log in, or says that something went wrong, was saved",
        )
    for form, what, mend in _TEXTS:
        if form.match(start):
            raise user_error(
                f"{name} is {what}", found=start[:40].decode("utf-8", "replace"), expected="CSV or Parquet", mend=mend
            )
    if start.startswith((b'{"', b"[{", b"[[", b"{ ", b"{\n", b"{\r", b"[\n")):
        raise user_error(
            f"{name} is JSON",
            expected="CSV or Parquet",
            mend=AS_PARQUET,
        )
