"""Which words stand for a catalogue without telling categories."""

from __future__ import annotations

import numpy as np
import pandas as pd

from eagle.data.columns.typical_words import names_of_things, telling_genres, word_table


def items(plots: list[str], genres: list[list[str]] | None = None) -> pd.DataFrame:
    return pd.DataFrame({"plot": plots, "genres": genres or [[] for _ in plots]})


def test_words_of_many_but_not_most_texts_are_typical() -> None:
    plots = ["A dragon and the castle."] * 12 + ["A castle on Mars."] * 3 + ["The robot said hello."] * 25
    words, having = word_table(items([f"{plot} Wonderful." for plot in plots]))
    assert words == ["castle", "dragon"]  # robot is in more than half, Mars in too few, wonderful in all
    assert having.shape == (40, 2)
    assert np.flatnonzero(having[:, 1]).tolist() == list(range(12))


def test_a_small_catalogue_takes_words_of_two_texts() -> None:
    words, _ = word_table(items(["blue lamp", "blue chair", "red lamp", "red chair"]))
    assert words == ["blue", "chair", "lamp", "red"]


def test_without_content_words_there_are_none() -> None:
    for plots in (["", ""], ["to be", "or not"]):
        words, having = word_table(items(plots))
        assert words == []
        assert having.shape == (2, 0)


def test_a_category_that_all_share_tells_nothing() -> None:
    plots = ["blue lamp", "blue chair", "red lamp", "red chair"]
    assert telling_genres(items(plots, [["home"]] * 4)) == []
    assert telling_genres(items(plots, [["home", "new"]] * 4)) == []
    assert telling_genres(items(plots, [["home", "new"], ["home"], ["home"], ["home"]])) == ["home", "new"]


THINGS = ("cartographer", "lighthouse", "queen", "map", "storm", "letter")


def test_names_of_things_go_before_verbs_and_adjectives() -> None:
    plots = [f"The young {thing} accidentally destroys a {other}." for thing in THINGS for other in THINGS] * 4
    known = [*THINGS, "accidentally", "destroys", "young"]
    assert names_of_things(plots, known) == set(THINGS)
    words, _ = word_table(items([*plots, *["Nothing of it."] * len(plots)]))
    assert set(words) == set(THINGS)


def test_where_no_word_stands_as_a_name_all_are_kept() -> None:
    words, _ = word_table(items(["rot und blau", "rot und blau", "gelb"] * 10 + ["nichts"] * 20))
    assert set(words) >= {"rot", "blau"}
