"""AdamW with linear warm-up and decay, gradients by parts that fit the memory, clipped, and a check that the loss is
finite.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch

from eagle.compute.parallel import ALONE, Parallel
from eagle.core import costs
from eagle.core.costs import UsageCounters
from eagle.core.errors import user_error
from eagle.engine.memory import halving

T = TypeVar("T")
S = TypeVar("S")

#: Largest gradient norm; second-moment decay 0.99 because there are tens of updates, not thousands.
CLIP, BETAS = 1.0, (0.9, 0.99)


def adamw(parameters: Mapping[str, torch.nn.Parameter], learning_rate: float) -> torch.optim.AdamW:
    """Return AdamW without weight decay: KL to the reference is what holds the policy back."""
    return torch.optim.AdamW(list(parameters.values()), lr=learning_rate, betas=BETAS, weight_decay=0.0, fused=True)


def warm(learning_rate: float, update: int, warmup: int, falls_over: int = 0) -> float:
    """Return the learning rate of an update counted from 0: linear over ``warmup`` updates, then constant.

    With ``falls_over`` it also falls linearly, to one part in ``falls_over`` at the last of so many updates.
    """
    left = (falls_over - update) / falls_over if falls_over else 1.0
    return learning_rate * min(1.0, (update + 1) / max(1, warmup)) * left


def runs_of(items: Sequence[T], at_once: int) -> Iterator[Sequence[T]]:
    """Cut items into runs of ``at_once``; of nothing, one empty run."""
    for start in range(0, max(1, len(items)), at_once):
        yield items[start : start + at_once]


@dataclass
class Descent:
    """Steps of one optimizer along gradients that are added up by parts, as many ``at_once`` as memory holds."""

    optimizer: torch.optim.Optimizer
    usage: UsageCounters
    at_once: int
    parallel: Parallel = ALONE

    def add_up(
        self,
        items: Sequence[T],
        loss_of: Callable[[Sequence[T]], tuple[torch.Tensor, list[S]]],
        cut: Callable[[Sequence[T], int], Iterable[Sequence[T]]] = runs_of,
    ) -> tuple[float, list[S]]:
        """Set the gradients to those of the sum of ``loss_of`` over the parts of this process's ``items`` that ``cut``
        makes.

        Where memory runs out all is begun anew with parts half as large; the sums then differ by their rounding.
        Returns the loss and what else ``loss_of`` said of each item. A loss that is not finite is an EagleError.
        """
        loss = 0.0
        seen: list[S] = []

        def work(at_once: int) -> None:
            nonlocal loss, seen
            loss, seen = 0.0, []
            self.optimizer.zero_grad(set_to_none=True)
            for part in cut(items, at_once):
                with costs.part("scoring"):
                    own, found = loss_of(part)
                    loss += _finite(own)
                    seen += found
                with costs.part("gradient"):
                    own.backward()

        there = max(1, len(items))
        self.at_once = halving(
            work, self.at_once, doing="training", there=there, least=1, unit="decisions", usage=self.usage
        )
        return loss, seen

    def step(self, learning_rate: float) -> float:
        """Take one step along the gradients, which processes that train together sum first; return their norm before
        clipping.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        with costs.part("gradient"):
            self.parallel.sum_gradients(parameters)
            norm = torch.nn.utils.clip_grad_norm_(parameters, CLIP)
            self.optimizer.step()
        return float(norm)


def _finite(loss: torch.Tensor) -> float:
    value = float(loss.detach())
    if not math.isfinite(value):
        raise user_error(
            "training diverged: the loss is not finite", found=value, mend="lower the learning rate of this phase"
        )
    return value
