"""Several pipelines at once, as ``dvc queue start -j 2`` runs them: one store, and one decision after the other."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import mlflow
import pytest

from eagle.config import RegistryConfig
from eagle.config.stages import run_stage
from eagle.core.project import Project
from eagle.core.workspace import WORKSPACES
from eagle.registry.store import champion_version, open_store
from tests.mlflow_tables import lay_tables
from tests.servers.scripted_agent import registrable_run

NEW = get_context("spawn")  # a fork of the tests' process would inherit connections that other tests opened


def make_store(together: Any, told: Any) -> None:
    """Open the store of the working folder when the other process does, and tell its experiment."""
    together.wait()
    told.put(open_store(RegistryConfig(), Project()).experiment_id)


def test_of_two_that_make_the_store_at_once_both_open_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    together, told = NEW.Barrier(2), NEW.SimpleQueue()
    both = [NEW.Process(target=make_store, args=(together, told)) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join()
    assert [process.exitcode for process in both] == [0, 0]
    assert told.get() == told.get() == open_store(RegistryConfig(), Project()).experiment_id


@pytest.mark.filterwarnings("ignore:.*Any type hint")  # MLflow's own, when it is imported
@pytest.mark.filterwarnings("ignore:.*An input example was not provided:UserWarning")
def test_who_registers_second_is_compared_with_whom_the_first_made_champion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each waits a second for the other to decide too, which only happens where they take no turns."""
    from eagle.registry import stage

    monkeypatch.chdir(tmp_path)
    deciding, decide = threading.Barrier(2), stage.decide

    def decide_together(*given: Any) -> Any:
        with suppress(threading.BrokenBarrierError):
            deciding.wait(1)
        return decide(*given)

    monkeypatch.setattr(stage, "decide", decide_together)
    log_model = mlflow.pyfunc.log_model
    monkeypatch.setattr(mlflow.pyfunc, "log_model", lambda **given: log_model(**{**given, "input_example": None}))
    lay_tables(Project())
    uri = RegistryConfig().tracking_uri
    runs = [registrable_run(tmp_path.joinpath(*WORKSPACES, name), uri) for name in ("a", "b")]
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda run: run_stage("register", *run), runs))
    client = open_store(RegistryConfig(), Project()).client
    assert {int(one.version): one.tags["eagle.champion_before"] for one in client.search_model_versions()} == {
        1: "none",
        2: "1",
    }
    assert champion_version(client, RegistryConfig().model) == "1"
    assert "waiting for another registration of this project" in capsys.readouterr().err
