"""E_D: from the text of a state to the latent space in which users live.

E_D(text, year) = [W x, c * w x] (d = factors + 1): the personal coordinates, then the general appeal the text predicts,
weighed by ``encoder.bias_weight``. z_u = [p_u, 1], so <z_u, E_D> is the user's predicted rating less the constants, in
stars.

Differs from the paper (section 5.1): E_D is a frozen sentence model with a linear map, not a fine-tuned LLM
(fine-tuning measured no gain); genres are parsed from the text's genre line; the year is the anchor's and is held.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from eagle.core.artifacts import content_hash, read_arrays, read_json, write_arrays, write_json
from eagle.core.errors import user_error
from eagle.latent.features import FeatureMap, TextEmbedder

ENCODER_SCHEMA = "encoder"
LATENT_SCHEMA = "latent"


class Encoder:
    """Texts and years in, latent vectors out. A text of another form is read as a plot without genres."""

    def __init__(self, features: FeatureMap, weights: np.ndarray, embedder: TextEmbedder) -> None:
        self.features = features
        self.weights = weights  # (d, f)
        self._embedder = embedder

    @property
    def dimension(self) -> int:
        return len(self.weights)

    @property
    def genres(self) -> list[str]:
        """Genres of the training items: the ones E_D knows."""
        return list(self.features.genres)

    def encode(self, texts: Sequence[str], years: Sequence[int | None]) -> np.ndarray:
        """Return (n, d) float32, one row per text; ``years`` has one entry per text, None where unknown."""
        if len(texts) != len(years):
            raise ValueError(f"{len(texts)} texts but {len(years)} years")
        vectors: np.ndarray = (self.features(texts, years, self._embedder) @ self.weights.T).astype(np.float32)
        return vectors

    def save(self, folder: Path, description: Mapping[str, Any]) -> None:
        """Write encoder.safetensors and encoder.json into ``folder``; ``description`` says how it was made."""
        arrays = {**self.features.to_arrays(), "weights": self.weights}
        write_arrays(folder / "encoder.safetensors", arrays, ENCODER_SCHEMA, ids={"genres": self.features.genres})
        write_json(folder / "encoder.json", description)

    @classmethod
    def load(cls, folder: Path, text_model: Path, *, remember: bool = True) -> Encoder:
        """Read an encoder and the sentence model it was made with (another one is an EagleError).

        ``remember``: embed an equal text once. A remembered vector differs in its last bits from one that is computed
        in another batch, so work that must resume identically goes without.
        """
        from eagle.latent.sentence import Remembered, SentenceModel

        arrays, ids = read_arrays(folder / "encoder.safetensors", ENCODER_SCHEMA)
        made_with = read_json(folder / "encoder.json").get("text_model")
        found = text_model_fingerprint(text_model)
        if made_with != found:
            raise user_error(
                f"{folder} was made with another sentence model than {text_model}",
                found=found,
                expected=made_with,
                mend="run `dvc repro encoder`",
            )
        model = SentenceModel(text_model)
        return cls(
            FeatureMap.from_arrays(arrays, ids["genres"]), arrays["weights"], Remembered(model) if remember else model
        )


def text_model_fingerprint(folder: Path) -> str:
    """Return a hash of the weights, 'absent' where there are none."""
    files = sorted(Path(folder).glob("*.safetensors"))
    return "-".join(content_hash(file) for file in files) or "absent"


@dataclass(frozen=True)
class LatentSpace:
    """The encoded catalogue and all users; no torch and no sentence model needed."""

    items: list[str]
    item_vectors: np.ndarray  # (n_items, d) float32: E_D of every item's description
    users: list[str]
    user_vectors: np.ndarray  # (n_users, d) float32: z_u
    years: dict[str, int | None]
    train_items: np.ndarray  # (n_items,) bool: W was fitted on it
    train_users: np.ndarray  # (n_users,) bool: W was fitted on their ratings; the others are folded in

    @property
    def dimension(self) -> int:
        return int(self.item_vectors.shape[1])

    def rows_of_users(self, users: Sequence[str]) -> np.ndarray:
        """Return z_u (n, d) of the named users; an unknown one is an EagleError."""
        rows: np.ndarray = self.user_vectors[self.user_index(users)]
        return rows

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
