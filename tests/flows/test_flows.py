"""Flows against a real Prefect server and real ``dvc repro`` over one-line stages."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from prefect.client.orchestration import get_client
from prefect.flows import Flow, flow, load_flow_from_entrypoint
from prefect.server.schemas.schedules import CronSchedule
from prefect.settings import PREFECT_API_URL, temporary_settings

from eagle.config import Config
from eagle.config.installed import CODE, write_code
from eagle.config.stages import all_instances
from eagle.core.fork_client import ADDRESS
from flows.dvc import StageFailed, UserMistake, bring_up_to_date, stop, up_to_date
from flows.embedding_training import embedding_training
from flows.evaluation import evaluation
from flows.names import dated
from flows.pipeline import main, pipeline
from tests.dvc_here import dvc
from tests.flows.conftest import write_dvc

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.usefixtures("prefect_server")


def order(folder: Path) -> list[str]:
    path = folder / "order.txt"
    return path.read_text(encoding="utf-8").split() if path.exists() else []


def one_task(stages: list[str], task: Callable[..., None] = bring_up_to_date) -> None:
    @flow(name="one task")
    def one() -> None:
        task("the label", stages)

    one()


def test_the_pipeline_brings_every_stage_up_to_date_once(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ADDRESS, "/nowhere")  # stages of one line need no fork server
    pipeline()
    assert order(toy) == all_instances(Config())
    evaluation()  # whose stages need all the others, so that DVC looks at each of them again
    assert order(toy) == all_instances(Config())
    with get_client(sync_client=True) as client:
        flows_seen = {run.name.rsplit(" ", 2)[0] for run in client.read_flow_runs()}
        tasks_seen = {run.name for run in client.read_task_runs()}
        artifacts = client.read_artifacts()
    assert {"pipeline", "embedding training", "action-set design", "EAGLE RL", "evaluation"} <= flows_seen
    assert {
        "catalogue and splits",
        "design",
        "reference policies",
        "EAGLE from g_optimal",
        "held-out comparison",
    } <= tasks_seen
    assert any("Anchor (unchanged)" in str(artifact.data) for artifact in artifacts)


@pytest.fixture
def own_sigint() -> Iterator[None]:
    """``main`` takes Ctrl-C for itself: give it back after the test."""
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("own_sigint")
def test_a_mistake_in_the_parameters_is_told_before_anything_starts(
    toy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (toy / "params.yaml").write_text("trian: {horizon: 3}\nseed: -1\n", encoding="utf-8")
    assert main() == 2
    said = capsys.readouterr().err
    assert "did you mean 'train'?" in said and "seed" in said
    assert order(toy) == []


@pytest.mark.usefixtures("own_sigint")
def test_where_nothing_is_to_be_done_no_flow_runs(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def runs() -> int:
        with get_client(sync_client=True) as client:
            return len(client.read_flow_runs())

    assert not up_to_date()
    dvc(toy, "repro", "-q")
    before = runs()
    assert main() == 0
    said = capsys.readouterr().out
    assert "every stage is up to date" in said and "Anchor (unchanged)" in said
    assert runs() == before
    assert order(toy) == all_instances(Config())


def test_one_flow_alone_stops_where_its_part_ends(toy: Path) -> None:
    """And its stages, which may be carried out there, are told of the same fork server."""
    mine = all_instances(Config())[: all_instances(Config()).index("profiles") + 1]
    write_dvc(
        toy,
        {
            name: f"echo {name} >> order.txt; echo $EAGLE_FORK_SERVER >> servers.txt; echo x > out_{name}"
            for name in mine
        },
    )
    embedding_training()
    assert order(toy) == mine
    embedding_training(anew=True)  # the source gives the same, so nothing else is stale
    assert order(toy) == [*mine, "fetch"]
    if sys.platform == "linux":
        servers = (toy / "servers.txt").read_text(encoding="utf-8").split()
        assert len(servers) == len(mine) + 1 and len(set(servers[:-1])) == 1


def test_a_users_mistake_is_told_in_its_own_words_and_not_tried_again(toy: Path) -> None:
    write_dvc(toy, {"fetch": "echo tried >> order.txt; echo 'eagle: wrong'; echo '  mend: so'; exit 2"})
    with pytest.raises(UserMistake, match=r"^eagle: wrong\n  mend: so$"):
        one_task(["fetch"])
    assert order(toy) == ["tried"]


def test_a_mistake_of_many_problems_is_told_whole(toy: Path) -> None:
    """As from a check of the data, whose rows take more lines than are kept of what DVC says."""
    many = "echo 'eagle: 30 problems'; for row in $(seq 30); do echo \"  row $row\"; echo '    mend: so'; done; exit 2"
    write_dvc(toy, {"fetch": many})
    with pytest.raises(UserMistake) as told:
        one_task(["fetch"])
    lines = str(told.value).splitlines()
    assert (lines[0], lines[1], lines[-1], len(lines)) == ("eagle: 30 problems", "  row 1", "    mend: so", 61)


def test_a_schedule_sees_an_update_of_the_package_and_a_mistake_in_the_parameters(toy: Path) -> None:
    write_code(toy)
    stamps = {path: path.read_text(encoding="utf-8") for path in (toy / CODE).iterdir()}
    for path in stamps:
        path.write_text("of the version before\n", encoding="utf-8")
    one_task(["fetch"])
    assert {path: path.read_text(encoding="utf-8") for path in stamps} == stamps
    (toy / "params.yaml").write_text("seed: -1\n", encoding="utf-8")
    with pytest.raises(UserMistake, match="seed"):
        one_task(["fetch"])


def test_another_failure_is_tried_again(toy: Path) -> None:
    write_dvc(toy, {"fetch": "echo tried >> order.txt; test $(wc -l < order.txt) -ge 2 && echo x > out_fetch"})
    one_task(["fetch"], bring_up_to_date.with_options(retry_delay_seconds=0))
    assert order(toy) == ["tried", "tried"]


def test_a_failure_that_stays_names_the_stage(toy: Path) -> None:
    write_dvc(toy, {"fetch": "exit 7"})
    with pytest.raises(StageFailed, match="exited with 7"):
        one_task(["fetch"], bring_up_to_date.with_options(retries=0))


def test_stopping_ends_the_command_and_its_children() -> None:
    command = [sys.executable, "-c", "import subprocess; print('up', flush=True); subprocess.run(['sleep', '60'])"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        stop(process)
        assert process.returncode not in (None, 0)
        assert process.stdout.read() == ""  # ends only when no child holds the pipe any more


@pytest.mark.usefixtures("own_sigint")
def test_what_keeps_dvc_from_working_is_told_before_anything_starts(
    toy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (toy / "dvc.lock").write_text("<<<<<<< HEAD\n=======\n>>>>>>> other\n", encoding="utf-8")
    assert main() == 2
    said = capsys.readouterr().err
    assert "dvc.lock holds a merge conflict" in said and "git checkout --ours dvc.lock" in said
    assert "Traceback" not in said and not order(toy)
    with pytest.raises(UserMistake, match="merge conflict"):
        one_task(["fetch"])


@pytest.mark.usefixtures("own_sigint")
def test_a_dead_prefect_server_is_told_before_anything_starts(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        assert main() == 2
    said = capsys.readouterr().err
    assert "no Prefect server answers" in said and "http://127.0.0.1:9/api" in said and "prefect server start" in said
    assert "Traceback" not in said and not order(toy)


def test_names_of_runs_carry_the_minute() -> None:
    assert dated("pipeline")().startswith("pipeline 20")


DEPLOYMENTS = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda d: d["name"])
def test_a_deployment_names_a_flow_a_pool_and_a_legal_schedule(
    deployment: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    assert isinstance(load_flow_from_entrypoint(deployment["entrypoint"]), Flow)
    assert deployment["work_pool"]["name"] == "eagle"
    assert [CronSchedule(**schedule).cron for schedule in deployment["schedules"]]


def test_every_flow_is_deployed() -> None:
    modules = {path.stem for path in (ROOT / "flows").glob("*.py") if "@flow" in path.read_text(encoding="utf-8")}
    assert {Path(d["entrypoint"].split(":")[0]).stem for d in DEPLOYMENTS} == modules


def on_a_terminal(command: str, folder: Path, surroundings: dict[str, str]) -> tuple[int, str]:
    """Run a command whose input and output are a terminal at which nobody sits; return its exit code and output."""
    ours, theirs = pty.openpty()
    os.write(ours, b"\x04")  # whoever asks is answered that there is no answer
    with subprocess.Popen(
        command, shell=True, cwd=folder, env=surroundings, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        said = b""
        with contextlib.suppress(OSError):  # as Linux tells the end of a terminal
            while block := os.read(ours, 1 << 16):
                said += block
    os.close(ours)
    return process.returncode, said.decode(errors="replace")


def test_pool_limit_and_deployments_as_the_docs_say(tmp_path: Path) -> None:
    for name in ("flows", "eagle"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("prefect.yaml", "prefect.toml", "params.yaml", "docs/operating.md"):
        shutil.copy2(ROOT / name, tmp_path)
    commands = re.findall(
        r"^prefect (?:work-pool|--no-prompt).*", (tmp_path / "operating.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert len(commands) == 3
    surroundings = {**os.environ, "PREFECT_API_URL": PREFECT_API_URL.value(), "PYTHONPATH": str(tmp_path)}
    surroundings["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for command in commands:
        code, said = on_a_terminal(command, tmp_path, surroundings)
        assert code == 0, said
    with get_client(sync_client=True) as client:
        assert client.read_work_pool("eagle").concurrency_limit == 1
        found = {d.name: d for d in client.read_deployments() if d.work_pool_name == "eagle"}
    deployed = {name: [s.schedule.cron for s in one.schedules] for name, one in found.items()}
    assert deployed == {d["name"]: [s["cron"] for s in d["schedules"]] for d in DEPLOYMENTS}
    assert found["weekly-latent-space"].parameters == {"anew": True}
