"""The page of ``dvc plots show`` needs no network and draws every column of numbers."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.dvc_here import dvc

ROOT = Path(__file__).parents[2]
CURVE = "update,phase,loss,reward,unknown\n1,a,1.5,0.1,\n2,a,1.2,0.3,\n3,a,1.0,0.4,\n"
BROWSER = """
const made = name => ({name, inside: [], style: {}, append(...more) { this.inside.push(...more); },
  setAttribute(key, value) { this[key] = value; }, count(what) {
    return (this.name === what) + this.inside.reduce((sum, one) => sum + (one.count ? one.count(what) : 0), 0); }});
const page = made("body");
const document = {createElement: made, createElementNS: (_, name) => made(name), querySelector: () => page};
"""


@pytest.fixture
def page(tmp_path: Path) -> str:
    """What a real ``dvc plots show`` writes over a curve, as this repository sets DVC up."""
    curve = "reports/curves/train_x.csv"
    (tmp_path / curve).parent.mkdir(parents=True)
    (tmp_path / curve).write_text(CURVE)
    (tmp_path / "dvc.yaml").write_text(f"plots: [{{{curve}: {{x: update, y: loss, title: EAGLE}}}}]\n")
    dvc(tmp_path, "init", "--no-scm", "-q")
    shutil.copy2(ROOT / ".dvc/config", tmp_path / ".dvc/config")
    (tmp_path / ".dvc/config.local").write_text("[core]\n    no_scm = true\n")
    template = tmp_path / "eagle/config/plots.html"
    template.parent.mkdir(parents=True)
    shutil.copy2(ROOT / "eagle/config/plots.html", template)
    dvc(tmp_path, "plots", "show", "-q")
    return (tmp_path / "dvc_plots/index.html").read_text(encoding="utf-8")


def test_the_page_asks_for_nothing_elsewhere(page: str) -> None:
    assert '"loss": "1.5"' in page
    assert not re.search(r"(src|href) *=|import|fetch\(", page)


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node to run the page's script")
def test_each_column_of_numbers_is_drawn(page: str) -> None:
    scripts = re.findall(r"<script[^>]*>(.*?)</script>", page, re.DOTALL)
    drawn = "console.log(page.count('figure'), page.count('polyline'), page.count('h2'));"
    done = subprocess.run(
        ["node"], input="\n".join([BROWSER, *scripts, drawn]), capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["2", "2", "1"]
