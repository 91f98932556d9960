"""What each listed action is worth to each user in each cached state, over one or several steps.

1. Follows the paper's objective: the utility of the text after the last change (gamma 1, reward at the end).
2. Differs: the value of an action is read from the cached transitions, for all users at once, instead of from fresh
   rollouts. One cell (anchor, action) gets a small weight against the pooled model of :mod:`eagle.training.dynamics`,
   since one sample is mostly noise.
3. Differs: what follows the action is planned in the latent space (best continuation, no action twice unless allowed),
   so that the policy is trained on the horizon that it will act over; ``lookahead`` 1 gives the one-step value.
4. Beside its value an action has a spread: the environment answers the same request differently each time, which
   matters to who asks several times and keeps the best.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from eagle.training.dynamics import LatentDynamics
from eagle.training.steps import CachedSteps

#: Utilities of latent points ``(n, d)`` for one user: ``(n,)`` in SD of U.
UserUtility = Callable[[np.ndarray, str], np.ndarray]
#: Deepest exact plan: K^2 states of K actions each.
DEEPEST = 3
#: An action's own spread counts against that of all actions as so many rows against its own.
SPREAD_ROWS = 10.0


@dataclass(frozen=True)
class State:
    """A text that an episode may be in. ``vector`` (d,) is its place in the latent space."""

    anchor: str
    text: str
    vector: np.ndarray
    history: tuple[str, ...] = ()


@dataclass(frozen=True)
class ActionValues:
    """Values of listed actions by table and latent lookahead."""

    steps: CachedSteps
    dynamics: LatentDynamics
    utility: UserUtility
    user_vector: Callable[[str], np.ndarray]
    single_cell_weight: float = 0.12

    @cached_property
    def index(self) -> dict[str, int]:
        """Place of every action text in the vocabulary of the cached steps."""
        return {text: i for i, text in enumerate(self.steps.vocabulary)}

    @cached_property
    def cells(self) -> dict[tuple[str, int], np.ndarray]:
        """Mean next vector ``(d,)`` of each (state text, action) that was tried."""
        sums: dict[tuple[str, int], list[np.ndarray]] = {}
        for text, action, vector in zip(self.steps.state_text, self.steps.action, self.steps.next_vector, strict=True):
            sums.setdefault((str(text), int(action)), []).append(vector)
        return {key: np.mean(found, axis=0) for key, found in sums.items()}

    @cached_property
    def _expected_next(self) -> np.ndarray:
        """Where the model expects the next text of each cached row, ``(n_rows, d)``."""
        steps, model = self.steps, self.dynamics
        moved = np.einsum("nde,ne->nd", model.slope[steps.action], steps.state_vector)
        return np.asarray(steps.state_vector + model.shift[steps.action] + moved)

    @cached_property
    def _spreads(self) -> dict[str, np.ndarray]:
        """Spread ``(n_actions,)`` by user, filled as users are asked for."""
        return {}

    def spread(self, user: str, actions: Sequence[str]) -> np.ndarray:
        """Return the SD of U ``(K,)`` of single texts around what the model expects of their action, for this user.

        The variance of each action is pooled with that of all (``SPREAD_ROWS``). It holds what differs between anchors
        beyond the model, too, which is small beside what differs between two texts of one request.
        """
        if user not in self._spreads:
            steps = self.steps
            found, expected = self.utility(steps.next_vector, user), self.utility(self._expected_next, user)
            squares = (np.asarray(found, float) - np.asarray(expected, float)) ** 2
            counts = np.bincount(steps.action, minlength=len(steps.vocabulary))
            sums = np.bincount(steps.action, squares, minlength=len(steps.vocabulary))
            self._spreads[user] = np.sqrt((sums + SPREAD_ROWS * squares.mean()) / (counts + SPREAD_ROWS))
        return self._spreads[user][[self.index[a] for a in actions]]

    def next_vectors(self, state: State, actions: Sequence[str]) -> np.ndarray:
        """Return smoothed mean next vectors ``(K, d)`` of a state."""
        places = np.array([self.index[a] for a in actions])
        pooled = self.dynamics.next_means(state.vector[None], places)[0]
        for row, place in enumerate(places):
            cell = self.cells.get((state.text, int(place)))
            if cell is not None:
                pooled[row] += self.single_cell_weight * (cell - pooled[row])
        return pooled

    def of(self, state: State, user: str, actions: Sequence[str], *, remaining: int, repeat: bool) -> np.ndarray:
        """Return Q ``(K,)`` in SD of U: the utility after ``remaining`` changes, of which the action is the first.

        Without ``repeat``, actions of the state's history get the lowest value of all.
        """
        first = self.next_vectors(state, actions)
        depth = min(remaining, DEEPEST)
        used = np.array([not repeat and a in state.history for a in actions])
        places = np.array([self.index[a] for a in actions])
        last = self._best_ends(first, places, self.user_vector(user), depth, used, repeat)
        values = np.asarray(self.utility(last, user), float)
        return np.where(used, values.min(), values)

    def _best_ends(
        self, first: np.ndarray, places: np.ndarray, taste: np.ndarray, depth: int, used: np.ndarray, repeat: bool
    ) -> np.ndarray:
        """Return the last vector ``(K, d)`` of the best plan that opens with each action, by preference <z_u, z>."""
        n, step = len(places), self.dynamics
        if depth == 1 or (not repeat and n - used.sum() < depth):
            return first
        weight = taste + np.einsum(
            "kde,d->ke", step.slope[places], taste
        )  # (K, d): <taste, next(z, a)> = <weight_a, z> + constant_a
        constant = step.shift[places] @ taste
        banned = np.broadcast_to(used[None], (n, n)) | (np.eye(n, dtype=bool) if not repeat else False)
        if depth == 2:
            second = np.where(banned, -np.inf, first @ weight.T + constant).argmax(1)
            return first + step.shift[places[second]] + np.einsum("kde,ke->kd", step.slope[places[second]], first)
        middle = step.next_means(first, places)  # (K, K, d)
        ends = middle @ weight.T + constant  # (K, K, K)
        forbidden = banned[:, :, None] | banned[:, None, :]
        if not repeat:
            forbidden = forbidden | np.eye(n, dtype=bool)[None]
        best = np.where(forbidden, -np.inf, ends).reshape(n, -1).argmax(1)
        second, third = np.divmod(best, n)
        reached = middle[np.arange(n), second]
        return reached + step.shift[places[third]] + np.einsum("kde,ke->kd", step.slope[places[third]], reached)
