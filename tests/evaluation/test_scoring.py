"""What counts of a text that may not be offered."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from eagle.evaluation.scoring import as_offered, with_eligible
from eagle.latent.text_utility import TextUtility
from eagle.testing.methods import GenreCounts, method_context, tell


def test_a_text_that_is_not_eligible_is_worth_its_anchor() -> None:
    rows = pd.DataFrame(
        {
            "case": [0, 0, 0, 1, 1],
            "step": [0, 1, 2, 0, 1],
            "utility": [0.5, 3.0, 2.0, 1.0, 4.0],
            "eligible": [True, False, True, True, False],
        }
    )
    assert as_offered(rows)["utility"].tolist() == [0.5, 0.5, 2.0, 1.0, 1.0]


def test_broken_and_known_texts_are_not_eligible_and_the_anchor_is(tmp_path: Path) -> None:
    utility = method_context(tmp_path).data.utility

    def broken(texts: Sequence[str], made_from: Sequence[str] | None) -> np.ndarray:
        assert made_from == [anchor] * 4
        return np.array(["broken" in text for text in texts])

    anchor, far = tell("war", "War."), tell("war", "A war of war and war.")
    rows = pd.DataFrame(
        {"text": [anchor, far, f"{far} broken", tell("comedy", "A stranger.")], "case": 0, "user": "u0"}
    )
    cases = pd.DataFrame({"case": [0], "text": [anchor], "year": [None]})
    found = with_eligible(rows, cases, TextUtility(GenreCounts(), utility, broken))
    assert found["eligible"].tolist() == [True, True, False, False]
