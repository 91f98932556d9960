"""The account of a stage: counters as differences, nothing written on failure."""

from pathlib import Path

import pytest

from eagle.core import costs
from eagle.core.artifacts import read_json
from eagle.core.costs import Counts


def test_counts_what_happened_since_registration(tmp_path: Path) -> None:
    usage = Counts(prompt_tokens=100, new_tokens=5, calls=1)
    with costs.account("describe", tmp_path / "describe.json"):
        costs.register(usage)
        costs.register(usage)
        usage.prompt_tokens += 30
        usage.new_tokens += 7
        usage.calls += 2
    written = read_json(tmp_path / "describe.json")
    assert {k: written[k] for k in ("stage", "prompt_tokens", "new_tokens", "calls")} == {
        "stage": "describe",
        "prompt_tokens": 30,
        "new_tokens": 7,
        "calls": 2,
    }
    assert written["seconds"] >= 0
    assert 1 < written["peak_memory_mib"] < 2**20


def test_two_models_add_up_and_nothing_leaks_out_of_the_account(tmp_path: Path) -> None:
    one, two = Counts(), Counts()
    costs.register(one)
    with costs.account("a", tmp_path / "a.json"):
        costs.register(one)
        costs.register(two)
        one.calls += 1
        two.calls += 3
    with costs.account("b", tmp_path / "b.json"):
        one.calls += 1
    assert read_json(tmp_path / "a.json")["calls"] == 4
    assert read_json(tmp_path / "b.json")["calls"] == 0


def test_a_failed_stage_writes_no_account(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="broken"), costs.account("a", tmp_path / "a.json"):
        raise RuntimeError("broken")
    assert list(tmp_path.iterdir()) == []
    usage = Counts()
    costs.register(usage)
    with costs.account("b", tmp_path / "b.json"):
        usage.calls += 1
    assert read_json(tmp_path / "b.json")["calls"] == 0


def test_the_parts_of_an_update_are_summed_and_belong_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]

    def work(seconds: float, part: str) -> None:
        with costs.part(part):
            now[0] += seconds

    monkeypatch.setattr(costs.time, "perf_counter", lambda: now[0])
    work(9.0, "scoring")  # no account is open
    with costs.account("train@a", tmp_path / "a.json"):
        work(1.0, "scoring")
        work(2.0, "scoring")
        work(0.5, "gradient")
        costs.close_update(4)
        work(4.0, "gradient")
        costs.close_update(5)
    assert read_json(tmp_path / "a.json")["updates"] == [
        {"update": 4, "scoring": 3.0, "gradient": 0.5},
        {"update": 5, "gradient": 4.0},
    ]
    with costs.account("fetch", tmp_path / "b.json"):
        pass
    assert "updates" not in read_json(tmp_path / "b.json")
