"""Two real processes, connected over gloo, train what one trains; killed, they go on as if nothing had been."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file

from eagle.compute import processes
from eagle.compute.parallel import ALONE, share_of_mean
from eagle.compute.processes import launch
from eagle.core.artifacts import content_hash, read_json
from eagle.core.costs import account
from eagle.core.errors import EagleError
from eagle.core.project import Project
from eagle.training import reference, stage
from tests.training import side_by_side
from tests.training.project_files import build_project, config, copy_of
from tests.training.side_by_side import ARM, in_surroundings, learn_from_episodes, train_play_and_die
from tests.training.waiting import mistaken

#: Five decisions are shared as three and two, the one of a format step as one and none.
PHASE = {
    "kind": "all_action",
    "updates": 6,
    "pairs": 5,
    "pool": 9,
    "learning_rate": 3e-3,
    "repair_every": 2,
    "lookahead": 2,
}
ONE, TWO = (config(phases=[PHASE], processes=count) for count in (1, 2))
ROUNDING = {"rtol": 1e-4, "atol": 1e-5}


@dataclass(frozen=True)
class Trained:
    """The same training by one process and by two, and what those two left of another one when they were killed."""

    one: Project
    two: Project
    stopped: Project
    episodes: Path  # what two processes learnt from episodes
    death: EagleError


@contextmanager
def forking() -> Iterator[None]:
    """Let training processes fork from one that has imported torch, which each would import for seconds."""
    spawn = import_module("torch.multiprocessing.spawn")  # whose name the package gives to a function
    start = spawn.start_processes

    def starting(function: Any, arguments: Any, count: int, join: bool, start_method: str) -> Any:
        get_context("forkserver").set_forkserver_preload([side_by_side.__name__])
        return start(partial(in_surroundings, dict(os.environ), function), arguments, count, join, False, "forkserver")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spawn, "start_processes", starting)
        yield


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("parallel")
    one = build_project(folder / "one")
    reference.run(ONE, one, ARM)
    two, stopped = (copy_of(one, folder / name) for name in ("two", "stopped"))
    stage.run(ONE, one, ARM)
    with forking(), pytest.raises(EagleError) as death:
        launch(partial(train_play_and_die, TWO, two, stopped, folder), 2, "cpu")
    return Trained(one, two, stopped, folder, death.value)


def assert_same_tensors(*files: Path) -> None:
    one, other = map(load_file, files)
    assert one.keys() == other.keys()
    for name, tensor in one.items():
        np.testing.assert_allclose(other[name], tensor, **ROUNDING, err_msg=name)


def test_two_processes_train_the_adapter_that_one_trains(trained: Trained) -> None:
    adapter = "adapter_model.safetensors"
    assert_same_tensors(trained.one.agent(ARM) / adapter, trained.two.agent(ARM) / adapter)
    started, ended = (load_file(folder / adapter) for folder in (trained.one.reference(ARM), trained.one.agent(ARM)))
    assert max(np.abs(ended[name] - started[name]).max() for name in started) > 100 * ROUNDING["atol"]


def test_two_processes_log_what_one_logs(trained: Trained) -> None:
    one, two = (pd.read_csv(project.curve(f"train_{ARM}")) for project in (trained.one, trained.two))
    pd.testing.assert_frame_equal(one, two, rtol=1e-3, atol=1e-5)
    assert not list(trained.two.checkpoints.glob("*"))


def test_two_processes_learn_from_episodes_what_one_learns(trained: Trained, tmp_path: Path) -> None:
    learn_from_episodes(trained.one, tmp_path, ALONE)
    for name in ("policy.safetensors", "value.safetensors"):
        assert_same_tensors(tmp_path / name, trained.episodes / name)
    alone, shared = (read_json(folder / "row.json") for folder in (tmp_path, trained.episodes))
    assert shared == pytest.approx(alone, rel=1e-3, abs=1e-5)


def test_killed_and_run_again_two_processes_give_the_identical_result(trained: Trained) -> None:
    assert "SIGKILL" in str(trained.death)
    (left,) = trained.stopped.checkpoints.glob("*/*")
    assert left.name == "phase_00_update_000002"
    cost = trained.stopped.cost(f"train@{ARM}")
    with forking(), account(f"train@{ARM}", cost):
        stage.run(TWO, trained.stopped, ARM)
    assert content_hash(trained.stopped.agent(ARM)) == content_hash(trained.two.agent(ARM))
    for path in (f"reports/curves/train_{ARM}.csv", f"reports/training/{ARM}.parquet"):
        assert (trained.stopped.root / path).read_bytes() == (trained.two.root / path).read_bytes()
    assert [update["update"] for update in read_json(cost)["updates"]] == [3, 4, 5, 6]
    assert read_json(cost)["prompt_tokens"] > 0


def test_a_mistake_in_one_process_ends_all_and_is_told_as_it_is() -> None:
    """Of processes that start as everywhere but in this module: anew."""
    with pytest.raises(EagleError) as told:
        launch(mistaken, 2, "cpu")
    assert str(told.value).splitlines()[0] == "the second process found a mistake"
    assert told.value.problems[0].mend == "mend it"


@pytest.mark.parametrize(
    ("asked", "device", "gpus", "message"),
    [
        (3, "auto", 2, "more processes than GPUs"),
        (3, "cuda", 1, "more processes than GPUs"),
        (2, "cuda:1", 2, "cannot share"),
        (2, "mps", 0, "cannot share"),
    ],
)
def test_processes_without_a_place_are_refused(
    asked: int, device: str, gpus: int, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    with pytest.raises(EagleError, match=message):
        launch(mistaken, asked, device)


@pytest.mark.parametrize(("device", "gpus", "expected"), [("auto", 2, 2), ("cpu", 2, 0), ("auto", 0, 0)])
def test_gpus_are_used_where_there_are_some(
    device: str, gpus: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    assert processes.gpus_for(2, device) == expected


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=9), st.integers(0, 9))
def test_shares_add_up_to_the_mean(values: list[float], cut: int) -> None:
    losses = [torch.tensor(value, dtype=torch.float64) for value in values]
    parts = [share_of_mean(part, len(losses)) for part in (losses[:cut], losses[cut:])]
    assert float(sum(parts).detach()) == pytest.approx(np.mean(values), abs=1e-9)
