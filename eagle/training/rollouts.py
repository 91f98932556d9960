"""Free-text episodes of the policy in the environment, as lists of steps that can be scored again without any model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from eagle.actions.candidate_list import is_valid_action
from eagle.core import costs
from eagle.core.seeding import derive_seed
from eagle.policies.acting import ActingRule, draw_until_taken
from eagle.policies.exploring import Weight, chances
from eagle.policies.lora import LoraPolicy, Written

if TYPE_CHECKING:
    from eagle.environment.steering import Case, Observation, SteeringEnvironment

#: Draws of an action that was already used before a listed one is put in its place.
REDRAWS = 3


@dataclass(frozen=True)
class Rules(ActingRule):
    """How episodes are played: the acting rule of agents, and exploration beside it.

    ``explore``: exploration weight of (anchor, action).
    """

    explore: Weight
    temperature: float
    epsilon: float
    horizon: int


@dataclass(frozen=True)
class Turn:
    """One step of an episode.

    ``origin``: "policy" (freely written), "explored" (drawn by the exploration design) or "replaced" (instead of a
    repetition). ``behaviour`` is the probability with which exploration would have drawn this action (0 for one that is
    not listed), ``epsilon`` that of exploring at all.
    """

    prompt: str
    action: str
    tokens: tuple[int, ...]
    origin: str
    behaviour: float
    valid: bool
    reward: float | None
    text: str | None
    copied: bool
    epsilon: float = 0.0


@dataclass
class Episode:
    """Steps of one case; ``cause`` says why a failed one failed. ``group`` numbers the (anchor, user) pair."""

    case: Case
    group: int
    turns: list[Turn] = field(default_factory=list)
    cause: str | None = None


def _write(
    policy: LoraPolicy, prompts: Sequence[str], seen: Sequence[Observation], rules: Rules, seed: int
) -> list[Written | None]:
    """Write an action for each prompt; None where only used actions came."""

    def draw(left: list[int], number: int) -> dict[int, Written]:
        drawn = policy.write([prompts[row] for row in left], rules.temperature, derive_seed(seed, number))
        return {row: one for row, one in zip(left, drawn, strict=True) if rules.may_take(one.text, seen[row])}

    taken = draw_until_taken(len(prompts), range(1 if rules.repeat else REDRAWS), draw)
    return [taken.get(row) for row in range(len(prompts))]


def _choose(
    policy: LoraPolicy, seen: Observation, prompt: str, written: Written | None, rules: Rules, rng: np.random.Generator
) -> Turn:
    """Take what was written, or an exploration action with probability epsilon or where only repetitions came."""
    options = rules.options(seen)
    chance = chances(rules.explore, seen.anchor, options)
    explored = bool(rng.random() < rules.epsilon)
    drawn = int(rng.choice(len(options), p=chance))
    if written is None or explored:
        action, tokens = options[drawn], tuple(policy.action_tokens(options[drawn]))
        origin = "explored" if explored else "replaced"
    else:
        action, tokens, origin = written.text, written.tokens, "policy"
    behaviour = float(chance[options.index(action)]) if action in options else 0.0
    return Turn(prompt, action, tokens, origin, behaviour, is_valid_action(action), None, None, False, rules.epsilon)


def play_episodes(
    policy: LoraPolicy,
    environment: SteeringEnvironment,
    rules: Rules,
    cases: Sequence[Case],
    groups: Sequence[int],
    seed: int,
    world: int,
) -> list[Episode]:
    """Play all episodes side by side until every one is done; a failed step ends its episode with a cause.

    ``seed``: of what the policy draws. ``world``: of what the environment draws, the same in all updates.
    """
    episodes = [Episode(case, group) for case, group in zip(cases, groups, strict=True)]
    running = dict(zip(range(len(cases)), environment.reset(cases, world, rules.horizon), strict=True))
    step = 0
    while running:
        rng = np.random.default_rng(derive_seed(seed, "explore", step))
        seen = list(running.values())
        prompts = [rules.prompt(o) for o in seen]
        with costs.part("policy"):
            written = _write(policy, prompts, seen, rules, derive_seed(seed, "write", step))
        turns = [_choose(policy, o, p, w, rules, rng) for o, p, w in zip(seen, prompts, written, strict=True)]
        with costs.part("environment"):
            results = environment.step([turn.action for turn in turns])
        for row, turn, result in zip(list(running), turns, results, strict=True):
            text = None if result.cause else result.observation.text
            episodes[row].turns.append(replace(turn, reward=result.reward, text=text, copied=bool(result.copied)))
            episodes[row].cause = result.cause
            if result.done or result.cause is not None:
                del running[row]
            else:
                running[row] = result.observation
        step += 1
    return episodes
