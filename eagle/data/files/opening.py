"""From a path to the tables that lie there: one file, or a folder of parts as Spark writes it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from eagle.core.artifacts import sha256_of
from eagle.core.errors import did_you_mean, user_error
from eagle.data.files.no_tables import AS_PARQUET
from eagle.data.files.unpacking import is_junk, is_prose, kind_of, unpacked

_NO_TABLES = {
    ".xlsx": "save its sheet as CSV in UTF-8",
    ".xls": "save its sheet as CSV in UTF-8",
    ".ods": "save its sheet as CSV in UTF-8",
    ".json": AS_PARQUET,
    ".jsonl": "write it out as Parquet: pandas.read_json(..., lines=True, dtype=False).to_parquet(...)",
    ".db": "write its table out as CSV",
    ".sqlite": "write its table out as CSV",
    ".sql": "write its table out as CSV",
    ".pkl": "write its table out as Parquet or CSV",
    ".rds": "write its table out as CSV",
    ".rda": "write its table out as CSV",
    ".sav": "write its table out as CSV",
    ".mat": "write its table out as CSV",
    ".h5": "write its table out as Parquet or CSV",
}
_LAKES = {"_delta_log": "Delta", ".hoodie": "Hudi", "metadata/version-hint.text": "Iceberg"}
_HUGGING_FACE = {"dataset_dict.json": "['train']", "state.json": ""}
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class Part:
    """One file of a table, out of whatever it was packed in."""

    name: str
    content: bytes
    values: dict[str, str | None]
    """Columns that the names of folders give, as in ``year=2015/part-0.parquet``."""

    @property
    def parquet(self) -> bool:
        """Whether the content is, or was to be, Parquet; text otherwise."""
        named = any(ending in self.name.lower() for ending in (".parquet", ".pq"))
        broken = self.content.startswith(b"PAR1") or b"\0" in self.content[:512]
        return kind_of(self.content) == "parquet" or (named and broken)


def files_at(path: Path) -> list[Path]:
    """Return the files that make up the table at ``path``, in the order of their names: itself, or a folder's parts.

    Raises :class:`~eagle.core.errors.EagleError` where there is none.
    """
    try:
        if path.is_dir():
            next(path.iterdir(), None)  # a folder that may not be listed would look empty
            return _parts(path)
        if path.is_file():
            return [path]
        there, link = path.exists(), path.is_symlink()
        near = "" if there or link else _near(path)
    except OSError as error:
        raise user_error(f"{path} cannot be read", found=error.strerror or error) from None
    if link and not there:
        raise user_error(f"{path} is a link to what does not exist", found=path.readlink(), mend="mend the link")
    if there:
        raise user_error(
            f"{path} is no file", found="a pipe, a socket or a device", mend="write what comes out of it into a file"
        )
    raise user_error(f"{path} does not exist", mend=near)


def parts_at(path: Path) -> Iterator[Part]:
    """Give the table's parts one after the other; empty parts of a folder are passed over."""
    files = files_at(path)
    for file in files:
        if file == path and file.suffix.lower() in _NO_TABLES:
            raise user_error(
                f"{path} is of no known kind",
                found=file.suffix,
                expected="CSV or Parquet",
                mend=_NO_TABLES[file.suffix.lower()],
            )
        try:
            content = file.read_bytes()
        except OSError as error:
            raise user_error(f"{file} cannot be read", found=error.strerror or error) from None
        if len(content) or file == path:
            values = {} if file == path else _values(file.relative_to(path).parent)
            yield Part(*unpacked(str(file), content), values)


def sums_at(path: Path) -> dict[str, str]:
    """Return the SHA-256 hex digest of each file of the table, by its name, within a folder by its path from there."""
    return {
        (file.name if file == path else f"{path.name}/{file.relative_to(path).as_posix()}"): sha256_of(file)
        for file in files_at(path)
    }


def _parts(folder: Path) -> list[Path]:
    for mark, lake in _LAKES.items():
        if (folder / mark).exists():
            raise user_error(
                f"{folder} is a table of {lake}: some of its files may be out of date",
                mend="write its present state out as plain Parquet, and name that folder",
            )
    for mark, split in _HUGGING_FACE.items():
        if (folder / mark).exists():
            raise user_error(
                f"{folder} is a data set of Hugging Face as save_to_disk writes it",
                expected="CSV or Parquet",
                mend=f"write its table out: datasets.load_from_disk(...){split}.to_parquet('table.parquet')",
            )
    if (folder / "_temporary").exists():
        raise user_error(
            f"{folder} is unfinished: Spark was still writing it, or was stopped", mend="write it again, to its end"
        )
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not _aside(path.relative_to(folder)))
    if not any(file.stat().st_size for file in files):
        raise user_error(f"{folder} is a folder without a table in it", expected="a file, or a folder of its parts")
    return files


def _aside(path: Path) -> bool:
    hidden = any(piece.startswith("_") for piece in path.parts)  # as Spark itself reads
    return hidden or is_junk(path.as_posix()) or is_prose(path.name)


def _values(folders: Path) -> dict[str, str | None]:
    pairs = (folder.split("=", 1) for folder in folders.parts if "=" in folder)
    return {name: None if value == _NO_VALUE else unquote(value) for name, value in pairs}


def _near(path: Path) -> str:
    if re.search(r"(^|/)[a-z0-9]{2,6}:/", str(path)):
        return "download it first, and name the file: addresses are not read"
    if str(path).startswith("~") or "/~/" in str(path):
        return "write the folder out in full: ~ is not replaced"
    if "$" in str(path):
        return "write the folder out in full: $ and what follows it are not replaced"
    if any(sign in path.name for sign in "*?["):
        return "name one file, or the folder of the parts of one table: * and ? are not replaced"
    if path.with_name(f"{path.name}.dvc").is_file():
        return f"`dvc pull {path.name}.dvc` fetches it"
    if not path.parent.is_dir():
        return f"the folder {path.parent} does not exist either"
    return did_you_mean(path.name, [p.name for p in path.parent.iterdir()])
