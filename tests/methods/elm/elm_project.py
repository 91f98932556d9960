"""A project on disk up to what ELM reads: texts of eight items, two of them held out, and an encoder that counts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd

from eagle.core.artifacts import write_json, write_table
from eagle.core.project import Project
from eagle.latent.base import EncoderData
from eagle.latent.encoders import text_model_fingerprint
from tests.tiny import build_tiny_text_encoder
from tests.training.planted import GENRES
from tests.training.project_files import VALIDATION, build_project


class GenreEncoder:
    """A text's point: how often each genre's word stands in it, (n, 4)."""

    dimension = len(GENRES)

    def encode(self, texts: Sequence[str], years: Sequence[int | None]) -> np.ndarray:
        """Return (n, 4) float32."""
        return np.array([[text.count(g) for g in GENRES] for text in texts], np.float32).reshape(len(texts), 4)

    @classmethod
    def fit(cls, data: EncoderData) -> tuple[Self, np.ndarray]:
        raise NotImplementedError

    def save(self, folder: Path) -> None:
        raise NotImplementedError

    @classmethod
    def load(cls, folder: Path, embedder: object) -> Self:
        """Return the encoder; nothing is read."""
        return cls()


def elm_project(root: Path) -> Project:
    """Write the files; items a0 to a5 are for training."""
    project = build_project(root)
    build_tiny_text_encoder(project.text_model)
    kind = f"{GenreEncoder.__module__}:{GenreEncoder.__name__}"
    fingerprint = text_model_fingerprint(project.text_model)
    write_json(project.encoder / "encoder.json", {"kind": kind, "text_model": fingerprint})
    items = [f"a{n}" for n in range(8)]
    split = ["validation" if item in VALIDATION else "train" for item in items]
    write_table(project.split_files.items, pd.DataFrame({"item": items, "split": split}), "item_split")
    plots = [f"The soldiers of the house number {n} walk home after the war." if n else "" for n in range(8)]
    rows = {
        "item": items,
        "text": [f"Genres: {GENRES[n % 4]}." + (f" Plot: {plot}" if plot else "") for n, plot in enumerate(plots)],
        "genres": [[GENRES[n % 4]] for n in range(8)],
        "plot": plots,
        "year": pd.array([1990 + n for n in range(8)], dtype="Int64"),
        "origin": "source",
    }
    write_table(project.descriptions, pd.DataFrame(rows), "descriptions")
    return project
