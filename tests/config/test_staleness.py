"""What DVC itself calls stale when one line of one module changes, against the stages whose imports reach it."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from dvc.output import Output
from dvc.repo import Repo

from eagle.config import Config, DataConfig, OwnFiles, load_config
from eagle.config.dependencies import decides, name_own_files
from eagle.config.parameters import params_yaml
from eagle.config.stages import STAGES
from eagle.core.code import ROOT, reached
from eagle.core.project import Project


def finished(root: Path) -> Repo:
    """Return a DVC project in which every stage has an output of one line, noted as made by the present code."""
    repo = Repo.init(str(root), no_scm=True)
    with repo.lock:
        for stage in repo.index.stages:
            for out in stage.outs:
                Path(out.fs_path).parent.mkdir(parents=True, exist_ok=True)
                Path(out.fs_path).write_text(f"{out}\n")
    repo.commit(force=True)
    return Repo(str(root))


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources with dvc.yaml and params.yaml."""
    root = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "eagle", root / "eagle", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("dvc.yaml", ".dvcignore"):
        shutil.copy2(ROOT / name, root / name)
    (root / "params.yaml").write_text(params_yaml())
    return root


@pytest.fixture(scope="module")
def repo(copy: Path) -> Iterator[Repo]:
    """The copy, every stage finished."""
    with contextlib.chdir(copy), finished(copy) as repo:
        yield repo


def users_of_code(repo: Repo) -> dict[str, tuple[Output, set[str]]]:
    """Return by path each dependency on code, as DVC holds it, and the stages that name it."""
    found: dict[str, tuple[Output, set[str]]] = {}
    for stage in repo.index.stages:
        for dep in stage.deps:
            if dep.def_path.startswith("eagle/"):
                found.setdefault(dep.def_path, (dep, set()))[1].add(stage.name.split("@")[0])
    return found


def test_a_changed_line_makes_exactly_those_stages_stale_that_reach_it(repo: Repo, copy: Path) -> None:
    dependencies = users_of_code(repo)
    assert repo.status() == {}
    wrong: dict[str, tuple[set[str], set[str]]] = {}
    for file in sorted((copy / "eagle").rglob("*.py")):
        module = ".".join(file.relative_to(copy).with_suffix("").parts).removesuffix(".__init__")
        before = file.read_text(encoding="utf-8")
        if file.name == "__init__.py" and before.count("\n") < 5:
            continue  # holds a docstring alone
        file.write_text(f"{before}\n_ADDED = 1\n", encoding="utf-8")
        # DVC tells a dependency's state from that path alone, so that the others need not be asked again.
        holding = [users for path, users in dependencies.items() if file.is_relative_to(copy / path)]
        stale = {name for dep, stages in holding if dep.workspace_status() for name in stages}
        file.write_text(before, encoding="utf-8")
        reaching = {stage.name for stage in STAGES if module in reached(stage.module)} if decides(module) else set()
        if stale != reaching:
            wrong[module] = (stale, reaching)
    assert wrong == {}
    assert repo.status() == {}


def test_another_seed_reader_or_cut_is_noticed_by_a_whole_status(repo: Repo, copy: Path) -> None:
    file = copy / "eagle/compute/cutting.py"
    before = file.read_text(encoding="utf-8")
    file.write_text(f"{before}\n_ADDED = 1\n", encoding="utf-8")
    stale = {name.split("@")[0] for name in repo.status()}
    file.write_text(before, encoding="utf-8")
    assert {"describe", "transitions", "evaluate"} <= stale
    assert not stale & {"fetch", "models", "split", "factors", "encoder", "design", "report"}


def test_a_changed_file_of_the_users_makes_fetch_stale(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "eagle", tmp_path / "eagle", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(ROOT / "dvc.yaml", tmp_path / "dvc.yaml")
    (tmp_path / "my").mkdir()
    for name in ("ratings", "items"):
        (tmp_path / f"my/{name}.csv").write_text("item\n1\n")
    files = OwnFiles(ratings="my/ratings.csv", items="my/items.csv")
    (tmp_path / "params.yaml").write_text(params_yaml(Config(data=DataConfig(source="files", files=files))))
    assert name_own_files(load_config(tmp_path / "params.yaml"), Project(tmp_path))
    with contextlib.chdir(tmp_path), finished(tmp_path) as repo:
        assert repo.status() == {}
        (tmp_path / "my/ratings.csv").write_text("item\n2\n")
        assert repo.status() == {"fetch": [{"changed deps": {"my/ratings.csv": "modified"}}]}
