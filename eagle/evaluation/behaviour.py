"""How an arm behaves, beside what it scores: defects, copies, repetition, spread of actions, use of the user."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from eagle.actions.candidate_list import bare, is_valid_action
from eagle.core.seeding import stream
from eagle.domains.text import Description
from eagle.evaluation.words import words, words_kept
from eagle.quality.defects import defective

OF_ANSWERS = ("broken", "repeated_triple", "copied_item", "too_long", "high_perplexity")
"""Columns of :func:`eagle.quality.columns.quality_columns` whose share is that of an arm's answers."""


def mutual_information(users: np.ndarray, actions: np.ndarray) -> float:
    """Plug-in mutual information of two label arrays (n,), in nats."""
    if not len(users):
        return 0.0
    _, u = np.unique(users, return_inverse=True)
    _, a = np.unique(actions, return_inverse=True)
    joint = np.zeros((u.max() + 1, a.max() + 1))
    np.add.at(joint, (u, a), 1 / len(u))
    independent = joint.sum(axis=1, keepdims=True) @ joint.sum(axis=0, keepdims=True)
    some = joint > 0
    return float(np.sum(joint[some] * np.log(joint[some] / independent[some])))


def excess_mutual_information(users: np.ndarray, actions: np.ndarray, seed: int, shuffles: int = 50) -> float:
    """Return the mutual information less its mean under shuffled users: 0 where the user plays no part."""
    rng = stream(seed, "mutual information")
    chance = np.mean([mutual_information(rng.permutation(users), actions) for _ in range(shuffles)])
    return max(0.0, mutual_information(users, actions) - float(chance))


def describe_steps(steps: pd.DataFrame, listed: Iterable[str]) -> pd.DataFrame:
    """Add what can be read off each step (rows of trajectories with step >= 1, `before` = the text it started from).

    New columns: defect, no_op, valid_action, listed (bool); each describes its own row.
    """
    known = set(map(bare, listed))
    return steps.assign(
        defect=[not ok or defective(text) for ok, text in zip(steps["valid"], steps["text"], strict=True)],
        no_op=[
            bool(ok) and words(b) == words(t)
            for ok, b, t in zip(steps["valid"], steps["before"], steps["text"], strict=True)
        ],
        valid_action=[is_valid_action(action) for action in steps["action"]],
        listed=[bare(action) in known for action in steps["action"]],
    )


def behaviour(steps: pd.DataFrame, final: pd.DataFrame, anchor_texts: pd.Series, seed: int) -> dict[str, float]:
    """Return one arm's shares, 0 to 1 unless said.

    ``steps`` from :func:`describe_steps`, ``final`` the arm's last row per case, ``anchor_texts`` the anchors' own
    texts by case. words_kept, genres_named and OF_ANSWERS describe final texts; distinct_actions is a count;
    mutual_information is in nats, of first-step actions and users. What quality_columns did not add is left out.
    """
    kept = [words_kept(anchor_texts[case], text) for case, text in zip(final["case"], final["text"], strict=True)]
    named = float(np.mean([len(Description.read_any(text).genres) for text in final["text"]]))
    figures = {"words_kept": float(np.mean(kept)), "genres_named": named}
    figures |= {name: float(final[name].mean()) for name in OF_ANSWERS if name in final}
    if steps.empty:
        return figures
    if "off_action" in steps and steps["off_action"].notna().any():
        figures["off_action"] = float(steps["off_action"].mean())
    first = steps[steps["step"] == 1]
    return {
        "defects": float(steps["defect"].mean()),
        "copies": float(steps["copied"].mean()),
        "duplicates": float(steps["duplicate"].mean()),
        "no_ops": float(steps["no_op"].mean()),
        **figures,
        "distinct_actions": float(steps["action"].nunique()),
        "valid_actions": float(steps["valid_action"].mean()),
        "listed": float(steps["listed"].mean()),
        "mutual_information": excess_mutual_information(
            first["user"].to_numpy(str), first["action"].to_numpy(str), seed
        ),
    }
