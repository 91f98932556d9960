"""Every test runs offline, on one thread, and away from the user's own state."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from eagle.core import telemetry
from tests.longest import LONGEST

if TYPE_CHECKING:
    from eagle.registry.store import Store

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # a script runs the tests with &: what they start would too
    signal.signal(signal.SIGINT, signal.default_int_handler)
telemetry.switch_off()
settings.register_profile("untimed", deadline=None)  # a busy machine fails no test
settings.load_profile("untimed")
_SHORT = tempfile.mkdtemp(prefix="eagle-ray-", dir="/tmp")  # names of sockets below it have a length limit
_STATE = tempfile.mkdtemp(prefix="eagle-tests-")
os.environ.update(
    {
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "EAGLE_CACHE": f"{_STATE}/cache",
        "PREFECT_HOME": f"{_STATE}/prefect",
        "XDG_CACHE_HOME": f"{_STATE}/xdg",
        "DVC_SITE_CACHE_DIR": f"{_STATE}/dvc-site",
        "DVC_GLOBAL_CONFIG_DIR": f"{_STATE}/dvc-global",
        "DVC_SYSTEM_CONFIG_DIR": f"{_STATE}/dvc-system",
        "MPLCONFIGDIR": f"{_STATE}/matplotlib",
        "RAY_TMPDIR": _SHORT,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": "Test",
        "GIT_AUTHOR_EMAIL": "test@example.org",
        "GIT_COMMITTER_NAME": "Test",
        "GIT_COMMITTER_EMAIL": "test@example.org",
    }
)
for _name in ("PREFECT_API_URL", "MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "EAGLE_BASE_MODEL"):
    os.environ.pop(_name, None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, so that both workers end at once (make test hands out whole files in this order)."""
    place = {Path(__file__).parent / name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path, len(place)))


def pytest_unconfigure() -> None:
    """Remove the state that the tests left behind."""
    import shutil

    for folder in (_STATE, _SHORT):
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def mlflow_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A store of its own, which MLflow writes to, in the working folder."""
    import mlflow

    from eagle.config import RegistryConfig
    from eagle.core.project import Project
    from eagle.registry.store import open_store
    from tests.mlflow_tables import lay_tables

    monkeypatch.chdir(tmp_path)
    lay_tables(Project(tmp_path))
    found = open_store(RegistryConfig(), Project(tmp_path))
    mlflow.set_tracking_uri(found.uri)
    yield found
    mlflow.set_tracking_uri(None)
