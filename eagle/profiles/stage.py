"""User profiles: a short one for the policy's prompt, a full one in the paper's five sections. Neither names a title or
a rating.

Follows the paper (section 5.1, appendix):
1. Five sections, as the domain calls them: overall, genre, director, aesthetic, other.
2. ``profiles.origin: llm``: the LLM writes them from the list "title (rating)"; an answer with a title or a rating in
   it is not used.
3. Checked by an encoder from profile to z_u, its mean error on held-out users beside the mean nearest-neighbour
   distance.
Differs:
4. By default both are derived from the user's vector: the genres whose naming in a text raises <z_u, E_D> most,
   relative to the average user. It needs no tokens; with ``llm`` the stage's report checks both kinds on the same
   users.
5. The director section says what ratings can tell (the period), since the catalogue names no directors.
"""

from __future__ import annotations

import shutil
from typing import Any

import numpy as np
import pandas as pd

from eagle.config import Config
from eagle.core.artifacts import write_json, write_table
from eagle.core.project import Project
from eagle.core.seeding import stream
from eagle.data.descriptions import Descriptions
from eagle.data.stored import read_items
from eagle.domains.open import domain_of
from eagle.latent.base import Encoder
from eagle.latent.encoders import load_encoder
from eagle.latent.ratings import Splits
from eagle.latent.sentence import SentenceModel
from eagle.latent.space import LatentSpace, load_latent
from eagle.profiles.check import profile_check
from eagle.profiles.genre_effects import label_effects
from eagle.profiles.taste import tastes
from eagle.profiles.wording import full_profile
from eagle.profiles.writer import histories, write_on_workers

FEWEST_USERS = 10  # training users below which the check has nothing to learn from [O]
CHECKED_USERS = 2000  # users that the check embeds at most: more make its intervals no use narrower [O: time]


def year_effect(encoder: Encoder, descriptions: pd.DataFrame) -> np.ndarray:
    """Return E_D(late) - E_D(early) (d,): the same texts at the 90% and 10% quantiles of the known years."""
    years = descriptions["year"].dropna().astype(float)
    texts = descriptions["text"].iloc[:8].tolist()
    if years.empty:
        return np.zeros(encoder.dimension)
    early, late = (int(years.quantile(q)) for q in (0.1, 0.9))
    moved: np.ndarray = (encoder.encode(texts, [late] * len(texts)) - encoder.encode(texts, [early] * len(texts))).mean(
        axis=0
    )
    return moved


def asked_users(users: pd.DataFrame, most: int) -> list[str]:
    """Return at most ``most`` users (0: all), half of them of the training split: the check learns from these and
    judges the others.
    """
    ordered = users.sort_values("user")
    turn = ordered.groupby("split").cumcount() / ordered["split"].map({"train": 2, "validation": 1, "test": 1})
    chosen: list[str] = ordered.assign(turn=turn).sort_values(["turn", "split", "user"])["user"].tolist()
    return chosen[: most or len(chosen)]


def _written(
    latent: LatentSpace, splits: Splits, history: pd.DataFrame, project: Project, config: Config
) -> tuple[dict[str, str], dict[str, int]]:
    """Let the LLM write full profiles: (user -> text for those that passed), counts of failures by cause."""
    asked = asked_users(splits.users[splits.users["user"].isin(latent.users)], config.profiles.written)
    titles = read_items(project.catalogue_files.items).set_index("item")["title"]
    items = Descriptions.load(project.descriptions).table.set_index("item")[["genres"]].join(titles)
    return write_on_workers(config, project, histories(history, asked, items, config.profiles.history))


def _measure(
    table: pd.DataFrame, latent: LatentSpace, splits: np.ndarray, project: Project, config: Config
) -> dict[str, Any]:
    """Check each kind of text that the table holds, all on the same users; without enough of them say so."""
    measured = (table["origin"] == config.profiles.origin).to_numpy()
    if measured.sum() > CHECKED_USERS:
        users_there = pd.DataFrame({"user": table["user"], "split": splits})[measured]
        measured = measured & table["user"].isin(asked_users(users_there, CHECKED_USERS)).to_numpy()
    users = {name: int((splits[measured] == name).sum()) for name in ("train", "validation", "test")}
    if users["train"] < FEWEST_USERS or not users["test"]:
        return {"not checked": f"too few users with such a profile: {users}"}
    import torch

    from eagle.compute.devices import pick_dtype

    embedder = SentenceModel(
        project.text_model, pick_dtype("auto", torch.device("cpu"))
    )  # half the time; bfloat16 moves no error by 1%
    texts = {"full": table["full"]}
    if config.profiles.origin == "llm":
        texts["full, from ratings"] = table["derived"]
    vectors = latent.user_vectors[:, np.ptp(latent.user_vectors, axis=0) > 0].astype(np.float64)  # one is 1 for all
    return {
        name: profile_check(
            column[measured].tolist(),
            vectors[measured],
            splits[measured],
            embedder,
            stream(config.seed, "profiles", "bootstrap"),
        )
        for name, column in texts.items()
    }


def run(config: Config, project: Project) -> None:
    """Stage ``profiles``."""
    splits, latent = Splits.load(project), load_latent(project.encoder)
    descriptions = Descriptions.load(project.descriptions).table
    encoder = load_encoder(project.encoder, project.text_model)
    known = descriptions[descriptions["item"].isin(splits.items_in("train"))]
    history = splits.part("fit")
    history = history[history["item"].isin(splits.items_in("train"))]
    found = tastes(latent, label_effects(encoder, known), year_effect(encoder, known), history, config.profiles)
    split, words = splits.users.set_index("user")["split"].reindex(latent.users).to_numpy(), domain_of(config).profiling
    table = pd.DataFrame(
        {
            "user": latent.users,
            "split": split,
            "liked": [list(taste.liked) for taste in found],
            "disliked": [list(taste.disliked) for taste in found],
            "short": [taste.short for taste in found],
            "full": [full_profile(taste, words) for taste in found],
            "origin": "ratings",
        }
    )
    failures: dict[str, int] = {}
    table["derived"] = table["full"]
    if config.profiles.origin == "llm":
        written, failures = _written(latent, splits, history, project, config)
        table["full"] = [written.get(user, full) for user, full in zip(table["user"], table["full"], strict=True)]
        table["origin"] = np.where(table["user"].isin(list(written)), "llm", "ratings")
    report = {
        "users": len(table),
        "origin": table["origin"].value_counts().to_dict(),
        "failures": failures,
        "distinct short profiles": int(table["short"].nunique()),
        "check": _measure(table, latent, split, project, config),
    }
    inputs = (project.split_files.ratings,)
    write_table(project.profiles, table.drop(columns="derived"), "profiles", inputs=inputs)
    write_json(project.stage_metrics("profiles"), report)
    shutil.rmtree(project.unfinished("profiles"), ignore_errors=True)
