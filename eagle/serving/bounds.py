"""What a request may ask of a served agent: one clear answer for what is too much, before anything is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eagle.core.errors import EagleError, Problem

#: Most rows of a request, changes of an episode, texts of a search for one row, and texts of a request in all.
ROWS, HORIZON, BUDGET, TEXTS = 256, 20, 256, 2048
#: Characters of a user's or an item's id, and how many of a longer one an answer repeats.
LONGEST_ID, SHOWN = 200, 40
SEEDS = 2**63


@dataclass(frozen=True)
class RequestParameters:
    """A request's parameters: seed, changes (0: the agent's own), texts of a search (0: one episode), and whether
    MLflow shows how the answer came about.
    """

    seed: int = 0
    horizon: int = 0
    budget: int = 0
    trace: bool = False


def asked_for(pairs: Sequence[tuple[str, str]], params: Mapping[str, Any] | None, horizon: int) -> RequestParameters:
    """Return the parameters of a request for ``pairs`` of user and item; EagleError with all that is too much.

    ``horizon``: the agent's own.
    """
    given = {name: value for name, value in (params or {}).items() if value is not None}
    numbers = {name: int(given.get(name, 0)) for name in ("seed", "horizon", "budget")}
    asked = RequestParameters(**numbers, trace=bool(given.get("trace", False)))
    problems = [
        Problem(f"{what} is out of bounds", found=_shown(found), expected=f"{least} to {most:,}", mend=mend)
        for what, found, least, most, mend in (
            ("the number of rows", len(pairs), 0, ROWS, "send several smaller requests"),
            ("horizon", asked.horizon, 0, HORIZON, "ask for fewer changes, or 0 for the agent's own"),
            ("budget", asked.budget, 0, BUDGET, "ask for fewer texts, or 0 for one episode"),
            ("seed", asked.seed, 0, SEEDS - 1, "give a whole number that is not negative"),
        )
        if not least <= found <= most
    ]
    if asked.budget and asked.horizon:
        problems.append(
            Problem(
                "a search takes no horizon",
                found=f"budget {_shown(asked.budget)} and horizon {_shown(asked.horizon)}",
                expected="one of them",
                mend="leave out horizon: the agent's search makes as many changes as the evaluation's",
            )
        )
    texts = len(pairs) * (asked.budget or asked.horizon or horizon)
    if not problems and texts > TEXTS:
        problems.append(
            Problem("the request asks for too many texts", f"{texts:,}", f"at most {TEXTS:,}", "send smaller requests")
        )
    problems += _long_ids(pairs)
    if problems:
        raise EagleError(problems)
    return asked


def _shown(number: int) -> str:
    """Return a number with commas, or the beginning of one that is longer than anybody reads."""
    written = f"{number:,}"
    return written if len(written) <= SHOWN else f"{written[:SHOWN]} ..."


def _long_ids(pairs: Sequence[tuple[str, str]]) -> list[Problem]:
    """Return one problem for the ids that are too long, with the beginning of the first."""
    long = [name for pair in pairs for name in pair if len(name) > LONGEST_ID]
    if not long:
        return []
    found = f"{len(long):,} ids, the first with {len(long[0]):,} characters: {long[0][:SHOWN]} ..."
    return [Problem("ids are too long", found, f"at most {LONGEST_ID} characters", "send ids of the catalogue")]
