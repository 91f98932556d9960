"""The endpoint engine keeps the contract against a real local server with the tiny model behind it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from eagle.config import LLMConfig
from eagle.errors import EagleError
from eagle.llm.base import SamplingSpec
from eagle.llm.open import open_language_model
from eagle.llm.openai_engine import OpenAIModel
from eagle.llm.torch_engine import TorchModel
from tests.llm.contract import LanguageModelContract


class Server(ThreadingHTTPServer):
    """Serves /v1/completions as vLLM does; the next ``fail_next`` requests get ``fail_with``."""

    daemon_threads = True

    def __init__(self, model: TorchModel) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.model = model
        self.lock = threading.Lock()
        self.fail_next = 0
        self.fail_with = 503
        self.seen: list[dict[str, Any]] = []

    def answer(self, body: dict[str, Any]) -> tuple[int, bytes]:
        with self.lock:
            self.seen.append(body)
            if self.fail_next:
                self.fail_next -= 1
                return self.fail_with, b"{}" if self.fail_with >= 300 else b"no JSON"
            choice = self._echo(body) if body.get("echo") else self._generate(body)
            return 200, json.dumps({"choices": [choice]}).encode()

    def _generate(self, body: dict[str, Any]) -> dict[str, Any]:
        spec = SamplingSpec(body["max_tokens"], body["temperature"], body["top_p"], tuple(body["stop"]))
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

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status, answer = (404, b"no such path") if self.path != "/v1/completions" else self.server.answer(body)
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        """Stay silent."""


@pytest.fixture(scope="module")
def server(tiny_llm: Path) -> Iterator[Server]:
    with Server(TorchModel(tiny_llm, dtype="float32", device="cpu")) as serving:
        thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield serving
        serving.shutdown()
        thread.join()


@pytest.fixture
def endpoint(server: Server) -> str:
    return f"http://127.0.0.1:{server.server_port}/v1"


@pytest.fixture
def engine(endpoint: str, tiny_llm: Path) -> Iterator[OpenAIModel]:
    model = OpenAIModel(endpoint, tiny_llm, model="tiny", concurrency=4, retries=2, backoff=0.001)
    yield model
    model.close()


class TestContract(LanguageModelContract):
    @pytest.fixture
    def model(self, engine: OpenAIModel) -> OpenAIModel:
        return engine


def test_a_busy_endpoint_is_asked_again(server: Server, engine: OpenAIModel) -> None:
    server.seen.clear()
    server.fail_next, server.fail_with = 2, 503
    done = engine.generate(["Genres:"], SamplingSpec(3, 0.0), [1])
    assert done[0].finish != "error"
    assert len(server.seen) == 3


@pytest.mark.parametrize(("status", "cause"), [(503, "endpoint: status 503"), (200, "endpoint: unreadable answer")])
def test_a_row_that_keeps_failing_is_data_with_a_cause(server: Server, engine: OpenAIModel, status: int, cause: str) -> None:
    server.fail_next, server.fail_with = 3, status
    done = engine.generate(["Genres:"], SamplingSpec(3, 0.0), [1])
    server.fail_next = 0
    assert (done[0].finish, done[0].cause, done[0].text) == ("error", cause, "")


def test_a_refusal_is_the_users_to_mend(endpoint: str, tiny_llm: Path) -> None:
    model = OpenAIModel(endpoint + "/wrong", tiny_llm, retries=1, backoff=0.001)
    with pytest.raises(EagleError, match="refused a request") as caught:
        model.generate(["Genres:"], SamplingSpec(3, 0.0), [1])
    model.close()
    assert "status 404" in caught.value.problems[0].found


def test_an_absent_endpoint_is_data_with_a_cause(tiny_llm: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as closed:
        port = closed.server_port
    model = OpenAIModel(f"http://127.0.0.1:{port}", tiny_llm, retries=1, backoff=0.001)
    done = model.generate(["Genres:"], SamplingSpec(3, 0.0), [1])
    model.close()
    assert done[0].cause == "endpoint: MaxRetryError"


def test_adapters_are_refused(engine: OpenAIModel, tmp_path: Path) -> None:
    with pytest.raises(EagleError, match="cannot load a LoRA adapter"):
        engine.load_adapter(tmp_path)


def test_open_takes_the_engine_that_parameters_name(endpoint: str, tiny_llm: Path) -> None:
    remote = open_language_model(LLMConfig(endpoint=endpoint, endpoint_model="tiny"), tiny_llm)
    assert isinstance(remote, OpenAIModel)
    remote.close()
    assert isinstance(open_language_model(LLMConfig(dtype="float32"), tiny_llm), TorchModel)
    with pytest.raises(EagleError, match="no endpoint is set"):
        open_language_model(LLMConfig(engine="openai"), tiny_llm)
