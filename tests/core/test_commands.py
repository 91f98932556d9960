"""Messages name commands that work where they are read."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from eagle.core.artifacts import read_json
from eagle.core.code import ROOT
from eagle.core.commands import install_everything, run_everything
from eagle.core.errors import EagleError
from flows import pipeline


@pytest.fixture(params=["make run", "python -m flows.pipeline"])
def works(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What works in the present folder: one as it is cloned, or one that ``eagle init`` made."""
    monkeypatch.chdir(tmp_path)
    if request.param == "make run":
        (tmp_path / "Makefile").write_text("run:\n")
    return str(request.param)


def test_a_missing_file_names_what_makes_it_there(works: str) -> None:
    assert run_everything() == f"`{works}`"
    with pytest.raises(EagleError, match=f"run `{works}` or `dvc repro`"):
        read_json(Path("reports/nothing.json"))


def test_ctrl_c_names_what_goes_on_from_there(
    works: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    codes: list[int] = []
    alone = SimpleNamespace(
        Process=lambda: SimpleNamespace(children=lambda recursive: []), wait_procs=lambda *_, **__: ([], [])
    )
    monkeypatch.setattr(pipeline, "psutil", alone)
    monkeypatch.setattr(pipeline, "os", SimpleNamespace(_exit=codes.append))
    pipeline.stop_at_once()
    assert codes == [130]
    assert f"finished stages are kept, `{works}` goes on from here" in capsys.readouterr().err


def test_what_installs_the_pipeline_is_named_likewise(tmp_path: Path) -> None:
    assert install_everything(tmp_path) == "`pip install 'eagle-steering[pipeline]'`"
    assert install_everything(ROOT) == run_everything(ROOT) == "`make run`"


def test_no_message_names_one_of_the_two_by_itself() -> None:
    files = [path for folder in ("eagle", "flows") for path in (ROOT / folder).rglob("*.py")]
    naming = [path.name for path in files if re.search("(?<!`)`make run`", path.read_text(encoding="utf-8"))]
    assert naming == ["commands.py"]
