"""The forecast: a finished run's costs times the ratio of the work that the parameters name."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from eagle.cli import app
from eagle.config import Config, load_config, parse_config
from eagle.config.parameters import params_yaml
from eagle.core.artifacts import write_json, write_table
from eagle.core.errors import EagleError
from eagle.core.project import Project
from eagle.plan.finished import TARGETS, Finished, last_run, shipped
from eagle.plan.forecast import MODEL_MIB, forecast, parameters_of
from eagle.plan.sizes import Sizes
from eagle.plan.work import transition_rows, work_of
from tests.tiny import build_tiny_llm

SIZES = Sizes(items=100, users=50, ratings=2_000)
ON_POLICY = {"kind": "on_policy", "updates": 3, "episodes": 9, "rollouts_per_pair": 4}


def config(**changes: Any) -> Config:
    """Parameters that come to the same work on every machine."""
    return parse_config({"environment": {"adapt": False}, **changes})


def run_of(settings: Config, parameters: int = 0) -> Finished:
    """A run in which every stage took 100 seconds and 2,000 MiB; those that write, 10 tokens in and 5 out."""
    work = work_of(settings, SIZES)
    costs = {
        name: {
            "seconds": 100.0,
            "peak_memory_mib": 2_000.0,
            "prompt_tokens": 10.0 * bool(amounts.written),
            "new_tokens": 5.0 * bool(amounts.written),
        }
        for name, amounts in work.items()
    }
    return Finished("a bench", costs, work, parameters)


def test_the_same_parameters_cost_the_same() -> None:
    run = run_of(config())
    stages, missing = forecast(config(), SIZES, run)
    assert (stages, missing) == (run.costs, [])


@pytest.mark.parametrize(
    ("changes", "times"),
    [
        ({"actions": {"per_anchor": 52}}, {"transitions": 2, "design": 2, "factors": 1}),
        ({"transitions": {"samples": 3}}, {"transitions": 3, "design": 3, "evaluate": 1}),
        ({"factors": {"iterations": 24}}, {"factors": 2, "encoder": 1}),
        ({"reference": {"updates": 36}}, {"reference@uniform": 2, "reference@g_optimal": 2, "train@g_optimal": 1}),
        ({"evaluate": {"anchors": 30, "users": 9}}, {"evaluate": 270 / 81, "transitions": 1}),
        ({"actions": {"llm_written": 4}}, {"actions": 2}),
    ],
)
def test_seconds_and_tokens_grow_with_the_counts_that_parameters_name(
    changes: dict[str, Any], times: dict[str, float]
) -> None:
    before = config(evaluate={"anchors": 9, "users": 9})
    after = config(**{"evaluate": {"anchors": 9, "users": 9}} | changes)
    run = run_of(before)
    stages, _ = forecast(after, SIZES, run)
    for name, factor in times.items():
        for target in ("seconds", "prompt_tokens", "new_tokens"):
            assert stages[name][target] == pytest.approx(factor * run.costs[name][target]), (name, target)


def test_training_grows_with_updates_and_pairs() -> None:
    phase = {"kind": "all_action", "updates": 80, "pairs": 10, "pool": 10}
    run = run_of(config(train={"phases": [phase]}))
    stages, _ = forecast(config(train={"phases": [phase | {"updates": 180}]}), SIZES, run)
    assert stages["train@g_optimal"]["seconds"] == pytest.approx(100 * (180 + 2) / (80 + 2))


def test_memory_grows_with_what_is_there_together_beside_the_model() -> None:
    run = run_of(config())
    twice = config(llm={"batch_rows": 2 * Config().llm.batch_rows})
    stages, _ = forecast(twice, SIZES, run)
    assert stages["transitions"]["peak_memory_mib"] == pytest.approx(2_000 + (2_000 - MODEL_MIB))
    assert stages["factors"]["peak_memory_mib"] == 2_000


def test_amounts_are_those_of_the_parameters() -> None:
    settings = config(
        actions={"train_anchors": 4, "validation_anchors": 1, "per_anchor": 10},
        transitions={"samples": 3, "second_steps": 2},
    )
    assert transition_rows(settings) == 5 * 3 * (10 + 2 * 10)
    work = work_of(settings, SIZES)
    assert list(work)[:3] == ["fetch", "models", "validate"]
    assert work["transitions"].written == 450 * settings.llm.max_new_tokens
    assert work["reference@uniform"].at_once == settings.reference.prompts * 10
    assert not work["describe"].written
    played = work_of(config(train={"phases": [ON_POLICY], "horizon": 2}), SIZES)["train@g_optimal"]
    assert played.at_once == 8 * 2  # nine episodes in groups of four are eight
    searched = {"kind": "selection", "updates": 5, "pairs": 3, "draws": 4}
    written = [
        work_of(config(train={"phases": [phase]}), SIZES)["train@g_optimal"].written
        for phase in (searched, searched | {"updates": 10})
    ]
    assert written[1] == 2 * written[0] > 0


def test_what_wrote_nothing_in_that_run_writes_as_the_transitions_did() -> None:
    run = run_of(config())
    new = config(describe={"write_at_most": 5}, train={"phases": [ON_POLICY]})
    stages, missing = forecast(new, SIZES, run)
    work = work_of(new, SIZES)
    for name in ("describe", "train@g_optimal"):
        share = work[name].written / run.work["transitions"].written
        assert stages[name]["new_tokens"] == pytest.approx(5 * share)
        assert stages[name]["seconds"] > 0
    assert missing == []


def test_another_instance_of_a_stage_tells_too_and_what_has_not_run_is_said() -> None:
    run = run_of(config(train={"arms": ["uniform"]}))
    stages, missing = forecast(config(train={"arms": ["g_optimal"]}), SIZES, run)
    assert stages["train@g_optimal"] == run.costs["train@uniform"]
    assert missing == []
    without = replace(run, costs={name: cost for name, cost in run.costs.items() if name != "design"})
    assert forecast(config(), SIZES, without)[1] == ["design"]


def test_nodes_of_a_cluster_share_the_writing() -> None:
    run = run_of(config())
    seconds = {}
    for name, llm in {
        "here": {"cluster": "local", "workers": 4},
        "four": {"cluster": "head:6379", "workers": 4},
    }.items():
        seconds[name] = forecast(config(llm=llm), SIZES, run)[0]
    assert seconds["here"] == run.costs
    assert seconds["four"]["transitions"]["seconds"] == 25
    assert seconds["four"]["train@g_optimal"] == run.costs["train@g_optimal"]


def test_a_larger_model_takes_longer_and_more_memory_where_it_works() -> None:
    run = run_of(config(), parameters=10**9)
    same, twice = (forecast(config(), SIZES, run, parameters)[0] for parameters in (0, 2 * 10**9))
    assert {name for name in same if twice[name]["seconds"] > same[name]["seconds"]} == {
        "actions",
        "transitions",
        "evaluate",
    }
    assert twice["transitions"]["seconds"] == 200
    grown = twice["transitions"]["peak_memory_mib"] - same["transitions"]["peak_memory_mib"]
    assert grown == pytest.approx(2 * 10**9 / 2**20)
    assert twice["factors"] == same["factors"]


# from a project folder to the command
# ---------------------------------------------------------------------------------------------------
def write_run(folder: Path, settings: Config) -> Project:
    """A project folder as a run leaves it, without DVC's notes."""
    project = Project(folder)
    folder.mkdir()
    project.params.write_text(params_yaml(settings), encoding="utf-8")
    for name, rows in (("items", SIZES.items), ("users", SIZES.users), ("ratings", SIZES.ratings)):
        write_table(project.catalogue / f"{name}.parquet", pd.DataFrame({"id": range(rows)}), name)
    for name, costs in run_of(settings).costs.items():
        write_json(project.cost(name), {"stage": name, **costs, "calls": 1})
    return project


def note_parameters(project: Project, noted: dict[str, dict[str, Any]]) -> None:
    """Write the parameters by stage as DVC notes them."""
    stages = {stage: {"params": {"params.yaml": parameters}} for stage, parameters in noted.items()}
    (project.root / "dvc.lock").write_text(yaml.safe_dump({"stages": stages}), encoding="utf-8")


def test_the_command_scales_the_last_run_by_the_parameters_that_it_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, after = config(transitions={"samples": 1}), config(transitions={"samples": 2})
    project = write_run(tmp_path / "run", before)
    project.params.write_text(params_yaml(after), encoding="utf-8")
    noted = before.model_dump(mode="json")
    llm = {f"llm.{name}": value for name, value in noted.pop("llm").items()}
    note_parameters(project, {"models": {"seed": 7, **llm}, "register": noted})
    build_tiny_llm(project.llm)
    assert parameters_of(project.llm) > 0
    monkeypatch.chdir(project.root)
    told = CliRunner().invoke(app, ["check", "--plan"], catch_exceptions=False).stdout
    rows = {line.split()[0]: line for line in told.splitlines() if line}
    assert [line.split()[0] for line in told.splitlines()[1 : 1 + len(work_of(after, SIZES))]] == list(
        work_of(after, SIZES)
    )
    assert rows["stage"].split() == ["stage", "time", "tokens", "written", "tokens", "read", "memory"]
    assert rows["transitions"].split()[1:] == ["3.3", "min", "10", "20", "2.0", "GiB"]
    assert rows["actions"].split()[1:] == ["100.0", "s", "5", "10", "2.0", "GiB"]
    assert "all stages" in told
    assert "100 items, 50 users, 2,000 ratings" in told
    assert "scaled from: the last run here (reports/costs)\n" in told


def test_without_dvcs_notes_the_present_parameters_are_those_of_the_run(tmp_path: Path) -> None:
    project = write_run(tmp_path / "run", config())
    assert forecast(config(), SIZES, last_run(project))[0] == run_of(config()).costs


def test_notes_of_departed_stages_and_of_earlier_versions_are_no_parameters_of_the_last_run(tmp_path: Path) -> None:
    settings = config(transitions={"samples": 3}, train={"arms": ["uniform"]})
    project = write_run(tmp_path / "run", settings)
    noted = settings.model_dump(mode="json")
    departed = config(train={"phases": [ON_POLICY]}, transitions={"samples": 1}).model_dump(mode="json")
    note_parameters(
        project,
        {
            "split": {"split.old_name": 0.5, "split.test_items": 0.2, "old_section": {"a": 1}},
            "train@uniform": {"train": noted["train"] | {"phases": [noted["train"]["phases"][0] | {"old_name": 1}]}},
            "transitions": {"transitions": noted["transitions"]},
            "register": noted | {"transitions": departed["transitions"]},  # which an interrupted run did not reach
            "train@g_optimal": {"train": departed["train"]},
        },
    )
    run = last_run(project)
    assert run.work == work_of(settings, SIZES)
    assert run.costs == run_of(settings).costs


def test_notes_that_cannot_be_read_any_more_leave_the_shipped_run(tmp_path: Path) -> None:
    project = write_run(tmp_path / "run", config())
    note_parameters(project, {"transitions": {"transitions.samples": "many"}})
    run = last_run(project)
    assert run.costs == shipped().costs
    assert "dvc.lock notes parameters that this version cannot read" in run.name


def test_a_merge_conflict_in_dvcs_notes_is_told_by_the_forecast_too(tmp_path: Path) -> None:
    project = write_run(tmp_path / "run", config())
    (project.root / "dvc.lock").write_text("<<<<<<< HEAD\nstages: {}\n=======\nstages: {}\n>>>>>>> other\n")
    with pytest.raises(EagleError, match=r"dvc\.lock holds a merge conflict"):
        last_run(project)


def test_stages_that_have_not_run_here_are_those_of_the_shipped_run(tmp_path: Path) -> None:
    project = write_run(tmp_path / "run", config())
    project.cost("evaluate").unlink()
    run = last_run(project)
    assert run.costs["evaluate"] == shipped().costs["evaluate"]
    assert "evaluate from a run of the default" in run.name
    shutil.rmtree(project.costs)
    assert last_run(project) == shipped()
    assert last_run(Project(tmp_path / "empty")) == shipped()


def test_the_shipped_run_has_every_stage_of_the_default() -> None:
    run = shipped()
    assert list(run.costs) == list(work_of(config(), Sizes(1_682, 943, 100_000)))
    assert run.work == work_of(config(), Sizes(1_682, 943, 100_000))
    assert run.name and run.parameters
    assert all(set(costs) == set(TARGETS) for costs in run.costs.values())


def test_the_papers_setting_is_a_valid_one_and_is_forecast(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = Path(__file__).parents[2] / "settings/paper_full.yaml"
    paper = load_config(file)
    assert (paper.actions.per_anchor, paper.train.horizon, paper.reference.updates) == (100, 5, 20_000)
    monkeypatch.chdir(write_run(tmp_path / "run", config()).root)  # whose catalogue is another one
    told = CliRunner().invoke(app, ["check", "--params", str(file)], catch_exceptions=False).stdout
    assert "62,423 items" in told


def test_own_files_that_are_not_fetched_are_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(EagleError, match="dvc repro fetch"):
        Sizes.of(config(data={"source": "files"}), Project(tmp_path))
    assert Sizes.of(config(data={"max_ratings": 10_000}), Project(tmp_path)) == Sizes(1_682, 94, 10_000)
