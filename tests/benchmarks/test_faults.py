"""A small campaign of faults on the first stages: nothing is lost, and what would be is seen."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.faults import disk, flip, kill
from benchmarks.faults.__main__ import campaign
from benchmarks.faults.ledger import Case, Ledger, Outcome
from benchmarks.faults.undisturbed import world
from benchmarks.faults.world import TRACKER, World


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("faults"), upto="split") as small:
        yield small


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_killed_stage_is_finished_with_identical_results(made: World, share: float) -> None:
    assert kill.one_stage(made, "split", share, warm=True, dvc=share < 0.6).ending == "identical"


def test_a_full_disk_is_told_of(made: World) -> None:
    if why := disk.allowed(made.root):
        pytest.skip(f"no disk can be mounted here: {why}")
    outcome = disk.full(made, stage="split", share=0.3)
    assert (outcome.ending, "no disk space left" in outcome.note) == ("told", True)


def test_a_damaged_input_is_told_of(made: World) -> None:
    outcome = flip.unseen_by_dvc(made, seed=7, name="data/catalogue")
    assert (outcome.ending, "is not what the stage fetch left" in outcome.note) == ("told", True)


def test_another_result_and_a_draft_left_behind_are_seen(made: World) -> None:
    made.reset()
    assert made.differences() == []
    (made.root / "data/validation.json").write_text("{}")
    (made.root / "data/.x.1-0.part").touch()
    (made.root / "data/splits/users.parquet").unlink()
    assert made.differences() == [
        "other bytes in data/splits/users.parquet",
        "other bytes in data/validation.json",
        "left behind: data/.x.1-0.part",
    ]


def test_a_tracker_does_not_write_into_a_folder_that_is_put_back(made: World, tmp_path: Path) -> None:
    command = [sys.executable, "-c", "input()", TRACKER]
    with (
        subprocess.Popen(command, cwd=made.root, stdin=subprocess.PIPE) as here,
        subprocess.Popen(command, cwd=tmp_path, stdin=subprocess.PIPE) as elsewhere,
    ):
        made.reset()
        assert here.poll() is not None
        assert elsewhere.poll() is None
        elsewhere.kill()


def test_a_stopped_campaign_goes_on_where_it_was(tmp_path: Path, made: World) -> None:
    tried: list[str] = []

    def broken(_: World) -> Outcome:
        tried.append("broken")
        raise ValueError("no such thing")

    def fine(_: World) -> Outcome:
        tried.append("fine")
        return Outcome("identical")

    cases = [Case("kill", "a stage", "1", broken), Case("kill", "a stage", "2", fine)]
    campaign(made, Ledger(tmp_path / "l.jsonl"), cases[:1])
    campaign(made, Ledger(tmp_path / "l.jsonl"), cases)
    assert tried == ["broken", "fine"]
    table = (tmp_path / "l.md").read_text(encoding="utf-8")
    assert "| kill | a stage | 2 | 1 |  |  | 1 |  |  |" in table
    assert "- kill 1 (a stage), lost: ValueError: no such thing" in table
