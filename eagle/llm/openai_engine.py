"""The language model behind an OpenAI-compatible endpoint (vLLM and others): /completions with prompt, seed and log-probabilities.

Requests run side by side up to a bound, with time-outs and retries. The chat template and the tokenizer are those of the
local model folder. A row that fails after all retries is a completion with a cause; a request that the endpoint
refuses (4xx) is the user's to mend. The key, if the endpoint wants one, is read from EAGLE_ENDPOINT_KEY.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import urllib3
from urllib3.exceptions import HTTPError

from eagle.errors import user_error
from eagle.llm.base import Completion, Finish, SamplingSpec, Usage
from eagle.llm.offline import stay_offline

_RETRIED = (408, 429, 500, 502, 503, 504)


class OpenAIModel:
    """A :class:`~eagle.llm.base.LanguageModel` over HTTP. ``folder`` holds the served model's tokenizer and chat template."""

    def __init__(
        self,
        endpoint: str,
        folder: Path,
        *,
        model: str | None = None,
        concurrency: int = 16,
        timeout: float = 300.0,
        retries: int = 4,
        backoff: float = 0.5,
    ) -> None:
        """``timeout``: seconds for one answer; ``backoff``: seconds before the second try, doubled with each further one."""
        stay_offline()
        from transformers import AutoTokenizer

        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self._url = endpoint.rstrip("/") + "/completions"
        self._concurrency = concurrency
        self._pool = urllib3.PoolManager(
            maxsize=concurrency,
            timeout=urllib3.Timeout(connect=10.0, read=timeout),
            retries=urllib3.Retry(
                retries, backoff_factor=backoff, status_forcelist=_RETRIED, allowed_methods=None, raise_on_status=False, redirect=0
            ),
        )
        key = os.environ.get("EAGLE_ENDPOINT_KEY")
        self._headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        self.name = model or Path(folder).name
        self.fingerprint = f"{endpoint} {self.name}"
        self.usage = Usage()

    def generate(self, prompts: Sequence[str], spec: SamplingSpec, seeds: Sequence[int]) -> list[Completion]:
        """Continue every prompt; see :class:`~eagle.llm.base.LanguageModel`."""
        bodies = [
            {
                "model": self.name,
                "prompt": prompt,
                "max_tokens": spec.max_new_tokens,
                "temperature": spec.temperature,
                "top_p": spec.top_p,
                "stop": list(spec.stop),
                "seed": seed,
                "logprobs": 1,
            }
            for prompt, seed in zip(prompts, seeds, strict=True)
        ]
        done = [self._completion(answer, spec) for answer in self._ask_all(bodies)]
        self.usage.prompt_tokens += self._count(prompts)
        self.usage.new_tokens += sum(len(completion.token_ids) for completion in done)
        return done

    def score(self, prompts: Sequence[str], continuations: Sequence[str]) -> list[np.ndarray]:
        """Return log-probabilities by letting the endpoint echo its prompt; EagleError where it cannot."""
        bodies = [
            {"model": self.name, "prompt": prompt + tail, "max_tokens": 0, "temperature": 0, "echo": True, "logprobs": 1}
            for prompt, tail in zip(prompts, continuations, strict=True)
        ]
        answers = self._ask_all(bodies)
        self.usage.prompt_tokens += self._count([str(body["prompt"]) for body in bodies])
        return [_echoed(answer, len(prompt)) for answer, prompt in zip(answers, prompts, strict=True)]

    def chat(self, messages: Sequence[tuple[str, str]], prefill: str = "") -> str:
        """Render turns with the local tokenizer's chat template."""
        turns = [{"role": role, "content": content} for role, content in messages]
        text: str = self._tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        return text + prefill

    def load_adapter(self, folder: Path | None) -> None:
        """An endpoint serves its adapters under names of their own: only None is possible here."""
        if folder is not None:
            raise user_error(
                "an endpoint cannot load a LoRA adapter from here",
                found=folder,
                mend="set llm.engine to torch for the agent, or serve the adapter and name it in llm.endpoint_model",
            )

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    def _count(self, texts: Sequence[str]) -> int:
        return sum(len(ids) for ids in self._tokenizer(list(texts), add_special_tokens=False)["input_ids"]) if texts else 0

    def _ask_all(self, bodies: Sequence[dict[str, Any]]) -> list[dict[str, Any] | str]:
        started = time.perf_counter()
        with ThreadPoolExecutor(self._concurrency) as workers:
            answers = list(workers.map(self._ask, bodies))
        self.usage.calls += len(bodies)
        self.usage.seconds += time.perf_counter() - started
        return answers

    def _ask(self, body: dict[str, Any]) -> dict[str, Any] | str:
        """Return the first choice of the answer, or the cause why there is none."""
        try:
            answer = self._pool.request("POST", self._url, body=json.dumps(body).encode(), headers=self._headers)
        except HTTPError as error:
            return f"endpoint: {type(error).__name__}"
        if answer.status in _RETRIED:
            return f"endpoint: status {answer.status}"
        if answer.status >= 300:
            raise user_error(
                f"the endpoint {self._url} refused a request",
                found=f"status {answer.status}: {answer.data[:200].decode(errors='replace')}",
                mend="check llm.endpoint, llm.endpoint_model and EAGLE_ENDPOINT_KEY",
            )
        try:
            choice: dict[str, Any] = json.loads(answer.data)["choices"][0]
            return choice if isinstance(choice["text"], str) else "endpoint: no text in the answer"
        except (ValueError, KeyError, IndexError, TypeError):
            return "endpoint: unreadable answer"

    def _completion(self, answer: dict[str, Any] | str, spec: SamplingSpec) -> Completion:
        if isinstance(answer, str):
            return Completion("", finish="error", cause=answer)
        text = answer["text"]
        found = [text.index(s) for s in spec.stop if s in text]  # some servers leave the stop string in
        kept = text[: min(found)] if found else text
        ids = answer.get("token_ids") or self._tokenizer(kept, add_special_tokens=False)["input_ids"]
        log_probs = (answer.get("logprobs") or {}).get("token_logprobs") or []
        finish: Finish = "length" if answer.get("finish_reason") == "length" and not found else "stop"
        return Completion(kept, tuple(ids), tuple(float(p) for p in log_probs), finish)


def _echoed(answer: dict[str, Any] | str, start: int) -> np.ndarray:
    """Return the log-probabilities of the tokens that begin at character ``start`` or later."""
    told = None if isinstance(answer, str) else answer.get("logprobs")
    if not told or "text_offset" not in told:
        raise user_error(
            "the endpoint cannot score texts",
            found=answer if isinstance(answer, str) else "an answer without log-probabilities",
            expected="echo, logprobs and text_offset of the completions interface",
            mend="take an endpoint that has them (vLLM does), or llm.engine torch",
        )
    pairs = zip(told["text_offset"], told["token_logprobs"], strict=True)
    return np.array([value for offset, value in pairs if offset >= start], dtype=np.float64)
