"""Weights that stand still, ahead and on the way back."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import torch

from eagle.engine.torch.llama import Linear, linear


class Frozen:
    """Weights (out, in), of several products with the same input below one another, for x W^T and for g W.

    The second is packed only where something is trained.
    """

    def __init__(self, weights: Sequence[torch.Tensor]) -> None:
        self._weights = weights
        self.forward = linear(self._weight())

    def _weight(self) -> torch.Tensor:
        return self._weights[0] if len(self._weights) == 1 else torch.cat(list(self._weights))

    @cached_property
    def transposed(self) -> Linear:
        return linear(self._weight().mT)
