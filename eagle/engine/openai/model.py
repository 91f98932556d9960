"""The language model behind an OpenAI-compatible endpoint (vLLM and others): /completions with prompt, seed and
log-probabilities.

Requests run side by side, as many as `llm.requests`. Every row sends its own seed and is put back in its place, so that
neither the order of the answers nor a repeated request changes a result; how well a seed is kept is the server's
matter. The chat template and the tokenizer are those of the local model folder. A row without an answer after all
retries is a completion with a cause; too many of them (`llm.failures_at_most`), a spent `llm.token_budget` or a refusal
stop with one error, which carries the finished rows, as Ctrl-C does: they are paid for.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TypeVar

import anyio
import numpy as np
import openai

from eagle.core.artifacts import content_hash
from eagle.core.errors import EagleError, Problem, user_error
from eagle.core.progress import one_more
from eagle.engine.base import Completion, Finish, Interrupted, SamplingSpec, Unfinished, Usage, before_stop
from eagle.engine.folders import check_model_folder
from eagle.engine.identity import ENDPOINT, deciding_code
from eagle.engine.offline import stay_offline
from eagle.engine.openai.endpoint import Body, Endpoint, Passing
from eagle.engine.tokenizer import rendered, tokenized

_ENDED_BY_SERVER = ("abort", "error", "content_filter")
T = TypeVar("T")


class _Spent(EagleError):
    """The budget holds no further request. Those under way are paid for, so they may end."""


class OpenAIModel:
    """A :class:`~eagle.engine.base.LanguageModel` over HTTP.

    ``folder`` holds the served model's tokenizer and chat template.
    """

    def __init__(
        self,
        endpoint: str,
        folder: Path,
        *,
        model: str | None = None,
        concurrency: int = 16,
        timeout: float = 300.0,
        retries: int = 8,
        backoff: float = 0.5,
        token_budget: int = 0,
        failures_at_most: float = 0.05,
    ) -> None:
        """Seconds and counts as in `llm` of params.yaml; ``backoff``: seconds before an answer of no use is asked for
        again.
        """
        stay_offline()
        from transformers import AutoTokenizer

        check_model_folder(Path(folder), chat=True)
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self._endpoint = Endpoint(endpoint, concurrency=concurrency, timeout=timeout, retries=retries, backoff=backoff)
        self._concurrency = concurrency
        self._budget = token_budget
        self._failures_at_most = failures_at_most
        self._asked = 0
        self._failed: Counter[str] = Counter()
        self._spent = 0
        self._reserved = 0
        self._adapters: set[str] = set()  # found to be served
        self.name = self._speaker = model or Path(folder).name
        self.fingerprint = f"{self._endpoint.address} {self.name}"
        self.arithmetic = f"endpoint {deciding_code(ENDPOINT)}"
        self.batch_invariant = True
        self.usage = Usage()

    def generate(
        self, prompts: Sequence[str], spec: SamplingSpec, seeds: Sequence[int], forbidden: Sequence[Sequence[str]] = ()
    ) -> list[Completion]:
        """Continue every prompt; see :class:`~eagle.engine.base.LanguageModel`. Raises Unfinished where it has to stop.

        ``forbidden`` is not heeded: the interface has no such thing.
        """
        bodies = [self._body(prompt, spec, seed) for prompt, seed in zip(prompts, seeds, strict=True)]
        lengths = self._lengths(prompts)
        readers = [partial(self._completion, spec, length) for length in lengths]
        done: dict[int, Completion | Passing] = {}
        try:
            stopped = self._ask_all(bodies, readers, [length + spec.max_new_tokens for length in lengths], done)
        except KeyboardInterrupt:
            raise Interrupted(_completions(done)) from None
        completions = _completions(done)
        if stopped is not None:
            raise Unfinished(stopped.problems, completions)
        return [completions[row] for row in range(len(bodies))]

    def score(self, prompts: Sequence[str], continuations: Sequence[str]) -> list[np.ndarray]:
        """Return log-probabilities by letting the endpoint echo its prompt; EagleError where it cannot."""
        texts = [prompt + tail for prompt, tail in zip(prompts, continuations, strict=True)]
        bodies: list[Body] = [
            {"model": self._speaker, "prompt": text, "max_tokens": 0, "temperature": 0, "echo": True, "logprobs": 1}
            for text in texts
        ]
        lengths = self._lengths(texts)
        readers = [partial(self._echoed, len(prompt), length) for prompt, length in zip(prompts, lengths, strict=True)]
        done: dict[int, np.ndarray | Passing] = {}
        stopped = self._ask_all(bodies, readers, lengths, done)
        scores = {row: answer for row, answer in done.items() if not isinstance(answer, Passing)}
        if len(scores) < len(bodies):
            causes = {answer.cause for answer in done.values() if isinstance(answer, Passing)}
            raise _no_scores(", ".join(sorted(causes))) if causes or stopped is None else stopped
        return [scores[row] for row in range(len(bodies))]

    def chat(self, messages: Sequence[tuple[str, str]], prefill: str = "") -> str:
        """Render turns with the local tokenizer's chat template."""
        return rendered(self._tokenizer, messages, prefill)

    def load_adapter(self, folder: Path | None) -> None:
        """Ask for the adapter by its :func:`served_name` from here on, or for the plain model; EagleError where it is
        not served.
        """
        name = self.name if folder is None else served_name(folder)
        if folder is not None and name not in self._adapters:
            try:
                names = self._endpoint.run(self._endpoint.served)
            except Passing as failed:
                raise _not_served(folder, self._endpoint.address, failed.cause) from None
            if name not in names:
                raise _not_served(folder, self._endpoint.address, ", ".join(names))
            self._adapters.add(name)
        self._speaker = name

    # rows ------------------------------------------------------------------
    def _ask_all(
        self,
        bodies: Sequence[Body],
        readers: Sequence[Callable[[Any], T]],
        most: Sequence[int],
        done: dict[int, T | Passing],
    ) -> EagleError | None:
        """Put the answers by row into ``done``; return why not all rows have one, if so.

        ``most``: tokens that a row may cost.
        """
        started, before = time.perf_counter(), (self._endpoint.calls, self._endpoint.repeated)
        self._asked += len(bodies)
        stopped: list[EagleError] = []
        rows = iter(range(len(bodies)))

        async def work(client: openai.AsyncOpenAI, group: anyio.abc.TaskGroup) -> None:
            for row in rows:  # one iterator for all workers: every row is taken once
                if not stopped and (spent := self._reserve(most[row])) is not None:
                    stopped.append(spent)
                if stopped:
                    return
                try:
                    done[row] = await self._endpoint.complete(client, bodies[row], readers[row])
                except Passing as failed:
                    done[row] = failed
                    if (too_many := self._failure(failed)) is not None:
                        stopped.append(too_many)
                        group.cancel_scope.cancel()
                except EagleError as error:
                    stopped.append(error)
                    if not isinstance(error, _Spent):
                        group.cancel_scope.cancel()
                finally:
                    self._reserved -= most[row]
                    one_more()

        async def workers(client: openai.AsyncOpenAI) -> None:
            async with anyio.create_task_group() as group:
                for _ in range(min(self._concurrency, len(bodies))):
                    group.start_soon(work, client, group)

        if bodies:
            self._endpoint.run(workers)
        self.usage.calls += self._endpoint.calls - before[0]
        self.usage.repeated += self._endpoint.repeated - before[1]
        self.usage.seconds += time.perf_counter() - started
        return stopped[0] if stopped else None

    def _reserve(self, tokens: int) -> _Spent | None:
        """Set tokens aside for a row; return the error to stop with where the budget does not hold them."""
        if not self._budget or self._spent + self._reserved + tokens <= self._budget:
            self._reserved += tokens
            return None
        return _Spent(
            Problem(
                "the token budget is spent",
                found=f"{self._spent:,} tokens read and written; what is asked for may take "
                f"{self._reserved + tokens:,} more",
                expected=f"at most {self._budget:,} (llm.token_budget)",
                mend="raise llm.token_budget (0: no limit) and run the same command again; finished texts are "
                "remembered (llm.cache)",
            )
        )

    def _failure(self, failed: Passing) -> EagleError | None:
        """Count a row without an answer; return the error to stop with where they are too many."""
        self._failed[failed.cause] += 1
        self.usage.failed += 1
        if self._failed.total() <= self._failures_at_most * self._asked:
            return None
        causes = "; ".join(f"{cause} ({count})" for cause, count in self._failed.most_common(3))
        return user_error(
            f"the endpoint {self._endpoint.address} left too many texts without an answer",
            found=f"{self._failed.total()} of {self._asked}, each after all retries: {causes}",
            expected=f"at most {self._failures_at_most:.0%} (llm.failures_at_most)",
            mend="see whether the server is up and keeps pace (fewer llm.requests, a longer llm.timeout), then run "
            "the same command again",
        )

    # requests and answers --------------------------------------------------
    def _body(self, prompt: str, spec: SamplingSpec, seed: int) -> Body:
        body = {
            "model": self._speaker,
            "prompt": prompt,
            "max_tokens": spec.max_new_tokens,
            "temperature": spec.temperature,
            "top_p": spec.top_p,
            "seed": seed,
            "logprobs": 1,
        }
        return body | ({"stop": list(spec.stop)} if spec.stop else {})  # some servers fail on an empty list

    def _completion(self, spec: SamplingSpec, prompt_tokens: int, answer: Any) -> Completion:
        """Read one answer; Passing where it is of no use. Usage counts even when the answer is rejected."""
        told = answer.get("usage") or {}
        read, written = told.get("prompt_tokens"), told.get("completion_tokens")
        read = prompt_tokens if read is None else int(read)
        if written is not None:
            self._count(read, int(written))
        choice = answer["choices"][0]
        text, reason = choice["text"], choice.get("finish_reason")
        if not isinstance(text, str):
            raise TypeError("a text is expected")
        if (not text and not reason) or reason in _ENDED_BY_SERVER:
            raise self._useless("empty answer" if not text else f"ended by the server ({reason})")
        ended = before_stop(text, spec.stop)  # some servers leave the stop string in
        kept = text if ended is None else ended
        if len(kept) > self._longest_token * spec.max_new_tokens or (
            ended is None and (written or 0) > spec.max_new_tokens
        ):
            raise self._useless("too long answer")
        # without ids in the answer those of the text stand in, which a tokenizer may cut into more pieces than were
        # drawn
        ids = (
            choice.get("token_ids")
            or self._tokenizer(kept, add_special_tokens=False)["input_ids"][: spec.max_new_tokens]
        )
        log_probs = tuple(float(p) for p in (choice.get("logprobs") or {}).get("token_logprobs") or ())
        if written is None:
            self._count(read, len(ids))
        finish: Finish = "length" if reason == "length" and ended is None else "stop"
        return Completion(kept, tuple(ids), log_probs, finish)

    def _echoed(self, start: int, tokens: int, answer: Any) -> np.ndarray:
        """Return the log-probabilities of the tokens that begin at character ``start`` or later."""
        told = answer["choices"][0].get("logprobs")
        if not told or "text_offset" not in told:
            raise _no_scores("an answer without log-probabilities")
        pairs = zip(told["text_offset"], told["token_logprobs"], strict=True)
        scores = np.array([value for offset, value in pairs if offset >= start], dtype=np.float64)
        self._count(tokens, 0)
        return scores

    def _count(self, read: int, written: int) -> None:
        self.usage.prompt_tokens += read
        self.usage.new_tokens += written
        self._spent += read + written

    def _useless(self, cause: str) -> Exception:
        """Return what to raise for an answer of no use: what it cost may leave no room for a further try."""
        return self._reserve(0) or Passing(cause)

    def _lengths(self, texts: Sequence[str]) -> list[int]:
        return [len(ids) for ids in tokenized(self._tokenizer, texts)]

    @cached_property
    def _longest_token(self) -> int:
        return max(map(len, self._tokenizer.get_vocab()))  # characters


def _completions(answers: Mapping[int, Completion | Passing]) -> dict[int, Completion]:
    failed = {
        row: Completion("", finish="error", cause=f"endpoint: {a.cause}")
        for row, a in answers.items()
        if isinstance(a, Passing)
    }
    return {row: answer for row, answer in answers.items() if not isinstance(answer, Passing)} | failed


def served_name(folder: Path) -> str:
    """Return the name under which an endpoint has to serve an adapter; its hash keeps an older one from answering in
    its place.
    """
    folder = Path(folder)
    return f"{folder.parent.name}-{folder.name}-{content_hash(folder)[:8]}"


def _not_served(folder: Path, address: str, found: str) -> EagleError:
    beside = sorted(path.parent for path in Path(folder).parents[1].glob("*/*/adapter_config.json"))
    wanted = " ".join(f"{served_name(adapter)}={adapter}" for adapter in beside)
    return user_error(
        f"the endpoint {address} does not serve the adapter {served_name(folder)}",
        found=found,
        mend=f"serve it (vLLM: --enable-lora --lora-modules {wanted}), or set llm.endpoint_adapters to local",
    )


def _no_scores(found: str) -> EagleError:
    return user_error(
        "the endpoint cannot score texts",
        found=found,
        expected="echo, logprobs and text_offset of the completions interface",
        mend="take an endpoint that has them (vLLM does), or llm.engine torch",
    )
