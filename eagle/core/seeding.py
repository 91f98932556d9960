"""One seed becomes many named streams, so that adding a draw in one place moves nothing elsewhere."""

from __future__ import annotations

import hashlib

import numpy as np


def derive_seed(seed: int, *names: object) -> int:
    """Return a 63-bit seed that depends on ``seed`` and on every name, in order.

    Stable across processes and versions (SHA-256, not Python's salted hash). Use it for the seed of
    one generated row: ``derive_seed(config.seed, "environment", text, action, sample)``.
    """
    key = "\x1f".join([str(seed), *(str(name) for name in names)])
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") >> 1


def stream(seed: int, *names: object) -> np.random.Generator:
    """Return an independent NumPy generator for the named purpose."""
    return np.random.default_rng(derive_seed(seed, *names))
