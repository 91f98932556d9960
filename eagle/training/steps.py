"""The cached transitions as arrays: states and next states in the latent space, actions by text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from eagle.actions.stored import read_transition_vectors, read_transitions
from eagle.core.errors import user_error
from eagle.core.project import Project
from eagle.latent.space import load_latent


@dataclass(frozen=True)
class CachedSteps:
    """One row per transition that worked.

    ``vocabulary`` holds the distinct action texts (n_actions); ``action`` indexes it. ``state_vector`` and
    ``next_vector`` are (n_rows, d) float64. ``history`` is what was applied before the row's action.
    """

    anchor: np.ndarray
    state_text: np.ndarray
    next_text: np.ndarray
    history: tuple[tuple[str, ...], ...]
    step: np.ndarray
    action: np.ndarray
    vocabulary: tuple[str, ...]
    state_vector: np.ndarray
    next_vector: np.ndarray

    def __len__(self) -> int:
        return len(self.anchor)

    def of(self, anchors: Iterable[str]) -> CachedSteps:
        """Return the rows of some anchors; the vocabulary stays the same."""
        keep = np.isin(self.anchor, list(anchors))
        history = tuple(h for h, kept in zip(self.history, keep, strict=True) if kept)
        columns = {
            name: getattr(self, name)[keep]
            for name in ("anchor", "state_text", "next_text", "step", "action", "state_vector", "next_vector")
        }
        return CachedSteps(history=history, vocabulary=self.vocabulary, **columns)

    def mean_over_anchors(self, values: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return the mean of ``values`` (n_rows, ...) over some ``rows`` (n_rows,) bool, every anchor counted once."""
        anchors = sorted(set(self.anchor[rows]))
        found: np.ndarray = np.mean([values[rows & (self.anchor == anchor)].mean(axis=0) for anchor in anchors], axis=0)
        return found

    @classmethod
    def from_tables(
        cls, table: pd.DataFrame, vectors: np.ndarray, rows: Iterable[str], items: dict[str, np.ndarray]
    ) -> CachedSteps:
        """Join the ``transitions`` table with the vectors ``(n_rows, d)`` of its next texts and of the anchors."""
        encoded = dict(zip(rows, vectors, strict=True))
        by_state = items | {f"row:{row}": vector for row, vector in encoded.items()}
        following = np.stack([encoded[str(row)] for row in table["row"]])
        fine = table["next_text"].notna().to_numpy() & np.isfinite(following).all(1)
        fine &= table["state"].astype(str).isin(by_state).to_numpy()
        if not fine.any():
            raise user_error(
                "no cached transition is usable",
                found=f"{len(table)} rows, all failed",
                mend="look at the causes in data/transitions.parquet",
            )
        table, following = table[fine], following[fine].astype(np.float64)
        vocabulary = tuple(sorted(set(table["action"])))
        index = {text: i for i, text in enumerate(vocabulary)}
        return cls(
            anchor=table["anchor"].astype(str).to_numpy(),
            state_text=table["state_text"].to_numpy(),
            next_text=table["next_text"].to_numpy(),
            history=tuple(tuple(h) for h in table["history"]),
            step=table["step"].to_numpy(int),
            action=np.array([index[a] for a in table["action"]], int),
            vocabulary=vocabulary,
            state_vector=np.stack([by_state[str(s)] for s in table["state"]]).astype(np.float64),
            next_vector=following,
        )

    @classmethod
    def load(cls, project: Project) -> CachedSteps:
        """Read transitions, their vectors and the anchors' vectors."""
        latent = load_latent(project.encoder)
        vectors, rows = read_transition_vectors(project.transition_vectors)
        items = dict(zip(latent.items, latent.item_vectors, strict=True))
        return cls.from_tables(read_transitions(project.transitions), vectors, rows, items)
