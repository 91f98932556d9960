"""Judges of texts and their columns: a model and an embedder whose answers are known, and a planted reward hack."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from eagle.config import QualityConfig, UtilityConfig
from eagle.engine.scripted import ScriptedModel
from eagle.latent.text_utility import TextUtility
from eagle.methods.search_tree import best_eligible
from eagle.quality.columns import GATES, quality_columns
from eagle.quality.gates import TextGates
from eagle.quality.judging import Following, Perplexity, surprise
from eagle.testing.hacks import LikesLongTexts, WordCounts
from eagle.testing.worlds import latent_space

REAL = [
    f"Genres: war. Plot: Number {n} walks {n + 3} miles along the river to see {'old ' * (n % 3)}house {n * 7}."
    for n in range(60)
]
NEW = "Genres: war. Plot: A nurse waits by some bridge until her brother comes home again tonight."


class Surprised(ScriptedModel):
    """Finds a character the odder the later it stands in the alphabet: -log p is its code."""

    def score(self, prompts: Sequence[str], continuations: Sequence[str]) -> list[np.ndarray]:
        self.asked.append((tuple(zip(prompts, continuations, strict=True)), None, ()))  # type: ignore[arg-type]
        return [-np.array([float(ord(c)) for c in text]) for text in continuations]


class Counts:
    """Letters a to d as coordinates."""

    dimension = 4

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        return np.array([[text.count(letter) for letter in "abcd"] for text in texts], np.float32).reshape(-1, 4)


def test_surprise_is_read_after_the_labels_and_once() -> None:
    model = Surprised()
    found = surprise(model, ["Genres: war. Plot: aa", "bb", "Genres: war.", "bb"])
    assert found[:2] == pytest.approx([(32 + 2 * 97) / 3, (32 + 2 * 98) / 3])
    assert np.isnan(found[2]) and found[3] == found[1]
    assert [tuple(one) for one in model.asked[0][0]] == [("Genres: war. Plot:", " aa"), (":", " bb")]


def test_odd_texts_are_those_beyond_the_real_ones() -> None:
    judge = Perplexity.fit(Surprised(), REAL, 0.05)
    assert judge.high(REAL).mean() <= 0.05
    assert judge.high(["Genres: war. Plot: zzz", REAL[20], "Genres: war."]).tolist() == [True, False, False]
    few = Perplexity.fit(Surprised(), REAL[:3], 0.05)
    assert not few.high(["Genres: war. Plot: zzz"]).any()


def test_a_change_follows_its_action_or_another() -> None:
    judge = Following(Counts(), ["a", "b", "c"])
    margins = judge.margins(["d", "d", "d"], ["da", "db", "d"], ["a", "a", "a"])
    assert margins[:2] == pytest.approx([2**0.5, -(0.5**0.5)])
    assert np.isnan(margins[2])
    assert np.isnan(Following(Counts(), ["a"]).margins(["d"], ["da"], ["a"])).all()
    assert judge.margins([], [], []).shape == (0,)


def rows(texts: Sequence[str], actions: Sequence[str]) -> pd.DataFrame:
    """One case of one arm: the anchor, then a text for each action."""
    steps = range(len(texts))
    return pd.DataFrame({"arm": "any", "case": 4, "step": steps, "action": ["", *actions], "text": list(texts)})


def test_columns_say_what_gates_and_judges_say() -> None:
    gates = TextGates.fit(REAL)
    again = REAL[0][:-1] + " and sees house 0 and sees house 0."
    table = rows([REAL[0], again, again, NEW], ["a", "a", "b"])
    anchors = {4: REAL[0]}
    found = quality_columns(
        table, anchors, gates, perplexity=Perplexity(Surprised(), 0.0), following=Following(Counts(), "abc")
    )
    assert found["broken"].tolist() == [False, True, True, False]
    assert found["repeated_triple"].tolist() == [False, True, True, False]
    assert found["copied_item"].tolist() == [False] * 4
    assert found["high_perplexity"].isna().tolist() == [True, True, True, False]
    assert found["high_perplexity"].iloc[3] == 1
    assert found["off_action"].isna().tolist() == [True, False, True, False]
    shuffled = table.sample(frac=1, random_state=3)
    again_found = quality_columns(shuffled, anchors, gates, following=Following(Counts(), "abc")).sort_index()
    pd.testing.assert_frame_equal(again_found, found.drop(columns="high_perplexity"))
    assert set(quality_columns(table, anchors, gates).columns) == {*table, "broken", *GATES}


def test_without_calibration_no_column_accuses_anybody() -> None:
    table = rows([REAL[0], "a a a a a a"], ["a"])
    found = quality_columns(table, {4: REAL[0]}, TextGates.fit([]))
    assert not found[["broken", *GATES]].any(axis=None)


def test_a_utility_that_likes_long_texts_cannot_win_with_them() -> None:
    """Without the gate for length the longest text is kept, and the columns show it."""
    latent = latent_space()
    encoder, utility = WordCounts(latent.dimension), LikesLongTexts.fit(latent, UtilityConfig())
    padded = [f"{NEW[:-1]}, {', '.join(f'{n} birds of kind{n}' for n in range(many))}." for many in (0, 2, 6, 12)]
    users, years = ["u0"] * len(padded), [None] * len(padded)
    free = TextUtility(encoder, utility).value(padded, years, users)
    assert best_eligible(free.utility, free.eligible) == 3
    gates = TextGates.fit(REAL)
    held = TextUtility(encoder, utility, gates.broken).value(padded, years, users)
    assert held.utility.tolist() == free.utility.tolist()
    assert best_eligible(held.utility, held.eligible) == 0
    assert "too_long" in gates.causes(padded[3:])[0]
    shown = quality_columns(rows([REAL[0], padded[3]], ["a"]), {4: REAL[0]}, gates)
    assert shown["broken"].tolist() == [False, True]


def test_the_default_parameters_show_long_texts_where_they_do_not_select() -> None:
    gates = TextGates.fit(REAL, select=QualityConfig().select)
    long = f"{NEW[:-1]}, {', '.join(f'{n} birds of kind{n}' for n in range(6))}."
    shown = quality_columns(rows([REAL[0], long], ["a"]), {4: REAL[0]}, gates)
    assert (shown["broken"].tolist(), shown["too_long"].tolist()) == ([False, False], [False, True])
