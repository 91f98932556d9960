"""Which modules a module reaches, on a small tree whose answer is known, and what a hash of code heeds."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from eagle.core.code import code_hash, file_of, reached, read_beside

FILES = {
    "eagle/__init__.py": '"""Top."""\n',
    "eagle/room/__init__.py": '"""A room that passes a name on."""\n\nfrom eagle.room.one import first, other\n',
    "eagle/room/one.py": "first = other = 1\n",
    "eagle/room/two.py": "import eagle.room.one\nSIZE = 2\n",
    "eagle/room/page.py": "PAGE = 'page.html'\nCODE = 'script.py'\n",
    "eagle/room/page.html": "<html>",
    "eagle/room/script.py": "import json\n",
    "eagle/start.py": "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from eagle.room import two\n",
    "eagle/inside.py": "def late():\n    from eagle.room import page\n\n    return page\n",
    "eagle/named.py": "from eagle.room import first\n",
    "eagle/table.py": "PARTS = {'two': BuiltIn('eagle.room.two:Two'), 'absent': BuiltIn('eagle.room.absent:Absent')}\n",
    "eagle/opens.py": "from eagle.table import PARTS\nopened = load_part('thing', 'two', PARTS).of()\n",
    "eagle/names.py": "from eagle.table import PARTS\n\nNAMES = tuple(PARTS)\n",
    "eagle/config/__init__.py": "from eagle.config.kinds import NAMES\n",
    "eagle/config/kinds.py": "from eagle.names import NAMES\n",
    "eagle/settings.py": "from eagle.config import NAMES\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A package `eagle` of a few lines."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("module", "others"),
    [
        ("eagle.room.two", {"eagle.room.one"}),
        ("eagle.start", set()),
        ("eagle.inside", {"eagle.room.page", "eagle.room.script"}),
        ("eagle.named", {"eagle.room", "eagle.room.one"}),
        ("eagle.opens", {"eagle.table", "eagle.room.two", "eagle.room.one"}),
        ("eagle.names", {"eagle.table"}),
        ("eagle.settings", {"eagle.config", "eagle.config.kinds"}),
    ],
    ids=[
        "module",
        "types only",
        "in a function",
        "through a package",
        "a table whose parts are opened",
        "a table whose names are read",
        "what parameters import",
    ],
)
def test_imports_are_followed_wherever_they_stand(root: Path, module: str, others: set[str]) -> None:
    assert reached(module, root) == {module} | others


def test_what_a_module_reads_beside_it_is_found(root: Path) -> None:
    assert read_beside("eagle.room.page", root) == {root / "eagle/room/page.html"}
    assert file_of("eagle.room", root) == root / "eagle/room/__init__.py"
    assert file_of("eagle.none", root) is None


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("import eagle.room.one\n\n# a comment\nSIZE = (\n    2\n)\n", True),
        ('"""A docstring."""\nimport eagle.room.one\nSIZE = 2\n"""What it means."""\n', True),
        ("import eagle.room.one\nSIZE = 3\n", False),
        ("import eagle.room.one\nSIZE = 2\nprint(SIZE)\n", False),
    ],
    ids=["comment", "docstring", "constant", "line"],
)
def test_a_hash_heeds_what_code_does_and_not_what_it_says_of_itself(root: Path, text: str, same: bool) -> None:
    before = code_hash(["eagle.room.two"], root)
    (root / "eagle/room/two.py").write_text(text)
    assert (code_hash(["eagle.room.two"], root) == before) is same


def test_nothing_is_imported_on_the_way() -> None:
    assert "eagle.plan.prices" not in sys.modules or "eagle.plan.prices" not in reached("eagle.data.fetch")
    assert "eagle.engine.torch.sampling" in reached("eagle.environment.rewrite")
