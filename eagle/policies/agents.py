"""Agents that act by a LoRA policy: writing their action freely, or choosing from the list.

1. Follows the paper: the agent GENERATES its action as text (mode "free"); temperature and nucleus are parameters.
2. Differs: where no action may be used twice and a used one comes, or where what is written is no valid action, further
   ones are drawn, given that none of the used ones is written where the engine can do that; where none of these will
   do, the best unused listed action is taken. How often either happens is counted.
3. Added: mode "listed" draws from the list itself (temperature 0: the best), through the trie.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from eagle.actions.candidate_list import CandidateList, is_in, is_valid_action
from eagle.core.seeding import derive_seed
from eagle.engine.base import LanguageModel, SamplingSpec
from eagle.policies.acting import ActingRule, draw_until_taken, observed_prompt
from eagle.policies.drawing import drawn
from eagle.policies.prompt import ACTION_END, ACTION_PREFIX

if TYPE_CHECKING:
    from eagle.environment.steering import Observation

#: Longest written action, tokens: 20 words of the default tokenizer and a margin.
LONGEST_ACTION = 32


class ListScorer(Protocol):
    """Gives log-probabilities of listed actions, as :class:`eagle.policies.trie_scorers.TrieScorers` does."""

    def __call__(self, prompts: Sequence[str], lists: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """Return one array ``(K,)`` per prompt."""
        ...


@dataclass
class ActionCounts:
    """How the actions came about, over all calls."""

    acted: int = 0
    listed: int = 0  # freely written and on the list
    unlisted: int = 0  # freely written, valid, not on the list
    resampled: int = 0  # drawn again at least once
    fallen_back: int = 0  # no valid unused action after all draws: best listed one


def _rounds(draws: int) -> Iterator[range]:
    """Yield draws 0, 1, 2-3, 4-7 and so on: few calls, and few draws that nobody needed."""
    done = 0
    while done < draws:
        yield range(done, min(max(2 * done, 1), draws))
        done = max(2 * done, 1)


@dataclass
class LoraAgent:
    """A policy over the language-model seam. ``profiles`` maps users to their short profile."""

    name: str
    model: LanguageModel
    adapter: Path
    candidates: CandidateList
    profiles: Mapping[str, str]
    scorer: ListScorer
    temperature: float = 0.5
    top_p: float = 1.0
    repeat: bool = False
    history: int = 2
    mode: str = "free"
    draws: int = 8
    counts: ActionCounts = field(default_factory=ActionCounts)

    def prompt(self, observation: Observation) -> str:
        """Return the policy's prompt for an observation; at most the last ``history`` used actions are named."""
        return observed_prompt(self.profiles, observation, self.history, repeat=self.repeat)

    @property
    def rule(self) -> ActingRule:
        """How it comes to an action, as in training."""
        return ActingRule(self.prompt, self.candidates.of, self.repeat)

    def act(self, observations: Sequence[Observation], seeds: Sequence[int]) -> list[str]:
        """Return one action per observation; the same seeds give the same actions."""
        if not observations:
            return []
        self.model.load_adapter(self.adapter)
        try:
            prompts = [self.prompt(o) for o in observations]
            self.counts.acted += len(prompts)
            chosen = self._from_list if self.mode == "listed" else self._freely
            return chosen(observations, prompts, seeds)
        finally:
            self.model.load_adapter(None)

    def _freely(self, observations: Sequence[Observation], prompts: Sequence[str], seeds: Sequence[int]) -> list[str]:
        def draw(left: list[int], draws: range) -> dict[int, str]:
            self.counts.resampled += len(left) if draws.start == 1 else 0
            return self._written(observations, prompts, seeds, left, draws)

        rounds = _rounds(self.draws if self.temperature > 0 else 1)  # a greedy agent would write the same again
        actions = draw_until_taken(len(prompts), rounds, draw)
        for row, text in actions.items():
            on_list = is_in(text, self.candidates.of(observations[row].anchor))
            self.counts.listed += on_list
            self.counts.unlisted += not on_list
        left = [row for row in range(len(prompts)) if row not in actions]
        self.counts.fallen_back += len(left)
        if left:
            best = self._pick(
                [observations[r] for r in left], [prompts[r] for r in left], [seeds[r] for r in left], 0.0
            )
            actions |= dict(zip(left, best, strict=True))
        return [actions[row] for row in range(len(prompts))]

    def _written(
        self,
        observations: Sequence[Observation],
        prompts: Sequence[str],
        seeds: Sequence[int],
        rows: Sequence[int],
        draws: Sequence[int],
    ) -> dict[int, str]:
        """Write every numbered draw of these rows in one call; return each row's first allowed one."""
        spec = SamplingSpec(LONGEST_ACTION, self.temperature, self.top_p, (ACTION_END,))
        asked = [(row, derive_seed(seeds[row], "draw", draw)) for row in rows for draw in draws]
        # The first draw is free: barring what was used only where it came has the same distribution, and seldom
        # anything to bar.
        bars = not self.repeat and draws[0] > 0
        used = [[ACTION_PREFIX + action for action in observations[row].history] if bars else () for row, _ in asked]
        completions = self.model.generate([prompts[row] for row, _ in asked], spec, [seed for _, seed in asked], used)
        rule, found = self.rule, dict[int, str]()
        for (row, _), done in zip(asked, completions, strict=True):
            text = done.text.strip()
            fine = row not in found and done.finish == "stop" and is_valid_action(text)
            if fine and rule.may_take(text, observations[row]):
                found[row] = text
        return found

    def _from_list(
        self, observations: Sequence[Observation], prompts: Sequence[str], seeds: Sequence[int]
    ) -> list[str]:
        self.counts.listed += len(prompts)
        return self._pick(observations, prompts, seeds, self.temperature)

    def _pick(
        self, observations: Sequence[Observation], prompts: Sequence[str], seeds: Sequence[int], temperature: float
    ) -> list[str]:
        lists = [self.rule.options(o) for o in observations]
        return [
            actions[drawn(scores, temperature, derive_seed(seed, "listed"))]
            for scores, actions, seed in zip(self.scorer(prompts, lists), lists, seeds, strict=True)
        ]
