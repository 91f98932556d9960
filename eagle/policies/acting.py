"""The one rule by which a policy comes to an action, in training episodes and as an agent.

1. The policy reads one prompt: who the user is, what the item is now, and the last actions that were used.
2. What it writes is taken unless it was used before in the episode (where no action may come twice); then it draws
   again, a limited number of times.
3. Where nothing that will do came, an action of the list takes its place: one that was not used yet.

Agents and training differ in what draws and in which listed action takes the place; both are given to this rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from eagle.actions.candidate_list import available, is_in
from eagle.core.errors import user_error
from eagle.policies.prompt import named, policy_prompt

if TYPE_CHECKING:
    from eagle.environment.steering import Observation

Round = TypeVar("Round")
Taken = TypeVar("Taken")


@dataclass(frozen=True)
class ActingRule:
    """``prompt``: what the policy reads; ``actions``: listed actions of an anchor; ``repeat``: may one come twice."""

    prompt: Callable[[Observation], str]
    actions: Callable[[str], Sequence[str]]
    repeat: bool

    def options(self, seen: Observation) -> list[str]:
        """Return the listed actions that may take the place of a written one."""
        return available(self.actions(seen.anchor), seen.history, repeat=self.repeat)

    def may_take(self, action: str, seen: Observation) -> bool:
        """Whether an action was not used yet, or may come again."""
        return self.repeat or not is_in(action, seen.history)


def draw_until_taken(
    rows: int, rounds: Iterable[Round], draw: Callable[[list[int], Round], Mapping[int, Taken]]
) -> dict[int, Taken]:
    """Draw for rows 0 to ``rows`` - 1 until each has what will do; return that by row, without those that have nothing.

    ``draw`` gets the rows that are left and the round, and returns what will do of what it drew.
    """
    taken: dict[int, Taken] = {}
    for number in rounds:
        left = [row for row in range(rows) if row not in taken]
        if not left:
            break
        taken |= draw(left, number)
    return taken


def observed_prompt(profiles: Mapping[str, str], seen: Observation, most: int, *, repeat: bool) -> str:
    """Return the policy's prompt for an observation; it names the last ``most`` used actions at most.

    ``profiles``: short profile of every user; EagleError for a user who has none.
    """
    if seen.user not in profiles:
        raise user_error("unknown user", found=seen.user, expected=f"one of {len(profiles)} users with a profile")
    return policy_prompt(profiles[seen.user], seen.text, named(seen.history, most, repeat=repeat))
