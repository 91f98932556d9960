"""What is found while a source is read: what is wrong, and what is worth a word."""

from __future__ import annotations

from dataclasses import dataclass, field

from eagle.core.errors import EagleError, Problem


@dataclass
class Findings:
    """Collects both, so that all that is wrong is told at once."""

    problems: list[Problem] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def add(self, *problems: Problem | None) -> None:
        """Take what is wrong; None stands for what is fine."""
        self.problems += [problem for problem in problems if problem is not None]

    def require(self) -> None:
        """Raise one EagleError with all that is wrong."""
        if self.problems:
            raise EagleError(self.problems)
