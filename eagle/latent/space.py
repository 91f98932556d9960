"""The latent space: where every item of the catalogue and every user stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from eagle.core.artifacts import read_arrays, write_arrays
from eagle.core.errors import user_error

LATENT_SCHEMA = "latent"


@dataclass(frozen=True)
class LatentSpace:
    """The encoded catalogue and all users; no torch and no sentence model needed."""

    items: list[str]
    item_vectors: np.ndarray  # (n_items, d) float32: E_D of every item's description
    users: list[str]
    user_vectors: np.ndarray  # (n_users, d) float32: z_u
    years: dict[str, int | None]
    train_items: np.ndarray  # (n_items,) bool: the encoder was fitted on it
    train_users: np.ndarray  # (n_users,) bool: the encoder was fitted on their ratings; the others are folded in

    @property
    def dimension(self) -> int:
        return int(self.item_vectors.shape[1])

    def rows_of_users(self, users: Sequence[str]) -> np.ndarray:
        """Return z_u (n, d) of the named users; an unknown one is an EagleError."""
        rows: np.ndarray = self.user_vectors[self.user_index(users)]
        return rows

    def user_vector(self, user: str) -> np.ndarray:
        """Return z_u (d,) of one user in float64; an unknown one is an EagleError."""
        vector: np.ndarray = self.rows_of_users([user])[0].astype(np.float64)
        return vector

    def user_index(self, users: Sequence[str]) -> np.ndarray:
        return _index(self._user_place, users, "user")

    def item_index(self, items: Sequence[str]) -> np.ndarray:
        return _index(self._item_place, items, "item")

    @cached_property
    def _user_place(self) -> dict[str, int]:
        return {user: i for i, user in enumerate(self.users)}

    @cached_property
    def _item_place(self) -> dict[str, int]:
        return {item: i for i, item in enumerate(self.items)}

    def save(self, folder: Path) -> None:
        """Write latent.safetensors into ``folder``."""
        years = np.array([np.nan if self.years[item] is None else self.years[item] for item in self.items], np.float64)
        arrays = {
            "item_vectors": self.item_vectors,
            "user_vectors": self.user_vectors,
            "years": years,
            "train_items": self.train_items.astype(np.uint8),
            "train_users": self.train_users.astype(np.uint8),
        }
        write_arrays(
            folder / "latent.safetensors", arrays, LATENT_SCHEMA, ids={"items": self.items, "users": self.users}
        )


def _index(place: Mapping[str, int], names: Sequence[str], what: str) -> np.ndarray:
    unknown = sorted({name for name in names if name not in place})
    if unknown:
        raise user_error(
            f"unknown {what}",
            found=", ".join(unknown[:5]),
            expected=f"one of {len(place)}, such as {', '.join(list(place)[:3])}",
        )
    return np.array([place[name] for name in names], dtype=np.int64)


def load_latent(folder: Path) -> LatentSpace:
    """Read the latent space from the encoder's folder."""
    arrays, ids = read_arrays(folder / "latent.safetensors", LATENT_SCHEMA)
    years = {
        item: None if np.isnan(year) else int(year) for item, year in zip(ids["items"], arrays["years"], strict=True)
    }
    return LatentSpace(
        ids["items"],
        arrays["item_vectors"],
        ids["users"],
        arrays["user_vectors"],
        years,
        arrays["train_items"].astype(bool),
        arrays["train_users"].astype(bool),
    )
