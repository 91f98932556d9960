"""The seams of this room: what an encoder and what a utility has to offer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np

if TYPE_CHECKING:
    from eagle.config import EncoderConfig, FactorsConfig, UtilityConfig
    from eagle.latent.factors import Factors
    from eagle.latent.features import TextEmbedder
    from eagle.latent.ratings import Ratings
    from eagle.latent.space import LatentSpace


class TextEncoder(Protocol):
    """What places texts in the latent space; all that environment and evaluation ask of an encoder."""

    def encode(self, texts: Sequence[str], years: Sequence[int | None]) -> np.ndarray:
        """Return (n, d) float32, one row per text; ``years`` has one entry per text, None where unknown.

        A row depends on its own text and year only. No text is refused; no texts give (0, d).
        """
        ...


@dataclass(frozen=True)
class EncoderData:
    """What an encoder learns from. Held-out items have a text here and no rating; the panel's ratings are not here."""

    items: list[str]  # the whole catalogue
    texts: list[str]  # of every item
    years: list[int | None]  # of every item
    train: np.ndarray  # (n_train,) places among ``items`` of the items that ratings may be read of
    learning: Ratings  # train users (rows) on train items (columns, in the order of ``train``)
    folding: Ratings  # all users on train items
    factors: Factors  # of stage factors, from ``learning``
    embedder: TextEmbedder  # the sentence model in models/text_model
    settings: EncoderConfig
    factor_settings: FactorsConfig


class Encoder(TextEncoder, Protocol):
    """E_D: texts and years in, latent vectors out. It need not be linear."""

    @property
    def dimension(self) -> int:
        """d, the length of a latent vector."""
        ...

    @classmethod
    def fit(cls, data: EncoderData) -> tuple[Self, np.ndarray]:
        """Learn, and return the encoder with z_u (n_users, d) of every user of ``data.folding``, in that order.

        <z_u, encode(text)> has to rank texts as the user would; :func:`eagle.latent.fold_in.fold_in_users` makes such
        z_u for any encoder.
        """
        ...

    def save(self, folder: Path) -> None:
        """Write into ``folder``, which exists; encoder.json and latent.safetensors there belong to the stage."""
        ...

    @classmethod
    def load(cls, folder: Path, embedder: TextEmbedder) -> Self:
        """Read what :meth:`save` wrote."""
        ...


class Utility(Protocol):
    """U(z; D): how good points of the latent space are for users, in SD over the catalogue, 0 = the user's mean item.

    Users are ids of ``latent``; an unknown one is an EagleError.
    """

    @property
    def latent(self) -> LatentSpace:
        """The catalogue and the users' vectors that it values with."""
        ...

    @classmethod
    def fit(cls, latent: LatentSpace, config: UtilityConfig) -> Self:
        """Measure what it needs on the encoded catalogue."""
        ...

    def parts(self, z: np.ndarray, users: Sequence[str]) -> Mapping[str, np.ndarray]:
        """Return what U is made of, by name: (n,) each, of points ``z`` (n, d), one user each.

        Parts become columns of the trajectories: preference as such, distance as distance_bonus, others as part_NAME.
        """
        ...

    def new_enough(self, z: np.ndarray) -> np.ndarray:
        """Return (n,) bool: which points ``z`` (n, d) are far enough from what exists to be kept by a search."""
        ...

    def __call__(self, z: np.ndarray, users: Sequence[str]) -> np.ndarray:
        """Return U (n,) of points ``z`` (n, d), one user each."""
        ...

    def matrix(self, z: np.ndarray, users: Sequence[str]) -> np.ndarray:
        """Return U (n, n_users) of every point ``z`` (n, d) for every one of ``users``."""
        ...

    def with_tastes(self, tastes: np.ndarray) -> Self:
        """Return the utility with other user vectors (n_users, d), on the same scales."""
        ...

    def preference_only(self) -> Utility:
        """Return the utility of the predicted rating alone."""
        ...
