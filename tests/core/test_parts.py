"""Parts are found by their built-in name or as package.module:Name; a wrong name is one clear error."""

from __future__ import annotations

from pathlib import Path

import pytest

from eagle.core.errors import EagleError
from eagle.core.parts import BuiltIn, load_part

BUILT_IN = {"path": BuiltIn("pathlib:Path"), "film": BuiltIn("eagle.core.errors:Problem")}


def test_a_built_in_part_is_found_by_its_name() -> None:
    assert load_part("thing", "path", BUILT_IN) is Path


def test_a_part_of_ones_own_is_found_in_the_present_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_part_of_a_test.py").write_text("class Mine:\n    pass\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    assert load_part("thing", "own_part_of_a_test:Mine", BUILT_IN).__name__ == "Mine"


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("flim", "did you mean 'film'"),
        ("own", "package.module:Name"),
        ("no_such_module:Mine", "no module 'no_such_module'"),
        ("pathlib:Pith", "did you mean 'Path'"),
    ],
)
def test_a_wrong_name_says_what_there_is(kind: str, said: str) -> None:
    with pytest.raises(EagleError, match=f"there is no thing '{kind}'") as caught:
        load_part("thing", kind, BUILT_IN)
    problem = caught.value.problems[0]
    assert "path, film" in problem.expected
    assert said in f"{problem.expected} {problem.mend}"
