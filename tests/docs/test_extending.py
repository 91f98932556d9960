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
from tests.docs.extending_page import files, parameters, write_files

ROOT = Path(__file__).parents[2]


def _values(tree: object) -> list[str]:
    """Every string in a tree of parameters."""
    if isinstance(tree, dict):
        return [text for value in tree.values() for text in _values(value)]
    if isinstance(tree, list):
        return [text for value in tree for text in _values(value)]
    return [tree] if isinstance(tree, str) else []


@pytest.mark.parametrize("block", parameters())
def test_its_parameters_are_valid_and_name_its_classes(block: str) -> None:
    values = yaml.safe_load(block)
    parse_config(values)
    for kind in filter(OWN.fullmatch, _values(values)):
        module, name = kind.split(":")
        assert re.search(rf"^(class|def) {name}\b", files()[f"{module.replace('.', '/')}.py"], re.MULTILINE)


def test_its_contract_tests_pass(tmp_path: Path) -> None:
    tests = sorted(name for name in write_files(tmp_path) if name.startswith("test_"))
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]


def test_every_part_of_ones_own_has_a_contract_test() -> None:
    tests = {name for name in files() if name.startswith("test_")}
    assert {f"test_{name}" for name in set(files()) - tests} == tests
