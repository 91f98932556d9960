"""Two stages of training: the adapter alone, then adapter and LoRA together, by cross-entropy on the item's text.

1. Follows ELM (arXiv 2310.04475) in both stages, and in the one task "describe this point".
2. Differs: a low-rank adapter in the second stage instead of all weights (METHOD, section 7: known to work), and tens
   of updates instead of 320,000.
3. Training that was stopped goes on from its last checkpoint with the identical result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from eagle.config import ElmConfig
from eagle.core.progress import track
from eagle.core.seeding import derive_seed, stream
from eagle.methods.elm.pairs import PointTexts
from eagle.methods.elm.point_model import PointModel
from eagle.training import checkpoint
from eagle.training.checkpoint import Progress, Trained
from eagle.training.optimizer import Descent, adamw, warm

WARMUP = 5
"""Updates of linear warm-up of each stage; the learning rate then falls to zero."""


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
        adapter = {f"adapter|{name}": weight for name, weight in self.model.adapter.named_parameters()}
        lora = self.model.policy.parameters()
        alone = (adapter, self.settings.adapter_updates, self.settings.adapter_learning_rate)
        both = (adapter | lora, self.settings.updates, self.settings.learning_rate)
        found = checkpoint.newest(self.checkpoints)
        progress = found[1] if found else Progress()
        for stage, (parameters, updates, rate) in enumerate((alone, both)):
            if stage < progress.phase:
                continue
            for weight in lora.values():
                weight.requires_grad_(parameters is not adapter)
            descent = Descent(adamw(parameters, rate), self.model.policy.usage, self.settings.texts)
            trained = Trained(parameters, descent.optimizer)
            if found and stage == found[1].phase:
                checkpoint.restore(found[0], {"elm": trained})
            else:
                progress = Progress(stage, 0, progress.rows)
            self._train(progress, trained, descent, updates, rate)
        return progress

    def _train(self, progress: Progress, trained: Trained, descent: Descent, updates: int, rate: float) -> None:
        bar = track(range(progress.done, updates), f"ELM, stage {progress.phase + 1}", unit="update")
        for update in bar:
            chosen = stream(self.seed, "elm", progress.phase, update).permutation(len(self.pairs.texts))
            self.model.policy.seed_dropout(derive_seed(self.seed, "elm", progress.phase, update, "dropout"))
            loss = self._loss(chosen[: self.settings.texts].tolist(), descent)
            norm = descent.step(warm(rate, update, WARMUP, updates))
            row = {"update": len(progress.rows) + 1, "stage": progress.phase + 1, "loss": loss, "gradient_norm": norm}
            progress.rows.append(row)
            progress.done = update + 1
            if progress.done % self.settings.checkpoint_every == 0 or progress.done == updates:
                checkpoint.save(self.checkpoints, {"elm": trained}, progress)

    def _loss(self, chosen: Sequence[int], descent: Descent) -> float:
        """Set the gradients of the mean loss per token, nats, over the chosen pairs; return it."""
        tokens = sum(len(self.model.answer_tokens(self.pairs.texts[place])) for place in chosen)

        def loss_of(part: Sequence[int]) -> tuple[torch.Tensor, list[None]]:
            found = self.model.log_probs(self.pairs.points[list(part)], [self.pairs.texts[place] for place in part])
            return -found.sum() / tokens, []

        return descent.add_up(chosen, loss_of)[0]
