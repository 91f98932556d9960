"""Work for workers that other processes can import: what it does is known by construction."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eagle.actions.transitions import expanded
from eagle.compute.workers import Answerer, WorkerFactory
from eagle.config import Config
from eagle.core import costs
from eagle.core.errors import EagleError, Problem
from eagle.engine.base import Usage
from eagle.engine.scripted import ScriptedModel
from eagle.environment.rewrite import Rewriter

PROBLEMS = (Problem("one thing is wrong", "this", "that", "so"), Problem("another too"))


@dataclass(frozen=True)
class Squares:
    """Opens what squares numbers; leaves a line in ``log`` whenever it is opened.

    Text is a user's mistake, None a bug.
    """

    log: Path | None = None

    def __call__(self) -> Answerer:
        if self.log:
            with self.log.open("a", encoding="utf-8") as lines:
                lines.write(f"{os.getpid()}\n")
        usage = Usage()
        costs.register(usage)

        def answer(question: Any) -> Any:
            if isinstance(question, str):
                raise EagleError(PROBLEMS)
            usage.calls += 1
            usage.new_tokens += question
            return question**2

        return answer


@dataclass(frozen=True)
class Mortal:
    """Work that kills its process at the question that holds ``fatal``: once, leaving ``marker``, or with ``always``
    every time.
    """

    inner: WorkerFactory
    fatal: str
    marker: Path
    always: bool = False

    def __call__(self) -> Answerer:
        answer = self.inner()

        def mortal(question: Any) -> Any:
            if self.fatal in json.dumps(question) and (self.always or not self.marker.exists()):
                self.marker.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return answer(question)

        return mortal


def tale(prompt: str, seed: int) -> str:
    """A description that depends on prompt and seed; some are cut off, those that "Make it b." asks for always are."""
    number = (len(prompt) * 7919 + seed) % 1000
    cut_off = seed % 3 == 0 or "Make it b." in prompt.rsplit("Change:", 1)[1]
    return " drama" if cut_off else f" drama. Plot: Story number {number} begins in a harbour and ends well at last.\n"


@dataclass(frozen=True)
class ScriptedExpansion:
    """The work of stage transitions over a scripted language model and the real environment."""

    config: Config
    vocabulary: frozenset[str] = field(default=frozenset({"drama"}))

    def __call__(self) -> Answerer:
        model = ScriptedModel(tale)
        costs.register(model.usage)
        writer = Rewriter(model, self.vocabulary, remember=False)
        return lambda question: expanded(question, writer, self.config.transitions, self.config.seed)
