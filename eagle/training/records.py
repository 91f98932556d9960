"""What a training logs on its way: a row of figures for each update, and samples of what was chosen.

Both are kept in checkpoints as they are, so that a resumed training writes the files of an uninterrupted one.
"""

from __future__ import annotations

from typing import Any, TypedDict

Row = dict[str, Any]
"""Figures of one update by name, a line of its curve; each kind of phase has its own."""


class Sample(TypedDict):
    """One chosen action, to be read by people."""

    anchor: str
    user: str
    step: int
    """Counted from 1."""
    prompt: str
    action: str
    probability: float | None
    """Of the action under the policy; None where it was drawn."""
    value: float | None
    """What the action is worth: its value on the list, or its reward; None for a reward that failed."""
    text: str | None
    """What the environment wrote; None where it was not asked or failed."""
    cause: str | None
    """Why there is no good text."""


class LoggedSample(Sample):
    """A sample with its place in the training: a line of the table of samples."""

    update: int
    phase: str
