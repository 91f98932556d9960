"""Files that are complete once they have their name: write beside, then rename.

Every table and array carries a schema name, a schema version and the hashes of what it was made from.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from eagle.core.commands import run_everything
from eagle.core.errors import EagleError, user_error

T = TypeVar("T")
_META = b"eagle"
_FULL = (errno.ENOSPC, errno.EDQUOT)
_CLOSED = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextlib.contextmanager
def complete_or_absent(target: Path) -> Iterator[Path]:
    """Yield a temporary sibling of ``target`` (file or folder to be made); rename it on success.

    On any failure, Ctrl-C included, the sibling is removed and ``target`` stays as it was. What a killed process left
    beside the same target is removed first.
    """
    target = Path(target)
    draft = target.parent / f".{target.name}.{os.getpid()}-{uuid.uuid4().hex[:8]}.part"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove_orphans(target)
        yield draft
        if not draft.exists():
            raise RuntimeError(f"nothing was written for {target}")
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        os.replace(draft, target)
    except EagleError:
        raise
    except Exception as error:
        if is_full(error):
            raise no_space(target, error) from error
        if _system_error(error) in _CLOSED and _is_under(target.parent, error):
            raise user_error(
                f"{target} cannot be written",
                found=str(error)[:300],
                mend="see that it belongs to you and can be written, then run the same command again",
            ) from error
        raise
    finally:
        with contextlib.suppress(OSError):  # a closed folder has already been told of
            remove(draft, ignore_errors=True)


def remove(path: Path, *, ignore_errors: bool = False) -> None:
    """Remove a file, a link or a folder, if it is there; ``ignore_errors``: leave what a folder does not give up."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=ignore_errors)
    else:
        path.unlink(missing_ok=True)


def md5_of(path: Path) -> str:
    """Return the MD5 hex digest of a file: what DVC and publishers of archives name a file's content by."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def sha256_of(path: Path) -> str:
    """Return the SHA-256 hex digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _remove_orphans(target: Path) -> None:
    """Remove the drafts of ``target`` whose process, named in theirs, has ended without doing so."""
    name = re.compile(rf"\.{re.escape(target.name)}\.(\d+)-[0-9a-f]{{8}}\.part")
    with os.scandir(target.parent) as beside:
        drafts = [(Path(entry.path), int(match[1])) for entry in beside if (match := name.fullmatch(entry.name))]
    if drafts:
        import psutil

        for draft, process in drafts:
            if not psutil.pid_exists(process):
                remove(draft, ignore_errors=True)


def is_full(error: Exception) -> bool:
    """Whether an error says that the disk is full, or what the user may take of it."""
    return _system_error(error) in _FULL


def no_space(target: Path, found: object) -> EagleError:
    """Return the error that says so."""
    return user_error(
        f"no disk space left while writing {target}",
        found=str(found)[:300],
        mend="free some space and run the same command again; finished work is kept",
    )


def _system_error(error: Exception) -> int | None:
    """Return the system's error number; shutil, which collects errors, and safetensors, written in Rust, tell it in
    their text only.
    """
    if isinstance(error, OSError) and error.errno:
        return error.errno
    match = re.search(r"\[Errno (\d+)\]|\(os error (\d+)\)", str(error))
    return int(match[1] or match[2]) if match else None


def _is_under(folder: Path, error: Exception) -> bool:
    """Whether an error is about what is being written there, and not about something that is read elsewhere."""
    named = [name for name in (getattr(error, "filename", None), getattr(error, "filename2", None)) if name]
    return not named or any(Path(os.fsdecode(name)).absolute().is_relative_to(folder.absolute()) for name in named)


def content_hash(path: Path) -> str:
    """Return a SHA-256 hex digest (16 characters) of a file, or of a folder's names and contents."""
    path = Path(path)
    _require(path)
    digest = hashlib.sha256()
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    for file in files:
        digest.update(str(file.relative_to(path)).encode())
        with file.open("rb") as handle:
            while block := handle.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()[:16]


def hash_of(value: Any) -> str:
    """Return a SHA-256 hex digest (16 characters) of what JSON can hold, such as parameters and hashes of inputs."""
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16]


def _metadata(schema: str, version: int, inputs: Iterable[Path]) -> dict[str, Any]:
    return {"schema": schema, "version": version, "inputs": {Path(p).name: content_hash(Path(p)) for p in inputs}}


def _check_metadata(path: Path, meta: Mapping[str, Any], schema: str, version: int) -> None:
    if meta.get("schema") != schema or meta.get("version") != version:
        raise user_error(
            f"{path} is not what this step reads",
            found=f"{meta.get('schema', 'no schema')} version {meta.get('version', '-')}",
            expected=f"{schema} version {version}",
            mend="run `dvc repro` to make it anew with this version of the project",
        )


def _require(path: Path) -> None:
    if not path.exists():
        raise user_error(f"{path} does not exist", mend=f"run {run_everything()} or `dvc repro` to make it")


def write_table(path: Path, table: pd.DataFrame, schema: str, *, version: int = 1, inputs: Iterable[Path] = ()) -> None:
    """Write a data frame as Parquet under a schema name."""
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    meta = dict(arrow.schema.metadata or {})
    meta[_META] = json.dumps(_metadata(schema, version, inputs)).encode()
    with complete_or_absent(path) as draft:
        pq.write_table(arrow.replace_schema_metadata(meta), draft)


def read_table(path: Path, schema: str, *, version: int = 1) -> pd.DataFrame:
    """Read a Parquet table that :func:`write_table` wrote; another schema is a clear error."""
    path = Path(path)
    _require(path)
    try:
        arrow = pq.read_table(path)
        _check_metadata(path, json.loads((arrow.schema.metadata or {}).get(_META, b"{}")), schema, version)
        return arrow.to_pandas()
    except (pa.ArrowException, OSError, ValueError, TypeError) as error:
        if isinstance(error, OSError) and error.errno:  # of the disk, not of the bytes on it
            raise
        raise user_error(
            f"{path} is not a readable Parquet file", found=error, mend="delete it, then `dvc repro`"
        ) from None


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write JSON, keys in the given order, with a final newline. NaN is refused."""
    with complete_or_absent(path) as draft:
        draft.write_text(json.dumps(value, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object."""
    path = Path(path)
    _require(path)
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # also of the encoding
        raise user_error(f"{path} is not valid JSON", found=error, mend="delete it, then `dvc repro`") from None
    if not isinstance(value, dict):
        raise user_error(f"{path} should hold a JSON object", found=type(value).__name__)
    return value


def read_record(path: Path, kind: type[T], mend: str = "delete it, then `dvc repro`") -> T:
    """Read a JSON object whose keys are the fields of ``kind``, a dataclass; EagleError where they are others."""
    found = read_json(path)
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    if found.keys() != set(names):
        raise user_error(
            f"{path} is not what this version of EAGLE reads",
            found=", ".join(found) or "an empty object",
            expected=", ".join(names),
            mend=mend,
        )
    return kind(**found)


def write_arrays(
    path: Path,
    arrays: Mapping[str, np.ndarray],
    schema: str,
    *,
    version: int = 1,
    ids: Mapping[str, Iterable[str]] | None = None,
    inputs: Iterable[Path] = (),
) -> None:
    """Write named arrays as safetensors, with the ids of their rows in the header."""
    from safetensors.numpy import save_file

    meta = _metadata(schema, version, inputs)
    meta["ids"] = {name: [str(i) for i in values] for name, values in (ids or {}).items()}
    with complete_or_absent(path) as draft:
        save_file({k: np.ascontiguousarray(v) for k, v in arrays.items()}, draft, {"eagle": json.dumps(meta)})


def read_arrays(path: Path, schema: str, *, version: int = 1) -> tuple[dict[str, np.ndarray], dict[str, list[str]]]:
    """Return ``(arrays, ids)`` written by :func:`write_arrays`."""
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    _require(path)
    try:
        with safe_open(path, framework="numpy") as handle:
            meta = json.loads((handle.metadata() or {}).get("eagle", "{}"))
            _check_metadata(path, meta, schema, version)
            return {name: handle.get_tensor(name) for name in handle.keys()}, meta["ids"]  # noqa: SIM118
    except (SafetensorError, ValueError, TypeError, KeyError) as error:
        raise user_error(
            f"{path} is not a readable safetensors file", found=error, mend="delete it, then `dvc repro`"
        ) from None
