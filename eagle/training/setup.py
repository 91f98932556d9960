"""Read what training and the simple policies share: cached steps, values, listed actions, profiles, users by split."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from eagle.actions.candidate_list import CandidateList
from eagle.config import UtilityConfig
from eagle.core.project import Project
from eagle.latent.base import Utility
from eagle.latent.space import LatentSpace, load_latent
from eagle.latent.utilities import finite, fit_utility
from eagle.profiles.expected_taste import expected_tastes
from eagle.profiles.stored import Profiles
from eagle.training.action_values import ActionValues
from eagle.training.decisions import DecisionSource, Used
from eagle.training.dynamics import fit_dynamics
from eagle.training.steps import CachedSteps

if TYPE_CHECKING:
    from eagle.compute.parallel import Parallel
    from eagle.compute.workers import Workers
    from eagle.config import Config
    from eagle.policies.lora import LoraPolicy


@dataclass(frozen=True)
class TrainingData:
    """Everything that training reads.

    ``steps`` are those of training anchors, ``validation_steps`` of validation anchors. ``latent`` and ``utility`` hold
    the users' own vectors z_u; :meth:`utility_by_profile` values by E[z_u | profile] instead. Who asks for values names
    the utility, and with it whose taste counts.
    """

    latent: LatentSpace
    steps: CachedSteps
    validation_steps: CachedSteps
    candidates: CandidateList
    profiles: Mapping[str, str]  # user -> short profile
    users: Mapping[str, list[str]]  # split -> users
    utility: Utility  # by each user's own z_u
    profile_table: pd.DataFrame

    def utility_by_profile(self) -> Utility:
        """Return the utility that values by E[z_u | profile]; who has no profile keeps their own vector."""
        tastes = self.latent.user_vectors.copy()
        rows = self.latent.user_index(list(self.profile_table["user"].astype(str)))
        fitted = (self.profile_table["split"] == "train").to_numpy()
        tastes[rows] = expected_tastes(self.profile_table, tastes[rows].astype(np.float64), fitted)
        return self.utility.with_tastes(tastes)

    def source(
        self,
        split: str,
        utility: Utility,
        *,
        single_cell_weight: float,
        horizon: int,
        lookahead: int,
        used: Used,
        most_named: int | None = None,
    ) -> DecisionSource:
        """Return decisions of the anchors and users of "train" or "validation", valued by ``utility``.

        The model of the environment is always the one of the training anchors; a validation anchor's own cells count
        fully, so that its values are what was seen there and not what training believed.
        """
        steps = self.steps if split == "train" else self.validation_steps
        values = ActionValues(
            steps,
            fit_dynamics(self.steps),
            partial(user_utility, utility),
            utility.latent.user_vector,
            single_cell_weight if split == "train" else 1.0,
        )
        anchors = sorted(set(steps.anchor))
        return DecisionSource(
            values, self.candidates, self.profiles, anchors, self.users[split], horizon, lookahead, used, most_named
        )


def user_utility(utility: Utility, z: np.ndarray, user: str) -> np.ndarray:
    """Return U (n,) of latent points ``z`` (n, d) for one user, in SD of U over the catalogue."""
    return finite(utility.matrix(z.astype(np.float32), [user])[:, 0])


@dataclass(frozen=True)
class Training:
    """What all phases of one training share; the workers are opened when they are first asked for."""

    config: Config
    project: Project
    material: TrainingData
    policy: LoraPolicy
    workers: Callable[[], Workers]
    parallel: Parallel


def load_training_data(utility: UtilityConfig, project: Project) -> TrainingData:
    """Read the files behind training and fit the utility."""
    latent = load_latent(project.encoder)
    candidates = CandidateList.load(project.actions)
    steps = CachedSteps.load(project)
    profiles = Profiles.load(project.profiles)
    return TrainingData(
        latent=latent,
        steps=steps.of(candidates.anchors("train")),
        validation_steps=steps.of(candidates.anchors("validation")),
        candidates=candidates,
        profiles=profiles.short,
        users={split: profiles.users_in(split) for split in ("train", "validation", "test")},
        utility=fit_utility(latent, utility),
        profile_table=profiles.table,
    )
