"""What a method may need to open itself, as one small record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from eagle.actions.candidate_list import CandidateList
from eagle.config import Config
from eagle.core.project import Project
from eagle.latent.space import LatentSpace
from eagle.policies.base import Agent
from eagle.training.setup import TrainingData


@dataclass(frozen=True)
class MethodContext:
    """What a method may need to open itself: a kind is called with this and returns a :class:`Method`."""

    config: Config
    project: Project
    data: TrainingData
    users: Sequence[str]
    """Held-out users of the comparison."""
    agent: Callable[[str], Agent]
    """Opens an arm in which a language model acts, such as eagle_g_optimal; it writes on the workers."""

    def with_config(self, config: Config) -> MethodContext:
        """Return the same with other parameters."""
        return replace(self, config=config)

    @property
    def horizon(self) -> int:
        """H, changes of every arm."""
        return self.config.evaluate.horizon

    @property
    def repeat(self) -> bool:
        """Whether an action may be used twice."""
        return self.config.train.repeat_actions

    @property
    def candidates(self) -> CandidateList:
        return self.data.candidates

    @property
    def profiles(self) -> Mapping[str, str]:
        """Short profile of every user."""
        return self.data.profiles

    @property
    def latent(self) -> LatentSpace:
        return self.data.latent
