"""Supervised updates of a policy: the exact cross-entropy of action texts to a distribution over a decision's list.

Reference policies learn their targets by it, and the format steps of the all-action phase the policy's own choices.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from eagle.compute.parallel import share_of_mean
from eagle.policies.lora import LoraPolicy
from eagle.training.decisions import Decision
from eagle.training.optimizer import Descent

#: Actions below this probability are left out of a format step.
TAIL = 0.01


def imitation_loss(policy: LoraPolicy, aims: Sequence[tuple[Decision, np.ndarray]], of: int) -> torch.Tensor:
    """Return what some decisions with their target distributions ``(K,)`` add to the mean, over ``of`` decisions, of
    the exact cross-entropy of complete action texts, in nats.

    Every token of an action is scored over the whole vocabulary; actions without weight need no scoring at all.
    """
    supports = [np.flatnonzero(target > 0) for _, target in aims]
    lists = [[d.actions[i] for i in support] for (d, _), support in zip(aims, supports, strict=True)]
    _, log_vocabulary = policy.score_lists([d.prompt for d, _ in aims], lists, full=True)
    goals = [
        torch.tensor(t[s], dtype=torch.float32, device=policy.device) for (_, t), s in zip(aims, supports, strict=True)
    ]
    return share_of_mean([-(goal * text).sum() for goal, text in zip(goals, log_vocabulary, strict=True)], of)


def imitate(
    policy: LoraPolicy, decisions: Sequence[Decision], targets: Sequence[np.ndarray], descent: Descent
) -> float:
    """Set the gradients to those of the mean :func:`imitation_loss`; return this process's part of it."""

    def loss_of(part: Sequence[tuple[Decision, np.ndarray]]) -> tuple[torch.Tensor, list[None]]:
        return imitation_loss(policy, part, len(decisions)), []

    loss, _ = descent.add_up(descent.parallel.share(list(zip(decisions, targets, strict=True))), loss_of)
    return loss


def own_targets(decisions: Sequence[Decision], policies: Sequence[Mapping[str, float]]) -> list[np.ndarray]:
    """Return each row's own policy ``(K,)`` without its tail of unlikely actions, as the target of a format step."""
    chances = [np.array([policy[a] for a in d.actions]) for d, policy in zip(decisions, policies, strict=True)]
    kept = [np.where(chance >= TAIL, chance, 0.0) if chance.max() >= TAIL else chance for chance in chances]
    return [chance / chance.sum() for chance in kept]
