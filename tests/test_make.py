"""The commands of the Makefile in a folder whose name has a space, an apostrophe and a letter outside of ASCII."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TARGETS = ("run", "test", "lint", "docs", "parameters")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project as it is cloned, as far as make looks at it."""
    root = tmp_path_factory.mktemp("make") / "Zoë's run"
    root.mkdir()
    for file in (ROOT / "Makefile", ROOT / "pyproject.toml", *ROOT.glob("requirements*.lock")):
        shutil.copy2(file, root / file.name)
    return root


def planned(folder: Path, *words: str) -> list[str]:
    """Return the commands that make would run, in order."""
    alone = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}  # of a `make test`
    done = subprocess.run(["make", "-n", *words], cwd=folder, env=alone, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.mark.parametrize("target", TARGETS)
def test_no_command_names_the_folder_so_none_has_to_quote_it(folder: Path, target: str) -> None:
    lines = planned(folder, target)
    assert any(".venv/bin/" in line for line in lines)
    assert [line for line in lines if folder.name in line or str(folder) in line] == []
    for line in lines:
        shlex.split(line)


@pytest.mark.parametrize("target", TARGETS)
def test_a_python_in_such_a_folder_is_one_word(folder: Path, target: str) -> None:
    python = str(folder.parent / "Zoë run" / "python3")
    named = [shlex.split(line) for line in planned(folder, target, f"PYTHON={python}") if python in line]
    assert any(words[-4:] == [python, "-m", "venv", ".venv"] for words in named)
    assert all(python in words for words in named)


def test_a_setting_is_one_word(folder: Path) -> None:
    (line,) = [line for line in planned(folder, "run", "SETTING=one hour") if "setting" in line]
    assert shlex.split(line) == [".venv/bin/eagle", "setting", "one hour"]
