"""A real Ray cluster on this machine: two worker processes, one of them killed in the middle."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from eagle.actions.transitions import build_transitions
from eagle.compute.ray_workers import connected, on_ray, shares
from eagle.compute.sharding import ShardCache, open_workers
from eagle.compute.workers import InProcess, WorkerFactory, Workers
from eagle.config import Config, LLMConfig, parse_config
from eagle.core.artifacts import read_json
from eagle.core.costs import account
from eagle.core.errors import EagleError
from tests.compute.contract import OpenWorkers, WorkersContract
from tests.compute.ray_here import skip_without_ray
from tests.compute.work import Mortal, ScriptedExpansion, Squares

TWO = LLMConfig(cluster="local", workers=2)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Ray, started once for all tests of this file."""
    skip_without_ray()
    with connected("local", 2) as ray:
        yield ray


class TestRay(WorkersContract):
    @pytest.fixture
    def opened(self, cluster: Any) -> OpenWorkers:
        def opened(factory: WorkerFactory) -> AbstractContextManager[Workers]:
            return open_workers(TWO, factory)

        return opened


def transitions(config: Config, workers: Workers, folder: Path) -> tuple[pd.DataFrame, dict[str, Any], dict[str, Any]]:
    """The stage's table, its figures and its costs, over four anchors of six actions, with second steps."""
    names = [f"i{n}" for n in range(4)]
    actions = pd.DataFrame(
        [
            (name, index, f"Make it {word}.", "seed")
            for name in names
            for index, word in enumerate(("a", "b", "c", "d", "e", "f"))
        ],
        columns=["anchor", "action_index", "action", "origin"],
    )
    texts = {name: f"Genres: drama. Plot: A letter to number {name} is lost and found again." for name in names}
    with account("transitions", folder / "costs.json"):
        table, figures = build_transitions(config, actions, texts, workers, ShardCache(folder / "shards", "scripted"))
    costs = read_json(folder / "costs.json")
    return table, figures, {name: costs[name] for name in ("prompt_tokens", "new_tokens", "calls")}


def test_with_a_worker_killed_in_the_middle_the_table_is_the_one_of_a_single_process(
    cluster: Any, tmp_path: Path
) -> None:
    config = parse_config(
        {"transitions": {"samples": 2, "second_steps": 2, "second_actions": 3}, "llm": {"shard_rows": 12}}
    )
    work = ScriptedExpansion(config)
    mortal = Mortal(work, "number i2", tmp_path / "killed")
    here = transitions(config, InProcess(work), tmp_path / "here")
    with on_ray(TWO, mortal) as workers:
        there = transitions(config, workers, tmp_path / "there")
    assert mortal.marker.exists()
    pd.testing.assert_frame_equal(here[0], there[0])
    assert here[1:] == there[1:]
    assert here[0]["step"].max() == 2
    assert here[0]["next_text"].isna().any()
    shards = {path.name: path.read_bytes() for path in (tmp_path / "here/shards").iterdir()}
    assert len(shards) == 4  # one anchor to a shard
    assert shards == {path.name: path.read_bytes() for path in (tmp_path / "there/shards").iterdir()}


def test_what_kills_its_worker_every_time_is_a_clear_error_and_the_rest_is_kept(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eagle.compute.ray_workers.RETRIES", 1)
    kept = ShardCache(tmp_path / "shards", "x")
    with (
        on_ray(TWO, Mortal(Squares(), "7", tmp_path / "killed", always=True)) as workers,
        pytest.raises(EagleError) as caught,
    ):
        kept.answers(workers, [1, 2, 3, 7])
    assert "a worker died 2 times on the same shard" in str(caught.value)
    assert "llm.batch_rows" in str(caught.value)
    with on_ray(TWO, Squares()) as workers:
        assert kept.answers(workers, [1, 2, 3, 7]) == [1, 4, 9, 49]


def test_without_ray_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(EagleError, match=r"(?s)Ray, which is not installed.*extra 'ray'"), open_workers(TWO, Squares()):
        pass


def test_an_address_where_no_cluster_is_is_a_clear_error() -> None:
    """In a process of its own: this one has joined a cluster."""
    skip_without_ray()
    addresses = ["127.0.0.1:1", "nonsense"]
    told = f"""
from eagle.compute.ray_workers import connected
from eagle.core.errors import EagleError
for address in {addresses}:
    try:
        connected(address, 1).__enter__()
    except EagleError as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    for address in addresses:
        assert f"no Ray cluster answers at llm.cluster '{address}'" in done.stdout
    assert done.stdout.count("`ray start --head`") == len(addresses)


FOUR, GPUS = {"CPU": 4.0}, {"CPU": 16.0, "GPU": 8.0}


@pytest.mark.parametrize(
    ("nodes", "workers", "cores", "gpus"),
    [
        ([FOUR], 1, 4, 0),
        ([FOUR], 3, 1, 0),
        ([FOUR, {"CPU": 2.0}], 2, 2, 0),  # a worker does not span nodes
        ([FOUR, FOUR, FOUR], 5, 2, 0),
        ([GPUS], 8, 2, 1),
        ([GPUS, FOUR], 2, 8, 1),
    ],
)
def test_workers_share_the_cores_and_get_a_gpu_each(
    nodes: list[dict[str, float]], workers: int, cores: int, gpus: int
) -> None:
    assert shares(nodes, workers, gpus=True) == {"num_cpus": cores, "num_gpus": gpus}
    assert shares(nodes, workers, gpus=False)["num_gpus"] == 0


def test_more_workers_than_room_is_a_clear_error() -> None:
    with pytest.raises(EagleError, match=r"(?s)9 workers.*at most 8 \(one GPU and a core"):
        shares([GPUS], 9, gpus=True)
    with pytest.raises(EagleError, match=r"(?s)5 workers.*at most 4 \(a core"):
        shares([FOUR], 5, gpus=True)
