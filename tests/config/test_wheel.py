"""The package as it is installed from its wheel: `eagle init` makes a project, and `eagle check` reads it, with no
checkout beside.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from eagle.core.code import ROOT

BUILT_FROM = ("pyproject.toml", "README.md", "LICENSE", "dvc.yaml", "prefect.yaml")


def _python(*arguments: str | Path, cwd: Path, **environment: str) -> str:
    """Run Python and return what it printed; the exit code must be 0."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with nothing but what the wheel holds, which a copy of the sources was built into."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("installed")
    for name in BUILT_FROM:
        shutil.copy2(ROOT / name, source / name)
    for name in ("eagle", "flows"):
        shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    pip = ("-m", "pip", "--disable-pip-version-check", "-q")
    _python(*pip, "wheel", "--no-index", "--no-deps", "--no-build-isolation", "-w", source, ".", cwd=source)
    (wheel,) = source.glob("*.whl")
    _python(*pip, "install", "--no-index", "--no-deps", "--target", target, wheel, cwd=source)
    shutil.rmtree(source)
    return target


def test_a_project_begins_from_the_installed_package_alone(installed: Path, tmp_path: Path) -> None:
    def eagle(*arguments: str, cwd: Path) -> str:
        return _python("-m", "eagle.cli", *arguments, cwd=cwd, PYTHONPATH=str(installed))

    where = "import eagle, flows.pipeline; print(eagle.__file__, flows.pipeline.__file__)"
    places = _python("-c", where, cwd=tmp_path, PYTHONPATH=str(installed)).split()
    assert all(Path(place).is_relative_to(installed) for place in places)
    eagle("init", "mine", cwd=tmp_path)
    project = tmp_path / "mine"
    assert {"params.yaml", "dvc.yaml", "prefect.yaml", "README.md", "code"} <= {path.name for path in project.iterdir()}
    stages = yaml.safe_load((project / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    assert set(stages) == set(yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"])
    assert "flows.pipeline" in (project / "prefect.yaml").read_text(encoding="utf-8")
    said = eagle("check", cwd=project)
    assert "parameters: " in said
    assert "data: movielens-100k is not fetched yet" in said
