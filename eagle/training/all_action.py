"""The all-action phase: the policy gradient in expectation over every listed action, from cached transitions.

1. Follows the paper: maximise expected utility minus alpha KL(pi || pi_ref), starting at the reference.
2. Differs: the gradient of E_pi[Q] is taken over all K actions at once. There is no sampling noise and no call to the
   environment, which is what makes it learn on a small model (plain REINFORCE did not: docs/method.md).
3. Differs: pi is normalised over the list at the trie's branching points; a term holds the probability mass on the
   list, and now and then a step of full cross-entropy to the policy's own distribution keeps freely written actions
   valid.
4. Differs: objective "closed_form" descends the cross-entropy to pi_ref exp(Q / alpha) / Z, the maximiser of the same
   objective. Its gradient pi - pi* neither saturates nor grows with the values, so one action cannot win before the
   profile is read.
5. Differs: in the first updates (contrast_updates) what an action is worth to everyone is taken off its value, so that
   the policy reads the profile before it learns what all users like; the objective of the remaining updates is the true
   one.
6. Differs on demand: with ``draws`` above 1 the policy is trained for E[max of so many draws] instead of E[Q]: what an
   action is worth to the set stands in the place of Q (:mod:`eagle.training.max_of_n`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import compress

import numpy as np
import torch

from eagle.compute.parallel import ALONE, Parallel, share_of_mean, total
from eagle.config import AllActionPhase
from eagle.core import costs
from eagle.core.seeding import derive_seed, stream
from eagle.policies.lora import LoraPolicy
from eagle.training.checkpoint import Trained
from eagle.training.decisions import Decision, DecisionSource
from eagle.training.imitation import imitate, own_targets
from eagle.training.max_of_n import BestOf, worth_to_a_set
from eagle.training.optimizer import Descent, adamw, warm
from eagle.training.records import Row, Sample
from eagle.training.scoring import among_choices, expected_values, score_decisions


@dataclass(frozen=True)
class ListLoss:
    """Loss of one decision and its parts, all scalars."""

    loss: torch.Tensor
    kl: torch.Tensor
    entropy: torch.Tensor
    mass: torch.Tensor


def list_loss(
    log_pi: torch.Tensor,
    log_reference: torch.Tensor,
    log_vocabulary: torch.Tensor,
    values: torch.Tensor,
    *,
    advantage_scale: float,
    kl_coefficient: float,
    listed_mass: float,
    closed_form: bool = False,
) -> ListLoss:
    """Return -sum_a pi(a) A(a) / s + (alpha / s) KL(pi || pi_ref) - w log(mass on the list).

    ``log_vocabulary`` is ``(K,)``, the others ``(n_choices,)``.

    A is Q less its mean; dividing the KL by the same s keeps alpha in SD of U per nat. With ``closed_form`` the first
    two terms give way to the cross-entropy to their maximiser pi_ref exp(Q / alpha) / Z (alpha must then be above 0).
    """
    pi = log_pi.exp()
    kl = (pi * (log_pi - log_reference)).sum()
    mass = log_vocabulary.logsumexp(0)
    if closed_form:
        best = (log_reference + values / kl_coefficient).softmax(0)
        steered = -(best * log_pi).sum()
    else:
        steered = (kl_coefficient * kl - (pi * (values - values.mean())).sum()) / advantage_scale
    return ListLoss(steered - listed_mass * mass, kl, -(pi * log_pi).sum(), mass)


@dataclass(frozen=True)
class DecisionFigures:
    """What an update saw of one decision, in plain numbers.

    ``policy``: action text -> probability, over its whole list. ``regret``: what the best choice is worth more than the
    policy. ``set_utility``: E[max of the draws] where there are several.
    """

    policy: dict[str, float]
    utility: float
    reference_utility: float
    kl: float
    entropy: float
    listed_mass: float
    regret: float
    set_utility: float | None


def information(policies: Sequence[Mapping[str, float]]) -> float:
    """Return the mutual information (nats) between which row it is and the action: H(mean pi) - mean H(pi)."""
    names = sorted({a for p in policies for a in p})
    table = np.array([[p.get(a, 0.0) for a in names] for p in policies])

    def entropy(p: np.ndarray) -> np.ndarray:
        return -(p * np.log(np.where(p > 0, p, 1.0))).sum(-1)  # type: ignore[no-any-return]

    return float(entropy(table.mean(0)) - entropy(table).mean())


def as_policies(decisions: Sequence[Decision], log_pi: Sequence[torch.Tensor]) -> list[dict[str, float]]:
    """Return each row's policy over its whole list as action text -> probability."""
    return [
        dict(zip(d.actions, lp.detach().exp().tolist(), strict=True)) for d, lp in zip(decisions, log_pi, strict=True)
    ]


class AllAction:
    """The phase under way: draws decisions from its pool, descends, and repairs the format now and then."""

    kind = "all_action"

    def __init__(
        self,
        settings: AllActionPhase,
        source: DecisionSource,
        policy: LoraPolicy,
        *,
        kl_coefficient: float,
        seed: int,
        parallel: Parallel = ALONE,
    ) -> None:
        self.settings, self.source, self.policy, self.parallel = settings, source, policy, parallel
        self.kl_coefficient, self.seed, self.updates = kl_coefficient, seed, settings.updates
        self.pool = source.sample(stream(seed, self.kind, "pool"), max(settings.pool, settings.pairs))
        # What the frozen reference says of a pair never changes: it is asked once.
        with costs.part("scoring"), policy.as_reference():
            own = score_decisions(policy, parallel.share(self.pool), "reference policy on the pool")
        self.references = parallel.gather(own)
        parameters = policy.parameters()
        self.groups = {"policy": Trained(parameters, adamw(parameters, settings.learning_rate))}
        self.descent = Descent(self.groups["policy"].optimizer, policy.usage, settings.pairs, parallel)

    def update(self, number: int) -> tuple[Row, list[Sample]]:
        """Take one update (and the format step that may follow it)."""
        rng = stream(self.seed, self.kind, number)
        self.policy.seed_dropout(self.parallel.own_seed(derive_seed(self.seed, self.kind, number)))
        rate = warm(
            self.settings.learning_rate,
            number,
            self.settings.warmup,
            self.updates if self.settings.decay == "linear" else 0,
        )
        chosen = rng.choice(len(self.pool), self.settings.pairs, replace=False)
        decisions = [self.pool[i] for i in chosen]
        references = [self.references[i] for i in chosen]
        goals = without_common(decisions) if number < self.settings.contrast_updates else [d.values for d in decisions]
        own = self.parallel.share(list(zip(decisions, goals, references, strict=True)))
        loss, shown = self.descent.add_up(own, partial(self._loss, of=len(decisions)))
        seen = self.parallel.gather(shown)
        row = {"loss": total(self.parallel, loss), **_figures(seen), "gradient_norm": self.descent.step(rate)}
        policies = [s.policy for s in seen]
        if self.settings.repair_every > 0 and (number + 1) % self.settings.repair_every == 0:
            with costs.part("format step"):
                row["repair_loss"] = self._repair(decisions, policies, rate)
        return row, sample_records(decisions[:2], policies[:2])

    def _repair(self, decisions: Sequence[Decision], policies: Sequence[Mapping[str, float]], rate: float) -> float:
        few = slice(0, max(1, self.settings.pairs // 4))
        loss = imitate(self.policy, decisions[few], own_targets(decisions[few], policies[few]), self.descent)
        self.descent.step(rate)
        return total(self.parallel, loss)

    def _loss(
        self, own: Sequence[tuple[Decision, np.ndarray, torch.Tensor]], of: int
    ) -> tuple[torch.Tensor, list[DecisionFigures]]:
        """Return what some (decision, goal, reference) add to the mean loss over ``of`` decisions, and what was seen of
        them.
        """
        shared = [decision for decision, _, _ in own]
        log_pi, log_vocabulary = self.policy.score_lists([d.prompt for d in shared], [d.actions for d in shared])
        parts = [
            self._part(decision, goal, among_choices(reference, decision), among_choices(pi, decision), vocabulary)
            for (decision, goal, reference), pi, vocabulary in zip(own, log_pi, log_vocabulary, strict=True)
        ]
        worth, before = (
            expected_values(shared, [lp.detach() for lp in found]) for found in (log_pi, [r for _, _, r in own])
        )
        seen = [
            DecisionFigures(
                policy,
                utility,
                reference_utility,
                kl=float(part.kl.detach()),
                entropy=float(part.entropy.detach()),
                listed_mass=float(part.mass.exp().detach()),
                regret=float(decision.stakes.max()) - utility,
                set_utility=self._set_utility(decision, pi),
            )
            for decision, pi, policy, utility, reference_utility, part in zip(
                shared, log_pi, as_policies(shared, log_pi), worth.tolist(), before.tolist(), parts, strict=True
            )
        ]
        return share_of_mean([p.loss for p in parts], of), seen

    def _part(
        self,
        decision: Decision,
        goal: np.ndarray,
        log_reference: torch.Tensor,
        log_pi: torch.Tensor,
        log_vocabulary: torch.Tensor,
    ) -> ListLoss:
        """Return the loss of one decision; the two policies are those among its choices."""
        closed_form = self.settings.objective == "closed_form"
        worth = worth_to_a_set(
            self._drawn(decision, goal),
            log_pi.detach().double().cpu().numpy(),
            log_reference.double().cpu().numpy(),
            kl_coefficient=self.kl_coefficient,
            closed_form=closed_form,
        )
        return list_loss(
            log_pi,
            log_reference,
            log_vocabulary,
            torch.tensor(worth, dtype=torch.float32, device=log_pi.device),
            advantage_scale=self.settings.advantage_scale,
            kl_coefficient=self.kl_coefficient,
            listed_mass=self.settings.listed_mass,
            closed_form=closed_form,
        )

    def _drawn(self, decision: Decision, values: np.ndarray) -> BestOf:
        """Return the draws that the policy is trained for, with ``values`` (K,) in the place of the decision's own."""
        draws = self.settings.draws
        spread = self.source.values.spread(decision.user, decision.choices) if draws > 1 else np.zeros(1)
        return BestOf(values[decision.available], spread, draws)

    def _set_utility(self, decision: Decision, log_pi: torch.Tensor) -> float | None:
        if self.settings.draws == 1:
            return None
        pi = among_choices(log_pi.detach(), decision).double().exp().cpu().numpy()
        return self._drawn(decision, decision.values).expected(pi)


def without_common(decisions: Sequence[Decision]) -> list[np.ndarray]:
    """Return each row's values ``(K,)`` less what every action is worth to all rows of this batch alike.

    Row and action effects are fitted by least squares, over unused actions alone: what stands in for the value of a
    used one is no opinion on it. A used action is worth as little as the least unused one of its row.
    """
    advantages = [d.values - d.values[d.unused].mean() for d in decisions]
    listed = Counter(a for d in decisions for a in compress(d.actions, d.unused))
    # An action that one row alone may still take says nothing about what all like.
    columns = {action: len(decisions) + i for i, action in enumerate(sorted(a for a, n in listed.items() if n > 1))}
    cells = [
        (row, columns[action], value)
        for row, (decision, own) in enumerate(zip(decisions, advantages, strict=True))
        for action, value in zip(compress(decision.actions, decision.unused), own[decision.unused], strict=True)
        if action in columns
    ]
    effects = np.zeros((len(cells), len(decisions) + len(columns)))
    for cell, (row, column, _) in enumerate(cells):
        effects[cell, [row, column]] = 1.0
    fitted = np.linalg.lstsq(effects, np.array([value for _, _, value in cells]))[0] if cells else np.zeros(0)
    goals = []
    for decision, own in zip(decisions, advantages, strict=True):
        goal = own - np.array([fitted[columns[a]] if a in columns else 0.0 for a in decision.actions])
        goals.append(np.where(decision.unused, goal, goal[decision.unused].min()))
    return goals


def _figures(seen: Sequence[DecisionFigures]) -> Row:
    def mean(name: str) -> float:
        return float(np.mean([getattr(s, name) for s in seen]))

    policies = [s.policy for s in seen]
    return {
        "utility": mean("utility"),
        "gain": mean("utility") - mean("reference_utility"),
        "regret": mean("regret"),
        **({} if seen[0].set_utility is None else {"set_utility": mean("set_utility")}),
        "kl": mean("kl"),
        "entropy": mean("entropy"),
        "information": information(policies),
        "listed_mass": mean("listed_mass"),
        "distinct_actions": len({max(p, key=p.__getitem__) for p in policies}),
    }


def sample_records(decisions: Sequence[Decision], policies: Sequence[Mapping[str, float]]) -> list[Sample]:
    """Return the most likely action of each decision with its probability and value, for the samples table."""
    records: list[Sample] = []
    for decision, policy in zip(decisions, policies, strict=True):
        action = max(policy, key=policy.__getitem__)
        records.append(
            {
                "anchor": decision.state.anchor,
                "user": decision.user,
                "step": len(decision.state.history) + 1,
                "prompt": decision.prompt,
                "action": action,
                "probability": policy[action],
                "value": float(decision.values[decision.actions.index(action)]),
                "text": None,
                "cause": None,
            }
        )
    return records
