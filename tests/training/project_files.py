"""A whole tiny project on disk, up to what the references read: planted problem, tiny language model."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from eagle.config import Config, parse_config
from eagle.core.artifacts import write_arrays, write_table
from eagle.core.project import Project
from eagle.latent.space import LatentSpace
from tests.tiny import build_tiny_llm
from tests.training.planted import ACTIONS, GENRES, table_and_vectors

VALIDATION = ("a6", "a7")
LORA = {"rank": 8}


def config(**train: Any) -> Config:
    """Small settings that learn on the tiny model."""
    phase = {"kind": "all_action", "updates": 6, "pairs": 4, "learning_rate": 3e-3, "repair_every": 2, "lookahead": 2}
    values = {
        "reference": {
            "names": ["uniform", "optimistic", "g_optimal"],
            "updates": 5,
            "learning_rate": 1e-2,
            "lora": LORA,
        },
        "train": {"arms": ["g_optimal"], "phases": [phase], "checkpoint_every": 2, "lora": LORA, **train},
        "llm": {"dtype": "float32", "device": "cpu"},
        "utility": {"neighbours": 1},
    }
    return parse_config(values)


def build_project(root: Path) -> Project:
    """Write the files."""
    project = Project(root)
    build_tiny_llm(project.llm)
    table, vectors, places = table_and_vectors(noise=0.2)
    users = [f"u{i}" for i in range(8)]
    tastes = np.array([np.roll([1.0, 0.3, -0.3, -1.0], i % 4) for i in range(8)], np.float32)
    items = np.stack([places[a] for a in places]).astype(np.float32)
    every = np.ones(8, bool)
    project.encoder.mkdir(parents=True)
    LatentSpace(list(places), items, users, tastes, dict.fromkeys(places), every, every).save(project.encoder)
    orders = [[GENRES[i] for i in np.argsort(-t)] for t in tastes]
    profiles = pd.DataFrame(
        {
            "user": users,
            "split": ["train"] * 4 + ["validation"] * 2 + ["test"] * 2,
            "liked": [o[:2] for o in orders],
            "disliked": [o[2:] for o in orders],
            "short": [f"User likes {o[0]}, {o[1]}. Dislikes {o[3]}, {o[2]}." for o in orders],
        }
    )
    write_table(project.profiles, profiles, "profiles")
    split = {a: "validation" if a in VALIDATION else "train" for a in places}
    actions = table[["anchor", "action_index", "action"]].assign(origin="seed", split=table["anchor"].map(split))
    write_table(project.actions, actions, "actions")
    write_table(project.transitions, table, "transitions")
    ids = {"rows": [str(r) for r in table["row"]]}
    write_arrays(project.transition_vectors, {"z": vectors.astype(np.float32)}, "transition_vectors", ids=ids)
    weights = table[["anchor", "action_index", "action"]].assign(weight=np.tile([0.4, 0.3, 0.3, 0.0], len(places)))
    write_table(project.design_weights, weights, "design_weights")
    assert len(ACTIONS) == 4
    return project


def copy_of(project: Project, root: Path) -> Project:
    """Return an independent copy."""
    shutil.copytree(project.root, root)
    return Project(root)
