"""The figures of docs/status.md."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from eagle.core.artifacts import write_json
from eagle.core.errors import EagleError
from eagle.core.project import Project
from eagle.report import status

PAGE = Path(__file__).parents[2] / "docs/status.md"


@pytest.fixture
def project(finished: Project, tmp_path: Path) -> Project:
    """A copy of the finished run with its costs and with the project's own page of the status."""
    shutil.copytree(finished.root, tmp_path, dirs_exist_ok=True)
    stages = {
        "fetch": {"seconds": 1.4, "peak_memory_mib": 100.0, "new_tokens": 0},
        "evaluate": {"seconds": 3600.0, "peak_memory_mib": 2048.0, "new_tokens": 12345},
    }
    total = {"seconds": 3601.4, "peak_memory_mib": 2048.0, "new_tokens": 12345}
    made = Project(tmp_path)
    write_json(made.reports / "costs.json", {"total": total, "stages": stages})
    (tmp_path / "docs").mkdir()
    shutil.copy2(PAGE, tmp_path / "docs/status.md")
    return made


def test_the_part_between_the_markers_is_the_runs_and_all_else_stays(project: Project) -> None:
    status.main(project)
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(status.START)
    after = rest.partition(status.END)[2]
    written = (project.root / "docs/status.md").read_text(encoding="utf-8")
    assert written == f"{before}{status.START}\n\n{status.figures(project)}\n\n{status.END}{after}"
    status.main(project)
    assert (project.root / "docs/status.md").read_text(encoding="utf-8") == written


def test_says_table_findings_and_costs(project: Project) -> None:
    lines = status.figures(project).splitlines()
    assert lines[0] == "Held-out films and people: 5 x 6, 2 changes each; 95% intervals."
    assert any(line.startswith("| EAGLE, G-optimal | ") and line.count("[") == 3 for line in lines)
    assert any("against its reference ahead" in line for line in lines)
    assert lines[-3:] == [
        "| evaluate | 3,600 | 2.0 | 12,345 |",
        "| fetch | 1 | 0.1 | 0 |",
        "| all 2 stages | 3,601 | 2.0 | 12,345 |",
    ]


def test_without_a_run_or_without_markers_it_says_so(project: Project, tmp_path: Path) -> None:
    with pytest.raises(EagleError, match="lost its markers"):
        status.rewritten("no markers", "figures")
    with pytest.raises(EagleError, match=r"costs\.json does not exist"):
        status.figures(Project(tmp_path / "elsewhere"))
