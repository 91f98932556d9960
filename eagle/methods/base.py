"""The seam of methods: everything that turns a case and a budget of texts into a trajectory.

1. A method is a policy, a rule or a search; it sees the cases, a budget, seeds, the environment and the utility.
2. The budget counts texts of the environment, per case: what a method spends is what its rivals may spend.
3. A method returns every text that it considered, and marks the ones that it went on from (accepted).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from eagle.core.seeding import derive_seed

if TYPE_CHECKING:
    from eagle.environment.branching import BranchingEnvironment
    from eagle.environment.steering import Case
    from eagle.latent.text_utility import TextUtility


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


@runtime_checkable
class Method(Protocol):
    """Turns cases into trajectories; equal seeds give equal trajectories.

    Where a method of one's own has a ``label``, that is what the tables of arms call it.
    """

    @property
    def name(self) -> str:
        """Key of its rows in files."""
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
