"""ELM's two consistency checks on decoders whose answer is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from eagle.environment.rewrite import Rewrite
from eagle.methods.elm.checks import DecoderCheck, consistency
from eagle.methods.elm.pairs import PointTexts

RNG = np.random.default_rng(3)
POINTS, TASTES, MIDDLE = RNG.normal(size=(60, 5)) + 4, RNG.normal(size=(20, 5)), np.full(5, 4.0)


class Numbers:
    """An encoder that reads a point off the text that names it."""

    def encode(self, texts: Sequence[str], years: Sequence[int | None]) -> np.ndarray:
        """Return (n, 5) float32."""
        return np.array([[float(x) for x in text.split()] for text in texts], np.float32).reshape(len(texts), 5)


class Names:
    """Writes the point itself; every third answer fails."""

    def write(self, points: np.ndarray, seeds: Sequence[int]) -> list[Rewrite]:
        """Return one answer per point."""
        told = [" ".join(map(str, point)) for point in points]
        return [Rewrite(None, "too short") if n % 3 == 2 else Rewrite(text) for n, text in enumerate(told)]


def test_a_perfect_decoder_is_consistent_and_chance_is_not() -> None:
    found = consistency(POINTS, POINTS, MIDDLE, TASTES)
    assert found.semantic == pytest.approx(1) and found.behavioural == pytest.approx(1)
    assert abs(found.semantic_by_chance or 1) < 0.1  # although all points lie far on one side of the origin
    shuffled = consistency(POINTS, np.roll(POINTS, 1, axis=0), MIDDLE, TASTES)
    assert abs(shuffled.semantic or 1) < 0.3 and abs(shuffled.behavioural or 1) < 0.3


def test_a_decoder_that_writes_the_opposite_is_told_apart() -> None:
    found = consistency(POINTS, 2 * MIDDLE - POINTS, MIDDLE, TASTES)
    assert found.semantic == pytest.approx(-1) and found.behavioural == pytest.approx(-1)


def test_one_text_for_every_point_agrees_with_nobody() -> None:
    assert consistency(POINTS, np.tile(POINTS[:1], (60, 1)), MIDDLE, TASTES).behavioural == pytest.approx(0)


def test_the_report_leaves_out_what_could_not_be_written_and_counts_it() -> None:
    held_out = PointTexts(POINTS[:9], [f"item {n}" for n in range(9)], [None] * 9)
    report = DecoderCheck(Numbers(), POINTS[20:], TASTES).report(Names(), held_out, list(range(9)))
    assert report["asked"] == 9 and report["usable_share"] == pytest.approx(2 / 3)
    assert report["decoded"]["texts"] == 6 and report["decoded"]["semantic"] == pytest.approx(1, abs=1e-5)
    assert report["decoded"]["semantic"] > report["nearest_item"]["semantic"] > report["decoded"]["semantic_by_chance"]
    assert [row["asked"] for row in report["shown"]] == ["item 0", "item 1", "item 3", "item 4", "item 6"]


def test_too_few_texts_say_nothing() -> None:
    held_out = PointTexts(POINTS[:1], ["item"], [None])
    report = DecoderCheck(Numbers(), POINTS[20:], TASTES).report(Names(), held_out, [1])
    assert report["decoded"] == {"texts": 1, "semantic": None, "semantic_by_chance": None, "behavioural": None}
