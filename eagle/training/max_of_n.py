"""What a listed action is worth to N draws of which the best is kept: E[max of N] over a list, and its gradient.

1. The paper asks its agent once, so an action is worth E[U]. Who asks N times and keeps the best text wants E[max of N]
   (the objective of max@k and pass@k policy optimisation, which estimates its gradient from samples; arXiv 2505.15201).
2. Here it is a closed form over the list. A draw takes action a with probability pi_a, and its text has
   U ~ Normal(Q_a, sigma_a): most of the spread of U lies within an action, so that a second draw of the same action is
   worth something too. With F = sum_a pi_a F_a, the distribution of one draw,
       E[max of N] = top - integral of F^N,    d / d pi_a = N integral of F^(N-1) (1 - F_a) + a constant.
   The derivative is what the action is worth to the set: what a draw of it adds where the N - 1 others stay below. For
   N = 1 it is Q_a.
3. F is linear in pi and x^N is convex, so E[max of N] is concave in pi, and with -alpha KL(pi || pi_ref) it has one
   maximiser: pi* = pi_ref exp(W(pi*) / alpha) / Z, W the derivative. :meth:`BestOf.steered` finds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import logsumexp, ndtr

#: Points of the grid, and how many SD of a draw it reaches beyond the outermost values.
POINTS, REACH = 256, 6.0
#: Newton steps and halvings of one at most; most that one changes log pi by; SD of U that are not worth another one.
NEWTON_STEPS, HALVINGS, LEAP, ENOUGH = 100, 40, 4.0, 1e-10


@dataclass(frozen=True)
class BestOf:
    """``draws`` independent draws from a list, the best of which counts.

    ``values`` (K,) are the means Q_a and ``spread`` (K,) the SD sigma_a of U of one text of each action. A spread below
    a step of the grid counts as one.
    """

    values: np.ndarray
    spread: np.ndarray
    draws: int

    @cached_property
    def grid(self) -> np.ndarray:
        """Points (G,) of U, evenly spaced; below the first no draw lies, above the last none."""
        margin = REACH * max(float(np.max(self.spread)), 1e-3)
        return np.linspace(np.min(self.values) - margin, np.max(self.values) + margin, POINTS)

    @property
    def step(self) -> float:
        """Width of one step of the grid, which is the weight of a point: the integrands vanish at both ends."""
        return float(self.grid[1] - self.grid[0])

    @cached_property
    def below(self) -> np.ndarray:
        """F_a(x) (K, G): the chance that a text of the action lies below each point."""
        spread = np.maximum(self.spread, self.step)
        return np.asarray(ndtr((self.grid - self.values[:, None]) / spread[:, None]))

    def expected(self, pi: np.ndarray) -> float:
        """Return E[max of N] of draws by ``pi`` (K,)."""
        one_draw = pi @ self.below
        # The last point has F = 1, and its half step lies within the grid.
        return float(self.grid[-1] - self.step * ((one_draw**self.draws).sum() - 0.5))

    def worth(self, pi: np.ndarray) -> np.ndarray:
        """Return W (K,), the derivative of :meth:`expected` by pi, with the constant that makes sum_a pi_a W_a the
        share of E[max of N] above the grid's first point; only differences between actions matter.
        """
        others = (pi @ self.below) ** (self.draws - 1)
        return self.draws * self.step * ((1 - self.below) @ others)

    def steered(self, log_reference: np.ndarray, kl_coefficient: float) -> np.ndarray:
        """Return log pi* (K,), the maximiser of E[max of N] - alpha KL(pi || pi_ref); alpha is above 0.

        Newton's method in log pi, by steps of at most LEAP. Its fixed point is log pi = log pi_ref + W / alpha +
        constant; the linear system is scaled by sqrt(pi), so that unlikely actions do no harm.
        """
        log_pi = _normalised(np.asarray(log_reference, np.float64))
        reference = log_pi
        for _ in range(NEWTON_STEPS):
            pi = np.exp(log_pi)
            gap = reference + self.worth(pi) / kl_coefficient - log_pi
            gap -= pi @ gap
            # By concavity no policy is better by more than this.
            if kl_coefficient * logsumexp(gap, b=pi) < ENOUGH:
                break
            bend = self._curvature(pi) / kl_coefficient
            root = np.sqrt(pi)
            scaled = np.linalg.solve(np.eye(len(pi)) + root[:, None] * bend * root, root * gap)
            change = np.clip(gap - bend @ (root * scaled), -LEAP, LEAP)
            log_pi = self._climbed(log_pi, change, reference, kl_coefficient)
        return log_pi

    def _curvature(self, pi: np.ndarray) -> np.ndarray:
        """Return minus the second derivative (K, K) along changes of pi that sum to 0; its product with pi is 0."""
        if self.draws == 1:
            return np.zeros((len(pi), len(pi)))  # F^0 does not bend
        one_draw = pi @ self.below
        apart = self.below - one_draw
        return self.draws * (self.draws - 1) * self.step * ((apart * one_draw ** (self.draws - 2)) @ apart.T)

    def _climbed(
        self, log_pi: np.ndarray, change: np.ndarray, reference: np.ndarray, kl_coefficient: float
    ) -> np.ndarray:
        """Return log pi after the longest of the steps 1, 1/2, 1/4 and so on that does not lose."""

        def objective(log_p: np.ndarray) -> float:
            p = np.exp(log_p)
            return self.expected(p) - kl_coefficient * float(p @ (log_p - reference))

        start = objective(log_pi)
        for halving in range(HALVINGS):
            tried = _normalised(log_pi + 0.5**halving * change)
            if objective(tried) >= start:
                return tried
        return log_pi


def _normalised(logits: np.ndarray) -> np.ndarray:
    return np.asarray(logits - logsumexp(logits))


def worth_to_a_set(
    drawn: BestOf, log_pi: np.ndarray, log_reference: np.ndarray, *, kl_coefficient: float, closed_form: bool
) -> np.ndarray:
    """Return what stands in the place of Q (K,) when the policy is trained for E[max of N]; all arrays are (K,).

    The gradient takes W at the present policy. The closed form takes W at the maximiser pi*, up to a constant: the
    values whose own maximiser pi_ref exp(values / alpha) / Z is pi*. With one draw it is Q.
    """
    if drawn.draws == 1:
        return drawn.values
    if closed_form:
        return kl_coefficient * (drawn.steered(log_reference, kl_coefficient) - log_reference)
    return drawn.worth(np.exp(log_pi))
