"""What was read, in one look: the same lines after fetch, in ``eagle check`` and on the Data Docs page."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from eagle.config import Config, parse_config
from eagle.core.artifacts import read_json
from eagle.core.errors import EagleError
from eagle.core.project import Project
from eagle.data import checks, fetch, splits
from eagle.data.catalogue import read_catalogue
from eagle.data.overview import Overview
from eagle.data.preflight import check_project
from tests.data.builders import catalogue

LINES = ["users", "items", "ratings", "density", "scale", "texts", "categories", "years", "times", "language"]


@pytest.fixture(autouse=True)
def room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any machine is large enough."""
    monkeypatch.setattr("eagle.data.preflight.DISK_GIB", 0.0)
    monkeypatch.setattr("eagle.data.preflight.MEMORY_GIB", 0.0)


def _project(folder: Path, **parameters: object) -> tuple[Config, Project]:
    """A catalogue of 12 users and 40 items in two files, with one more item that nobody rated and has an odd title."""
    built = catalogue()
    built.ratings.to_csv(folder / "r.csv", index=False)
    odd = pd.DataFrame({"item": ["new"], "title": ["Never &lt;b&gt;Seen"], "text": ["A <i>story</i>."], "year": [1999]})
    pd.concat([built.items.drop(columns="genres"), odd]).to_csv(folder / "i.csv", index=False)
    files = {"ratings": "r.csv", "items": "i.csv", "columns": {"text": "text", "year": "year"}}
    sections = {"data": {"source": "files", "files": files}, "factors": {"dimension": 5}, **parameters}
    whole = {name: {} for name in Config.model_fields if name != "seed"} | sections
    lines = [f"{name}: {value!r}" for name, value in {"seed": 0, **whole}.items()]
    (folder / "params.yaml").write_text("\n".join(lines).replace("'", '"').replace("None", "null"))
    return parse_config(sections), Project(folder)


def test_fetch_check_and_the_page_show_the_same_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, project = _project(tmp_path)
    fetch.run(config, project)
    said = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in said] == [*LINES, *["unusual"] * (len(said) - len(LINES))]
    seen = Overview.read(project.catalogue_files.overview)
    assert seen is not None
    assert seen.printed() == said
    assert [line for line in check_project(project) if line in said] == said
    checks.run(config, project)
    page = (project.data_docs / "index.html").read_text()
    for what, words in seen.shown:
        assert f"<th>{what}</th><td>{words.replace('<', '&lt;')}</td>" in page.replace("&#39;", "'")


def test_an_item_that_nobody_rated_reaches_the_catalogue_and_no_split_that_is_learned_from(tmp_path: Path) -> None:
    config, project = _project(tmp_path)
    fetch.run(config, project)
    checks.run(config, project)
    splits.run(config, project)
    new = read_catalogue(project.catalogue).items.set_index("item").loc["new"]
    assert (new["title"], new["text"]) == ("Never Seen", "A story.")
    counts = read_json(project.stage_metrics("split"))["items"]
    assert counts["never_rated"] == 1
    assert sum(counts.values()) == 41


def test_check_applies_the_filters_and_knows_dimensions_and_the_model(tmp_path: Path) -> None:
    _, project = _project(tmp_path, factors={"dimension": 30}, llm={"model": "models/nowhere"})
    with pytest.raises(EagleError) as caught:
        check_project(project)
    said = str(caught.value)
    assert "factors.dimension is larger than what the data bears" in said
    assert "30 dimensions, 2" in said  # 24 training items of 40
    assert "'models/nowhere': no such file or folder" in said
    _, project = _project(tmp_path)
    text = project.params.read_text().replace('"source": "files"', '"min_ratings_per_user": 100, "source": "files"')
    project.params.write_text(text)
    with pytest.raises(EagleError, match="no rating is left after the filters"):
        check_project(project)


def test_check_says_what_dvc_lacks_here_and_reads_on(tmp_path: Path) -> None:
    _, project = _project(tmp_path)
    assert [line for line in check_project(project) if "this folder is no DVC project" in line and "dvc init" in line]
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").write_text("[core]\n    no_scm = True\n")
    assert not [line for line in check_project(project) if "DVC project" in line]


def test_check_finds_parts_of_one_s_own_and_names_their_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "own_for_check.py").write_text("class Mine: ...\n")
    (tmp_path / "dvc.yaml").write_text("stages:\n  evaluate:\n    cmd: x\n    deps: [\n      data/splits,\n    ]\n")
    _, project = _project(tmp_path, evaluate={"judges": ["panel", "own_for_check:Mine"]})
    said = check_project(project)
    assert "parts of your own: own_for_check:Mine" in said
    assert '"own_for_check.py",  # named in params.yaml' in (tmp_path / "dvc.yaml").read_text()
    assert not [line for line in check_project(project) if line.startswith("dvc.yaml")]
    _project(tmp_path, evaluate={"judges": ["panel", "own_for_check:Mein"]}, encoder={"kind": "own_for_chekc:Mine"})
    with pytest.raises(EagleError) as caught:
        check_project(project)
    assert [problem.what for problem in caught.value.problems] == [
        "there is no encoder 'own_for_chekc:Mine'",
        "there is no judge 'own_for_check:Mein'",
    ]


def test_a_catalogue_without_an_overview_has_none(tmp_path: Path) -> None:
    assert Overview.read(tmp_path / "overview.json") is None
