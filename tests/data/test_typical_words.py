"""Which words stand for a catalogue without telling categories."""

from __future__ import annotations

import numpy as np
import pandas as pd

from eagle.data.typical_words import telling_genres, telling_labels, word_table


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
    assert telling_labels(items(plots, [["home"]] * 4)) == ["blue", "chair", "lamp", "red"]
    assert telling_labels(items(plots, [["home", "new"], ["home"], ["home"], ["home"]])) == ["home", "new"]
