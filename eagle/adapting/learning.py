"""Training on edits: cross-entropy of the target line after the plain instruction, without examples.

Each prompt and its target go through the model's own fast pass; a step's loss is the mean over the tokens of all its
targets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from eagle.adapting.mining import Edit
from eagle.config import EnvironmentConfig
from eagle.core.seeding import derive_seed, stream
from eagle.domains.base import Domain
from eagle.engine.tokenizer import rendered, tokenized
from eagle.environment.prompts import opening, rewrite_turns
from eagle.policies.lora_model import LoraModel
from eagle.training.checkpoint import Trained
from eagle.training.optimizer import Descent, adamw, warm
from eagle.training.records import Row, Sample

END = "\n"  # what ends a line where the environment writes one


@dataclass(frozen=True)
class Lesson:
    """Token ids of a prompt and of the line that follows it, with its end."""

    prompt: list[int]
    line: list[int]


def lessons_of(edits: Sequence[Edit], tokenizer: Any, domain: Domain) -> list[Lesson]:
    """Return the edits as the environment asks for them and as it reads the answer."""
    head = opening(domain)
    prompts = [rendered(tokenizer, rewrite_turns(e.source, e.action, domain, examples=False), head) for e in edits]
    lines = [edit.target.removeprefix(head) for edit in edits]
    ends = tokenized(tokenizer, [END] * len(edits))
    return [
        Lesson(prompt, line + end)
        for prompt, line, end in zip(tokenized(tokenizer, prompts), tokenized(tokenizer, lines), ends, strict=True)
    ]


def lines_loss(model: LoraModel, lessons: Sequence[Lesson], tokens: int) -> torch.Tensor:
    """Return minus the log-probability of all lines, divided by ``tokens``."""
    return -model.score_lines([one.prompt for one in lessons], [one.line for one in lessons]).sum() / tokens


class Adaptation:
    """The phase that :class:`eagle.training.trainer.Trainer` runs; every edit comes once before one comes twice."""

    kind = "adapt"

    def __init__(self, model: LoraModel, lessons: Sequence[Lesson], settings: EnvironmentConfig, seed: int) -> None:
        self.updates = settings.updates
        self._model, self._lessons, self._settings, self._seed = model, lessons, settings, seed
        optimizer = adamw(model.parameters(), settings.learning_rate)
        self.groups = {"adapter": Trained(model.parameters(), optimizer)}
        self._descent = Descent(optimizer, model.usage, settings.edits)

    def update(self, number: int) -> tuple[Row, list[Sample]]:
        """Take update ``number``, counted from 0; return its loss per token and the norm of its gradient."""
        batch = [self._lessons[place] for place in self.places(number)]
        tokens = sum(len(lesson.line) for lesson in batch)
        self._model.seed_dropout(derive_seed(self._seed, "dropout", number))
        loss, _ = self._descent.add_up(batch, lambda part: (lines_loss(self._model, part, tokens), list[None]()))
        norm = self._descent.step(
            warm(self._settings.learning_rate, number, self._settings.warmup, self._settings.updates)
        )
        return {"loss": loss, "gradient_norm": norm}, []

    def places(self, number: int) -> list[int]:
        """Return which edits a step takes: the next ones of an endless row of shuffled rounds."""
        each, there = self._settings.edits, len(self._lessons)
        wanted = np.arange(number * each, (number + 1) * each)
        rounds = {
            turn: stream(self._seed, "round", turn).permutation(there) for turn in {int(p) // there for p in wanted}
        }
        return [int(rounds[int(place) // there][int(place) % there]) for place in wanted]
