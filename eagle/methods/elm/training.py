"""Two stages of training: the adapter alone, then adapter and LoRA together, by cross-entropy on the item's text.

1. Follows ELM (arXiv 2310.04475) in both stages, and in the one task "describe this point".
2. Differs: a low-rank adapter in the second stage instead of all weights, and tens of updates instead of 320,000.
3. Training that was stopped goes on from its last checkpoint with the identical result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from eagle.config import ElmConfig
from eagle.core.seeding import derive_seed, stream
from eagle.methods.elm.pairs import PointTexts
from eagle.methods.elm.point_model import PointModel
from eagle.training.checkpoint import Progress, Trained
from eagle.training.optimizer import Descent, adamw, warm
from eagle.training.records import Row, Sample
from eagle.training.trainer import Trainer

WARMUP = 5
"""Updates of linear warm-up of each stage; the learning rate then falls to zero."""


class DescribingPhase:
    """One stage under way, for :class:`eagle.training.trainer.Trainer`; only its ``parameters`` learn."""

    def __init__(self, training: TwoStages, stage: int, parameters: Mapping[str, torch.nn.Parameter]) -> None:
        settings = training.settings
        self.kind = f"ELM, stage {stage + 1}"
        self.updates = (settings.adapter_updates, settings.updates)[stage]
        self._rate = (settings.adapter_learning_rate, settings.learning_rate)[stage]
        self._training, self._stage = training, stage
        self._descent = Descent(adamw(parameters, self._rate), training.model.language_model.usage, settings.texts)
        self.groups = {"elm": Trained(parameters, self._descent.optimizer)}

    def update(self, number: int) -> tuple[Row, list[Sample]]:
        """Take update ``number``, counted from 0; return its loss per token, nats, and the norm of its gradient."""
        training, pairs = self._training, self._training.pairs
        chosen = stream(training.seed, "elm", self._stage, number).permutation(len(pairs.texts))
        training.model.language_model.seed_dropout(derive_seed(training.seed, "elm", self._stage, number, "dropout"))
        loss = self._loss(chosen[: training.settings.texts].tolist())
        norm = self._descent.step(warm(self._rate, number, WARMUP, self.updates))
        return {"stage": self._stage + 1, "loss": loss, "gradient_norm": norm}, []

    def _loss(self, chosen: Sequence[int]) -> float:
        """Set the gradients of the mean loss per token, nats, over the chosen pairs; return it."""
        model, pairs = self._training.model, self._training.pairs
        tokens = sum(len(model.answer_tokens(pairs.texts[place])) for place in chosen)

        def loss_of(part: Sequence[int]) -> tuple[torch.Tensor, list[None]]:
            found = model.log_probs(pairs.points[list(part)], [pairs.texts[place] for place in part])
            return -found.sum() / tokens, []

        return self._descent.add_up(chosen, loss_of)[0]


@dataclass(frozen=True)
class TwoStages:
    """Trains a model on ``pairs``; unfinished work is kept in ``checkpoints``."""

    model: PointModel
    pairs: PointTexts
    settings: ElmConfig
    seed: int
    checkpoints: Path

    def run(self) -> Progress:
        """Train to the end, from the last checkpoint where there is one; return the curve's rows."""
        lora = self.model.language_model.parameters()  # read before they stand still: it names those that learn
        phases = [partial(self._phase, stage, lora) for stage in (0, 1)]
        return Trainer(phases, self.checkpoints, self.settings.checkpoint_every).run()

    def _phase(self, stage: int, lora: Mapping[str, torch.nn.Parameter]) -> DescribingPhase:
        for weight in lora.values():
            weight.requires_grad_(stage == 1)
        adapter = {f"adapter|{name}": weight for name, weight in self.model.adapter.named_parameters()}
        return DescribingPhase(self, stage, {**adapter, **(lora if stage == 1 else {})})
