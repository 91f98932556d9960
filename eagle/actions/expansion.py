"""The rows of one anchor: first steps from the anchor's own text, second steps from some texts that these produced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from eagle.config import TransitionsConfig
from eagle.core.seeding import derive_seed, stream
from eagle.domains.text import Description
from eagle.environment.rewrite import Rewrite
from eagle.environment.steering import Writer


@dataclass(frozen=True)
class Anchor:
    """One anchor: its item id, its own text, its K actions in order of index, and which of them all anchors share."""

    item: str
    text: str
    actions: tuple[str, ...]
    shared: tuple[int, ...]


@dataclass(frozen=True)
class TransitionRow:
    """One transition; ``parent`` is the place within the anchor's rows of the one that made the state's text, -1 for
    the anchor itself.
    """

    parent: int
    state_text: str
    step: int
    history: tuple[str, ...]
    action_index: int
    action: str
    sample: int
    seed: int
    next_text: str | None = None
    cause: str | None = None
    copied: bool = False
    tokens: int = 0


def _plan(
    anchor: Anchor, parent: int, text: str, history: tuple[str, ...], actions: Sequence[int], samples: int, seed: int
) -> list[TransitionRow]:
    return [
        TransitionRow(
            parent,
            text,
            len(history) + 1,
            history,
            index,
            anchor.actions[index],
            sample,
            derive_seed(seed, "environment", text, anchor.actions[index], sample),
        )
        for index in actions
        for sample in range(samples)
    ]


def first_steps(anchor: Anchor, settings: TransitionsConfig, seed: int) -> list[TransitionRow]:
    """Return the planned rows of step 1: every action of the anchor, ``samples`` times."""
    return _plan(anchor, -1, anchor.text, (), range(len(anchor.actions)), settings.samples, seed)


def second_steps(
    anchor: Anchor, done: Sequence[TransitionRow], settings: TransitionsConfig, seed: int
) -> list[TransitionRow]:
    """Return the planned rows of step 2.

    Expanded are ``second_steps`` distinct first-step texts (no failures, no copies, one per action where possible),
    drawn; each meets ``second_actions`` of the shared actions, evenly spaced in a drawn order so that neighbours
    differ, none of them used before.
    """
    rng = stream(seed, "second steps", anchor.item)
    drawn = [int(i) for i in rng.permutation(len(done))]
    usable = [i for i in drawn if done[i].next_text is not None and not done[i].copied]
    distinct = list({done[i].next_text: i for i in reversed(usable)}.values())[::-1]
    by_action = {done[i].action_index: i for i in reversed(distinct)}
    chosen = [i for i in distinct if by_action[done[i].action_index] == i] + [
        i for i in distinct if by_action[done[i].action_index] != i
    ]
    planned: list[TransitionRow] = []
    for parent in chosen[: settings.second_steps]:
        row = done[parent]
        order = rng.permutation(len(anchor.shared))
        free = [anchor.shared[i] for i in order if anchor.actions[anchor.shared[i]] != row.action]
        actions = sorted(free[: settings.second_actions])
        planned += _plan(anchor, parent, str(row.next_text), (row.action,), actions, settings.samples, seed)
    return planned


def apply_to_all(writer: Writer, planned: Sequence[Sequence[TransitionRow]]) -> list[list[TransitionRow]]:
    """Return the planned rows, grouped as they came, with what the environment made of them in one call.

    A text that does not parse is a failure with a cause.
    """
    flat = [row for rows in planned for row in rows]
    made = (
        writer.rewrite([r.state_text for r in flat], [r.action for r in flat], [r.seed for r in flat]) if flat else []
    )
    filled = iter([_filled(row, rewrite) for row, rewrite in zip(flat, made, strict=True)])
    return [[next(filled) for _ in rows] for rows in planned]


def _filled(row: TransitionRow, made: Rewrite) -> TransitionRow:
    text, cause = made.text, made.cause
    if text is not None:
        try:
            Description.read(text)
        except ValueError as error:
            text, cause = None, str(error)
    elif cause is None:
        cause = "no text"
    return replace(
        row, next_text=text, cause=None if text is not None else cause, copied=made.copied, tokens=made.tokens
    )
