"""The MLflow store of a project: relative, movable, and what is written to it."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine, make_url

from eagle.config import RegistryConfig
from eagle.core.errors import EagleError
from eagle.core.project import Project
from eagle.registry.answers import failures_told
from eagle.registry.location import resolve_uri
from eagle.registry.provenance import commit, data_versions
from eagle.registry.run_log import RunLog, flatten, numbers
from eagle.registry.runs import draw_curve
from eagle.registry.store import Store, download, open_store
from tests.mlflow_tables import lay_tables


@pytest.mark.parametrize(
    ("uri", "resolved"),
    [
        ("sqlite:///mlruns/mlflow.db", "sqlite:////home/p/mlruns/mlflow.db"),
        ("sqlite:////data/m.db", "sqlite:////data/m.db"),
        ("http://localhost:5000", "http://localhost:5000"),
    ],
)
def test_relative_stores_lie_below_the_project(uri: str, resolved: str) -> None:
    assert resolve_uri(uri, Path("/home/p")) == resolved


@pytest.mark.parametrize("name", ["my games", "a#b%20c", "a:b@c&d=e;f", "é桌"])
def test_the_store_of_a_folder_with_odd_signs_is_where_sqlalchemy_looks(name: str) -> None:
    root = Path("/home") / name
    assert make_url(resolve_uri("sqlite:///m.db", root)).database == str(root / "m.db")


def test_a_folder_whose_name_ends_an_address_is_refused_unless_the_store_lies_elsewhere() -> None:
    root = Path("/home/games?/mine")
    assert make_url(f"sqlite:///{root}/m.db").database == "/home/games"
    with pytest.raises(EagleError, match=r"(?s)below a folder with \? in its name.*found: /home/games\?/mine"):
        resolve_uri("sqlite:///m.db", root)
    for elsewhere in ("sqlite:////data/m.db", "http://localhost:5000"):
        assert resolve_uri(elsewhere, root) == elsewhere


def test_a_moved_project_keeps_its_runs_and_artifacts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    monkeypatch.chdir(here)
    curve = here / "curve.csv"
    pd.DataFrame({"update": [0, 1, 2], "reward": [0.0, 0.5, None], "phase": ["a", "a", "b"]}).to_csv(curve, index=False)
    store = open_store(RegistryConfig(), Project())
    with RunLog.begin(store, "parent", {"eagle.kind": "pipeline"}) as run:
        run.params({"train": {f"p{i}": i for i in range(150)}})
        run.metrics({"arm": {"mean": 1.5, "low": None, "high": float("nan"), "ok": True}})
        run.curve(curve)
        run.files([curve, draw_curve(curve, here / "curve.png")], "curves")
    monkeypatch.chdir(tmp_path)
    shutil.move(here, there)
    monkeypatch.chdir(there)
    again = open_store(RegistryConfig(), Project())
    found = again.client.get_run(run.run_id)
    assert again.experiment_id == store.experiment_id
    assert found.info.status == "FINISHED"
    assert found.info.artifact_uri.startswith("mlruns/artifacts/")
    assert len(found.data.params) == 150
    assert {name: found.data.metrics[name] for name in ("arm.mean", "arm.ok")} == {"arm.mean": 1.5, "arm.ok": 1.0}
    assert [(m.step, m.value) for m in again.client.get_metric_history(run.run_id, "reward")] == [(0, 0.0), (1, 0.5)]
    assert {file.path for file in again.client.list_artifacts(run.run_id, "curves")} == {
        "curves/curve.csv",
        "curves/curve.png",
    }


def test_a_run_that_breaks_is_marked_so(tmp_path: Path) -> None:
    store = open_store(RegistryConfig(), Project(tmp_path))
    log = RunLog.begin(store, "broken", {})
    with pytest.raises(ZeroDivisionError), log:
        _ = 1 / 0
    assert store.client.get_run(log.run_id).info.status == "FAILED"


def test_flat_names_and_finite_numbers_only() -> None:
    nested = {"a": {"b@c": 1, "text": "x", "none": None}, "d": float("inf"), "e": 2.5}
    assert flatten(nested) == {"a.b@c": 1, "a.text": "x", "a.none": None, "d": float("inf"), "e": 2.5}
    assert numbers(nested) == {"a.b_c": 1.0, "e": 2.5}


def test_versions_of_data_come_from_dvcs_lock(tmp_path: Path) -> None:
    assert data_versions(Project(tmp_path)) == {}
    (tmp_path / "dvc.lock").write_text(
        "stages:\n  a:\n    outs:\n    - path: data/x\n      md5: abc.dir\n", encoding="utf-8"
    )
    assert data_versions(Project(tmp_path)) == {"data/x": "abc.dir"}
    assert commit(Project(tmp_path)) == ""


def test_without_git_a_run_names_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert commit(Project(tmp_path)) == ""


def test_a_store_of_another_mlflow_is_told_in_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    open_store(RegistryConfig(), Project())
    store = tmp_path / "mlruns/mlflow.db"
    older = tmp_path / "an older/mlruns/mlflow.db"  # another path: an engine is kept for each address
    older.parent.mkdir(parents=True)
    shutil.copy(store, older)
    with closing(sqlite3.connect(older)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '451aebb31d03'")
    with pytest.raises(EagleError, match="another version of MLflow") as caught:
        open_store(RegistryConfig(), Project(tmp_path / "an older"))
    assert f"`mlflow db upgrade 'sqlite:///{older}'`" in str(caught.value)


@pytest.mark.parametrize(("which", "mend"), [("@champion", "registers what is missing"), ("/99", "name a version")])
def test_of_an_agent_that_is_not_there_the_remedy_is_the_one_that_helps(
    which: str, mend: str, mlflow_store: Store
) -> None:
    with pytest.raises(EagleError, match=f"(?s)models:/eagle-agent{which} is not in the registry.*{mend}"):
        download(f"models:/eagle-agent{which}", mlflow_store.uri)


def test_a_full_disk_is_told_without_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    lay_tables(Project())

    def fill(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA max_page_count = 1")  # SQLite takes as many pages as there are

    event.listen(Engine, "connect", fill)
    try:
        with pytest.raises(EagleError) as caught, failures_told():
            store = open_store(RegistryConfig(), Project())
            for _ in range(100):
                RunLog.begin(store, "run", {"eagle.kind": "pipeline"}).params({"words": "x" * 5000})
    finally:
        event.remove(Engine, "connect", fill)
    (problem,) = caught.value.problems
    assert problem.found.endswith("database or disk is full")
    assert problem.mend.startswith("free some space")
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize(("number", "mend"), [(errno.ENOSPC, "free some space"), (errno.EROFS, "see that it belongs")])
def test_a_file_of_a_run_that_finds_no_room_is_told_in_one_message(
    number: int, mend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lay_tables(Project())
    (tmp_path / "curve.csv").write_text("update\n1\n")

    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    with RunLog.begin(open_store(RegistryConfig(), Project()), "run", {"eagle.kind": "pipeline"}) as run:
        monkeypatch.setattr(shutil, "copyfileobj", fail)
        with pytest.raises(EagleError, match="cannot be written") as caught, failures_told():
            run.files([tmp_path / "curve.csv"], "curves")
    assert caught.value.problems[0].mend.startswith(mend)


@pytest.mark.parametrize("taken", ["mlruns", "mlruns/mlflow.db.lock"])
def test_a_store_that_cannot_be_written_is_told_in_one_message(taken: str, tmp_path: Path) -> None:
    project = Project(tmp_path)
    (tmp_path / taken / "folder").mkdir(parents=True)
    if taken == "mlruns":
        shutil.rmtree(tmp_path / taken)
        (tmp_path / taken).write_text("a file")
    with pytest.raises(EagleError, match="cannot be written") as caught:
        open_store(RegistryConfig(), project)
    assert taken in caught.value.problems[0].found
