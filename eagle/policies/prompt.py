"""The policy's prompt: who the user is, what the item is now, and what was already done.

1. Follows the paper in that the agent sees the user's profile and the present description, and writes one action.
2. Differs: only the labels (genres) of the description enter, not its plot, because a short prompt that tells users
   apart was what learned on the embedded default (docs/method.md).
3. Differs: where an action may not be used twice, the actions already used are named, since the next best choice
   depends on them.
"""

from __future__ import annotations

from collections.abc import Sequence

from eagle.domains.text import Description

#: What stands between the prompt and an action in the token stream.
ACTION_PREFIX = " "
#: Words of a text without labels that stand for it: as short as a line of labels.
SHOWN_WORDS = 12
#: What ends an action.
ACTION_END = "\n"


def _state(text: str) -> Description:
    try:
        return Description.read(text)
    except ValueError:
        return Description(())


def state_genres(text: str) -> tuple[str, ...]:
    """Return the genres named in a state's text line; empty where the text does not parse."""
    return _state(text).genres


def state_labels(text: str) -> str:
    """Return the labels of a state's text line under the name that the domain gives them, "Genres: a, b.".

    Of a text without labels, its first words.
    """
    state = _state(text)
    if not state.fields.labels:
        return f"{state.fields.body}: {' '.join(state.plot.split()[:SHOWN_WORDS]) or 'unknown'} ..."
    return f"{state.fields.labels}: {', '.join(state.genres) or 'unknown'}."


def named(history: Sequence[str], most: int, *, repeat: bool) -> Sequence[str]:
    """Return the used actions that an agent's prompt names: the last ``most``, none where they may come again."""
    return () if repeat or not most else history[-most:]


def policy_prompt(profile: str, text: str, history: Sequence[str] = ()) -> str:
    """Return the prompt after which the policy writes its next action.

    ``profile`` is the short profile ("User likes a, b. Dislikes c, d."), ``text`` the state's line, ``history`` the
    actions already applied (empty: not mentioned).
    """
    done = f"Done: {' '.join(history)}\n" if history else ""
    return f"{profile.strip()}\n{state_labels(text)}\n{done}Action:"
