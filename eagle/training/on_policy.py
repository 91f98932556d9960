"""The on-policy phase: REINFORCE over free-text rollouts in the environment, the paper's own algorithm.

1. Follows the paper (Sec. 4.2, 5): the policy writes actions as free text, the environment model applies them, the reward is the
   utility of the last text, minus alpha KL(pi || pi_ref); value baseline and GAE, gamma 1.
2. The paper leaves open at which level credit is given: here one action is one decision, its log-probability the sum over its tokens, at
   the temperature that it was drawn with.
3. The KL is exact over the vocabulary at every token of the actions taken, summed over an action (the paper leaves the estimator open).
4. Differs on demand: rewards by step (the same objective at gamma 1), a leave-one-out baseline over rollouts of one pair, exploration
   by the design with probability epsilon (with truncated importance weights).
5. Differs: a failed episode is left out of baseline and loss and counted; above a share of failures training stops.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from eagle import costs
from eagle.config import OnPolicyPhase
from eagle.errors import user_error
from eagle.policies.lora import LoraPolicy
from eagle.seeding import derive_seed, stream
from eagle.training.advantages import gae, leave_one_out, returns
from eagle.training.checkpoint import Trained
from eagle.training.optimizer import adamw, descend, warm
from eagle.training.rollouts import Episode, Rules, Turn, roll_out
from eagle.training.value import ValueHead

if TYPE_CHECKING:
    from eagle.environment import Case, SteeringEnvironment

#: Prompts read in one pass without gradients.
CHUNK = 16
#: Tokens, read and written, of one forward and backward pass: what is kept for the gradient is most of the memory of an update.
TOKENS = 1024


@dataclass(frozen=True)
class Scored:
    """One action under the present policy, each a scalar: log-probability as drawn, exact KL, entropy per token."""

    log_prob: torch.Tensor
    kl: torch.Tensor
    entropy: torch.Tensor


def score_action(logits: torch.Tensor, reference: torch.Tensor, tokens: Sequence[int], temperature: float) -> Scored:
    """Score an action from the logits ``(n_tokens, vocabulary)`` of policy and reference."""
    ids = torch.tensor(tokens, device=logits.device)
    log_pi, log_reference = logits.log_softmax(-1), reference.log_softmax(-1)
    drawn = (logits / temperature).log_softmax(-1)[torch.arange(len(ids), device=ids.device), ids].sum()
    pi = log_pi.exp()
    return Scored(drawn, (pi * (log_pi - log_reference)).sum(), -(pi * log_pi).sum(-1).mean())


def importance(log_prob: float, turn: Turn, epsilon: float) -> float:
    """Return min(1, pi / behaviour) of an action under the mixture of policy and exploration; 0 for one put in by hand."""
    if turn.origin == "replaced":
        return 0.0
    own = float(np.exp(log_prob))
    mixed = (1 - epsilon) * own + epsilon * turn.behaviour
    return min(1.0, own / mixed) if mixed > 0 else 0.0


def repetition(text: str) -> float:
    """Return the share of words in a text that occurred in it before."""
    words = text.lower().split()
    return 1 - len(set(words)) / len(words) if words else 0.0


class OnPolicy:
    """The phase under way."""

    kind = "on_policy"

    def __init__(
        self,
        settings: OnPolicyPhase,
        environment: SteeringEnvironment,
        rules: Rules,
        pairs: Sequence[Case],
        policy: LoraPolicy,
        *,
        kl_coefficient: float,
        gamma: float,
        seed: int,
    ) -> None:
        self.settings, self.environment, self.rules, self.pairs, self.policy = settings, environment, rules, pairs, policy
        self.kl_coefficient, self.gamma, self.seed, self.updates = kl_coefficient, gamma, seed, settings.updates
        parameters = policy.parameters()
        self.groups = {"policy": Trained(parameters, adamw(parameters, settings.learning_rate))}
        base: Any = policy.model.get_base_model()
        self.value = ValueHead(int(base.config.hidden_size), derive_seed(seed, "value")).to(policy.device)
        if settings.baseline == "value":
            own = dict(self.value.named_parameters())
            self.groups["value"] = Trained(own, adamw(own, settings.value_learning_rate))

    def update(self, number: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Play episodes, take one step of the policy and one of the value head."""
        seed = derive_seed(self.seed, self.kind, number)
        cases, groups = self._cases(number)
        episodes = roll_out(self.policy, self.environment, self.rules, cases, groups, seed)
        fine = [e for e in episodes if e.cause is None]
        self._check_failures(episodes)
        prompts = [turn.prompt for e in fine for turn in e.turns]
        rewards = np.array([[float(turn.reward or 0.0) for turn in e.turns] for e in fine])
        with costs.part("scoring"):
            values = self._values(prompts).reshape(rewards.shape)
        advantages, goals = self._advantages(rewards, values, np.array([e.group for e in fine]))
        self.policy.seed_dropout(seed)
        row = self._descend_policy([t for e in fine for t in e.turns], advantages.ravel(), warm(1.0, number, self.settings.warmup))
        if self.settings.baseline == "value":
            row["value_loss"] = self._descend_value(prompts, goals.ravel())
        return row | self._figures(episodes, rewards), [_record(e, t, i) for e in episodes[:2] for i, t in enumerate(e.turns)]

    def _cases(self, number: int) -> tuple[list[Case], list[int]]:
        """Draw the pairs of this update and repeat each ``rollouts_per_pair`` times."""
        rng = stream(self.seed, "cases", number)
        each = self.settings.rollouts_per_pair
        drawn = rng.integers(len(self.pairs), size=max(1, self.settings.episodes // each))
        groups = [group for group in range(len(drawn)) for _ in range(each)]
        picked = [self.pairs[drawn[group]] for group in groups]
        return [replace(case, case=number * len(groups) + i) for i, case in enumerate(picked)], groups

    def _check_failures(self, episodes: Sequence[Episode]) -> None:
        causes = Counter(e.cause for e in episodes if e.cause is not None)
        share = sum(causes.values()) / len(episodes)
        if share > self.settings.max_failures or share == 1:
            raise user_error(
                "too many episodes failed to go on training",
                found=f"{share:.0%} failed: " + ", ".join(f"{cause} ({n})" for cause, n in causes.most_common(3)),
                expected=f"at most {self.settings.max_failures:.0%} (max_failures of the phase)",
                mend="lower the learning rate, raise train.kl_coefficient, or look at the texts in the phase before",
            )

    def _values(self, prompts: Sequence[str]) -> np.ndarray:
        with torch.no_grad():
            return self.value(self._states(prompts)).cpu().numpy().astype(float)

    def _states(self, prompts: Sequence[str]) -> torch.Tensor:
        """Return the reference's hidden state ``(n, width)`` at the end of each prompt: features that do not move."""
        with torch.no_grad(), self.policy.as_reference():
            parts = [self.policy.prompt_states(prompts[i : i + CHUNK]) for i in range(0, len(prompts), CHUNK)]
        return torch.cat(parts)

    def _advantages(self, rewards: np.ndarray, values: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return advantages in units of the scale and the value head's targets, both ``(n, H)``."""
        gains = returns(rewards, self.gamma)
        if self.settings.baseline == "leave_one_out":
            return leave_one_out(gains, groups) / self.settings.advantage_scale, gains
        found = gae(rewards, values, self.gamma, self.settings.gae_lambda)
        return found / self.settings.advantage_scale, found + values

    def _descend_policy(self, turns: Sequence[Turn], advantages: np.ndarray, warmth: float) -> dict[str, Any]:
        weight = self.kl_coefficient / self.settings.advantage_scale
        total, kls, entropies = 0.0, [], []
        trained = self.groups["policy"]
        trained.optimizer.zero_grad(set_to_none=True)
        for start, end in self._passes(turns):
            part = turns[start:end]
            prompts, tokens = [t.prompt for t in part], [t.tokens for t in part]
            with costs.part("scoring"):
                with torch.no_grad(), self.policy.as_reference():
                    references = self.policy.score_texts(prompts, tokens)
                logits = self.policy.score_texts(prompts, tokens)
                scored = [score_action(a, b, t, self.rules.temperature) for a, b, t in zip(logits, references, tokens, strict=True)]
            losses = []
            for turn, s, advantage in zip(part, scored, advantages[start:end], strict=True):
                ratio = importance(float(s.log_prob.detach()), turn, self.settings.epsilon)
                losses.append(weight * s.kl - ratio * float(advantage) * s.log_prob)
                kls.append(float(s.kl.detach()))
                entropies.append(float(s.entropy.detach()))
            loss = torch.stack(losses).sum() / len(turns)
            total += float(loss.detach())
            with costs.part("gradient"):
                loss.backward()
        norm = descend(trained.optimizer, None, self.settings.learning_rate * warmth)
        return {"loss": total, "kl": float(np.mean(kls)), "entropy": float(np.mean(entropies)), "gradient_norm": norm}

    def _passes(self, turns: Sequence[Turn]) -> Iterator[tuple[int, int]]:
        """Cut turns, in order, into runs of at most ``TOKENS`` tokens once padded; one turn is never too long."""
        start = longest = 0
        for end, turn in enumerate(turns):
            length = len(self.policy.tokens(turn.prompt)) + len(turn.tokens)
            if end > start and (end + 1 - start) * max(longest, length) > TOKENS:
                yield start, end
                start, longest = end, 0
            longest = max(longest, length)
        if turns:
            yield start, len(turns)

    def _descend_value(self, prompts: Sequence[str], goals: np.ndarray) -> float:
        target = torch.tensor(goals, dtype=torch.float32, device=self.policy.device)
        loss = torch.nn.functional.mse_loss(self.value(self._states(prompts)), target)
        descend(self.groups["value"].optimizer, loss, self.settings.value_learning_rate)
        return float(loss.detach())

    def _figures(self, episodes: Sequence[Episode], rewards: np.ndarray) -> dict[str, Any]:
        turns = [t for e in episodes for t in e.turns]
        texts = [t.text for t in turns if t.text is not None]
        repeated = [a.action in [b.action for b in e.turns[:i]] for e in episodes for i, a in enumerate(e.turns)]
        return {
            "reward": float(rewards.sum(1).mean()),
            "failed_share": float(np.mean([e.cause is not None for e in episodes])),
            "valid_share": float(np.mean([t.valid for t in turns])),
            "action_tokens": float(np.mean([len(t.tokens) for t in turns])),
            "text_words": float(np.mean([len(t.split()) for t in texts])) if texts else 0.0,
            "repetition": float(np.mean([repetition(t) for t in texts])) if texts else 0.0,
            "duplicate_actions": float(np.mean(repeated)),
            "no_op_rate": float(np.mean([t.copied for t in turns])),
            "distinct_actions": len({t.action for t in turns}),
        }


def _record(episode: Episode, turn: Turn, step: int) -> dict[str, Any]:
    return {
        "anchor": episode.case.anchor,
        "user": episode.case.user,
        "step": step + 1,
        "prompt": turn.prompt,
        "action": turn.action,
        "probability": None,
        "value": turn.reward,
        "text": turn.text,
        "cause": episode.cause if turn.text is None else None,
    }
