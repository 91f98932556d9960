"""What is no description, whatever the catalogue."""

from __future__ import annotations

import pytest

from eagle.quality.defects import defective
from eagle.quality.gates import TextGates

PLOT = "Genres: crime. Plot: A retired thief plans one last job in the harbour."


@pytest.mark.parametrize(
    ("text", "is_defective"),
    [
        (PLOT, False),
        ("Genres: crime.", True),
        ("Genres: crime. Plot: Too short here.", True),
        ("Genres: crime. Plot: " + "the dark night " * 2, False),
        ("Genres: crime. Plot: " + "the dark night " * 3, True),
    ],
)
def test_hardly_any_plot_or_the_same_words_over_and_over(text: str, is_defective: bool) -> None:
    assert defective(text) is is_defective


def test_a_defect_needs_nothing_to_calibrate_on_where_a_gate_does() -> None:
    empty = "Genres: crime."
    assert defective(empty)
    assert not TextGates.fit([PLOT]).broken([empty]).any()
