"""A language model that follows a script and records what it was asked. For unit tests only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from eagle.engine.base import Completion, Finish, SamplingSpec, Usage, before_stop

Script = Callable[[str, int], str]


def _fixed(prompt: str, seed: int) -> str:
    return f" drama. Plot: Story number {(len(prompt) * 7919 + seed) % 1000} begins here and ends well."


@dataclass
class ScriptedModel:
    """Answers ``script(prompt, seed)``; characters are its tokens, each with log-probability -1.

    The answer ends before the first stop string, or after ``max_new_tokens`` characters.
    """

    script: Script = _fixed
    name: str = "scripted"
    fingerprint: str = "scripted"
    arithmetic: str = "none"
    batch_invariant: bool = True
    usage: Usage = field(default_factory=Usage)
    asked: list[tuple[tuple[str, ...], SamplingSpec, tuple[int, ...]]] = field(default_factory=list)
    adapters: list[Path | None] = field(default_factory=list)

    def generate(
        self, prompts: Sequence[str], spec: SamplingSpec, seeds: Sequence[int], forbidden: Sequence[Sequence[str]] = ()
    ) -> list[Completion]:
        """Answer every prompt; temperature 0 asks the script with seed 0. The script knows nothing of ``without``."""
        self.asked.append((tuple(prompts), spec, tuple(seeds)))
        done = [
            self._complete(self.script(p, s if spec.temperature else 0), spec)
            for p, s in zip(prompts, seeds, strict=True)
        ]
        self.usage.calls += 1
        self.usage.prompt_tokens += sum(map(len, prompts))
        self.usage.new_tokens += sum(len(c.token_ids) for c in done)
        return done

    @staticmethod
    def _complete(text: str, spec: SamplingSpec) -> Completion:
        drawn = text[: spec.max_new_tokens]
        ended = before_stop(drawn, spec.stop)
        kept = drawn if ended is None else ended
        finish: Finish = "length" if ended is None and len(text) >= spec.max_new_tokens else "stop"
        return Completion(kept, tuple(map(ord, kept)), (-1.0,) * len(kept), finish)

    def score(self, prompts: Sequence[str], continuations: Sequence[str]) -> list[np.ndarray]:
        """Return -1 for every character."""
        self.usage.calls += 1
        self.usage.prompt_tokens += sum(map(len, (*prompts, *continuations)))
        return [np.full(len(text), -1.0) for text in continuations]

    def chat(self, messages: Sequence[tuple[str, str]], prefill: str = "") -> str:
        """Render ``role: content`` lines."""
        return "".join(f"{role}: {content}\n" for role, content in messages) + "assistant: " + prefill

    def load_adapter(self, folder: Path | None) -> None:
        """Record the folder."""
        self.adapters.append(folder)
