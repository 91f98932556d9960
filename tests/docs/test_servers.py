"""The compose file of docs/servers.md, as far as it can be read without Docker: what it names exists and is pinned."""

from __future__ import annotations

import re
import shlex
from typing import Any

import mlflow.environment_variables
import prefect.settings
import pytest
import yaml

from eagle.config import parse_config
from tests.docs.pages import ROOT, blocks
from tests.docs.test_readme import CHECKS

TEXT = (ROOT / "deploy/compose.yaml").read_text(encoding="utf-8")
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]
PAGE = ROOT / "docs/servers.md"
MLFLOWS_SWITCHES = {"MLFLOW_BACKEND_STORE_URI", "MLFLOW_DISABLE_TELEMETRY"}
"""Variables that MLflow reads without a name of their own in its module of variables."""


def program(service: dict[str, Any]) -> list[str]:
    command = service.get("command", [])
    return shlex.split(command) if isinstance(command, str) else command


def test_the_page_has_a_row_for_every_service() -> None:
    assert re.findall(r"^\| `(\w+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE) == list(SERVICES)


def test_images_are_pinned_and_wait_only_for_services_that_there_are() -> None:
    others = {name: service["image"] for name, service in SERVICES.items() if "build" not in service}
    assert all(re.fullmatch(r"[a-z/]+:\S*\d\S*", image) for image in others.values())
    assert re.search(r"^FROM \S+:\d+\.\d+\.\d+\S*$", (ROOT / "deploy/Dockerfile").read_text(), re.MULTILINE)
    assert {name for service in SERVICES.values() for name in service.get("depends_on", {})} <= SERVICES.keys()


def test_secrets_stand_in_the_environment_file_alone() -> None:
    asked = set(re.findall(r"\$\{(\w+)", TEXT))
    offered = dict(re.findall(r"^(\w+)=(.*)$", (ROOT / "deploy/env.example").read_text(), re.MULTILINE))
    assert asked == set(offered)
    assert {name for name in offered if "PASSWORD" in name and not offered[name]} == {
        "EAGLE_DATABASE_PASSWORD",
        "EAGLE_STORE_PASSWORD",
    }
    given = [value for s in SERVICES.values() for name, value in s.get("environment", {}).items() if "PASSW" in name]
    assert given and all(value.startswith("${") for value in given)
    assert "/deploy/.env" in (ROOT / ".gitignore").read_text().splitlines()


def test_every_database_and_bucket_that_is_used_is_made() -> None:
    made = re.findall(r"CREATE DATABASE (\w+);", (ROOT / "deploy/databases.sql").read_text())
    assert sorted(re.findall(r"@postgres/(\w+)", TEXT)) == sorted(made)
    assert f"s3://{program(SERVICES['bucket'])[-1]}/" in SERVICES["mlflow"]["command"]


@pytest.mark.filterwarnings("ignore:.*Any type hint is inferred:UserWarning")  # MLflow's, when it is imported
def test_commands_and_settings_of_the_servers_exist() -> None:
    for name in ("mlflow", "prefect", "worker"):
        words = program(SERVICES[name])
        CHECKS[words[0]](words)
    for setting in {name for service in SERVICES.values() for name in service.get("environment", {})}:
        if setting.startswith("PREFECT_"):
            assert hasattr(prefect.settings, setting), setting
        elif setting.startswith("MLFLOW_"):
            assert setting in MLFLOWS_SWITCHES or hasattr(mlflow.environment_variables, setting), setting


def test_the_parameters_name_the_port_that_is_open() -> None:
    (text,) = blocks(PAGE, "yaml")
    address = parse_config(yaml.safe_load(text)).registry.tracking_uri.removeprefix("http://")
    assert SERVICES["mlflow"]["ports"] == [f"{address}:5000"]
    assert address in SERVICES["mlflow"]["environment"]["MLFLOW_SERVER_ALLOWED_HOSTS"].split(",")
