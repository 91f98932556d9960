"""A run of ``dvc exp run --temp`` or ``--queue`` keeps its texts and its MLflow runs with the project."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from eagle.config import RegistryConfig
from eagle.core.project import Project
from eagle.core.workspace import borrow, home
from eagle.registry.store import open_store
from tests.dvc_here import dvc
from tests.mlflow_tables import lay_tables

STAGE = """
from pathlib import Path
from eagle.config import RegistryConfig
from eagle.core.project import Project
from eagle.engine.base import SamplingSpec
from eagle.engine.cache import CachedModel, CompletionStore
from eagle.engine.scripted import ScriptedModel
from eagle.registry.run_log import RunLog
from eagle.registry.store import open_store

model = CachedModel(ScriptedModel(), CompletionStore(Project().completions))
model.generate(["Rewrite the film."], SamplingSpec(8, 0.7), [1])
Path("out").write_text(f"{model.usage.calls} calls")
with RunLog.begin(open_store(RegistryConfig(), Project()), Path("in").read_text(), {}) as run:
    run.files([Path("out")])
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A committed project of git and DVC with one stage, which has run nowhere yet."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stage.py").write_text(STAGE)
    (tmp_path / "in").write_text("the run")
    stage = f"cmd: {sys.executable} stage.py, deps: [in, stage.py], outs: [out]"
    (tmp_path / "dvc.yaml").write_text(f"stages: {{one: {{{stage}}}}}\n")
    (tmp_path / ".gitignore").write_text("/out\n/mlruns/*\n.cache/\n")
    (tmp_path / "mlruns").mkdir()
    (tmp_path / "mlruns/.gitkeep").touch()
    subprocess.run(["git", "init", "-q"], check=True)
    dvc(tmp_path, "init", "-q")
    for words in ("git add .", "git commit -q -m first"):
        subprocess.run(words.split(), check=True)
    return Project()


def test_a_temporary_run_pays_for_no_text_twice_and_its_mlflow_run_stays(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    lay_tables(project)
    for name in ("first", "second"):
        Path("in").write_text(name)
        dvc(project.root, "exp", "run", "--temp", "-q", "-n", name)
    assert list(Path(".dvc/tmp/exps").glob("tmp*")) == []
    store = open_store(RegistryConfig(), project)
    runs = {run.info.run_name: run.info for run in store.client.search_runs([store.experiment_id])}
    assert set(runs) == {"first", "second"}
    said = {name: Path(info.artifact_uri, "out").read_text() for name, info in runs.items()}
    assert said == {"first": "1 calls", "second": "0 calls"}
    dvc(project.root, "exp", "apply", "-q", "second")
    assert Path("out").read_text() == "0 calls"
    assert Path("mlruns/.gitkeep").exists() and not Path("mlruns/artifacts").is_symlink()


def test_elsewhere_the_root_stays_as_it_is_and_nothing_is_linked(tmp_path: Path) -> None:
    assert home(Path()) == Path()
    borrow(tmp_path, "mlruns/artifacts")
    assert list(tmp_path.iterdir()) == []


def test_the_project_of_a_workspace_lies_above_dvcs_folder_also_below_a_git_root(tmp_path: Path) -> None:
    assert home(tmp_path / "p/.dvc/tmp/exps/tmp1") == tmp_path / "p"
    assert home(tmp_path / "p/.dvc/tmp/exps/tmp1/p") == tmp_path / "p"
    assert Project(tmp_path / "p/.dvc/tmp/exps/tmp1").params == tmp_path / "p/.dvc/tmp/exps/tmp1/params.yaml"
