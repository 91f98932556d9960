"""The whole pipeline by real ``dvc repro`` on real, tiny models: what is stale, what is restored, what came out."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.entities import Trace
from typer.testing import CliRunner

from eagle.cli import app
from eagle.compute.ray_workers import connected
from eagle.config import Config, load_config
from eagle.config.stages import all_instances, run_stage
from eagle.core.artifacts import content_hash, read_json
from eagle.core.project import Project
from tests.compute.ray_here import skip_without_ray
from tests.docs.pages import README, TUTORIAL, commands
from tests.dvc_here import dvc
from tests.end_to_end.conftest import environment, run

Command = Callable[..., str]


def stale(root: Path) -> set[str]:
    return set(json.loads(dvc(root, "status", "--json")))


@pytest.fixture
def client(project: Path, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    monkeypatch.chdir(project)
    mlflow.set_tracking_uri("sqlite:///mlruns/mlflow.db")
    mlflow.set_registry_uri("sqlite:///mlruns/mlflow.db")
    return MlflowClient()


def test_nothing_is_stale_afterwards_and_other_files_do_not_matter(project: Path) -> None:
    (project / "README.md").write_text("changed", encoding="utf-8")
    assert stale(project) == set()
    assert "up to date" in run(project, "dvc", "repro")


def test_a_training_parameter_makes_only_training_stale(project: Path) -> None:
    before = (project / "params.yaml").read_text(encoding="utf-8")
    try:
        (project / "params.yaml").write_text(
            before.replace("kl_coefficient: 0.04", "kl_coefficient: 0.05"), encoding="utf-8"
        )
        changed = {
            name
            for name, why in json.loads(dvc(project, "status", "--json")).items()
            if "params.yaml" in json.dumps(why)
        }
    finally:
        (project / "params.yaml").write_text(before, encoding="utf-8")
    assert changed == {"train@g_optimal", "evaluate", "register"}
    assert stale(project) == set()


def test_every_stage_left_its_outputs_and_costs(project: Path) -> None:
    done = Project(project)
    for name in all_instances(load_config(done.params)):
        assert read_json(done.cost(name))["seconds"] >= 0
    assert done.report.stat().st_size > 10_000
    assert set(pd.read_csv(done.reports / "table2.csv")["arm"]) >= {
        "anchor",
        "random",
        "linear_rule",
        "reference_uniform",
        "eagle_g_optimal",
    }
    shown = dvc(project, "metrics", "show")
    assert max(map(len, shown.splitlines())) <= 160
    rows = [line.split()[0] for line in shown.splitlines()[1:]]
    assert rows == ["reports/headline/eagle_g_optimal.json", "reports/headline/search_eagle.json"]
    dvc(project, "plots", "show")
    page = (project / "dvc_plots/index.html").read_text(encoding="utf-8")
    assert "#reports_curves_train_g_optimal_csv" in page and "http" not in re.sub(r"https?://(vega|www.w3)", "", page)


def test_agents_are_tried_elsewhere_and_with_all_their_actions_at_once(project: Path) -> None:
    rows = pd.read_parquet(Project(project).trajectories).sort_values(["case", "step"])
    free, elsewhere, at_once = (rows[rows["arm"] == f"{start}_g_optimal"] for start in ("eagle", "elsewhere", "macro"))
    first = [arm.loc[arm["step"] == 1, "action"].tolist() for arm in (free, elsewhere)]
    assert first[0] == first[1]  # the same agent on the same texts with the same seeds
    assert free["text"].tolist() != elsewhere["text"].tolist()
    assert at_once["step"].max() == 1
    joined = free[free["step"] > 0].groupby("case")["action"].agg(" ".join)
    assert at_once.loc[at_once["step"] == 1, "action"].tolist() == joined.tolist()
    tables = {number: pd.read_csv(project / f"reports/table{number}.csv") for number in (3, 4)}
    assert tables[3]["status"].tolist() == ["run", "run"]
    assert tables[3]["tested_in"].str.rsplit(" ", n=1).str[-1].tolist() == ["0.7", "1.5"]
    assert tables[4].set_index("actions").loc["macro", "status"] == "run"


def test_a_method_of_ones_own_is_an_arm(project: Path) -> None:
    """One file in the project, one line in params.yaml."""
    done = Project(project)
    assert pd.read_csv(done.table(2))["arm"].tolist()[-1] == "best_of_two"
    candidates = pd.read_parquet(done.candidates)
    mine = candidates[candidates["arm"] == "best_of_two"]
    assert mine.groupby(["case", "step"])["accepted"].sum().eq(1).all()
    tried = mine.pivot(index=["case", "step"], columns="accepted", values="utility")
    assert (tried[True] >= tried[False]).all()
    searches = {"best_of_two", "search_eagle"}
    others = candidates[~candidates["arm"].isin(searches) & candidates["comparison"].eq("arms")]
    assert others["accepted"].all()
    steps = pd.read_parquet(done.trajectories).query("step > 0")
    assert len(others) == (~steps["arm"].isin(searches)).sum()
    assert "best_of_two" in done.report.read_text(encoding="utf-8")


def test_methods_are_compared_at_equal_budgets(project: Path) -> None:
    done = Project(project)
    table, candidates = pd.read_csv(done.budget), pd.read_parquet(done.candidates).query("comparison == 'budgets'")
    assert set(table["arm"]) == set(candidates["arm"]) == set(Config().evaluate.budgets.methods)
    assert sorted(set(table["budget"])) == [1, 2]
    found = table[table["metric"] == "found"].pivot(index="arm", columns="budget", values="mean")
    kept = candidates[candidates["eligible"]].assign(first=lambda rows: rows["draw"] == 0)
    cases = candidates["case"].nunique()
    for arm, shares in found.iterrows():
        mine = kept[kept["arm"] == arm]
        assert shares[2] == pytest.approx(mine["case"].nunique() / cases)
        assert shares[1] == pytest.approx(mine[mine["first"]]["case"].nunique() / cases)


def test_push_and_pull_restore_everything(project: Path, tmp_path: Path) -> None:
    before = {name: content_hash(project / name) for name in ("data", "models", "reports")}
    dvc(project, "remote", "add", "-f", "-d", "--local", "store", str(tmp_path / "store"))
    dvc(project, "push", "-q")
    for name in (*before, ".dvc/cache"):
        shutil.rmtree(project / name)
    dvc(project, "pull", "-q")
    assert {name: content_hash(project / name) for name in before} == before
    assert stale(project) == set()


def test_mlflow_has_the_pipeline_its_stages_and_its_arms(project: Path, client: MlflowClient) -> None:
    registration = read_json(Project(project).reports / "registration.json")
    experiment = client.get_experiment_by_name("eagle")
    assert experiment is not None
    assert experiment.artifact_location == "mlruns/artifacts"
    runs = client.search_runs([experiment.experiment_id], max_results=200)
    parent = next(r for r in runs if r.info.run_id == registration["pipeline_run"])
    children = {r.info.run_name: r for r in runs if r.data.tags.get("mlflow.parentRunId") == parent.info.run_id}
    stages = {f"stage {name}" for name in all_instances(load_config(project / "params.yaml"))}
    reused = {name for name, one in children.items() if "eagle.reused" in one.data.tags}
    assert stages <= set(children)
    assert reused == ({"stage models"} if sys.platform == "linux" else stages - {"stage register"})  # put there by hand
    assert {"arm eagle_g_optimal", "arm reference_uniform", "arm linear_rule"} <= set(children)
    assert parent.data.params["train.kl_coefficient"] == "0.04"
    assert {one.dataset.name for one in parent.inputs.dataset_inputs} >= {"data/catalogue", "models/encoder"}
    assert all(one.dataset.digest for one in parent.inputs.dataset_inputs)
    assert "EAGLE" in parent.data.tags["mlflow.note.content"]
    version = client.get_model_version(registration["model"], registration["version"])
    assert version.description.startswith("# EAGLE")
    assert registration["decision"]["reason"] in version.description
    assert parent.data.metrics["gain_low"] <= parent.data.metrics["gain"] <= parent.data.metrics["gain_high"]
    shown = client.search_traces([experiment.experiment_id], filter_string="tags.eagle.kind = 'evaluation'")
    assert {trace.info.tags["eagle.arm"] for trace in shown} == {"eagle_g_optimal"}
    arm = children["arm eagle_g_optimal"]
    history = client.get_metric_history(
        arm.info.run_id, next(name for name in arm.data.metrics if name in pd.read_csv(curve(project)).columns)
    )
    assert [m.step for m in history] == sorted({m.step for m in history})
    assert len(history) > 1
    assert {file.path for file in client.list_artifacts(parent.info.run_id)} >= {
        "report.html",
        "metrics.json",
        "table2.csv",
    }
    assert {file.path for file in client.list_artifacts(arm.info.run_id, "curves")} == {
        "curves/train_g_optimal.csv",
        "curves/train_g_optimal.png",
    }


@pytest.mark.skipif(sys.platform != "linux", reason="pipelines are followed on Linux")
def test_one_run_of_mlflow_began_with_the_pipeline_and_ended_with_it(project: Path, client: MlflowClient) -> None:
    made = read_json(Project(project).registration)["pipeline_run"]
    end = time.monotonic() + 60
    while client.get_run(made).info.status == "RUNNING" and time.monotonic() < end:
        time.sleep(0.2)  # the tracker ends it, after dvc
    experiment = client.get_run(made).info.experiment_id
    (parent,) = client.search_runs([experiment], "tags.`eagle.kind` = 'pipeline'")
    stages = client.search_runs([experiment], "tags.`eagle.kind` = 'stage'")
    assert {run_.info.status for run_ in [parent, *stages]} == {"FINISHED"}
    first = min(run_.info.start_time for run_ in stages)
    assert first == parent.info.start_time or first - parent.info.start_time < 1000
    training = next(run_ for run_ in stages if run_.info.run_name == "stage train@g_optimal")
    told = client.get_metric_history(training.info.run_id, "loss")
    table = pd.read_csv(curve(project))
    assert [(m.step, m.value) for m in told] == list(zip(table["update"], table["loss"], strict=True))
    assert len({m.timestamp for m in told}) > 1  # as they were computed, not at the end
    evaluation = next(run_ for run_ in stages if run_.info.run_name == "stage evaluate")
    usual, further = (
        client.get_metric_history(evaluation.info.run_id, f"utility.{arm}") for arm in ("random", "best_of_two")
    )
    assert [m.step for m in usual] == [0, 1, 2]
    assert usual[-1].timestamp < further[0].timestamp  # while other arms still wrote
    assert not list((project / "mlruns/live").iterdir())


def curve(project: Path) -> Path:
    return Project(project).curve("train_g_optimal")


def test_the_registered_agent_holds_no_base_weights_and_no_pickle(project: Path, client: MlflowClient) -> None:
    version = client.get_model_version_by_alias("eagle-agent", "champion")
    folder = Path(mlflow.artifacts.download_artifacts(f"models:/eagle-agent/{version.version}"))
    names = {path.name for path in folder.rglob("*") if path.is_file()}
    assert {"adapter_model.safetensors", "model_code.py", "agent.json", "cases.json", "params.yaml"} <= names
    assert not [name for name in names if name.endswith((".pkl", ".pickle", ".bin", ".pt"))]
    base = next(path.stat().st_size for path in (project / "models/llm").glob("*.safetensors"))
    assert max(path.stat().st_size for path in folder.rglob("adapter_model.safetensors")) < base
    assert read_json(next(folder.rglob("agent.json")))["base"]["hash"] == content_hash(project / "models/llm")


@pytest.fixture
def here(project: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run ``eagle`` in this process, where everything is imported, and return what it says."""
    monkeypatch.chdir(project)

    def command(*words: str, expect: int = 0) -> str:
        done = CliRunner().invoke(app, words, catch_exceptions=False)
        assert done.exit_code == expect, done.output
        return done.stdout if expect == 0 else done.output

    return command


def test_steer_shows_the_evaluations_own_texts(project: Path, here: Command) -> None:
    rows = pd.read_parquet(Project(project).trajectories)
    mine = rows[(rows["arm"] == "eagle_g_optimal") & (rows["case"] == 0)].sort_values("step")
    command = (
        "steer",
        "--user",
        mine["user"].iloc[0],
        "--item",
        mine["anchor"].iloc[0],
        "--seed",
        "7",
        "--json",
    )
    (told,) = json.loads(run(project, "eagle", *command))
    assert [step["text"] for step in told["steps"]] == mine["text"].tolist()
    assert [step["action"] for step in told["steps"]] == mine["action"].tolist()
    assert [step["utility"] for step in told["steps"]] == pytest.approx(mine["utility"].tolist(), abs=1e-4)
    assert all(len(step["nearest"]) == 3 for step in told["steps"])
    (again,) = json.loads(here(*command, "--agent", "models/agent/g_optimal"))
    assert again == told
    best = rows[(rows["arm"] == "search_eagle") & (rows["case"] == 0)].sort_values("step")
    (searched,) = json.loads(here(*command, "--budget", "2"))
    assert [step["text"] for step in searched["steps"]] == best["text"].tolist()
    said = here("steer", "--user", "u1x", "--item", "film 31", expect=2)
    assert "did you mean 'u1'?" in said
    assert "give an id: i31 (Film 31" in said
    assert "Traceback" not in said


def test_gaps_and_check_and_report_speak(here: Command) -> None:
    found = json.loads(here("gaps", "--top", "3", "--json"))
    assert all(gap["gain"] > 0 for gap in found)
    assert "checks passed" in here("check")
    assert "EAGLE, G-optimal" in here("report")


@pytest.mark.filterwarnings("ignore:.*Any type hint is inferred:UserWarning")  # MLflow's, when it is imported
def test_the_commands_of_readme_and_tutorial_run(here: Command) -> None:
    """With ids of this project; commands of other tools run elsewhere, in this module and in tests/flows."""
    known = {"13": "u1", "1": "u2", "182": "i3"}
    for words in dict.fromkeys(tuple(words) for page in (README, TUTORIAL) for words in commands(page)):
        if words[0] == "eagle":
            ids = [
                known.get(word, word) if before in ("--user", "--item") else word for before, word in pairwise(words)
            ]
            assert here(*ids)
        else:
            assert words[0] in ("make", "open", ".", "git") or words[:2] in (("dvc", "exp"), ("dvc", "metrics"))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _ask(port: int, rows: list[dict[str, str]], patience: float = 600, **params: int) -> dict:
    body = json.dumps({"dataframe_records": rows, "params": params}).encode()
    asked = urllib.request.Request(f"http://127.0.0.1:{port}/invocations", body, {"Content-Type": "application/json"})
    end = time.monotonic() + patience
    while True:
        try:
            with urllib.request.urlopen(asked, timeout=patience) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError:
            raise
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.5)


def _traced(client: MlflowClient) -> list[Trace]:
    """Return the traces of requests, once there is one."""
    experiment = client.get_experiment_by_name(Config().registry.experiment)
    assert experiment is not None
    end = time.monotonic() + 60
    while not (found := client.search_traces([experiment.experiment_id], "tags.eagle.kind = 'request'")):
        assert time.monotonic() < end
        time.sleep(0.2)
    return list(found)


def test_the_scoring_server_answers(project: Path, client: MlflowClient) -> None:
    port = _free_port()
    command = [
        "mlflow",
        "models",
        "serve",
        "-m",
        "models:/eagle-agent@champion",
        "--env-manager",
        "local",
        "-p",
        str(port),
        "-h",
        "127.0.0.1",
    ]
    surroundings = {**environment(project), "MLFLOW_TRACKING_URI": "sqlite:///mlruns/mlflow.db"}
    with subprocess.Popen(
        command,
        cwd=project,
        env=surroundings,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as server:
        try:
            (answer,) = _ask(port, [{"user": "u1", "item": "i3"}])["predictions"]
            (short,) = _ask(port, [{"user": "u1", "item": "i3"}], horizon=1)["predictions"]
            (best,) = _ask(port, [{"user": "u1", "item": "i3"}], budget=2)["predictions"]
            (traced,) = _ask(port, [{"user": "u1", "item": "i3"}], trace=True)["predictions"]
            (trace,) = _traced(client)
            with pytest.raises(urllib.error.HTTPError) as refused:
                _ask(port, [{"user": "nobody", "item": "i3"}])
            message = refused.value.read().decode()
        finally:
            os.killpg(server.pid, signal.SIGTERM)
    assert answer["text"].startswith("Genres: ")
    assert isinstance(answer["utility"], float)
    assert [step["step"] for step in answer["trajectory"]] == [0, 1, 2]
    assert short["trajectory"] == answer["trajectory"][:2]
    assert best["trajectory"][0] == answer["trajectory"][0]
    assert best["text"] == best["trajectory"][-1]["text"]
    assert traced == answer
    root, *turns = trace.data.spans
    assert root.outputs["answers"] == [{"text": answer["text"], "utility": answer["utility"]}]
    assert {turn.name for turn in turns} == {"agent", "environment", "encoder"}
    assert refused.value.code == 400
    assert "unknown user 'nobody'" in message


def test_killed_in_the_middle_of_training_and_run_again_gives_the_identical_agent(
    project: Path, server: str | None
) -> None:
    agent = Project(project).agent("g_optimal")
    before, figures = content_hash(agent), curve(project).read_bytes()
    shutil.rmtree(agent)
    with subprocess.Popen(
        ["eagle", "stage", "train@g_optimal"],
        cwd=project,
        env=environment(project),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as training:
        while not any((project / "models/checkpoints").rglob("*.safetensors")) and training.poll() is None:
            time.sleep(0.01)
        training.kill()
    assert training.returncode == -signal.SIGKILL
    assert not agent.exists()
    run(project, "eagle", "stage", "train@g_optimal", server=server)
    assert content_hash(agent) == before
    assert curve(project).read_bytes() == figures


def test_two_ray_workers_write_the_identical_tables_and_make_nothing_stale(project: Path, tmp_path: Path) -> None:
    skip_without_ray()
    before, already = (project / "params.yaml").read_text(encoding="utf-8"), stale(project)
    changed = before.replace("cluster: null", 'cluster: "local"').replace("workers: 1", "workers: 2")
    assert changed != before
    try:
        (project / "params.yaml").write_text(changed, encoding="utf-8")
        assert stale(project) == already
        config = load_config(project / "params.yaml")
    finally:
        (project / "params.yaml").write_text(before, encoding="utf-8")
    shutil.copytree(project, tmp_path / "copy", ignore=shutil.ignore_patterns(".cache", ".dvc", ".git", "mlruns"))
    here, there = Project(project), Project(tmp_path / "copy")
    there.transitions.unlink()
    there.trajectories.unlink()
    with connected("local", 2):
        for name in ("transitions", "evaluate"):
            run_stage(name, config, there)
    # Not of evaluate: whether one worker finds what another is writing right now is a matter of time.
    for counted in ("prompt_tokens", "new_tokens", "calls"):
        assert read_json(there.cost("transitions"))[counted] == read_json(here.cost("transitions"))[counted] > 0
    assert there.transitions.read_bytes() == here.transitions.read_bytes()
    assert there.trajectories.read_bytes() == here.trajectories.read_bytes()
    assert read_json(there.metrics) == read_json(here.metrics)


def test_an_experiment_stands_beside_the_first_result(project: Path, server: str | None, client: MlflowClient) -> None:
    dvc(project, "checkout", "-q", "--force")
    first = read_json(Project(project).reports / "registration.json")
    run(project, "dvc", "exp", "run", "-q", "-S", "train.kl_coefficient=0.05", "-n", "weaker-kl", server=server)
    second = read_json(Project(project).reports / "registration.json")
    assert second["version"] == "2"
    assert second["champion_before"] == first["version"]
    assert second["decision"]["gain"] is not None
    assert second["champion"] == ("2" if second["decision"]["gain"]["low"] > 0 else "1")
    assert "kl_coefficient" in dvc(project, "params", "diff")
    compared = json.loads(dvc(project, "metrics", "diff", "--all", "--json"))
    assert {"reports/headline/eagle_g_optimal.json", "reports/headline/search_eagle.json"} <= set(compared)
    parents = client.search_runs([client.get_run(first["run"]).info.experiment_id], "tags.`eagle.kind` = 'pipeline'")
    assert {run_.data.params["train.kl_coefficient"] for run_ in parents} == {"0.04", "0.05"}
