"""User profiles: a short one for the policy's prompt, a full one in the paper's five sections. Neither names a title or
a rating.

Follows the paper (section 5.1, appendix):
1. Five sections: overall, genre, director, aesthetic, other.
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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from eagle.config import Config, ProfilesConfig
from eagle.core.artifacts import write_json, write_table
from eagle.core.project import Project
from eagle.core.seeding import stream
from eagle.data.descriptions import Descriptions
from eagle.data.stored import read_items
from eagle.latent.encoder import Encoder, LatentSpace, load_latent
from eagle.latent.ratings import Splits
from eagle.latent.sentence import SentenceModel
from eagle.profiles.check import profile_check
from eagle.profiles.genre_effects import genre_effects
from eagle.profiles.writer import SECTIONS, histories, write_on_workers

FEWEST_USERS = 10  # training users below which the check has nothing to learn from [O]
GRADES = ("Loves", "Likes", "Is neutral about", "Dislikes", "Avoids")
GRADE_BOUNDS = (-1.2, -0.4, 0.4, 1.2)

AESTHETICS = {
    "action": "movement, stunts and spectacle",
    "adventure": "journeys and wide places",
    "animation": "drawn and animated worlds",
    "children's": "bright and friendly pictures",
    "children": "bright and friendly pictures",
    "comedy": "lightness and comic timing",
    "crime": "the rough texture of the street",
    "documentary": "the look of real events",
    "drama": "close attention to faces and feelings",
    "fantasy": "invented worlds",
    "film-noir": "shadows, night and moral twilight",
    "horror": "dread and sudden shocks",
    "musical": "song, dance and stage",
    "mystery": "slowly uncovered secrets",
    "romance": "tender and warm moods",
    "sci-fi": "machines and imagined futures",
    "thriller": "tension and pace",
    "war": "the weight of history",
    "western": "open country and hard light",
}


@dataclass(frozen=True)
class Taste:
    """What z_u says about a user, relative to the average user."""

    liked: tuple[str, ...]  # strongest first
    disliked: tuple[str, ...]  # strongest first
    grades: tuple[
        tuple[str, tuple[str, ...]], ...
    ]  # all genres by grade ("Loves" .. "Avoids"), strongest first; empty grades left out
    strength: float  # spread of the genre effects, 1 = that of the typical user
    newer: float  # effect of a late against an early year, in SD over users
    generosity: float  # mean rating less the overall mean, stars
    ratings: int

    @property
    def short(self) -> str:
        """``User likes a, b. Dislikes c, d.``"""
        return f"User likes {', '.join(self.liked)}. Dislikes {', '.join(self.disliked)}."

    @property
    def full(self) -> str:
        """The five sections, one line each."""
        lines = (self._overall(), self._genre(), self._director(), self._aesthetic(), self._other())
        return "\n".join(f"{name}: {line}" for name, line in zip(SECTIONS, lines, strict=True))

    def _overall(self) -> str:
        temper = _graded(self.generosity, -0.25, 0.25, ("is hard to please", "judges evenly", "is easily pleased"))
        width = _graded(
            self.strength,
            0.9,
            1.1,
            ("with tastes near everybody's", "with clear tastes", "with strong tastes of their own"),
        )
        return (
            f"A viewer who {temper}, {width}; most drawn to {_first(self.liked)} and least to {_first(self.disliked)}."
        )

    def _genre(self) -> str:
        return " ".join(f"{grade} {', '.join(genres)}." for grade, genres in self.grades)

    def _director(self) -> str:
        period = _graded(self.newer, -0.5, 0.5, ("the classics of older days", "work of any period", "recent work"))
        return f"No director stands out from the history; chooses {period}."

    def _aesthetic(self) -> str:
        likes = [AESTHETICS[g] for g in self.liked if g in AESTHETICS][:2]
        avoids = [AESTHETICS[g] for g in self.disliked if g in AESTHETICS][:2]
        return (
            f"Enjoys {' and '.join(likes) or 'what suits these genres'}; less so {' and '.join(avoids) or 'the rest'}."
        )

    def _other(self) -> str:
        return _graded(
            self.ratings, 15, 60, ("Little is known yet.", "Has seen a fair amount.", "Has seen a great deal.")
        )


def _graded(value: float, low: float, high: float, words: tuple[str, str, str]) -> str:
    return words[0] if value < low else words[2] if value > high else words[1]


def _first(genres: Sequence[str]) -> str:
    return genres[0] if genres else "nothing in particular"


def rank_genres(
    effects: np.ndarray, genres: Sequence[str], liked: int, disliked: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return (liked, disliked), strongest first; with few genres both get fewer, and none is in both."""
    order = np.argsort(-effects, kind="stable")
    likes = order[: min(liked, (len(genres) + 1) // 2)]
    dislikes = order[len(likes) :][::-1][:disliked]
    return tuple(genres[g] for g in likes), tuple(genres[g] for g in dislikes)


def grade_genres(effects: np.ndarray, genres: Sequence[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Sort genres into grades by their effects (g,) in SD over users and genres; five grades told more than likes and
    dislikes [M].
    """
    order = np.argsort(-effects, kind="stable")
    grade = np.digitize(-effects, GRADE_BOUNDS)
    graded = ((name, tuple(genres[g] for g in order if grade[g] == rank)) for rank, name in enumerate(GRADES))
    return tuple((name, members) for name, members in graded if members)


def _standard(values: np.ndarray) -> np.ndarray:
    spread = float(values.std())
    standard: np.ndarray = (values - values.mean()) / (spread if spread > 0 else 1.0)
    return standard


def tastes(
    latent: LatentSpace,
    effects: Mapping[str, np.ndarray],
    year_effect: np.ndarray,
    history: pd.DataFrame,
    config: ProfilesConfig,
) -> list[Taste]:
    """Return every user's taste, in the order of ``latent.users``; ``history`` holds their fit rows (user, rating)."""
    own = latent.user_vectors.astype(np.float64)
    personal = own - own[latent.train_users].mean(axis=0)  # (n_users, d): against the average train user
    genres = list(effects)
    by_genre = personal @ np.array([effects[g] for g in genres], np.float64).T  # (n_users, n_genres)
    spread = by_genre.std(axis=1)
    scale = float(by_genre[latent.train_users].std()) or 1.0
    newer = _standard(personal @ year_effect)
    grouped = history.groupby("user")["rating"]
    mean, count = grouped.mean(), grouped.size()
    overall = float(history["rating"].mean())
    found = []
    for row, user in enumerate(latent.users):
        liked, disliked = rank_genres(by_genre[row], genres, config.liked, config.disliked)
        strength = float(spread[row] / (np.median(spread) or 1.0))
        generosity = float(mean.get(user, overall)) - overall
        grades = grade_genres(by_genre[row] / scale, genres)
        found.append(Taste(liked, disliked, grades, strength, float(newer[row]), generosity, int(count.get(user, 0))))
    return found


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
    latent: LatentSpace, splits: Splits, project: Project, config: Config
) -> tuple[dict[str, str], dict[str, int]]:
    """Let the LLM write full profiles: (user -> text for those that passed), counts of failures by cause."""
    asked = asked_users(splits.users[splits.users["user"].isin(latent.users)], config.profiles.written)
    titles = read_items(project.catalogue_files.items).set_index("item")["title"]
    items = Descriptions.load(project.descriptions).table.set_index("item")[["genres"]].join(titles)
    return write_on_workers(config, project, histories(splits.part("fit"), asked, items, config.profiles.history))


def _measure(
    table: pd.DataFrame, latent: LatentSpace, splits: np.ndarray, project: Project, config: Config
) -> dict[str, Any]:
    """Check each kind of text that the table holds, all on the same users; without enough of them say so."""
    measured = (table["origin"] == config.profiles.origin).to_numpy()
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
    vectors = latent.user_vectors[:, :-1].astype(np.float64)  # the last coordinate is 1 for everybody
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
    encoder = Encoder.load(project.encoder, project.text_model)
    descriptions = Descriptions.load(project.descriptions).table
    known = descriptions[descriptions["item"].isin(splits.items_in("train"))]
    history = splits.part("fit")
    history = history[history["item"].isin(splits.items_in("train"))]
    found = tastes(latent, genre_effects(encoder, known), year_effect(encoder, known), history, config.profiles)
    split = splits.users.set_index("user")["split"].reindex(latent.users).to_numpy()
    table = pd.DataFrame(
        {
            "user": latent.users,
            "split": split,
            "liked": [list(taste.liked) for taste in found],
            "disliked": [list(taste.disliked) for taste in found],
            "short": [taste.short for taste in found],
            "full": [taste.full for taste in found],
            "origin": "ratings",
        }
    )
    failures: dict[str, int] = {}
    table["derived"] = table["full"]
    if config.profiles.origin == "llm":
        written, failures = _written(latent, splits, project, config)
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
