"""Decision problems for training: a prompt, its listed actions, and what each is worth.

Episodes are not generated: the first step stands at a cached anchor, later steps at a cached next text of an action
that a good policy would have taken there, so that prompts with a history look like those of an episode.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from eagle.actions.candidate_list import CandidateList
from eagle.policies.prompt import named, policy_prompt
from eagle.training.action_values import ActionValues, State

#: What becomes of an action that the episode has used: it may come again; the prompt names it; or the choice is among
#: the others, which is how an agent acts that draws again when it repeats itself.
Used = Literal["open", "named", "left_out"]
#: History actions: soft choice by value (temperature in SD of U), mixed with a uniform one, so that prompts cover both.
HISTORY_TEMPERATURE, HISTORY_UNIFORM = 0.1, 0.3


@dataclass(frozen=True)
class Decision:
    """One choice among listed actions, all arrays (K,).

    ``values`` are in SD of U. ``unused``: actions that the episode has not used. ``available``: actions that the policy
    is judged on, which are all but for used ones that its prompt does not name.
    """

    state: State
    user: str
    prompt: str
    actions: tuple[str, ...]
    values: np.ndarray
    unused: np.ndarray
    available: np.ndarray

    @property
    def choices(self) -> tuple[str, ...]:
        """The actions that the choice is among."""
        return tuple(a for a, open_ in zip(self.actions, self.available, strict=True) if open_)

    @property
    def stakes(self) -> np.ndarray:
        """What they are worth."""
        return self.values[self.available]


@dataclass(frozen=True)
class DecisionSource:
    """Draws decisions of some anchors and users."""

    values: ActionValues
    candidates: CandidateList
    profiles: Mapping[str, str]  # user -> short profile
    anchors: Sequence[str]
    users: Sequence[str]
    horizon: int = 3
    lookahead: int = 3
    used: Used = "named"
    most_named: int | None = None  # used actions that a prompt names, the last ones; all of them with None

    @cached_property
    def _anchor_states(self) -> dict[str, State]:
        steps = self.values.steps
        found: dict[str, State] = {}
        for row in np.flatnonzero(steps.step == 1):
            anchor = str(steps.anchor[row])
            found.setdefault(anchor, State(anchor, str(steps.state_text[row]), steps.state_vector[row]))
        return found

    @cached_property
    def _rows(self) -> dict[tuple[str, str], list[int]]:
        """Rows of the first step by (anchor, action text)."""
        steps = self.values.steps
        found: dict[tuple[str, str], list[int]] = {}
        for row in np.flatnonzero(steps.step == 1):
            found.setdefault((str(steps.anchor[row]), steps.vocabulary[steps.action[row]]), []).append(int(row))
        return found

    def actions(self, anchor: str) -> tuple[str, ...]:
        """Return the listed actions of an anchor that were ever tried."""
        return tuple(a for a in self.candidates.of(anchor) if a in self.values.index)

    def decide(self, state: State, user: str) -> Decision:
        """Put the question: prompt, actions and values in this state for this user."""
        actions = self.actions(state.anchor)
        remaining = max(1, min(self.lookahead, self.horizon - len(state.history)))
        values = self.values.of(state, user, actions, remaining=remaining, repeat=self.used == "open")
        history = () if self.used == "open" else state.history
        unused = np.array([a not in history for a in actions])
        unused |= not unused.any()  # where nothing is left, all may come again
        available = unused if self.used == "left_out" else np.ones(len(actions), bool)
        named_actions = named(history, self.most_named or self.horizon, repeat=self.used != "named")
        return Decision(
            state,
            user,
            policy_prompt(self.profiles[user], state.text, named_actions),
            actions,
            values,
            unused,
            available,
        )

    def _follow(self, rng: np.random.Generator, decision: Decision) -> State:
        """Draw an action that a good policy might take and stand at a cached text that it led to from the anchor."""
        logits = decision.values / HISTORY_TEMPERATURE
        chance = np.where(decision.unused, np.exp(logits - logits.max()), 0.0)
        by_value = (1 - HISTORY_UNIFORM) * chance / chance.sum()
        chance = by_value + HISTORY_UNIFORM * decision.unused / decision.unused.sum()
        anchor = decision.state.anchor
        tried = np.array([(anchor, a) in self._rows for a in decision.actions])
        chance = np.where(tried, chance, 0.0)
        if chance.sum() <= 0:
            return decision.state
        action = decision.actions[int(rng.choice(len(chance), p=chance / chance.sum()))]
        row = int(rng.choice(self._rows[anchor, action]))
        steps = self.values.steps
        return State(anchor, str(steps.next_text[row]), steps.next_vector[row], (*decision.state.history, action))

    def state(self, anchor: str) -> State:
        """Return the state at the anchor itself."""
        return self._anchor_states[anchor]

    def first(self, anchor: str, user: str) -> Decision:
        """Return the decision at the anchor itself."""
        return self.decide(self.state(anchor), user)

    def draw(self, rng: np.random.Generator, anchor: str, user: str) -> Decision:
        """Draw a decision at a step of the episode of this anchor and user, all steps equally likely."""
        decision = self.first(anchor, user)
        for _ in range(int(rng.integers(self.horizon))):
            decision = self.decide(self._follow(rng, decision), user)
        return decision

    def sample(self, rng: np.random.Generator, count: int) -> list[Decision]:
        """Draw ``count`` decisions with independent anchors, users and steps."""
        anchors = [a for a in self.anchors if a in self._anchor_states]
        pairs = zip(rng.integers(len(anchors), size=count), rng.integers(len(self.users), size=count), strict=True)
        return [self.draw(rng, anchors[a], self.users[u]) for a, u in pairs]
