"""What is in a file from outside: its kind by its first bytes, and the one table in a compressed file or archive."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

import pyarrow as pa

from eagle.core.errors import EagleError, user_error

CUT = "fetch the file again: its download or copying stopped early, and nothing was read from it"
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"PAR1", "parquet"),
)
_OTHER: tuple[tuple[bytes, str, str], ...] = (
    (b"PARE", "an encrypted Parquet file", "write it out without encryption"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first"),
    (b"Rar!", "a RAR archive", "unpack it first"),
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
_JUNK = {"__MACOSX", "Thumbs.db", "desktop.ini", "_SUCCESS"}
_PAGES = (b"<!doctype", b"<html", b"<head", b"<?xml", b"<error")
_TABLES = (".csv", ".tsv", ".tab", ".txt", ".dat", ".data", ".psv", ".parquet", ".pq")
_PROSE = ("readme", "license", "licence", "copying", "citation", "changelog")


def unpacked(name: str, content: bytes) -> tuple[str, bytes]:
    """Return the table in ``content``, out of whatever it is compressed or packed in, and the name to call it by.

    Kinds are told by their first bytes: endings lie. Raises one :class:`~eagle.core.errors.EagleError` where the
    content is broken, cut, empty, holds several tables or is of a kind that is no table.
    """
    for _ in range(4):  # .csv.gz in a .zip, say
        kind = kind_of(content)
        if kind in _DECOMPRESS:
            content = _decompressed(name, content, kind)
        elif kind in ("zip", "tar"):
            name, content = _member(name, content, kind)
        else:
            break
    _refuse_other(name, content)
    return name, content


def kind_of(content: bytes) -> str:
    """Return gzip, bzip2, xz, zstd, lz4, zip, tar or parquet by the first bytes, and an empty string for the rest."""
    if content[257:262] == b"ustar":
        return "tar"
    return next((kind for start, kind in _MAGIC if content.startswith(start) and _binary(content)), "")


def _binary(content: bytes) -> bool:
    """Tell whether the start holds what no text does: a header line may begin with the letters of a magic number."""
    return any(byte < 9 for byte in content[:512])


def is_junk(path: str) -> bool:
    """Tell whether a part of a folder or archive is what systems leave there: macOS resources, marks of Spark."""
    return any(piece in _JUNK or piece.startswith(".") for piece in PurePosixPath(path).parts)


def _zstd_or_lz4(codec: str) -> Callable[[bytes], bytes]:
    def read(content: bytes) -> bytes:
        with pa.CompressedInputStream(pa.BufferReader(content), codec) as stream:
            return bytes(stream.read())

    return read


def is_prose(name: str) -> bool:
    """Tell whether a file beside a table is there to be read by people: a readme, a licence."""
    return name.lower().startswith(_PROSE)


_DECOMPRESS: Mapping[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "bzip2": bz2.decompress,
    "xz": lzma.decompress,
    "zstd": _zstd_or_lz4("zstd"),
    "lz4": _zstd_or_lz4("lz4"),
}


def _decompressed(name: str, content: bytes, kind: str) -> bytes:
    if kind in ("zstd", "lz4") and not pa.Codec.is_available(kind):
        raise user_error(f"{name} is packed with {kind}, which this pyarrow cannot read", mend="unpack it first")
    try:
        return _DECOMPRESS[kind](content)
    except (EOFError, OSError, ValueError, zlib.error, lzma.LZMAError) as error:
        raise _broken(name, kind, error) from None


def _broken(name: str, kind: str, error: object) -> EagleError:
    return user_error(
        f"{name} is incomplete or damaged", found=error, expected=f"a whole file packed with {kind}", mend=CUT
    )


def _member(name: str, content: bytes, kind: str) -> tuple[str, bytes]:
    try:
        with io.BytesIO(content) as buffer:
            return _of_zip(name, buffer) if kind == "zip" else _of_tar(name, buffer)
    except RuntimeError as error:  # NotImplementedError, of kinds of packing that zipfile lacks, is one
        raise user_error(f"{name} cannot be unpacked", found=error, mend="unpack it first") from None
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        raise _broken(name, kind, error) from None


def _of_zip(name: str, buffer: io.BytesIO) -> tuple[str, bytes]:
    with zipfile.ZipFile(buffer) as archive:
        entries = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
        if "[Content_Types].xml" in entries or "mimetype" in entries:
            raise user_error(f"{name} is a workbook, no table", mend="save its sheet as CSV in UTF-8")
        chosen = _the_table(name, entries)
        return f"{chosen} in {name}", archive.read(chosen)


def _of_tar(name: str, buffer: io.BytesIO) -> tuple[str, bytes]:
    with tarfile.open(fileobj=buffer) as archive:
        chosen = _the_table(name, [entry.name for entry in archive.getmembers() if entry.isfile()])
        opened = archive.extractfile(chosen)
        return f"{chosen} in {name}", b"" if opened is None else opened.read()


def _the_table(name: str, entries: list[str]) -> str:
    """Return the one entry that is a table: the only one, or the one that bears the archive's name."""
    ours = [entry for entry in entries if not is_junk(entry)]
    prose = [entry for entry in ours if is_prose(PurePosixPath(entry).name)]
    tables = [entry for entry in ours if entry not in prose and any(end in entry.lower() for end in _TABLES)]
    found = tables or [entry for entry in ours if entry not in prose]
    if not found:
        raise user_error(
            f"{name} holds no table", found=_named(entries) or "an empty archive", expected="one CSV or Parquet file"
        )
    if len(found) > 1:
        stem = PurePosixPath(name).name.split(".")[0].lower()
        found = [entry for entry in found if PurePosixPath(entry).name.split(".")[0].lower() == stem]
    if len(found) != 1:
        raise user_error(
            f"{name} holds several files, and which one is meant is not clear",
            found=_named(ours),
            expected="one CSV or Parquet file",
            mend="unpack it, and name the file (or the folder of parts of one table) in data.files",
        )
    return found[0]


def _named(entries: list[str], most: int = 8) -> str:
    return ", ".join(entries[:most]) + (f" and {len(entries) - most} more" if len(entries) > most else "")


def _refuse_other(name: str, content: bytes) -> None:
    start = content[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    for magic, what, mend in _OTHER:
        if content.startswith(magic) and (_binary(content) or magic[:1] in b"%v"):
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
            mend="write it out as Parquet: pandas.read_json(..., dtype=False).to_parquet(...), "
            "with lines=True where each line is one record",
        )
