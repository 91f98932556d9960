"""A planted problem: users with tastes over genres, actions that push one genre each.

The best action is known by construction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from eagle.actions.candidate_list import CandidateList
from eagle.training.action_values import ActionValues
from eagle.training.decisions import DecisionSource
from eagle.training.dynamics import fit_dynamics
from eagle.training.steps import CachedSteps

GENRES = ("drama", "comedy", "romance", "war")
ACTIONS = ("Make the hero a robot.", "Set it in space.", "Add a love story.", "Turn it into a horror film.")
PUSH = 1.5  # what an action adds to its own coordinate
KEEP = 0.6  # what is left of a state after a rewrite


@dataclass(frozen=True)
class Planted:
    steps: CachedSteps
    candidates: CandidateList
    tastes: dict[str, np.ndarray]
    profiles: dict[str, str]

    def values(self, weight: float = 0.12) -> ActionValues:
        return ActionValues(
            self.steps,
            fit_dynamics(self.steps),
            lambda z, user: z @ self.tastes[user],
            lambda user: self.tastes[user],
            weight,
        )

    def source(self, **settings: object) -> DecisionSource:
        anchors = self.candidates.anchors("train")
        return DecisionSource(self.values(), self.candidates, self.profiles, anchors, list(self.tastes), **settings)  # type: ignore[arg-type]


def text_of(z: np.ndarray, name: str) -> str:
    best = np.argsort(-z)[:2]
    return f"Genres: {', '.join(GENRES[i] for i in best)}. Plot: story {name}."


def table_and_vectors(
    noise: float = 0.0, anchors: int = 8, seed: int = 0
) -> tuple[pd.DataFrame, np.ndarray, dict[str, np.ndarray]]:
    rng = np.random.default_rng(seed)
    places = {f"a{i}": rng.normal(size=4) for i in range(anchors)}
    rows, vectors = [], []
    for anchor, z in places.items():
        for index, action in enumerate(ACTIONS):
            vector = KEEP * z + PUSH * np.eye(4)[index] + noise * rng.normal(size=4)
            common = {
                "row": len(rows),
                "anchor": anchor,
                "state": anchor,
                "state_text": text_of(z, anchor),
                "step": 1,
                "history": [],
            }
            rows.append(
                common | {"action_index": index, "action": action, "next_text": text_of(vector, str(len(rows)))}
            )
            vectors.append(vector)
    return pd.DataFrame(rows), np.array(vectors), places


def planted(noise: float = 0.0) -> Planted:
    table, vectors, places = table_and_vectors(noise)
    steps = CachedSteps.from_tables(table, vectors, [str(r) for r in table["row"]], places)
    tastes = {f"u{i}": np.roll([1.0, 0.3, -0.3, -1.0], i) for i in range(4)}
    profiles = {}
    for user, taste in tastes.items():
        order = [GENRES[i] for i in np.argsort(-taste)]
        profiles[user] = f"User likes {order[0]}, {order[1]}. Dislikes {order[3]}, {order[2]}."
    candidates = CandidateList(ACTIONS, dict.fromkeys(places, ACTIONS), dict.fromkeys(places, "train"))
    return Planted(steps, candidates, tastes, profiles)
