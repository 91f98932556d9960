"""docs/extending.md is run: its files are written out as they stand, its contract tests pass, its parameters load."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from eagle.config import parse_config
from eagle.config.kinds import OWN

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/extending.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _files() -> dict[str, str]:
    """Name -> text of every python block; the name is the last `file.py` that the text before it mentions."""
    found: dict[str, str] = {}
    for block in BLOCK.finditer(PAGE):
        if block[1] == "python":
            name = re.findall(r"`([\w/]+\.py)`", BLOCK.sub("", PAGE[: block.start()]))[-1]
            assert name not in found, f"{name} stands twice in docs/extending.md"
            found[name] = block[2]
    return found


YAML = [block[2] for block in BLOCK.finditer(PAGE) if block[1] == "yaml"]


def _values(tree: object) -> list[str]:
    """Every string in a tree of parameters."""
    if isinstance(tree, dict):
        return [text for value in tree.values() for text in _values(value)]
    if isinstance(tree, list):
        return [text for value in tree for text in _values(value)]
    return [tree] if isinstance(tree, str) else []


@pytest.mark.parametrize("block", YAML)
def test_its_parameters_are_valid_and_name_its_classes(block: str) -> None:
    values = yaml.safe_load(block)
    parse_config(values)
    for kind in filter(OWN.fullmatch, _values(values)):
        module, name = kind.split(":")
        assert re.search(rf"^(class|def) {name}\b", _files()[f"{module.replace('.', '/')}.py"], re.MULTILINE)


def test_its_contract_tests_pass(tmp_path: Path) -> None:
    files = _files()
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *sorted(n for n in files if "test_" in n)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]


def test_every_part_of_ones_own_has_a_contract_test() -> None:
    files = _files()
    assert {name for name in files if not name.startswith("test_")} == {
        name.removeprefix("test_") for name in files if name.startswith("test_")
    }
