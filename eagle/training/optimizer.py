"""AdamW with linear warm-up and decay, clipped gradients, and a check that the loss is finite."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from eagle.errors import user_error
from eagle.training.parallel import ALONE, Parallel

#: Largest gradient norm (METHOD's prototype); second-moment decay 0.99 because there are tens of updates, not thousands.
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


def descend(optimizer: torch.optim.Optimizer, loss: torch.Tensor | None, learning_rate: float, parallel: Parallel = ALONE) -> float:
    """Take one step; return the gradient's norm before clipping. A loss that is not finite is an error.

    ``loss`` None: the gradients were accumulated already. Processes that train together add theirs up first.
    """
    if loss is not None and not torch.isfinite(loss):
        raise user_error(
            "training diverged: the loss is not finite", found=float(loss.detach()), mend="lower the learning rate of this phase"
        )
    for group in optimizer.param_groups:
        group["lr"] = learning_rate
    if loss is not None:
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    parallel.sum_gradients(parameters)
    norm = torch.nn.utils.clip_grad_norm_(parameters, CLIP)
    optimizer.step()
    return float(norm)
