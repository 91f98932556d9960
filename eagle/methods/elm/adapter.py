"""The adapter: from a point of the latent space to soft tokens of the language model.

1. Follows ELM (arXiv 2310.04475): a two-layer network maps a point into the space of token embeddings.
2. Points are normalised first: less the mean, divided by the SD of each coordinate over the points that it learns
   from.
3. Differs: several soft tokens for one point (``elm.soft_tokens``), and each is scaled to the size of a token's
   embedding, so that a fresh adapter speaks about as loudly as the words beside it.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from eagle.core.errors import user_error


class PointAdapter(nn.Module):
    """Maps points (n, d) to soft tokens (n, m, width), in float32."""

    mean: torch.Tensor
    spread: torch.Tensor
    loudness: torch.Tensor

    def __init__(self, dimension: int, hidden: int, soft_tokens: int, width: int) -> None:
        super().__init__()
        self.soft_tokens, self.width = soft_tokens, width
        self.first = nn.Linear(dimension, hidden)
        self.second = nn.Linear(hidden, soft_tokens * width)
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.register_buffer("mean", torch.zeros(dimension))
        self.register_buffer("spread", torch.ones(dimension))
        self.register_buffer("loudness", torch.ones(()))

    @classmethod
    def fresh(
        cls, points: np.ndarray, hidden: int, soft_tokens: int, embeddings: torch.Tensor, seed: int
    ) -> PointAdapter:
        """Return an untrained adapter for points like ``points`` (n, d) and tokens like ``embeddings`` (vocabulary,
        width).
        """
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            adapter = cls(points.shape[1], hidden, soft_tokens, embeddings.shape[1])
        spread = points.std(axis=0)
        adapter.mean.copy_(torch.as_tensor(points.mean(axis=0)))
        adapter.spread.copy_(torch.as_tensor(np.where(spread > 0, spread, 1.0)))
        adapter.loudness.copy_(embeddings.detach().float().std())
        return adapter

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        """Return soft tokens (n, m, width) of points (n, d)."""
        if points.shape[-1] != len(self.mean):
            raise user_error(
                "ELM's adapter reads points of another dimension",
                found=points.shape[-1],
                expected=len(self.mean),
                mend="run `dvc repro elm` to train it for this encoder",
            )
        hidden = nn.functional.gelu(self.first((points.float() - self.mean) / self.spread))
        tokens = self.second(hidden).view(len(points), self.soft_tokens, self.width)
        return self.norm(tokens) * self.loudness
