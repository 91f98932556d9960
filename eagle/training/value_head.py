"""The value head: what the rest of an episode is worth from a prompt, for a critic that moves the policy's weights not
at all.
"""

from __future__ import annotations

import torch

#: Width of the hidden layer.
WIDTH = 64


class ValueHead(torch.nn.Module):
    """A two-layer network over the policy's hidden state at the end of the prompt; starts at zero everywhere."""

    def __init__(self, width: int, seed: int) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.inner = torch.nn.Linear(width, WIDTH)
            self.outer = torch.nn.Linear(WIDTH, 1)
        torch.nn.init.zeros_(self.outer.weight)
        torch.nn.init.zeros_(self.outer.bias)

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """Return values ``(n,)`` of hidden states ``(n, width)``; gradients stop at the states."""
        normal = torch.nn.functional.layer_norm(states.detach().float(), states.shape[-1:])
        return self.outer(torch.tanh(self.inner(normal)))[:, 0]  # type: ignore[no-any-return]
