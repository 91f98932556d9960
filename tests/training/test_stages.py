"""References and training as stages on files: outputs, resuming after SIGKILL, errors."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

from eagle.core.artifacts import content_hash, read_table
from eagle.core.errors import EagleError
from eagle.core.live import figures, journal
from eagle.core.project import Project
from eagle.methods.softmax_fit import fit_softmax_policy
from eagle.training import reference, stage
from eagle.training.setup import load_training_data
from tests.tiny import build_tiny_llm
from tests.training.planted import ACTIONS
from tests.training.project_files import build_project, config, copy_of

ROOT = Path(__file__).parents[2]
KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from eagle.core.project import Project
from eagle.training import all_action, stage
from tests.training.planted import ACTIONS
from tests.training.project_files import config
update = all_action.AllAction.update
def dies(self, number):
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return update(self, number)
all_action.AllAction.update = dies
stage.run(config(), Project(Path({project!r})), "g_optimal")
"""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with its G-optimal reference trained."""
    project = build_project(tmp_path_factory.mktemp("project") / "root")
    reference.run(config(), project, "g_optimal")
    return project


@pytest.fixture(scope="module")
def trained(prepared: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = copy_of(prepared, tmp_path_factory.mktemp("trained") / "root")
    stage.run(config(), project, "g_optimal")
    return project


@pytest.fixture(scope="module")
def killed(prepared: Project, tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Path]:
    """A training that SIGKILL ended in front of its fourth update, in a process of its own, and its journal."""
    folder = tmp_path_factory.mktemp("killed")
    project = copy_of(prepared, folder / "root")
    script = KILLED.format(root=str(ROOT), project=str(project.root))
    with journal(folder, "train@g_optimal") as followed:
        dead = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, timeout=120, check=False)
    assert dead.returncode == -signal.SIGKILL, dead.stderr.decode()[-2000:]
    return project, followed


def weights(folder: Path) -> dict[str, np.ndarray]:
    return load_file(folder / "adapter_model.safetensors")


def test_reference_writes_adapter_and_curve_and_learns(prepared: Project) -> None:
    curve = pd.read_csv(prepared.curve("reference_g_optimal"))
    assert curve.columns[0] == "update"
    assert curve["update"].tolist() == [1, 2, 3, 4, 5]
    assert curve["excess"].iloc[-1] < curve["excess"].iloc[0]


def test_references_differ_and_the_same_seed_gives_the_same_bytes(prepared: Project, tmp_path: Path) -> None:
    project = copy_of(prepared, tmp_path / "root")
    before = (project.reference("g_optimal") / "adapter_model.safetensors").read_bytes()
    for name in ("g_optimal", "optimistic"):
        reference.run(config(), project, name)
    assert (project.reference("g_optimal") / "adapter_model.safetensors").read_bytes() == before
    assert (project.reference("optimistic") / "adapter_model.safetensors").read_bytes() != before


def test_a_name_with_a_seed_trains_what_that_seed_would(prepared: Project, tmp_path: Path) -> None:
    named, other = (copy_of(prepared, tmp_path / name) for name in ("named", "other"))
    for run in (reference.run, stage.run):
        run(config(), named, "g_optimal_seed8")
        run(config().model_copy(update={"seed": 8}), other, "g_optimal")
    for mine, theirs in (
        (named.reference("g_optimal_seed8"), other.reference("g_optimal")),
        (named.agent("g_optimal_seed8"), other.agent("g_optimal")),
    ):
        found = weights(mine)
        assert all(np.array_equal(tensor, found[name]) for name, tensor in weights(theirs).items())
    assert named.curve("train_g_optimal_seed8").read_bytes() == other.curve("train_g_optimal").read_bytes()
    first = weights(prepared.reference("g_optimal"))
    assert any(
        not np.array_equal(tensor, first[name]) for name, tensor in weights(other.reference("g_optimal")).items()
    )


def test_training_writes_what_it_promises(trained: Project) -> None:
    curve = pd.read_csv(trained.curve("train_g_optimal"))
    assert curve["update"].tolist() == list(range(1, 7))
    for column in (
        "loss",
        "utility",
        "gain",
        "kl",
        "entropy",
        "information",
        "listed_mass",
        "distinct_actions",
        "gradient_norm",
    ):
        assert np.isfinite(curve[column]).all(), column
    watched = curve["validation_gain"].notna()
    assert curve.loc[watched, "update"].tolist() == [2, 4, 6]
    assert curve.loc[0, "kl"] == pytest.approx(0, abs=1e-5)
    samples = read_table(trained.reports / "training/g_optimal.parquet", "training_samples")
    assert set(samples["update"]) == set(range(1, 7))
    assert not list(trained.checkpoints.glob("*"))
    before, after = weights(trained.reference("g_optimal")), weights(trained.agent("g_optimal"))
    assert before.keys() == after.keys()
    assert any(not np.array_equal(before[k], after[k]) for k in before)


@pytest.mark.parametrize("damaged", [False, True])
def test_killed_and_run_again_gives_the_identical_result(
    killed: tuple[Project, Path], trained: Project, tmp_path: Path, caplog: pytest.LogCaptureFixture, damaged: bool
) -> None:
    """Also where the disk has changed a byte of the checkpoint meanwhile."""
    project = copy_of(killed[0], tmp_path / "root")
    assert not project.agent("g_optimal").exists()
    (left,) = project.checkpoints.glob("*/*")
    assert left.name == "phase_00_update_000002"
    if damaged:
        path = next(left.glob("*.safetensors"))
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    stage.run(config(), project, "g_optimal")
    assert ("damaged" in caplog.text) == damaged
    for name, tensor in weights(trained.agent("g_optimal")).items():
        np.testing.assert_array_equal(weights(project.agent("g_optimal"))[name], tensor, err_msg=name)
    assert project.curve("train_g_optimal").read_bytes() == trained.curve("train_g_optimal").read_bytes()
    tables = [read_table(p.reports / "training/g_optimal.parquet", "training_samples") for p in (project, trained)]
    pd.testing.assert_frame_equal(*tables)


def told(journal: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in journal.read_text(encoding="utf-8").split("\n") if line]
    return [{"update": line["step"], **line["values"]} for line in lines if line["event"] == "figures"]


def rows_of(curve: Path) -> list[dict[str, Any]]:
    """The finite numbers of a curve's rows."""
    table = pd.read_csv(curve).select_dtypes("number")
    return [{name: v for name, v in row.items() if not np.isnan(v)} for row in table.to_dict("records")]


def test_a_training_that_is_followed_tells_its_curve_and_computes_the_same(
    killed: tuple[Project, Path], trained: Project, tmp_path: Path
) -> None:
    project = copy_of(killed[0], tmp_path / "root")
    with journal(tmp_path, "train@g_optimal") as resumed:
        stage.run(config(), project, "g_optimal")
    curve = project.curve("train_g_optimal")
    assert curve.read_bytes() == trained.curve("train_g_optimal").read_bytes()
    assert content_hash(project.agent("g_optimal")) == content_hash(trained.agent("g_optimal"))
    rows = rows_of(curve)
    assert told(killed[1]) == rows[:3]  # killed before the fourth
    assert told(resumed) == rows  # each update once, those of the checkpoint first


def test_a_folder_that_cannot_be_written_to_ends_no_stage(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with journal(tmp_path / "file", "split"):
        figures(1, {"loss": 1.0})
    assert (tmp_path / "file").read_text() == "in the way"


def test_other_parameters_do_not_take_up_a_checkpoint(prepared: Project) -> None:
    keys = {stage.checkpoint_key(config(kl_coefficient=k), prepared, "g_optimal") for k in (0.1, 0.2)}
    assert len(keys) == 2
    one, other = (stage.checkpoint_key(config(), prepared, "g_optimal") for _ in range(2))
    assert one == other


def test_other_code_does_not_take_up_a_checkpoint(prepared: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    before = stage.checkpoint_key(config(), prepared, "g_optimal")
    monkeypatch.setattr(stage, "code_behind", lambda *_: "changed")
    assert stage.checkpoint_key(config(), prepared, "g_optimal") != before


def test_reference_of_another_model_is_refused(prepared: Project, tmp_path: Path) -> None:
    project = copy_of(prepared, tmp_path / "root")
    shutil.rmtree(project.llm)
    build_tiny_llm(project.llm, seed=5)
    with pytest.raises(EagleError, match="another language model"):
        stage.run(config(), project, "g_optimal")


def test_softmax_policy_is_fitted_on_the_same_files(prepared: Project) -> None:
    material = load_training_data(config().utility, prepared)
    policy = fit_softmax_policy(material, repeat=False)
    assert policy.actions == ACTIONS
    held_out: Any = SimpleNamespace(anchor="new", user="u6", text="Genres: war.", history=())
    assert policy.act([held_out], [0]) == [ACTIONS[2]]  # u6 likes the third genre best
