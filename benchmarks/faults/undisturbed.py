"""The small project, made and run once undisturbed, with a fork server for its stages."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.faults.world import World
from eagle.config import Config, load_config
from eagle.config.dependencies import name_own_files
from eagle.config.parameters import params_yaml
from eagle.config.stages import all_instances
from eagle.core.artifacts import remove
from eagle.core.costs import account
from eagle.core.fork_client import ADDRESS
from eagle.core.project import Project
from flows.fork_server import running
from tests.end_to_end.small_world import small_config, teach_language_model, write_catalogue
from tests.tiny import build_tiny_text_encoder

ROOT = Path(__file__).parents[2]
_SMALLER = {
    "reference": {"names": ["g_optimal"]},
    "evaluate": {
        "anchors": 2,
        "users": 2,
        "macro": False,
        "other_temperature": None,
        "search": {"budget": 2},
        "methods": ["search_random"],
        "budgets": {"most": 0},
    },
}


def _surroundings(work: Path, root: Path) -> dict[str, str]:
    """The environment of all commands: offline, one thread, state in the work folder, no setting of the user's."""
    person = {"NAME": "Faults", "EMAIL": "faults@example.org"}
    names = ("PREFECT_API_URL", "MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "EAGLE_BASE_MODEL", ADDRESS)
    return {name: value for name, value in os.environ.items() if name not in names} | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": f"{root}{os.pathsep}{ROOT}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "DVC_SITE_CACHE_DIR": str(work / "dvc-site"),
        "PREFECT_HOME": str(work / "prefect"),
        **{f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in person.items()},
    }


@contextlib.contextmanager
def served(surroundings: Mapping[str, str], root: Path) -> Iterator[dict[str, str]]:
    """Keep a fork server over the folder's library, and yield the environment that names it.

    Where there is none, stages start by themselves.
    """
    before, folder = dict(os.environ), os.getcwd()
    with contextlib.ExitStack() as until_the_end:
        try:
            os.environ.clear()
            os.environ.update(surroundings)
            os.chdir(root)
            until_the_end.enter_context(running())
            address = os.environ.get(ADDRESS)
            while address and not Path(address).exists():  # or the first stages would not find it
                time.sleep(0.1)
            yield dict(os.environ)
        finally:
            os.chdir(folder)
            until_the_end.close()
            os.environ.clear()
            os.environ.update(before)


@contextlib.contextmanager
def world(work: Path, upto: str | None = None) -> Iterator[World]:
    """Yield the world in ``work``; it is made where there is none.

    With ``upto`` it has the first stages up to that one, without models and without a fork server, which they need not.
    """
    work = work.resolve()
    root, pristine, times = work / "project", work / "pristine", work / "seconds.json"
    with _alone(work), contextlib.ExitStack() as until_the_end:
        surroundings = _surroundings(work, root)
        if not pristine.exists():
            remove(root)
            _write(root, surroundings, models=upto is None)
        if upto is None:
            surroundings = until_the_end.enter_context(served(surroundings, root))
        made = World(root, pristine, surroundings, _stages(load_config(root / "params.yaml"), upto))
        if not pristine.exists():
            _run_undisturbed(made)
            times.write_text(json.dumps(made.seconds), encoding="utf-8")
            shutil.copytree(root, work / "draft", symlinks=True)
            (work / "draft").rename(pristine)
        made.seconds.update(json.loads(times.read_text(encoding="utf-8")))
        yield made


@contextlib.contextmanager
def _alone(work: Path) -> Iterator[None]:
    """Keep another campaign out of the folder."""
    work.mkdir(parents=True, exist_ok=True)
    with (work / "campaign.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit(f"another campaign is at work in {work}") from None
        yield


def _stages(config: Config, upto: str | None) -> tuple[str, ...]:
    """The stages that are disturbed; the models are put in place beforehand."""
    names = [name for name in all_instances(config) if name != "models"]
    return tuple(names[: names.index(upto) + 1] if upto else names)


def _write(root: Path, surroundings: Mapping[str, str], *, models: bool) -> None:
    """Write a git and DVC project with the library, the catalogue and, if asked for, the tiny models."""
    root.mkdir()
    for name in ("dvc.yaml", ".dvcignore", ".gitignore"):
        shutil.copy2(ROOT / name, root / name)
    shutil.copytree(ROOT / "eagle", root / "eagle", ignore=shutil.ignore_patterns("__pycache__"))
    write_catalogue(root / "own")
    project = Project(root)
    config = small_config(root / "given", **_SMALLER)
    project.params.write_text(params_yaml(config), encoding="utf-8")
    name_own_files(config, project)

    def run(*command: str) -> None:
        subprocess.run(command, cwd=root, env=dict(surroundings), check=True)

    run("git", "init", "-q", ".")
    run("dvc", "init", "-q")
    shutil.copy2(ROOT / ".dvc/config", root / ".dvc/config")
    if models:
        teach_language_model(project.llm)
        build_tiny_text_encoder(project.text_model)
        with account("models", project.cost("models")):
            pass
        run("dvc", "commit", "-q", "-f", "models")
    run("git", "add", ".")
    run("git", "commit", "-q", "-m", "first")


def _run_undisturbed(made: World) -> None:
    for stage in made.stages:
        begun = time.perf_counter()
        done = made.dvc("repro", "-q", "-s", stage)
        if done.code:
            raise RuntimeError(f"the undisturbed run failed at {stage}:\n{done.said[-3000:]}")
        made.seconds[stage] = round(time.perf_counter() - begun, 2)
