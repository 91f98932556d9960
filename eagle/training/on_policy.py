"""The on-policy phase: REINFORCE over free-text rollouts in the environment, the paper's own algorithm.

1. Follows the paper (Sec. 4.2, 5): the policy writes actions as free text, the environment model applies them, the
   reward is the utility of the last text, minus alpha KL(pi || pi_ref); value baseline and GAE, gamma 1.
2. The paper leaves open at which level credit is given: here one action is one decision, its log-probability the sum
   over its tokens, at the temperature that it was drawn with.
3. The KL is exact over the vocabulary at every token of the actions taken, summed over an action (the paper leaves the
   estimator open).
4. Differs on demand: rewards by step (the same objective at gamma 1), a leave-one-out baseline over rollouts of one
   pair.
5. Differs on demand: exploration with probability epsilon, evenly or by the design, which may fall to 0. Episodes are
   then played by the mixture b = (1 - epsilon) pi + epsilon q, and it is the return of this mixture that is climbed:
   grad log b = (1 - epsilon) (pi / b) grad log pi, so an action counts with pi / b, whoever chose it, and returns,
   baselines and value head stay those of the episodes as they were played. No weight is cut off (each is at most
   1 / (1 - epsilon)), no product over steps is needed, and with epsilon at 0 it is the policy's own return. The KL is
   taken along the actions that were played.
6. Differs: a failed episode is left out of baseline and loss and counted; above a share of failures training stops.

Of several processes (train.processes) the main one plays all episodes; what is learnt from them is shared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from eagle.compute.parallel import ALONE, Parallel, total
from eagle.config import OnPolicyPhase
from eagle.core import costs
from eagle.core.errors import user_error
from eagle.core.seeding import derive_seed, stream
from eagle.policies.exploring import falling
from eagle.policies.lora import LoraPolicy
from eagle.policies.trie import runs
from eagle.training.advantages import gae, leave_one_out, returns
from eagle.training.checkpoint import Trained
from eagle.training.optimizer import Descent, adamw, runs_of, warm
from eagle.training.records import Row, Sample
from eagle.training.rollouts import Episode, Rules, Turn, play_episodes
from eagle.training.value_head import ValueHead

if TYPE_CHECKING:
    from eagle.environment.steering import Case, SteeringEnvironment

#: Prompts read in one pass without gradients.
CHUNK = 16
#: Tokens, read and written, of one forward and backward pass: what is kept for the gradient is most of the memory of an
#: update.
TOKENS = 1024


def importance(log_prob: float, turn: Turn, epsilon: float) -> float:
    """Return pi / ((1 - epsilon) pi + epsilon q) of an action, q its probability when exploring.

    At most 1 / (1 - epsilon); 0 for one put in by hand.
    """
    if turn.origin == "replaced":
        return 0.0
    own = float(np.exp(log_prob))
    mixed = (1 - epsilon) * own + epsilon * turn.behaviour
    return own / mixed if mixed > 0 else 0.0


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
        environment: SteeringEnvironment | None,
        rules: Rules,
        pairs: Sequence[Case],
        policy: LoraPolicy,
        *,
        kl_coefficient: float,
        gamma: float,
        seed: int,
        parallel: Parallel = ALONE,
        best_return: Callable[[str, str], float] | None = None,
    ) -> None:
        """``environment`` is None in a process that does not play; ``best_return``: the return that the best plan of
        listed actions has at an anchor for a user, from which regret is counted.
        """
        self.parallel, self.best_return = parallel, best_return
        self.settings, self.environment, self.rules, self.pairs, self.policy = (
            settings,
            environment,
            rules,
            pairs,
            policy,
        )
        self.kl_coefficient, self.gamma, self.seed, self.updates = kl_coefficient, gamma, seed, settings.updates
        parameters = policy.parameters()
        self.groups = {"policy": Trained(parameters, adamw(parameters, settings.learning_rate))}
        base: Any = policy.model.get_base_model()
        self.value = ValueHead(int(base.config.hidden_size), derive_seed(seed, "value")).to(policy.device)
        if settings.baseline == "value":
            own = dict(self.value.named_parameters())
            self.groups["value"] = Trained(own, adamw(own, settings.value_learning_rate))
        # At most TOKENS turns at once: no pass holds more.
        self.descents = {
            name: Descent(group.optimizer, policy.usage, TOKENS, parallel) for name, group in self.groups.items()
        }

    def update(self, number: int) -> tuple[Row, list[Sample]]:
        """Play episodes, take one step of the policy and one of the value head."""
        seed = derive_seed(self.seed, self.kind, number)
        cases, groups = self._cases(number)
        rules = self.rules_at(number)
        episodes = self.parallel.from_main(lambda: self._play(cases, groups, seed, rules))
        fine = [e for e in episodes if e.cause is None]
        self._check_failures(episodes)
        prompts = [turn.prompt for e in fine for turn in e.turns]
        rewards = np.array([[float(turn.reward or 0.0) for turn in e.turns] for e in fine])
        with costs.part("scoring"):
            states = self.states_of(prompts) if self.settings.baseline == "value" else None
        advantages, goals = self._advantages(rewards, states, np.array([e.group for e in fine]))
        self.policy.seed_dropout(self.parallel.own_seed(seed))
        row = self.descend_policy(
            [t for e in fine for t in e.turns], advantages.ravel(), warm(1.0, number, self.settings.warmup)
        )
        if states is not None:
            row["value_loss"] = self.descend_value(states, goals.ravel())
        return row | self._figures(episodes, rewards) | self._exploration(rules, fine, rewards), [
            _record(e, t, i) for e in episodes[:2] for i, t in enumerate(e.turns)
        ]

    def _cases(self, number: int) -> tuple[list[Case], list[int]]:
        """Draw the pairs of this update and repeat each ``rollouts_per_pair`` times."""
        rng = stream(self.seed, "cases", number)
        each = self.settings.rollouts_per_pair
        drawn = rng.integers(len(self.pairs), size=max(1, self.settings.episodes // each))
        groups = [group for group in range(len(drawn)) for _ in range(each)]
        picked = [self.pairs[drawn[group]] for group in groups]
        return [replace(case, case=number * len(groups) + i) for i, case in enumerate(picked)], groups

    def rules_at(self, number: int) -> Rules:
        """Return the rules of one update, counted from 0."""
        if self.settings.epsilon_decay == "none":
            return self.rules
        return replace(self.rules, epsilon=falling(self.rules.epsilon, number, self.updates))

    def _play(self, cases: Sequence[Case], groups: Sequence[int], seed: int, rules: Rules) -> list[Episode]:
        assert self.environment is not None
        return play_episodes(self.policy, self.environment, rules, cases, groups, seed, world=self.seed)

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

    def values_of(self, states: torch.Tensor) -> np.ndarray:
        with torch.no_grad():
            return self.value(states).cpu().numpy().astype(float)

    def states_of(self, prompts: Sequence[str]) -> torch.Tensor:
        """Return the reference's hidden state ``(n, width)`` at the end of each prompt: features that do not move."""
        own = self.parallel.share(prompts)
        with torch.no_grad(), self.policy.as_reference():
            states = [
                state for i in range(0, len(own), CHUNK) for state in self.policy.prompt_states(own[i : i + CHUNK])
            ]
        return torch.stack(self.parallel.gather(states))

    def _advantages(
        self, rewards: np.ndarray, states: torch.Tensor | None, groups: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return advantages in units of the scale and the value head's targets, both ``(n, H)``; without states by
        leaving one out.
        """
        gains = returns(rewards, self.gamma)
        if states is None:
            return leave_one_out(gains, groups) / self.settings.advantage_scale, gains
        values = self.values_of(states).reshape(rewards.shape)
        found = gae(rewards, values, self.gamma, self.settings.gae_lambda)
        return found / self.settings.advantage_scale, found + values

    def descend_policy(self, turns: Sequence[Turn], advantages: np.ndarray, warmth: float) -> Row:
        own = self.parallel.share(list(zip(turns, advantages.tolist(), strict=True)))
        loss, seen = self.descents["policy"].add_up(own, partial(self._loss, of=len(turns)), self.passes_over)
        norm = self.descents["policy"].step(self.settings.learning_rate * warmth)
        kl, entropy = np.mean(self.parallel.gather(seen), axis=0).tolist()
        return {"loss": total(self.parallel, loss), "kl": kl, "entropy": entropy, "gradient_norm": norm}

    def _loss(self, own: Sequence[tuple[Turn, float]], of: int) -> tuple[torch.Tensor, list[tuple[float, float]]]:
        """Return what some (turn, advantage) add to the mean loss over ``of`` turns, and each turn's KL and entropy."""
        weight = self.kl_coefficient / self.settings.advantage_scale
        scored = self.policy.score_texts(
            [turn.prompt for turn, _ in own], [turn.tokens for turn, _ in own], self.rules.temperature
        )
        found = scored.log_prob.detach().tolist()
        pull = [importance(o, turn, turn.epsilon) * advantage for o, (turn, advantage) in zip(found, own, strict=True)]
        loss = (weight * scored.kl - torch.tensor(pull, device=scored.kl.device) * scored.log_prob).sum() / of
        return loss, list(zip(scored.kl.tolist(), scored.entropy.tolist(), strict=True))

    def passes_over(self, own: Sequence[tuple[Turn, float]], at_once: int) -> Iterator[Sequence[tuple[Turn, float]]]:
        """Cut (turn, advantage) into runs of about ``TOKENS`` tokens and ``at_once`` turns at most; those of one prompt
        stand together, so that it is read once."""
        turns = [turn for turn, _ in own]
        order = sorted(range(len(turns)), key=lambda i: turns[i].prompt)
        before = dict(zip(order[1:], order, strict=False))

        def cost(turn: int) -> int:
            known = turn in before and turns[before[turn]].prompt == turns[turn].prompt
            return len(turns[turn].tokens) + (0 if known else len(self.policy.tokens(turns[turn].prompt)))

        for run in runs(order, cost, TOKENS):
            yield from runs_of([own[i] for i in run], at_once)

    def descend_value(self, states: torch.Tensor, goals: np.ndarray) -> float:
        def loss_of(own: Sequence[int]) -> tuple[torch.Tensor, list[None]]:
            target = torch.tensor(goals[own], dtype=torch.float32, device=self.policy.device)
            return torch.nn.functional.mse_loss(self.value(states[own]), target, reduction="sum") / len(goals), []

        loss, _ = self.descents["value"].add_up(self.parallel.share(list(range(len(goals)))), loss_of)
        self.descents["value"].step(self.settings.value_learning_rate)
        return total(self.parallel, loss)

    def _figures(self, episodes: Sequence[Episode], rewards: np.ndarray) -> Row:
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

    def _exploration(self, rules: Rules, fine: Sequence[Episode], rewards: np.ndarray) -> Row:
        found = {"epsilon": rules.epsilon} if self.rules.epsilon > 0 else {}
        if self.best_return is not None:
            best = [self.best_return(e.case.anchor, e.case.user) for e in fine]
            found["regret"] = float(np.mean(np.array(best) - returns(rewards, self.gamma)[:, 0]))
        return found


def _record(episode: Episode, turn: Turn, step: int) -> Sample:
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
