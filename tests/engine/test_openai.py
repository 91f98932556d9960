"""The endpoint engine keeps the contract, and says clearly what is wrong with an endpoint.

The server here is ours, over the tiny model: it can do what the packaged one in tests/endpoint cannot (echo with
log-probabilities, a seed for each of many requests at once), and it can be told to misbehave.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from eagle.config import LLMConfig
from eagle.core.artifacts import read_json
from eagle.core.costs import account, register
from eagle.core.errors import EagleError
from eagle.engine.base import SamplingSpec, Unfinished
from eagle.engine.cache import CachedModel, CompletionStore
from eagle.engine.open import open_language_model
from eagle.engine.openai.model import OpenAIModel, served_name
from eagle.engine.routed import RoutedModel
from eagle.engine.torch.model import TorchModel
from eagle.testing.engines import LanguageModelContract

SHORT = SamplingSpec(3, 0.0)
Answer = tuple[int, bytes]


class Server(ThreadingHTTPServer):
    """Serves /v1/completions and /v1/models; ``answers`` are given first, one for each request."""

    daemon_threads = True

    def __init__(self, model: TorchModel) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.model = model
        self.lock = threading.Lock()
        self.answers: list[Answer] = []
        self.before: Callable[[dict[str, Any]], Answer | None] = lambda _: None
        self.seen: list[dict[str, Any]] = []
        self.headers: dict[str, str] = {}

    def answer(self, body: dict[str, Any]) -> Answer:
        if (given := self.before(body)) is not None:
            return given
        with self.lock:
            self.seen.append(body)
            if self.answers:
                return self.answers.pop(0)
            choice = self._echo(body) if body.get("echo") else self._generate(body)
            return 200, json.dumps({"choices": [choice]}).encode()

    def handle_error(self, *_: Any) -> None:
        """A client that did not wait for its answer is no news."""

    def _generate(self, body: dict[str, Any]) -> dict[str, Any]:
        spec = SamplingSpec(body["max_tokens"], body["temperature"], body["top_p"], tuple(body.get("stop", ())))
        done = self.model.generate([body["prompt"]], spec, [body["seed"]])[0]
        logprobs = {"token_logprobs": done.log_probs}
        return {"text": done.text, "finish_reason": done.finish, "logprobs": logprobs, "token_ids": done.token_ids}

    def _echo(self, body: dict[str, Any]) -> dict[str, Any]:
        # the prompt ends where the template's prefill does, so that head and tail are tokenised apart as in generation
        head, _, tail = body["prompt"].rpartition("Genres:")
        values = self.model.score([head + "Genres:"], [tail])[0].tolist()
        start = len(head + "Genres:")
        offsets = [0, *(start + i for i in range(len(values)))]
        return {"text": body["prompt"], "logprobs": {"token_logprobs": [None, *values], "text_offset": offsets}}


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.send(200, json.dumps({"data": [{"id": "tiny"}, {"id": "other"}]}).encode())

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send(*(404, b"no such path") if self.path != "/v1/completions" else self.server.answer(body))

    def send(self, status: int, answer: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        """Stay silent."""


@pytest.fixture(scope="module")
def serving(tiny_llm: Path) -> Iterator[Server]:
    with Server(TorchModel(tiny_llm, dtype="float32", device="cpu")) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def server(serving: Server) -> Server:
    serving.answers, serving.seen, serving.headers, serving.before = [], [], {}, lambda _: None
    return serving


@pytest.fixture
def endpoint(server: Server) -> str:
    return f"http://127.0.0.1:{server.server_port}/v1"


@pytest.fixture
def opened(endpoint: str, tiny_llm: Path) -> Callable[..., OpenAIModel]:
    def opened(**settings: Any) -> OpenAIModel:
        return OpenAIModel(
            endpoint, tiny_llm, **{"model": "tiny", "concurrency": 4, "retries": 2, "backoff": 0.001} | settings
        )

    return opened


@pytest.fixture
def engine(opened: Callable[..., OpenAIModel]) -> OpenAIModel:
    return opened(failures_at_most=1.0)


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits before further tries, in seconds; none is waited for."""
    waits: list[float] = []

    async def note(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr("anyio.sleep", note)
    return waits


class TestContract(LanguageModelContract):
    @pytest.fixture
    def model(self, engine: OpenAIModel) -> OpenAIModel:
        return engine


class TestContractWithTheAgentsHere(LanguageModelContract):
    @pytest.fixture
    def model(self, engine: OpenAIModel, server: Server) -> RoutedModel:
        return RoutedModel(engine, lambda: server.model)


# faults that pass
# ----------------------------------------------------------------------------------------------------------------
FAULTS = {
    "endpoint: status 503": (503, b"{}"),
    "endpoint: status 429": (429, b"slow down"),
    "endpoint: unreadable answer": (200, b"no JSON \xff"),
    "endpoint: empty answer": (200, b'{"choices": [{"text": ""}]}'),
    "endpoint: too long answer": (
        200,
        json.dumps({"choices": [{"text": "la " * 10_000, "finish_reason": "stop"}]}).encode(),
    ),
    "endpoint: ended by the server (abort)": (200, b'{"choices": [{"text": "x", "finish_reason": "abort"}]}'),
}


UNREADABLE = (b"", b"[]", b'{"choices": []}', b'{"choices": [{"text": ["x"]}]}', b"[" * 10_000)


@pytest.mark.parametrize("fault", [*FAULTS.values(), *((200, answer) for answer in UNREADABLE)])
def test_a_failed_request_is_repeated_and_gives_the_same_text(
    server: Server, engine: OpenAIModel, fault: Answer
) -> None:
    spec = SamplingSpec(8, 0.9, stop=())
    undisturbed = engine.generate(["Genres:"] * 3, spec, [1, 2, 3])
    server.answers = [fault] * 2
    assert engine.generate(["Genres:"] * 3, spec, [1, 2, 3]) == undisturbed
    assert len(server.seen) == 3 + 3 + 2


@pytest.mark.parametrize("cause", FAULTS)
def test_a_row_that_keeps_failing_is_data_with_a_cause(server: Server, engine: OpenAIModel, cause: str) -> None:
    server.answers = [FAULTS[cause]] * 3
    (done,) = engine.generate(["Genres:"], SHORT, [1])
    assert (done.finish, done.cause, done.text) == ("error", cause, "")
    assert engine.usage.new_tokens == 0


def test_no_answer_in_time_is_repeated(server: Server, opened: Callable[..., OpenAIModel]) -> None:
    first, gone = threading.Event(), threading.Event()

    def hang(_: dict[str, Any]) -> Answer | None:
        if first.is_set():
            return None
        first.set()
        gone.wait(30)
        return 200, b""

    server.before = hang
    (done,) = opened(timeout=0.2).generate(["Genres:"], SHORT, [1])
    gone.set()
    assert done.finish != "error"


def test_the_endpoint_may_ask_for_a_wait(
    server: Server, opened: Callable[..., OpenAIModel], waits: list[float]
) -> None:
    server.answers, server.headers = [(429, b"")], {"Retry-After": "7"}
    opened(timeout=20).generate(["Genres:"], SHORT, [1])
    server.answers = [(429, b"")] * 2
    opened(timeout=3).generate(["Genres:"], SHORT, [1])
    server.answers, server.headers = [(429, b"")] * 2, {}
    opened().generate(["Genres:"], SHORT, [1])
    assert waits[:3] == [7, 7, 7]
    assert 0.3 <= waits[3] <= 0.5 < waits[4] <= 1


def test_answers_may_come_in_any_order(server: Server, opened: Callable[..., OpenAIModel]) -> None:
    spec, engine = SamplingSpec(8, 0.9, stop=()), opened(concurrency=4)
    in_order = opened(concurrency=1).generate(["Genres:"] * 4, spec, range(4))
    arrived, turn = threading.Barrier(4), [threading.Event() for _ in range(5)]
    turn[4].set()

    def backwards(body: dict[str, Any]) -> None:
        arrived.wait(30)  # all four are under way at once
        turn[body["seed"] + 1].wait(30)
        server.seen.append({"turn": body["seed"]})
        turn[body["seed"]].set()

    server.before = backwards
    assert engine.generate(["Genres:"] * 4, spec, range(4)) == in_order
    assert [seen["turn"] for seen in server.seen if "turn" in seen] == [3, 2, 1, 0]


def test_an_answer_that_trickles_in_is_not_in_time(
    server: Server,
    opened: Callable[..., OpenAIModel],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Each byte comes soon, the whole never: what counts is the answer, not the pause within it."""
    send = Handler.send
    gone = threading.Event()

    def trickle(self: Handler, status: int, answer: bytes) -> None:
        if len(server.seen) > 1:
            send(self, status, answer)
            return
        self.send_response(status)
        self.end_headers()
        while not gone.wait(0.02):
            self.wfile.write(b" ")

    monkeypatch.setattr(Handler, "send", trickle)
    engine = opened(timeout=2.0)
    (done,) = engine.generate(["Genres:"], SHORT, [1])
    gone.set()
    assert done.finish != "error"
    assert engine.usage.repeated == 1
    assert "no answer in time" in caplog.text


def test_no_more_of_an_answer_is_read_than_one_can_bear(
    server: Server, engine: OpenAIModel, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("eagle.engine.openai.line.LARGEST_ANSWER", 20_000)
    server.answers = [(200, b" " * 20_001)]
    (done,) = engine.generate(["Genres:"], SHORT, [1])
    assert done.finish != "error"
    assert engine.usage.repeated == 1
    assert "too long answer" in caplog.text


def test_faults_are_counted_in_the_costs(server: Server, engine: OpenAIModel, tmp_path: Path) -> None:
    with account("transitions", tmp_path / "costs.json"):
        register(engine.usage)
        server.answers = [(503, b"")] * 4
        engine.generate(["Genres:"], SHORT, [1])  # three tries, no answer
        engine.generate(["Genres:"], SHORT, [2])
    counted = read_json(tmp_path / "costs.json")
    assert {name: counted[name] for name in ("calls", "repeated", "failed")} == {"calls": 5, "repeated": 3, "failed": 1}


# faults that do not pass
# ---------------------------------------------------------------------------------------------------------
def test_nobody_at_the_address_is_said_at_once(tiny_llm: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as closed:
        port = closed.server_port
    model = OpenAIModel(f"http://127.0.0.1:{port}", tiny_llm)
    with pytest.raises(EagleError, match="nobody answers at the endpoint"):
        model.generate(["Genres:"], SHORT, [1])
    assert model.usage.calls == 1


@pytest.mark.parametrize("address", ["localhost:8000/v1", "ftp://host/v1", "http://", "http://host:many/v1"])
def test_a_wrong_address_is_said_before_anything_is_sent(address: str, tiny_llm: Path) -> None:
    with pytest.raises(EagleError, match=r"llm\.endpoint is not an address"):
        OpenAIModel(address, tiny_llm)


@pytest.mark.parametrize("status", [404, 400, 500])
def test_a_wrong_model_name_lists_the_right_ones(
    server: Server, opened: Callable[..., OpenAIModel], status: int
) -> None:
    server.answers = [(status, b"no such model")] * 9
    with pytest.raises(EagleError, match="does not serve tinny") as caught:
        opened(model="tinny").generate(["Genres:"], SHORT, [1])
    assert caught.value.problems[0].expected == "one of other, tiny"
    assert "did you mean 'tiny'?" in caught.value.problems[0].mend
    assert len(server.seen) == 1


def test_a_refusal_is_the_users_to_mend(server: Server, opened: Callable[..., OpenAIModel]) -> None:
    server.answers = [(401, b"no key")] * 9
    with pytest.raises(EagleError, match="refused a request") as caught:
        opened().generate(["Genres:"], SHORT, [1])
    assert caught.value.problems[0].found == "status 401: no key"


def test_the_key_is_sent(server: Server, engine: OpenAIModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EAGLE_ENDPOINT_KEY", "abc")
    seen: list[str | None] = []
    monkeypatch.setattr(
        Handler, "do_POST", lambda self: (seen.append(self.headers["Authorization"]), self.send(200, b""))
    )
    engine.generate(["Genres:"], SHORT, [1])
    assert set(seen) == {"Bearer abc"}


@pytest.mark.parametrize("key", ["abc\n", "abc"])
def test_the_key_is_never_told(
    server: Server,
    opened: Callable[..., OpenAIModel],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    key: str,
) -> None:
    monkeypatch.setenv("EAGLE_ENDPOINT_KEY", key)
    server.answers = [(503, b""), (401, b"no such key: Bearer abc")]
    with caplog.at_level(logging.DEBUG), pytest.raises(EagleError, match="refused a request") as caught:
        opened().generate(["Genres:"], SHORT, [1])
    assert caught.value.problems[0].found == "status 401: no such key: Bearer (the key)"
    assert "503" in caplog.text
    assert "abc" not in caplog.text


def test_what_openais_own_variables_hold_is_not_sent(engine: OpenAIModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://elsewhere.example/v1")
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "theirs")
    seen: list[str] = []
    monkeypatch.setattr(Handler, "do_POST", lambda self: (seen.append(str(self.headers)), self.send(200, b"")))
    engine.generate(["Genres:"], SHORT, [1])
    assert seen
    assert "theirs" not in "".join(seen)


def test_a_key_that_cannot_be_sent_is_said(opened: Callable[..., OpenAIModel], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EAGLE_ENDPOINT_KEY", "söcret")
    with pytest.raises(EagleError, match="EAGLE_ENDPOINT_KEY is no key") as caught:
        opened().generate(["Genres:"], SHORT, [1])
    assert "cret" not in str(caught.value)


@pytest.mark.parametrize("address", ["http://me:secret@host/v1", "http://host/v1?key=secret"])
def test_a_key_in_the_address_is_refused(address: str, tiny_llm: Path) -> None:
    with pytest.raises(EagleError, match="more than an address") as caught:
        OpenAIModel(address, tiny_llm)
    assert "secret" not in str(caught.value)
    assert "EAGLE_ENDPOINT_KEY" in caught.value.problems[0].mend


def test_a_proxy_is_asked_for_other_machines_only(
    engine: OpenAIModel,
    endpoint: str,
    opened: Callable[..., OpenAIModel],
    tiny_llm: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("HTTP_PROXY", endpoint)  # answers 404 to what is not asked of itself
    assert engine.generate(["Genres:"], SHORT, [1])[0].finish != "error"
    elsewhere = OpenAIModel("http://models.example/v1", tiny_llm, model="tiny")
    with pytest.raises(EagleError, match="refused a request"):
        elsewhere.generate(["Genres:"], SHORT, [1])
    monkeypatch.setenv("HTTP_PROXY", "socks9://nobody")
    with pytest.raises(EagleError, match="proxies or certificates"):
        elsewhere.generate(["Genres:"], SHORT, [1])


def test_what_was_paid_for_before_ctrl_c_is_kept(
    server: Server, opened: Callable[..., OpenAIModel], tmp_path: Path
) -> None:
    both, gone = threading.Barrier(2), threading.Event()

    def hang(body: dict[str, Any]) -> Answer | None:
        if body["seed"] < 4:
            return None
        if both.wait(60) == 0:  # four texts are there, two requests are under way
            os.kill(os.getpid(), signal.SIGINT)
        gone.wait(60)
        return 200, b""

    store = CompletionStore(tmp_path / "completions.sqlite")
    server.before, before = hang, signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            CachedModel(opened(concurrency=2), store).generate(["Genres:"] * 6, SHORT, range(6))
    finally:
        signal.signal(signal.SIGINT, before)
        gone.set()
    server.before, server.seen = lambda _: None, []
    CachedModel(opened(), store).generate(["Genres:"] * 6, SHORT, range(6))
    assert sorted(body["seed"] for body in server.seen) == [4, 5]


def test_too_many_failures_stop_with_what_is_finished(server: Server, opened: Callable[..., OpenAIModel]) -> None:
    server.before = lambda body: (503, b"") if body["seed"] in (4, 6, 8) else None
    engine = opened(concurrency=1, failures_at_most=0.2)
    with pytest.raises(Unfinished, match="left too many texts without an answer") as caught:
        engine.generate(["Genres:"] * 10, SHORT, range(10))
    assert caught.value.problems[0].found == "3 of 10, each after all retries: status 503 (3)"
    assert {row for row, done in caught.value.done.items() if done.finish != "error"} == {0, 1, 2, 3, 5, 7}
    tolerant = opened(failures_at_most=0.3).generate(["Genres:"] * 10, SHORT, range(10))
    assert [row for row, done in enumerate(tolerant) if done.finish == "error"] == [4, 6, 8]


def test_a_budget_is_never_overdrawn_and_nothing_is_lost(opened: Callable[..., OpenAIModel], tmp_path: Path) -> None:
    prompts, seeds, spec = ["Genres: drama."] * 12, range(12), SamplingSpec(6, 0.9, stop=())
    whole = opened()
    wanted = whole.generate(prompts, spec, seeds)
    price = whole.usage.prompt_tokens + whole.usage.new_tokens
    store = CompletionStore(tmp_path / "completions.sqlite")
    engines: list[OpenAIModel] = []
    errors: list[EagleError] = []
    done = None
    while done is None:
        engines.append(opened(token_budget=price // 3))
        try:
            done = CachedModel(engines[-1], store).generate(prompts, spec, seeds)
        except EagleError as error:
            errors.append(error)
    assert done == wanted
    assert len(errors) >= 2
    assert {error.problems[0].what for error in errors} == {"the token budget is spent"}
    assert {error.problems[0].expected for error in errors} == {f"at most {price // 3:,} (llm.token_budget)"}
    assert all(engine.usage.prompt_tokens + engine.usage.new_tokens <= price // 3 for engine in engines)
    assert sum(engine.usage.calls for engine in engines) == len(prompts)


# adapters and opening
# ------------------------------------------------------------------------------------------------------------
def test_an_adapter_that_is_not_served_says_how_to_serve_it(engine: OpenAIModel, tmp_path: Path) -> None:
    for name in ("reference/uniform", "agent/g_optimal"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "adapter_config.json").write_text(name)
    with pytest.raises(EagleError, match="does not serve the adapter agent-g_optimal-") as caught:
        engine.load_adapter(tmp_path / "agent/g_optimal")
    assert "reference-uniform-" in caught.value.problems[0].mend
    assert caught.value.problems[0].found == "other, tiny"


def test_a_served_adapter_is_found_though_the_list_of_models_fails_at_first(
    server: Server, opened: Callable[..., OpenAIModel], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "agent/g_optimal").mkdir(parents=True)
    (tmp_path / "agent/g_optimal/adapter_config.json").write_text("{}")
    name = served_name(tmp_path / "agent/g_optimal")
    answers = [(503, b""), (200, b"garbage"), (200, json.dumps({"data": [{"id": "tiny"}, {"id": name}]}).encode())]
    monkeypatch.setattr(Handler, "do_GET", lambda self: self.send(*answers.pop(0)))
    engine = opened()
    for adapter in (tmp_path / "agent/g_optimal", None, tmp_path / "agent/g_optimal"):
        engine.load_adapter(adapter)
        engine.generate(["Genres:"], SHORT, [1])
    assert [body["model"] for body in server.seen] == [name, "tiny", name]
    assert answers == []


def test_what_an_answer_says_that_it_cost_counts_even_where_it_is_of_no_use(
    server: Server, opened: Callable[..., OpenAIModel], tiny_llm: Path
) -> None:
    def engine_tokens(text: str) -> int:
        return len(server.model.tokenize([text])[0])

    useless = {
        "usage": {"prompt_tokens": 100, "completion_tokens": 9},
        "choices": [{"text": "la " * 9, "finish_reason": "length"}],
    }
    server.answers = [(200, json.dumps(useless).encode())]
    most = engine_tokens("Genres:") + SHORT.max_new_tokens
    engine = opened(failures_at_most=1.0, token_budget=109 + most)
    (done,) = engine.generate(["Genres:"], SHORT, [1])
    assert done.finish != "error"
    assert engine.usage.new_tokens == 9 + len(done.token_ids)
    server.answers = [(200, json.dumps(useless).encode())]
    strict = opened(failures_at_most=1.0, token_budget=108 + most)
    with pytest.raises(EagleError, match="the token budget is spent"):
        strict.generate(
            ["Genres:"], SHORT, [1]
        )  # the first answer was of no use, and a further try may cost more than is left
    assert strict.usage.calls == 1


def test_open_takes_the_engine_that_parameters_name(
    endpoint: str, tiny_llm: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    remote = open_language_model(LLMConfig(endpoint=endpoint, endpoint_model="tiny"), tiny_llm)
    assert isinstance(remote, RoutedModel)
    assert f"engine openai, since llm.endpoint is {endpoint}" in capsys.readouterr().err
    served = LLMConfig(engine="openai", endpoint=endpoint, endpoint_adapters="served")
    assert isinstance(open_language_model(served, tiny_llm), OpenAIModel)
    assert isinstance(open_language_model(LLMConfig(dtype="float32"), tiny_llm), TorchModel)
    assert "engine torch on cpu in float32, since no llm.endpoint is set" in capsys.readouterr().err
    assert isinstance(open_language_model(LLMConfig(), tiny_llm, tmp_path / "cache"), CachedModel)
    assert isinstance(
        open_language_model(LLMConfig(engine="torch", cache=False), tiny_llm, tmp_path / "cache"), TorchModel
    )
    assert capsys.readouterr().err.count("language model:") == 1
    with pytest.raises(EagleError, match="no endpoint is set"):
        open_language_model(LLMConfig(engine="openai"), tiny_llm)


def test_a_missing_package_names_the_extra(endpoint: str, tiny_llm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("eagle.engine.openai.model", "eagle.engine.openai.endpoint", "eagle.engine.openai.line"):
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(EagleError, match="needs the package openai") as caught:
        open_language_model(LLMConfig(endpoint=endpoint), tiny_llm)
    assert "[endpoint]" in caught.value.problems[0].mend
