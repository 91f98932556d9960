"""Catalogues of other shapes than films: 100 jokes that everybody rated, on a scale of -10 to 10, and 10,000 users with
a handful of ratings each.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from eagle.config import Config, parse_config
from eagle.config.stages import run_stage
from eagle.core.artifacts import read_json
from eagle.core.project import Project
from eagle.data.overview import Overview
from eagle.report.words import encoder_warning
from tests.tiny import build_tiny_text_encoder

WHO = ("bartender", "doctor", "parrot", "lawyer", "farmer", "penguin", "priest", "golfer")
STAGES = ("fetch", "validate", "split", "factors", "describe", "quality", "encoder", "profiles", "actions")
HowMany = Callable[[np.random.Generator], int]


def write_jokes(folder: Path, users: int, items: int, how_many: HowMany, low: float, high: float) -> None:
    """Write jokes about two of WHO each, and ratings of users who laugh about some of them and not about others."""
    rng = np.random.default_rng(0)
    pairs = [rng.choice(len(WHO), 2, replace=False) for _ in range(items)]
    about = np.zeros((items, len(WHO)))
    for item, pair in enumerate(pairs):
        about[item, pair] = 1
    rows = []
    for user in range(users):
        own = rng.choice(items, how_many(rng), replace=False)
        laughs = about[own] @ rng.normal(size=len(WHO)) + rng.normal(0, 0.5, len(own))
        ratings = np.clip((low + high) / 2 + laughs * (high - low) / 6, low, high).round(2)
        rows += [(f"u{user}", f"j{item}", rating) for item, rating in zip(own, ratings, strict=True)]
    folder.mkdir()
    pd.DataFrame(rows, columns=["user", "item", "rating"]).to_csv(folder / "ratings.csv", index=False)
    texts = [
        f"A {WHO[a]} walks into a bar and argues until the {WHO[b]} asks for number {n}."
        for n, (a, b) in enumerate(pairs)
    ]
    jokes = {"item": [f"j{n}" for n in range(items)], "title": [f"Joke {n}" for n in range(items)], "text": texts}
    pd.DataFrame(jokes).to_csv(folder / "items.csv", index=False)


def run_jokes(root: Path, low: float, high: float) -> tuple[Config, Project]:
    """Run all stages before the environment's; no language model is asked."""
    values: dict[str, Any] = {
        "data": {
            "source": "files",
            "noun": "joke",
            "files": {"ratings": "own/ratings.csv", "items": "own/items.csv", "columns": {"text": "text"}},
            "rating_min": low,
            "rating_max": high,
            "min_ratings_per_user": 3,
        },
        "factors": {"dimension": 4},
        "encoder": {"pca": 8},
        "actions": {"per_anchor": 8, "llm_written": 0, "train_anchors": 4, "validation_anchors": 2},
    }
    config, project = parse_config(values), Project(root)
    build_tiny_text_encoder(project.text_model)
    for name in STAGES:
        run_stage(name, config, project)
    return config, project


def unusual(project: Project) -> str:
    seen = Overview.read(project.catalogue_files.overview)
    assert seen is not None
    return "\n".join(seen.unusual)


def is_about_jokes(project: Project) -> bool:
    """Whether profiles name who the jokes are about, and actions are the noun's own."""
    profiles = pd.read_parquet(project.profiles)
    named = {word for column in ("liked", "disliked") for words in profiles[column] for word in words}
    actions = " ".join(pd.read_parquet(project.actions)["action"])
    return len(named & set(WHO)) >= 4 and any(word in actions for word in WHO) and "film" not in actions


@pytest.fixture(scope="module")
def dense(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """As Jester: 100 jokes, 120 people who rated 90 of them or more."""
    root = tmp_path_factory.mktemp("dense")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        write_jokes(root / "own", 120, 100, lambda rng: int(rng.integers(90, 101)), -10, 10)
        return run_jokes(root, -10, 10)[1]


@pytest.fixture(scope="module")
def sparse(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """200 jokes, 10,000 people who rated 3 to 6 of them."""
    root = tmp_path_factory.mktemp("sparse")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        write_jokes(root / "own", 10_000, 200, lambda rng: int(rng.integers(3, 7)), 1, 5)
        return run_jokes(root, 1, 5)[1]


def test_dense_jokes_are_learned_from_in_points_of_their_scale(dense: Project) -> None:
    warm = read_json(dense.stage_metrics("encoder"))["warm_rmse"]["joint_hybrid"]["value"]
    means = read_json(dense.stage_metrics("factors"))["warm_rmse"]
    assert warm < 0.95 * means["user mean"]["value"] < 10
    assert is_about_jokes(dense)


def test_where_everybody_rated_nearly_all_popularity_is_said_to_be_no_yardstick(dense: Project) -> None:
    assert "95% of all pairs of user and item are rated" in unusual(dense)
    found = read_json(dense.stage_metrics("encoder"))["against_popularity"]["test"]["as in U"]
    assert found["verdict"] == "beats popularity"


def test_sparse_users_have_profiles_and_actions(sparse: Project) -> None:
    users = pd.read_parquet(sparse.profiles)["user"]
    assert 9_000 < len(users) <= 10_000
    assert is_about_jokes(sparse)
    checked = read_json(sparse.stage_metrics("profiles"))["check"]["full"]["error"]
    assert 0 < checked["users"] <= 1_000


def test_with_few_ratings_each_it_is_said_who_judges(sparse: Project) -> None:
    """Many people with two ratings of unseen items judge the encoder; nobody has enough to judge texts."""
    found = read_json(sparse.stage_metrics("encoder"))["against_popularity"]["test"]["as in U"]
    assert found["least_ratings"] < 5
    assert found["auc"]["users"] >= 50
    warning = encoder_warning(read_json(sparse.stage_metrics("encoder")))
    assert warning.startswith("On test items and") == (found["verdict"] != "beats popularity")
    assert "0 users with 10 ratings or more" in unusual(sparse)
