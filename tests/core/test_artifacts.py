"""A file under its final name is complete; a reader is told when it is not what it expects."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors import SafetensorError

from eagle.core import artifacts
from eagle.core.errors import EagleError


def test_a_failure_while_writing_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    target = tmp_path / "value.json"
    artifacts.write_json(target, {"a": 1})
    with pytest.raises(KeyboardInterrupt), artifacts.complete_or_absent(target) as draft:
        draft.write_text("half")
        raise KeyboardInterrupt
    assert artifacts.read_json(target) == {"a": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["value.json"]


def test_what_a_killed_process_left_is_removed_when_the_same_file_is_written(tmp_path: Path) -> None:
    """And not what a living one is writing."""
    target = tmp_path / "value.json"
    script = (
        "import os, signal, sys; from pathlib import Path; from eagle.core.artifacts import complete_or_absent\n"
        "with complete_or_absent(Path(sys.argv[1])) as draft:\n"
        "    draft.write_text('half'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    for name in ("value.json", "other.json"):
        killed = subprocess.run([sys.executable, "-c", script, tmp_path / name], check=False)
        assert killed.returncode == -signal.SIGKILL
    with artifacts.complete_or_absent(target) as living:
        living.write_text("mine")
        artifacts.write_json(target, {"a": 1})
        assert living.exists()
    assert [p.name.split(".")[1] for p in tmp_path.iterdir() if p.suffix == ".part"] == ["other"]


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    target = tmp_path / "folder"
    for name in ("old", "new"):
        with artifacts.complete_or_absent(target) as draft:
            draft.mkdir()
            (draft / name).touch()
    assert [p.name for p in target.iterdir()] == ["new"]


WRITERS: dict[str, Callable[[Path], object]] = {
    "text": lambda draft: draft.write_text("a"),
    "csv": lambda draft: pd.DataFrame({"a": [1]}).to_csv(draft),
    "parquet": lambda draft: pq.write_table(pa.table({"a": [1]}), draft),
    "copy": lambda draft: shutil.copyfile(__file__, draft),
}
TOLD = (
    OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)),
    # what shutil.copytree and safetensors raise, which have no number of their own
    shutil.Error([("from", "to", "[Errno 28] No space left on device")]),
    SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)"),
)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full is Linux's own")
@pytest.mark.parametrize("writer", WRITERS)
def test_a_full_disk_is_one_clear_error_whoever_writes(tmp_path: Path, writer: str) -> None:
    with pytest.raises(EagleError, match="no disk space left"), artifacts.complete_or_absent(tmp_path / "x") as draft:
        draft.symlink_to("/dev/full")
        WRITERS[writer](draft)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("error", TOLD)
def test_a_full_disk_is_said_once_where_it_was_met(tmp_path: Path, error: Exception) -> None:
    outer, inner = tmp_path / "outer", tmp_path / "inner"
    with pytest.raises(EagleError) as caught, artifacts.complete_or_absent(outer), artifacts.complete_or_absent(inner):
        raise error
    assert caught.value.problems[0].what == f"no disk space left while writing {inner}"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_a_closed_folder_is_one_clear_error(tmp_path: Path, number: int) -> None:
    with pytest.raises(EagleError, match="cannot be written"), artifacts.complete_or_absent(tmp_path / "x"):
        raise OSError(number, os.strerror(number))


def test_tables_and_arrays_come_back_with_ids(tmp_path: Path) -> None:
    table = pd.DataFrame({"item": ["1", "2"], "genres": [["a"], []]})
    artifacts.write_table(tmp_path / "t.parquet", table, "items")
    back = artifacts.read_table(tmp_path / "t.parquet", "items")
    assert back["item"].tolist() == ["1", "2"]
    assert [list(g) for g in back["genres"]] == [["a"], []]
    rows = np.arange(6, dtype=np.float32).reshape(2, 3)
    artifacts.write_arrays(tmp_path / "a.safetensors", {"rows": rows}, "vectors", ids={"rows": ["1", "2"]})
    arrays, ids = artifacts.read_arrays(tmp_path / "a.safetensors", "vectors")
    np.testing.assert_array_equal(arrays["rows"], rows)
    assert ids == {"rows": ["1", "2"]}


def test_an_artifact_names_its_inputs(tmp_path: Path) -> None:
    source = tmp_path / "source.txt"
    source.write_text("one")
    first = artifacts.content_hash(source)
    source.write_text("two")
    assert artifacts.content_hash(source) != first


@pytest.mark.parametrize(("schema", "version"), [("other", 1), ("items", 2)])
def test_another_schema_or_version_is_refused(tmp_path: Path, schema: str, version: int) -> None:
    artifacts.write_table(tmp_path / "t.parquet", pd.DataFrame({"a": [1]}), "items")
    with pytest.raises(EagleError, match="is not what this step reads"):
        artifacts.read_table(tmp_path / "t.parquet", schema, version=version)


@pytest.mark.parametrize(
    "reader", [artifacts.read_json, lambda p: artifacts.read_table(p, "x"), lambda p: artifacts.read_arrays(p, "x")]
)
def test_missing_and_broken_files_are_named(tmp_path: Path, reader) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "file"
    with pytest.raises(EagleError, match="does not exist"):
        reader(path)
    path.write_bytes(b"\x00garbage")
    with pytest.raises(EagleError, match=str(path)):
        reader(path)


@dataclass(frozen=True)
class Pair:
    first: str
    second: int


@pytest.mark.parametrize("written", [{}, {"first": "a"}, {"first": "a", "second": 2, "third": 3}])
def test_a_record_of_other_fields_is_refused_with_both_lists(tmp_path: Path, written: dict[str, object]) -> None:
    artifacts.write_json(tmp_path / "pair.json", written)
    with pytest.raises(EagleError) as refused:
        artifacts.read_record(tmp_path / "pair.json", Pair, "make it again")
    (problem,) = refused.value.problems
    assert (problem.expected, problem.mend) == ("first, second", "make it again")
    assert problem.found == (", ".join(written) or "an empty object")


def test_a_record_comes_back(tmp_path: Path) -> None:
    artifacts.write_json(tmp_path / "pair.json", {"second": 2, "first": "a"})
    assert artifacts.read_record(tmp_path / "pair.json", Pair) == Pair("a", 2)


@pytest.mark.parametrize("kind", ["table", "arrays", "json"])
def test_a_flipped_byte_is_one_clear_error_or_none(tmp_path: Path, kind: str) -> None:
    """Wherever it is: of the file's own form, of its metadata, or of the values, which hashes watch over."""
    path = tmp_path / kind
    if kind == "table":
        artifacts.write_table(path, pd.DataFrame({"item": ["é", "2"], "genres": [["a"], []]}), "x")
    elif kind == "arrays":
        artifacts.write_arrays(path, {"rows": np.zeros((2, 3))}, "x", ids={"rows": ["1", "2"]})
    else:
        artifacts.write_json(path, {"é": [1, "two"]})
    read = {
        "table": lambda: artifacts.read_table(path, "x"),
        "arrays": lambda: artifacts.read_arrays(path, "x"),
        "json": lambda: artifacts.read_json(path),
    }[kind]
    whole, refused = path.read_bytes(), []
    for place in np.random.default_rng(0).choice(len(whole), min(len(whole), 400), replace=False):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xA5]) + whole[place + 1 :])
        try:
            read()
        except EagleError as error:
            refused.append(str(error))
    assert refused and [said for said in refused if str(path) not in said] == []
