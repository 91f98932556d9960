"""The environment at a real OpenAI-compatible server (transformers serve): the contract, adapters by name, a pipeline,
and faults.

That server is one from a package, with its own loop and its own random numbers. It tells neither log-probabilities nor
token ids.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from eagle.config import Config
from eagle.config.stages import run_stage
from eagle.core.artifacts import read_json, read_table
from eagle.core.errors import EagleError
from eagle.core.project import Project
from eagle.engine.base import SamplingSpec
from eagle.engine.cache import CachedModel, CompletionStore
from eagle.engine.openai.model import OpenAIModel, served_name
from eagle.engine.torch.model import TorchModel
from eagle.testing.engines import ASKED, HEAD, LanguageModelContract
from tests.end_to_end.small_world import small_config, teach_language_model, write_catalogue
from tests.endpoint.served import FAULTS, Line, line_to, publish, served
from tests.tiny import build_tiny_adapter, build_tiny_llm, build_tiny_text_encoder


@dataclass(frozen=True)
class World:
    """Models on disk and the port of the server that has them all."""

    tiny: Path
    taught: Path
    adapter: Path
    port: int


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    root = tmp_path_factory.mktemp("world")
    tiny, taught = build_tiny_llm(root / "tiny"), teach_language_model(root / "taught")
    hub = root / "home/hub"
    base = publish(hub, "tests/tiny", tiny)
    publish(hub, "tests/taught", taught)
    adapter = build_tiny_adapter(root / "agent/tuned", base)
    publish(hub, served_name(adapter), adapter, base)
    with served(root / "home") as port:
        yield World(tiny, taught, adapter, port)


@pytest.fixture(scope="module", autouse=True)
def impatient() -> Iterator[None]:
    """As many retries as ever, without openai's growing waits between them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("openai._base_client.MAX_RETRY_DELAY", 0.01)
        yield


@pytest.fixture(scope="module")
def line(world: World) -> Iterator[Line]:
    with line_to(world.port) as line:
        yield line


@pytest.fixture
def engine(world: World, line: Line) -> OpenAIModel:
    return OpenAIModel(line.address, world.tiny, model="tests/tiny", concurrency=4, backoff=0.001)


class ServedContract(LanguageModelContract):
    tells_token_ids = False

    def test_score_agrees_with_generation(self, model: Any, prompts: list[str]) -> None:
        with pytest.raises(EagleError, match="cannot score texts"):
            model.score(prompts, prompts)  # this server cannot


class TestContract(ServedContract):
    @pytest.fixture
    def model(self, engine: OpenAIModel) -> OpenAIModel:
        return engine


class TestContractRemembered(ServedContract):
    @pytest.fixture
    def model(self, engine: OpenAIModel, tmp_path: Path) -> CachedModel:
        return CachedModel(engine, CompletionStore(tmp_path / "completions.sqlite"))


def test_greedy_texts_are_those_of_the_engine_here_with_and_without_an_adapter(
    world: World, engine: OpenAIModel
) -> None:
    here = TorchModel(world.tiny, dtype="float32", device="cpu")
    prompts = [here.chat([*HEAD, ("user", asked)], prefill="Genres:") for asked in ASKED]
    spec = SamplingSpec(16, 0.0)
    found = []
    for adapter in (None, world.adapter):
        engine.load_adapter(adapter)
        here.load_adapter(adapter)
        found.append([(c.text, c.finish) for c in engine.generate(prompts, spec, range(5))])
        assert found[-1] == [(c.text, c.finish) for c in here.generate(prompts, spec, range(5))]
    assert found[0] != found[1]


def test_a_wrong_name_lists_the_served_models(world: World, line: Line) -> None:
    with pytest.raises(EagleError, match="does not serve tests/tini") as caught:
        OpenAIModel(line.address, world.tiny, model="tests/tini").generate(["Genres:"], SamplingSpec(3, 0.0), [1])
    assert caught.value.problems[0].expected == f"one of {served_name(world.adapter)}, tests/taught, tests/tiny"


# a pipeline
# ----------------------------------------------------------------------------------------------------------------------
BEFORE = ("fetch", "validate", "split", "factors", "describe", "quality", "encoder", "profiles", "actions")
AFTER = ("transitions", "design", "reference@g_optimal", "train@g_optimal", "evaluate")


def _config(world: World, line: Line) -> Config:
    return small_config(
        world.taught,
        actions={"train_anchors": 2, "validation_anchors": 1},
        llm={
            "endpoint": line.address,
            "endpoint_model": "tests/taught",
            "engine": "openai",
            "requests": 4,
            "timeout": 3.0,
            "retries": 12,
            "cache": False,
        },
        reference={"names": ["g_optimal"]},
        evaluate={"anchors": 2, "users": 2},
    )


@pytest.fixture(scope="module")
def prepared(world: World, line: Line, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with everything that needs no language model."""
    project = Project(tmp_path_factory.mktemp("project"))
    write_catalogue(project.root / "own")
    shutil.copytree(world.taught, project.llm)
    build_tiny_text_encoder(project.text_model)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.root)
        for stage in BEFORE:
            run_stage(stage, _config(world, line), Project())
    return project


def _tables(project: Project) -> dict[str, Any]:
    tables: dict[str, Any] = {
        name: (project.reports / f"{name}.csv").read_text() for name in ("budget", "table2", "table3", "table4")
    }
    tables["transitions"] = read_table(project.transitions, "transitions").to_csv()
    tables["trajectories"] = read_table(project.trajectories, "trajectories").to_csv()
    return tables | {"metrics": read_json(project.metrics)}


def test_a_pipeline_ends_with_the_same_tables_when_three_answers_of_ten_fail(
    prepared: Project, world: World, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(prepared.root)
    for stage in AFTER:
        run_stage(stage, _config(world, line), prepared)
    wanted = _tables(prepared)
    calls = {stage: read_json(prepared.cost(stage))["calls"] for stage in ("transitions", "evaluate")}
    shutil.rmtree(prepared.reports)
    prepared.transitions.unlink()
    with line_to(world.port, failing=0.3, seed=1) as failing:
        for stage in calls:  # those between them ask the endpoint for nothing
            run_stage(stage, _config(world, failing), prepared)
    assert _tables(prepared) == wanted
    failed = failing.faults.total()
    assert set(failing.faults) == set(FAULTS)
    assert 0.2 < failed / (failed + failing.answered) < 0.4
    assert sum(read_json(prepared.cost(stage))["calls"] for stage in calls) == sum(calls.values()) + failed
