"""A finished run for the tests of this folder."""

from __future__ import annotations

import pytest

from eagle.core.project import Project
from tests.report.finished_run import finished_run


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose evaluation is done and whose report is not."""
    return finished_run(tmp_path_factory.mktemp("finished"))
