"""What is in a file from outside: its kind by its first bytes, and the one table in a compressed file or archive."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

import pyarrow as pa

from eagle.core.errors import EagleError, user_error
from eagle.data.files.no_tables import binary, refuse_other

CUT = "fetch the file again: its download or copying stopped early, and nothing was read from it"
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x5d\0\0", "xz"),  # .lzma, which xz followed
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x50\x2a\x4d\x18", "zstd"),  # as pzstd begins
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"PAR1", "parquet"),
)
_JUNK = {"__MACOSX", "Thumbs.db", "desktop.ini", "_SUCCESS"}
_SHEETS = ("[Content_Types].xml", "mimetype", ".iwa")
"""What workbooks of Excel, LibreOffice and Numbers hold."""
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
    refuse_other(name, content)
    return name, content


def kind_of(content: bytes) -> str:
    """Return gzip, bzip2, xz, zstd, lz4, zip, tar or parquet by the first bytes, and an empty string for the rest."""
    if content[257:262] == b"ustar":
        return "tar"
    return next((kind for start, kind in _MAGIC if content.startswith(start) and binary(content)), "")


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
        if any(entry.endswith(_SHEETS) for entry in entries):
            raise user_error(f"{name} is a workbook, no table", mend="save its sheet as CSV in UTF-8")
        if entries and all(entry.endswith(".npy") for entry in entries):
            raise user_error(
                f"{name} is an archive of NumPy",
                found=f"arrays {_named(entries)}",
                expected="CSV or Parquet",
                mend="write it out as a table: pandas.DataFrame(dict(numpy.load(...))).to_parquet(...)",
            )
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
