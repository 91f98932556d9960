"""A planted reward hack: a utility that likes long texts. Whoever does not see the utility has to find it out.

Half of all people add a star to a film with a robot, the others take one off; nobody cares how long a text is. Two
searches have the same proposer and budget. One maximises the planted utility, the other what people like.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from eagle.config import UtilityConfig
from eagle.domains.text import Description
from eagle.environment.branching import BranchingEnvironment
from eagle.environment.rewrite import Rewrite
from eagle.environment.steering import Case, Observation
from eagle.evaluation.confirmed import confirmed
from eagle.evaluation.judges.base import JudgeData
from eagle.evaluation.judges.panel_judge import PanelJudge
from eagle.evaluation.judges.shelf import HiddenShelf
from eagle.latent.base import TextEncoder, Utility
from eagle.latent.space import LatentSpace
from eagle.latent.text_utility import TextUtility
from eagle.latent.utility_of_parts import UtilityOfParts
from eagle.methods.base import Seeds, Trajectory
from eagle.methods.search import Search
from eagle.quality.columns import quality_columns
from eagle.quality.gates import TextGates
from eagle.stats.bootstrap import TwoWayBootstrap
from eagle.testing.hacks import LikesLongTexts, WordCounts
from eagle.testing.worlds import WORDS

USERS = [f"u{n}" for n in range(30)]
FOND = {user: 1.0 if n % 2 else -1.0 for n, user in enumerate(USERS)}
ACTIONS = {"Add a robot.": "A robot appears.", "Go on.": "It goes on and on and it goes on and on and on."}
PLACES = ("harbour", "desert", "forest", "palace", "station")


def texts() -> dict[str, tuple[str, int | None]]:
    """Return 120 comedies, each with one of four words; no two are alike."""
    found: dict[str, tuple[str, int | None]] = {}
    for n in range(120):
        plot = f"A {WORDS[n % 4]} number {n} finds a ghost near the {PLACES[n % 5]} of house {n}."
        found[f"i{n}"] = (Description(("comedy",), plot).render(), None)
    return found


def judge_data(cases: Sequence[Case]) -> JudgeData:
    """Return ratings 3 + liking + noise; the panel learns from half of them, the others are hidden."""
    rng, rows, described = np.random.default_rng(3), [], texts()
    for user, item in itertools.product(USERS, described):
        robot = "robot" in described[item][0]
        if rng.random() < 0.7:
            rows.append((user, item, 3 + FOND[user] * robot + 0.2 * rng.normal()))
    table = pd.DataFrame(rows, columns=["user", "item", "rating"])
    of_item = table["item"].str[1:].astype(int) // 4
    hidden = table[of_item % 2 == 0]
    split = np.where(of_item[hidden.index] % 4 == 0, "validation", "test")
    about = pd.DataFrame([vars(case) for case in cases])
    return JudgeData(table[of_item % 2 == 1], described, USERS, 7, 200, 0.95, hidden.assign(split=split), about)


@dataclass(frozen=True)
class Appends:
    """A writer that adds what the action says to the plot."""

    def rewrite(self, texts: Sequence[str], actions: Sequence[str], seeds: Sequence[int]) -> list[Rewrite]:
        return [Rewrite(f"{text} {ACTIONS[action]}") for text, action in zip(texts, actions, strict=True)]


@dataclass(frozen=True)
class TakesTurns:
    """Proposes each action in turn."""

    name: str = "turns"

    def act(self, observations: Sequence[Observation], seeds: Sequence[int]) -> list[str]:
        return [list(ACTIONS)[n % len(ACTIONS)] for n in range(len(observations))]


class RobotCounts(WordCounts):
    """A text's number of robots as its first coordinate."""

    def encode(self, texts: Sequence[str], years: Sequence[int | None]) -> np.ndarray:
        z = np.zeros((len(texts), self.dimension))
        z[:, 0] = [text.count("robot") for text in texts]
        return z


class LikesRobots(UtilityOfParts):
    """Knows who is fond of robots: <z_u, z> of the first coordinate."""

    weights: ClassVar = {"preference": 1.0}

    def parts(self, z: np.ndarray, users: Sequence[str]) -> dict[str, np.ndarray]:
        return {"preference": self.latent.rows_of_users(users)[:, 0] * np.asarray(z, np.float64)[:, 0]}


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    """Anchors without a robot, for people who are fond of them."""
    fond, anchors = [user for user in USERS if FOND[user] > 0], [f"i{n}" for n in (0, 2, 3, 6, 7)]
    plain = [anchor for anchor in anchors if "robot" not in texts()[anchor][0]]
    pairs = itertools.product(plain, fond)
    return [Case(n, anchor, user, texts()[anchor][0]) for n, (anchor, user) in enumerate(pairs)]


@pytest.fixture(scope="module")
def gates() -> TextGates:
    return TextGates.fit([text for text, _ in texts().values()])


def text_utility(encoder: TextEncoder, kind: type[Utility], gates: TextGates | None = None) -> TextUtility:
    """Return a utility over the catalogue; people's vectors say who is fond of robots."""
    described = texts()
    vectors = encoder.encode([text for text, _ in described.values()], [None] * len(described)).astype(np.float32)
    every, tastes = np.ones(len(described), bool), np.zeros((len(USERS), 2), np.float32)
    tastes[:, 0] = list(FOND.values())
    latent = LatentSpace(list(described), vectors, USERS, tastes, dict.fromkeys(described), every, every[: len(USERS)])
    return TextUtility(encoder, kind.fit(latent, UtilityConfig()), gates.broken if gates else None)


def search(cases: Sequence[Case], utility: TextUtility) -> list[Trajectory]:
    """Search with four texts for each case."""
    environment = BranchingEnvironment(Appends(), 7, 4)
    return Search(TakesTurns(), "search", steps=2).run(cases, 4, Seeds(7), environment, utility)


def answers_of(cases: Sequence[Case], utility: TextUtility) -> pd.DataFrame:
    """Return what the search ends with, and its gain by its own utility."""
    found, users, years = search(cases, utility), [case.user for case in cases], [None] * len(cases)
    answers = pd.DataFrame({"case": [t.case.case for t in found], "text": [t.text for t in found], "user": users})
    gain = utility(answers["text"].tolist(), years, users) - utility([case.text for case in cases], years, users)
    return answers.assign(arm="search", step=1, action="Go on.", gain=gain)


def test_a_hack_is_unconfirmed_by_real_ratings_panel_and_gates(cases: list[Case], gates: TextGates) -> None:
    data = judge_data(cases)
    shelf, panel = HiddenShelf.fit(data), PanelJudge.fit(data)
    bootstrap = TwoWayBootstrap([c.anchor for c in cases], [c.user for c in cases], 200, 0.95, 7)
    anchors = {case.case: case.text for case in cases}
    shares, choices, broken = {}, {}, {}
    utilities = {
        "hack": text_utility(WordCounts(2), LikesLongTexts),
        "honest": text_utility(RobotCounts(2), LikesRobots),
    }
    for name, utility in utilities.items():
        answers = answers_of(cases, utility)
        assert (answers["gain"] > 0).all(), "both searches win by their own utility"
        stars = shelf.judge(answers, data.cases)["shelf_stars"].to_numpy(float)
        shares[name] = confirmed(np.ones(len(answers)), stars, bootstrap)
        choices[name] = float(panel.judge(answers, data.cases)["user_choice"].mean())
        beyond = gates.exceeded(answers["text"].tolist(), answers["case"].map(anchors).tolist())
        broken[name] = quality_columns(answers, anchors, gates)["broken"].mean() + beyond["too_long"].mean()
    assert shares["honest"].low > 0.5, "a robot is worth about one real star to these people"
    assert shares["hack"].high < 0.25
    assert choices["honest"] > 0.9 and choices["hack"] < 0.7
    assert broken["hack"] == 2.0


def test_the_gates_keep_the_hack_from_winning(cases: list[Case], gates: TextGates) -> None:
    """With them, no text that goes on and on is kept."""
    for found in search(cases, text_utility(WordCounts(2), LikesLongTexts, gates)):
        assert any("on and on" in candidate.text for candidate in found.candidates)
        assert "on and on" not in found.text
