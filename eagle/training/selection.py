"""The selection phase: rounds of search with the policy, each of which it learns from (search, learn from the best).

1. Differs from the paper: the agent will be asked N times and the best text kept, so this is what is climbed: E[max of
   N], with texts that the environment writes now and with the selection that a search applies (a text that is broken or
   not new enough is never kept).
2. In each update the policy draws N listed actions for each (anchor, user) pair. The environment writes every one once.
   What a draw adds to its set, max(all) - max(all others), is its advantage: the best draw alone is pulled up, by what
   it is ahead of the second best. The draws are independent, so max(all others) is a baseline that leaves the gradient
   of E[max of N] unbiased (leave-one-out, as max@k policy optimisation does; arXiv 2505.15201).
3. A set without any eligible text is worth the anchor's own U, as in a search that finds none.
4. The KL to the reference is exact over the list; a term holds the probability mass on the list, as in
   :mod:`eagle.training.all_action`.

Of several processes (train.processes) the main one asks the environment; what is learnt from it is shared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
import torch

from eagle.compute.parallel import ALONE, Parallel, share_of_mean, total
from eagle.config import SelectionPhase
from eagle.core import costs
from eagle.core.seeding import derive_seed, stream
from eagle.environment.branching import BranchingEnvironment
from eagle.environment.steering import Case, Writer
from eagle.latent.text_utility import TextUtility
from eagle.policies.drawing import drawn
from eagle.policies.lora import LoraPolicy
from eagle.training.checkpoint import Trained
from eagle.training.decisions import Decision, DecisionSource
from eagle.training.optimizer import Descent, adamw, warm
from eagle.training.records import Row, Sample
from eagle.training.scoring import among_choices, score_decisions


@dataclass(frozen=True)
class Outcomes:
    """What the drawn actions came to, (n, N) each, and U of the anchors' own texts (n,)."""

    utility: np.ndarray
    eligible: np.ndarray
    start: np.ndarray
    texts: Sequence[Sequence[str]]

    @property
    def kept(self) -> np.ndarray:
        """U (n,) of what a search keeps of each set."""
        return set_utility(self.utility, self.eligible, self.start)


class Asking(Protocol):
    """Lets the environment write: a round's decisions, each with its drawn actions, and the round's seed."""

    def __call__(self, decisions: Sequence[Decision], actions: Sequence[Sequence[str]], seed: int) -> Outcomes: ...


def set_utility(utility: np.ndarray, eligible: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Return the highest ``utility`` (n, N) among the eligible of each set, (n,); ``start`` (n,) where none is."""
    best = np.where(eligible, utility, -np.inf).max(axis=1, initial=-np.inf)
    return np.where(np.isfinite(best), best, start)


def contributions(utility: np.ndarray, eligible: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Return what each draw adds to its set, (n, N): the set's utility less that of the set without the draw."""
    whole = set_utility(utility, eligible, start)
    found = np.zeros(utility.shape)
    for draw in range(utility.shape[1]):
        others = np.arange(utility.shape[1]) != draw
        found[:, draw] = whole - set_utility(utility[:, others], eligible[:, others], start)
    return found


@dataclass(frozen=True)
class AskEnvironment:
    """Asks the environment of a project, and values its texts as a search does."""

    writer: Writer
    utility: TextUtility
    year_of: Callable[[str], int | None]

    def __call__(self, decisions: Sequence[Decision], actions: Sequence[Sequence[str]], seed: int) -> Outcomes:
        """Return what every action of every set comes to; the k-th draw of one action gets a text of its own."""
        cases = [
            Case(n, d.state.anchor, d.user, d.state.text, self.year_of(d.state.anchor)) for n, d in enumerate(decisions)
        ]
        most = max(map(len, actions))
        environment = BranchingEnvironment(self.writer, seed, most)
        rows = [(case, action) for case, own in zip(cases, actions, strict=True) for action in own]
        asked: Counter[tuple[int, str]] = Counter()
        numbers = []
        for case, action in rows:
            numbers.append(asked[case.case, action])
            asked[case.case, action] += 1
        states = [environment.start(case) for case, _ in rows]
        changes = environment.apply(states, [action for _, action in rows], numbers)
        texts, starts = [change.state.text for change in changes], [case.text for case, _ in rows]
        years, users = [case.year for case, _ in rows], [case.user for case, _ in rows]
        valued = self.utility.value(texts, years, users, starts)
        fine = valued.eligible & np.array([change.cause is None for change in changes])
        shape = (len(cases), most)
        return Outcomes(
            utility=valued.utility.reshape(shape),
            eligible=fine.reshape(shape),
            start=self.utility([c.text for c in cases], [c.year for c in cases], [c.user for c in cases]),
            texts=[texts[n : n + most] for n in range(0, len(texts), most)],
        )


class Selection:
    """The phase under way."""

    kind = "selection"

    def __init__(
        self,
        settings: SelectionPhase,
        source: DecisionSource,
        ask: Asking | None,
        policy: LoraPolicy,
        *,
        kl_coefficient: float,
        seed: int,
        parallel: Parallel = ALONE,
    ) -> None:
        """``source``: decisions at anchors; ``ask`` is None in a process that does not ask the environment."""
        self.settings, self.source, self.ask, self.policy, self.parallel = settings, source, ask, policy, parallel
        self.kl_coefficient, self.seed, self.updates = kl_coefficient, seed, settings.updates
        parameters = policy.parameters()
        self.groups = {"policy": Trained(parameters, adamw(parameters, settings.learning_rate))}
        self.descent = Descent(self.groups["policy"].optimizer, policy.usage, settings.pairs, parallel)

    def update(self, number: int) -> tuple[Row, list[Sample]]:
        """Search once with the present policy, and take one step towards the draws that made the sets better."""
        seed = derive_seed(self.seed, self.kind, number)
        decisions = self.source.sample(stream(self.seed, self.kind, number), self.settings.pairs)
        with costs.part("scoring"):
            policies = self._policies(decisions)
            with self.policy.as_reference():
                references = self._policies(decisions)
        draws = [self._drawn(*row, seed, n) for n, row in enumerate(zip(decisions, policies, strict=True))]
        actions = [[d.choices[n] for n in own] for d, own in zip(decisions, draws, strict=True)]
        found = self.parallel.from_main(lambda: self._asked(decisions, actions, seed))
        worth = contributions(found.utility, found.eligible, found.start)
        self.policy.seed_dropout(self.parallel.own_seed(seed))
        items = self.parallel.share(list(zip(decisions, draws, worth, references, strict=True)))
        loss, seen = self.descent.add_up(items, partial(self._loss, of=len(decisions)))
        norm = self.descent.step(warm(self.settings.learning_rate, number, self.settings.warmup))
        figures = _figures(found, actions, self.parallel.gather(seen))
        row = {"loss": total(self.parallel, loss), **figures, "gradient_norm": norm}
        return row, _records(decisions[:2], actions, found)

    def _policies(self, decisions: Sequence[Decision]) -> list[torch.Tensor]:
        """Return log pi ``(n_choices,)`` of each decision."""
        found = self.parallel.gather(score_decisions(self.policy, self.parallel.share(decisions)))
        return [among_choices(log_pi, decision) for log_pi, decision in zip(found, decisions, strict=True)]

    def _drawn(self, decision: Decision, log_pi: torch.Tensor, seed: int, row: int) -> list[int]:
        """Return N places among the decision's choices."""
        scores = log_pi.cpu().numpy()
        return [drawn(scores, 1.0, derive_seed(seed, row, draw)) for draw in range(self.settings.draws)]

    def _asked(self, decisions: Sequence[Decision], actions: Sequence[Sequence[str]], seed: int) -> Outcomes:
        assert self.ask is not None
        return self.ask(decisions, actions, seed)

    def _loss(
        self, own: Sequence[tuple[Decision, list[int], np.ndarray, torch.Tensor]], of: int
    ) -> tuple[torch.Tensor, list[tuple[float, float, float]]]:
        """Return what some decisions add to the mean loss over ``of``, and each one's KL, entropy and listed mass."""
        scored, vocabulary = self.policy.score_lists([d.prompt for d, *_ in own], [d.actions for d, *_ in own])
        losses, seen = [], []
        for (decision, draws, worth, reference), whole, text in zip(own, scored, vocabulary, strict=True):
            log_pi = among_choices(whole, decision)
            kl = (log_pi.exp() * (log_pi - reference)).sum()
            mass = text.logsumexp(0)
            pull = (torch.tensor(worth, dtype=torch.float32, device=log_pi.device) * log_pi[draws]).sum()
            losses.append(
                (self.kl_coefficient * kl - pull) / self.settings.advantage_scale - self.settings.listed_mass * mass
            )
            entropy = -(log_pi.exp() * log_pi).sum()
            seen.append((float(kl.detach()), float(entropy.detach()), float(mass.exp().detach())))
        return share_of_mean(losses, of), seen


def _figures(found: Outcomes, actions: Sequence[Sequence[str]], seen: Sequence[tuple[float, float, float]]) -> Row:
    """Return what a round came to: of its sets, and of the policy that drew them."""
    kl, entropy, mass = np.mean(seen, axis=0).tolist()
    return {
        "set_utility": float(found.kept.mean()),
        "set_gain": float((found.kept - found.start).mean()),
        "eligible_share": float(found.eligible.mean()),
        "distinct_actions": len({action for own in actions for action in own}),
        "kl": kl,
        "entropy": entropy,
        "listed_mass": mass,
    }


def _records(decisions: Sequence[Decision], actions: Sequence[Sequence[str]], found: Outcomes) -> list[Sample]:
    """Return the best draw of some decisions, for the samples table."""
    records: list[Sample] = []
    for n, decision in enumerate(decisions):
        best = int(np.where(found.eligible[n], found.utility[n], -np.inf).argmax())
        records.append(
            {
                "anchor": decision.state.anchor,
                "user": decision.user,
                "step": 1,
                "prompt": decision.prompt,
                "action": actions[n][best],
                "probability": None,
                "value": float(found.utility[n, best]),
                "text": found.texts[n][best],
                "cause": None if found.eligible[n, best] else "no text of the set is whole and new enough",
            }
        )
    return records
