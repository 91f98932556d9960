"""The seam of methods: everything that turns a case and a budget of texts into a trajectory.

1. A method is a policy, a rule or a search; it sees the cases, a budget, seeds, the environment and the utility.
2. The budget counts texts of the environment, per case: what a method spends is what its rivals may spend.
3. A method returns every text that it considered, and marks the ones that it went on from (accepted).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from eagle.core.seeding import derive_seed

if TYPE_CHECKING:
    from eagle.environment.branching import BranchingEnvironment
    from eagle.environment.steering import Case
    from eagle.latent.base import TextEncoder, Utility


@dataclass(frozen=True)
class Candidate:
    """One text that a method considered.

    ``step``: changes from the anchor's text to this one. ``draw``: its number among the candidates of one step.
    ``cause``: why generation failed; ``text`` is then the one before. ``seed``: with which the action was drawn.
    """

    case: int
    step: int
    draw: int
    action: str
    text: str
    cause: str | None = None
    copied: bool = False
    seed: int = 0
    accepted: bool = True


@dataclass(frozen=True)
class Trajectory:
    """What a method did for one case: all candidates, in the order in which they were made."""

    case: Case
    candidates: tuple[Candidate, ...]

    @property
    def accepted(self) -> list[Candidate]:
        """The way from the anchor's text to the method's answer: one candidate for each step."""
        return sorted((c for c in self.candidates if c.accepted), key=lambda c: c.step)

    @property
    def text(self) -> str:
        """The method's answer."""
        return self.accepted[-1].text if self.accepted else self.case.text


@dataclass(frozen=True)
class Seeds:
    """Seeds of what a method draws, common to all arms (common random numbers)."""

    seed: int

    def of(self, case: int, step: int, draw: int = 0) -> int:
        """Return the seed of one draw in the step after ``step`` changes."""
        return derive_seed(self.seed, "evaluate", "agent", case, step, *([draw] if draw else []))


@dataclass(frozen=True)
class Valued:
    """What texts are worth to their users, (n,) each."""

    utility: np.ndarray
    """U in SD over the catalogue."""
    preference: np.ndarray
    """The part of U that is the predicted rating, in its own SD; NaN where a utility of one's own has no such part."""
    new: np.ndarray
    """bool: as far from the catalogue as the utility asks."""
    whole: np.ndarray
    """bool: no gate of the text's quality is failed."""

    @property
    def eligible(self) -> np.ndarray:
        """(n,) bool: what a search may keep."""
        found: np.ndarray = self.new & self.whole
        return found


@dataclass(frozen=True)
class TextUtility:
    """U of texts: the encoder and the utility as one function, and what makes a text eligible."""

    encoder: TextEncoder
    utility: Utility
    broken: Callable[[Sequence[str], Sequence[str] | None], np.ndarray] | None = None
    """Says of texts, and of what each was made from, whether they are broken, (n,) bool; None where no text is."""

    def __call__(self, texts: Sequence[str], years: Sequence[int | None], users: Sequence[str]) -> np.ndarray:
        """Return U (n,), in SD over the catalogue, of each text for its user."""
        return np.asarray(self.utility(self.encoder.encode(texts, years), users), dtype=np.float64)

    def value(
        self,
        texts: Sequence[str],
        years: Sequence[int | None],
        users: Sequence[str],
        made_from: Sequence[str] | None = None,
    ) -> Valued:
        """Return what each text is worth to its user, and whether it may be kept.

        ``made_from``: the anchors' texts, whose words each text may keep.
        """
        pairs = list(zip(texts, years, strict=True))
        place = {pair: row for row, pair in enumerate(dict.fromkeys(pairs))}
        row = np.array([place[pair] for pair in pairs], dtype=int)
        said = [text for text, _ in place]
        z = self.encoder.encode(said, [year for _, year in place])
        new = np.asarray(self.utility.new_enough(z), dtype=bool)
        whole = np.ones(len(row), dtype=bool) if self.broken is None else ~self.broken(texts, made_from)
        preference = self.utility.parts(z[row], users).get("preference", np.full(len(row), np.nan))
        return Valued(
            utility=np.asarray(self.utility(z[row], users), dtype=np.float64),
            preference=np.asarray(preference, dtype=np.float64),
            new=new[row],
            whole=whole,
        )


@runtime_checkable
class Method(Protocol):
    """Turns cases into trajectories; equal seeds give equal trajectories."""

    @property
    def name(self) -> str:
        """Label of its rows in tables."""
        ...

    def run(
        self,
        cases: Sequence[Case],
        budget: int,
        seeds: Seeds,
        environment: BranchingEnvironment,
        utility: TextUtility,
    ) -> list[Trajectory]:
        """Return one trajectory per case, in order, with ``budget`` texts of the environment per case at most."""
        ...
