"""Requests over HTTP, at MLflow's own server: side by side as alone, refused where too much, stopped in time."""

from __future__ import annotations

import gc
import json
import threading
import time
import tracemalloc
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from eagle.config import RegistryConfig
from eagle.methods.search import Search
from eagle.registry.store import Store
from eagle.serving.bounds import BUDGET, HORIZON, ROWS
from eagle.serving.searching import Searcher
from eagle.serving.turns import PART, AgentInTurn
from tests.serving.small_agent import ITEMS, USERS, Engine, steerer

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", ".*Any type hint")  # MLflow's own, when it is first imported
    import mlflow.pyfunc
    from mlflow import MlflowClient
    from mlflow.pyfunc.scoring_server import init

    from eagle.serving.model import SIGNATURE, SteeringModel

TOGETHER = 16
ROW = {"user": "u1", "item": "i2"}


class SmallModel(SteeringModel):
    """The served agent over the made-up catalogue."""

    def load_context(self, context: Any) -> None:
        self.engine, self.experiment = Engine(), RegistryConfig().experiment
        self.steerer = steerer(self.engine)
        agent = AgentInTurn(self.steerer.agent, self.steerer.turns)
        self.searcher = Searcher(self.steerer, Search(agent, "search", steps=2))


@dataclass(frozen=True)
class Served:
    """A running server, and the engine behind it."""

    port: int
    engine: Engine

    def ask(self, body: bytes) -> tuple[int, bytes]:
        asked = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/invocations", body, {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(asked, timeout=120) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read()

    def rows(self, *rows: dict[str, Any], **params: int) -> tuple[int, Any]:
        status, told = self.ask(json.dumps({"dataframe_records": rows, "params": params}).encode())
        return status, json.loads(told)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served") / "model"
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*[Ii]nput example")  # MLflow would ask the model while it saves it
        mlflow.pyfunc.save_model(folder, python_model=SmallModel(), signature=SIGNATURE, pip_requirements=[])
    return folder


@pytest.fixture
def served(folder: Path) -> Iterator[Served]:
    model = mlflow.pyfunc.load_model(str(folder))
    server = uvicorn.Server(uvicorn.Config(init(model), port=0, log_level="critical"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield Served(server.servers[0].sockets[0].getsockname()[1], model.unwrap_python_model().engine)
    finally:
        server.should_exit = True
        thread.join()


def _asked(number: int) -> tuple[list[dict[str, str]], dict[str, int]]:
    rows = [{"user": USERS[number % 3], "item": ITEMS[number % 4]}, {"user": "u0", "item": "i1"}]
    asked = {"budget": 4} if number % 4 == 3 else {"horizon": number % 3}
    return rows, {"seed": number % 5, **asked}


def test_sixteen_requests_at_once_get_what_each_gets_alone(served: Served) -> None:
    asked = [_asked(number) for number in range(2 * TOGETHER)]
    alone = [served.rows(*rows, **params) for rows, params in asked]
    with ThreadPoolExecutor(TOGETHER) as threads:
        together = list(threads.map(lambda one: served.rows(*one[0], **one[1]), asked))
    assert together == alone
    assert {status for status, _ in alone} == {200}
    assert served.engine.mixed == []


def test_of_requests_side_by_side_each_leaves_its_own_trace_where_it_asks(served: Served, mlflow_store: Store) -> None:
    asked = [_asked(number) for number in range(8)]
    alone = [served.rows(*rows, **params) for rows, params in asked]
    with ThreadPoolExecutor(8) as threads:
        traced = list(threads.map(lambda one: served.rows(*one[0], **one[1], trace=True), asked))
    assert traced == alone
    mlflow.flush_trace_async_logging()
    roots = [
        trace.data.spans[0] for trace in MlflowClient(mlflow_store.uri).search_traces([mlflow_store.experiment_id])
    ]
    told = [
        (root.inputs["rows"], root.inputs["seed"], [one["text"] for one in root.outputs["answers"]]) for root in roots
    ]
    expected = [
        (rows, params["seed"], [one["text"] for one in answer["predictions"]])
        for (rows, params), (_, answer) in zip(asked, alone, strict=True)
    ]
    assert sorted(told, key=str) == sorted(expected, key=str)


def test_what_cannot_be_answered_is_refused_at_once_and_in_few_words(served: Served) -> None:
    long = "x" * 1_000_000
    refused = {
        "unknown item ''": served.rows({"user": "u1", "item": None}),
        "unknown user 'nobody'": served.rows({"user": "nobody", "item": "i2"}),
        "ids are too long": served.rows({"user": "u1", "item": long}),
        "the number of rows": served.rows(*[ROW] * (ROWS + 1)),
        "horizon is out of bounds": served.rows(ROW, horizon=HORIZON + 1),
        "budget is out of bounds": served.rows(ROW, budget=BUDGET + 1),
        "seed is out of bounds": served.rows(ROW, seed=-1),
        "too many texts": served.rows(*[ROW] * ROWS, horizon=HORIZON),
    }
    for what, (status, told) in refused.items():
        assert status == 400, what
        assert what in told["message"]
        assert len(told["message"]) < 3_000, what
    assert served.rows(ROW)[0] == 200


@pytest.mark.parametrize("asked", [{"horizon": 2}, {"budget": 4}])
def test_a_request_without_rows_gets_an_answer_without_rows(served: Served, asked: dict[str, int]) -> None:
    empty: dict[str, Any] = {"dataframe_split": {"columns": ["user", "item"], "data": []}, "params": asked}
    status, told = served.ask(json.dumps(empty).encode())
    assert (status, json.loads(told)) == (200, {"predictions": []})


def test_memory_after_bad_bodies_is_as_before(served: Served) -> None:
    long = json.dumps({"dataframe_records": [{"user": "u1", "item": "x" * 2_000_000}]}).encode()
    bodies = [long, long[:-1], b"[]", b"{}", b"\xff" * 1_000_000, b'{"dataframe_records": [{"user": "u1"}]}']
    for body in bodies:
        served.ask(body)  # what the first of each kind imports stays
    gc.collect()
    tracemalloc.start()
    try:
        assert {served.ask(body)[0] for body in bodies * 5} == {400}
        gc.collect()
        held, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most > len(long)
    assert held < 200_000


@pytest.fixture
def three_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT", "30")
    monkeypatch.setattr("eagle.serving.model.SHARE", 0.1)


@pytest.mark.usefixtures("three_seconds")
def test_a_request_out_of_time_stops_working_and_disturbs_nobody(served: Served) -> None:
    engine = served.engine
    alone = served.rows(ROW, seed=3)
    engine.seconds, before = 0.1, engine.calls
    with ThreadPoolExecutor(2) as threads:
        long = threads.submit(served.rows, *[ROW] * (3 * PART), horizon=HORIZON)
        time.sleep(0.2)
        beside = threads.submit(served.rows, ROW, seed=3, horizon=1)
    status, told = long.result()
    calls = engine.calls - before
    assert status == 504
    assert "an answer within 3 seconds" in told["message"]
    assert 0 < calls < 3 * HORIZON  # half of what it asked for
    time.sleep(0.3)
    assert engine.calls - before == calls
    assert beside.result()[1]["predictions"][0]["trajectory"] == alone[1]["predictions"][0]["trajectory"][:2]
    assert served.rows(ROW, seed=3) == alone
    assert engine.mixed == []
    assert engine.adapter is None
