"""A project of one-line stages, and one Prefect server for all tests of flows."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import flows  # noqa: F401  sets Prefect's surroundings before it is imported
from eagle.config import Config
from eagle.config.parameters import params_yaml
from eagle.config.stages import STAGES
from eagle.core.artifacts import write_json
from eagle.core.project import Project
from eagle.evaluation.arm import anchor_arm, write_arms
from tests.dvc_here import dvc


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[None]:
    from prefect.settings import PREFECT_LOGGING_TO_API_ENABLED, temporary_settings
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=120), temporary_settings({PREFECT_LOGGING_TO_API_ENABLED: False}):
        yield


def toy_stages() -> dict[str, dict]:
    """The project's stages by name, each writing one line to order.txt and its own output."""
    stages: dict[str, dict] = {}
    previous: str | None = None
    for stage in STAGES:
        for name in stage.instances(Config()):
            body = {"cmd": f"echo {name} >> order.txt && echo done > out_{name}", "outs": [f"out_{name}"]}
            stages[name.replace("@", "-")] = body | ({"deps": [f"out_{previous}"]} if previous else {})
            previous = name
    return stages


def write_dvc(folder: Path, commands: dict[str, str] | None = None) -> None:
    """Write dvc.yaml; ``commands`` replaces the commands of some stages. foreach gives the names with @."""
    bodies = toy_stages()
    for name, command in (commands or {}).items():
        bodies[name.replace("@", "-")]["cmd"] = command
    stages: dict[str, dict] = {}
    for name, body in bodies.items():
        group, _, instance = name.partition("-")
        if instance:
            stages.setdefault(
                group, {"foreach": {}, "do": {"cmd": "${item.cmd}", "outs": ["${item.out}"], "deps": ["${item.dep}"]}}
            )
            stages[group]["foreach"][instance] = {"cmd": body["cmd"], "out": body["outs"][0], "dep": body["deps"][0]}
        else:
            stages[name] = body
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}), encoding="utf-8")


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A DVC project whose stages only write a line each; the working folder of the test."""
    (tmp_path / "params.yaml").write_text(params_yaml(), encoding="utf-8")
    (tmp_path / "reports").mkdir()
    estimates = ("utility", "gain_over_reference", "gain_over_linear", "user_preference")
    header = "arm,defects,more_defects_than_reference," + ",".join(
        f"{name},{name}_low,{name}_high" for name in estimates
    )
    (tmp_path / "reports/table2.csv").write_text(f"{header}\nanchor,0,False{',0.25' * 12}\n", encoding="utf-8")
    cases = {"noun": "film", "anchors": 1, "users": 1, "horizon": 1, "confidence": 0.95}
    anchor = {"more_defects_than_reference": 0}
    write_json(tmp_path / "reports/metrics.json", {"anchor": anchor, "cases": cases})
    write_arms(Project(tmp_path), [anchor_arm()])
    write_dvc(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    dvc(tmp_path, "init", "--no-scm", "-q")
    return tmp_path
