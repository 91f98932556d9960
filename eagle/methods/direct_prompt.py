"""Direct prompting: the frozen model is told the user's taste and asked for the change at once.

There is no agent and no list of actions between: the user's profile itself is the action, "Change it so that somebody
who likes comedy and crime and dislikes war would love it." It goes through the environment as every action does, so
budget, checks and caching are the same. The other way, to ask the frozen model for an action in the policy's prompt, is
what the reference policies start from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from eagle.methods.softmax import Tastes

if TYPE_CHECKING:
    from eagle.environment.steering import Observation

#: Labels named of either kind: a small model does not keep more apart.
NAMED = 3


@dataclass(frozen=True)
class DirectPrompt:
    """Always asks for what the user would love; ``seeds`` and the text do not matter."""

    tastes: Tastes
    name: str = "direct_prompt"

    def act(self, observations: Sequence[Observation], seeds: Sequence[int]) -> list[str]:
        """Return the same action for the same user."""
        return [taste_action(self.tastes, observation.user) for observation in observations]


def taste_action(tastes: Tastes, user: str) -> str:
    """Return the sentence that asks for a text to the taste of ``user``."""
    liked, disliked = tastes.liked.get(user, ()), tastes.disliked.get(user, ())
    parts = [f"{verb} {_listed(labels)}" for verb, labels in (("likes", liked), ("dislikes", disliked)) if len(labels)]
    who = " who " + " and ".join(parts) if parts else ""
    return f"Change it so that somebody{who} would love it."


def _listed(labels: Sequence[str]) -> str:
    *before, last = [str(label) for label in labels[:NAMED]]
    return f"{', '.join(before)} and {last}" if before else last
