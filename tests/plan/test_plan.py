"""The forecast: planted prices are found again, one learned in a stage serves in others, and the error is that of runs
left out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from eagle.cli import app
from eagle.config import Config, load_config, parse_config
from eagle.config.parameters import params_yaml
from eagle.core.artifacts import read_json, write_json, write_table
from eagle.core.errors import EagleError
from eagle.core.project import Project
from eagle.plan.fit import left_out_errors, main, read_run
from eagle.plan.forecast import forecast, parameters_of
from eagle.plan.prices import TARGETS, WRITTEN, Costs, Priced, cost, errors, fit, solve, unpriced
from eagle.plan.work import Sizes, Work, transition_rows, work_of
from tests.tiny import build_tiny_llm

SIZES = Sizes(items=100, users=50, ratings=2_000)
ON_POLICY = {"kind": "on_policy", "updates": 3, "episodes": 9, "rollouts_per_pair": 4}


def config(**changes: Any) -> Config:
    return parse_config(changes)


def planted(seed: int = 0) -> dict[str, dict[str, float]]:
    """A price for every term there is."""
    everything = config(
        describe={"write_at_most": 5},
        profiles={"origin": "llm"},
        train={"phases": [{"kind": "all_action"}, ON_POLICY], "kl_coefficient": 0.1},
    )
    rng = np.random.default_rng(seed)
    terms = {
        target: {term for work in work_of(everything, SIZES).values() for term in getattr(work, target)}
        for target in TARGETS
    }
    terms["seconds"].add(WRITTEN)
    return {target: {term: float(rng.uniform(0.5, 2)) for term in sorted(names)} for target, names in terms.items()}


def measured(settings: Config, prices: dict[str, dict[str, float]], sizes: Sizes = SIZES) -> list[tuple[Work, Costs]]:
    return [(work, cost(work, prices)) for work in work_of(settings, sizes).values()]


SETTINGS = (
    config(),
    config(actions={"train_anchors": 5, "per_anchor": 12}, evaluate={"anchors": 3, "users": 4}),
    config(
        llm={"max_new_tokens": 20}, train={"phases": [ON_POLICY]}, reference={"updates": 7}, actions={"llm_written": 5}
    ),
    config(
        train={"phases": [{"kind": "all_action", "updates": 9, "pairs": 40, "pool": 10}]},
        evaluate={"listed_arms": True, "users": 2},
    ),
    config(transitions={"samples": 2, "second_steps": 2}, reference={"prompts": 7}, actions={"per_anchor": 40}),
)


@given(st.lists(st.floats(0.1, 10), min_size=2, max_size=4))
def test_planted_prices_are_found_again(prices: list[float]) -> None:
    rng = np.random.default_rng(0)
    rows = []
    for _ in range(12):
        amounts = {f"t{i}": float(rng.uniform(0.1, 9)) for i in range(len(prices))}
        rows.append((amounts, sum(price * amounts[f"t{i}"] for i, price in enumerate(prices))))
    found = solve(rows)
    for amounts, seconds in rows:
        assert sum(found[term] * amount for term, amount in amounts.items()) == pytest.approx(seconds, rel=0.05)


def test_terms_that_no_run_tells_apart_share_evenly_and_what_was_not_measured_has_no_price() -> None:
    found = solve([({"start": 1, "row": 10}, 8.0), ({"start": 1, "row": 10}, 8.0), ({"other": 5}, 0.0)])
    assert found == pytest.approx({"start": 4, "row": 0.4}, rel=0.01)


def test_a_run_of_a_fitted_world_is_forecast_in_all_four_respects() -> None:
    world = planted()
    prices, paces = fit([measured(settings, world) for settings in SETTINGS])
    assert paces == pytest.approx([1] * len(SETTINGS), rel=0.05)
    new = config(transitions={"samples": 3}, evaluate={"anchors": 6}, train={"phases": [{**ON_POLICY, "updates": 8}]})
    assert unpriced(work_of(new, SIZES), prices) == []
    there, here = (forecast(new, SIZES, Priced(p, "m", [1], 1, {})) for p in (prices, world))
    for target in TARGETS:
        assert sum(c[target] for c in there.values()) == pytest.approx(sum(c[target] for c in here.values()), rel=0.05)


def test_a_run_beside_other_programs_tells_as_much_as_one_alone() -> None:
    world = planted()
    runs = [measured(settings, world) for settings in SETTINGS]
    busy = [[(work, {**costs, "seconds": 3 * costs["seconds"]}) for work, costs in run] for run in runs[1:]]
    prices, paces = fit([runs[0], *busy])
    assert paces == pytest.approx([1, 3, 3, 3, 3], rel=0.1)
    assert errors(busy[0], prices)["seconds of a stage"] < 0.1
    there, here = (sum(cost(work, p)["seconds"] for work, _ in runs[1]) for p in (prices, world))
    assert there == pytest.approx(here, rel=0.1)


def test_a_token_written_in_one_stage_prices_the_others() -> None:
    world = planted()
    one = [(work, costs) for work, costs in measured(SETTINGS[0], world) if "next text" in work.new_tokens]
    prices, _ = fit([one])
    rollouts = config(train={"phases": [ON_POLICY]})
    assert cost(work_of(rollouts, SIZES)["train@g_optimal"], prices)["new_tokens"] > 0
    assert "seconds: steps played" in unpriced(work_of(rollouts, SIZES), prices)
    assert unpriced(work_of(rollouts, SIZES), world) == []


def test_amounts_are_those_of_the_parameters() -> None:
    settings = config(
        actions={"train_anchors": 4, "validation_anchors": 1, "per_anchor": 10},
        transitions={"samples": 3, "second_steps": 2},
    )
    assert transition_rows(settings) == 5 * 3 * (10 + 2 * 10)
    work = work_of(settings, SIZES)
    assert list(work)[:3] == ["fetch", "models", "validate"]
    assert work["transitions"].prompt_tokens == {"next text": 450}
    assert work["transitions"].new_tokens == {"next text": 450 * settings.llm.max_new_tokens}
    assert work["reference@uniform"].peak_memory_mib["actions imitated at once"] == settings.reference.prompts * 10
    assert not work["describe"].new_tokens
    played = work_of(config(train={"phases": [ON_POLICY], "horizon": 2}), SIZES)["train@g_optimal"]
    assert played.seconds["steps played"] == 3 * 8 * 2  # nine episodes in groups of four are eight
    assert played.together == 8


def test_nodes_of_a_cluster_share_the_writing_as_far_as_there_are_shards() -> None:
    priced = Priced(planted(), "m", [1], 1, {})
    seconds = {}
    for name, llm in {
        "alone": {},
        "here": {"cluster": "local", "workers": 4},
        "four": {"cluster": "head:6379", "workers": 4},
        "many": {"cluster": "head:6379", "workers": 400},
    }.items():
        seconds[name] = forecast(config(llm={"shard_rows": 100, **llm}), SIZES, priced)
    tokens, price = seconds["alone"]["transitions"]["new_tokens"], priced.prices["seconds"][WRITTEN]
    assert seconds["here"] == seconds["alone"]
    assert seconds["alone"]["transitions"]["seconds"] - seconds["four"]["transitions"]["seconds"] == pytest.approx(
        0.75 * tokens * price
    )
    assert seconds["alone"]["transitions"]["seconds"] - seconds["many"]["transitions"]["seconds"] == pytest.approx(
        6 / 7 * tokens * price
    )
    assert seconds["many"]["train@g_optimal"] == seconds["alone"]["train@g_optimal"]


def test_a_larger_model_takes_longer_and_more_memory_where_it_works() -> None:
    priced = Priced(planted(), "m", [1], 10**9, {})
    same, twice = forecast(config(), SIZES, priced), forecast(config(), SIZES, priced, 2 * 10**9)
    grown = {name for name in same if twice[name]["seconds"] > same[name]["seconds"]}
    assert grown == {
        "actions",
        "transitions",
        "evaluate",
        "train@g_optimal",
        *(name for name in same if name.startswith("reference")),
    }
    assert twice["transitions"]["peak_memory_mib"] - same["transitions"]["peak_memory_mib"] == pytest.approx(
        2 * 10**9 / 2**20
    )
    assert twice["factors"] == same["factors"]


# from run folders to the command
# ---------------------------------------------------------------------------------------------------
def write_run(folder: Path, settings: Config, prices: dict[str, dict[str, float]], noise: float = 0.0) -> Path:
    """A project folder as a run leaves it."""
    project, rng = Project(folder), np.random.default_rng(len(folder.name))
    folder.mkdir()
    project.params.write_text(params_yaml(settings), encoding="utf-8")
    for name, rows in (("items", SIZES.items), ("users", SIZES.users), ("ratings", SIZES.ratings)):
        write_table(project.catalogue / f"{name}.parquet", pd.DataFrame({"id": range(rows)}), name)
    for name, work in work_of(settings, SIZES).items():
        factor = 1 + noise * rng.uniform(-1, 1)
        write_json(
            project.cost(name), {"stage": name, **{t: factor * c for t, c in cost(work, prices).items()}, "calls": 1}
        )
    return folder


def test_the_stated_error_is_that_on_settings_left_out(tmp_path: Path) -> None:
    world = planted()
    runs = [read_run(write_run(tmp_path / f"run{n}", settings, world)) for n, settings in enumerate(SETTINGS)]
    again = read_run(write_run(tmp_path / "again", SETTINGS[0], world, noise=0.5))
    assert again.setting == runs[0].setting
    errors = left_out_errors(runs)
    assert set(errors) == {"seconds of a stage", "tokens written by a stage", "memory of a stage"}
    assert all(error < 0.1 for error in errors.values())
    assert left_out_errors([runs[0], again]) == {}


def test_folders_are_fitted_and_the_command_forecasts_with_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, file = planted(), tmp_path / "prices.json"
    folders = [str(write_run(tmp_path / f"run{n}", settings, world)) for n, settings in enumerate(SETTINGS)]
    build_tiny_llm(Project(Path(folders[0])).llm)
    main([*folders, "--machine", "a bench", "--to", str(file)])
    assert read_json(file)["parameters"] == parameters_of(Project(Path(folders[0])).llm) > 0
    monkeypatch.setattr("eagle.plan.prices.SHIPPED", file)
    monkeypatch.chdir(folders[0])
    told = CliRunner().invoke(app, ["check", "--plan"], catch_exceptions=False).stdout
    lines = told.splitlines()
    names = [line.split()[0] for line in lines[1 : 1 + len(work_of(config(), SIZES))]]
    assert names == list(work_of(config(), SIZES))
    assert "all stages" in told
    assert "5 runs, at the pace of a bench" in told
    assert "100 items, 50 users, 2,000 ratings" in told
    assert "1 times those of the fit" in told


def test_a_folder_without_a_run_is_a_clear_error(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", config(), planted())
    for file in (folder / "reports/costs").iterdir():
        file.unlink()
    with pytest.raises(EagleError, match="holds no measured run"):
        read_run(folder)


def test_the_shipped_prices_know_every_term_of_the_defaults() -> None:
    priced = Priced.shipped()
    assert unpriced(work_of(Config(), Sizes(1_682, 943, 100_000)), priced.prices) == []
    assert priced.machine and len(priced.paces) > 1 and priced.error


def test_the_papers_setting_is_a_valid_one_and_is_forecast(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = Path(__file__).parents[2] / "settings/paper_full.yaml"
    paper = load_config(file)
    assert (paper.actions.per_anchor, paper.train.horizon, paper.reference.updates) == (100, 5, 20_000)
    monkeypatch.chdir(write_run(tmp_path / "run", config(), planted()))  # whose catalogue is another one
    told = CliRunner().invoke(app, ["check", "--params", str(file)], catch_exceptions=False).stdout
    assert "62,423 items" in told


def test_own_files_that_are_not_fetched_are_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(EagleError, match="dvc repro fetch"):
        Sizes.of(config(data={"source": "files"}), Project(tmp_path))
    assert Sizes.of(config(data={"max_ratings": 10_000}), Project(tmp_path)) == Sizes(1_682, 94, 10_000)
