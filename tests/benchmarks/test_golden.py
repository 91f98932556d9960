"""Results, not times, stay what they were: a faster design or factorisation that finds something else is no gain."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.design import TOLERANCE, excess, sets_of
from benchmarks.ratings import Size, Tastes, sample
from eagle.actions.design import optimal_designs
from eagle.config import FactorsConfig
from eagle.latent.factors import fit_factors

GOLDEN = json.loads((Path(__file__).parent / "golden.json").read_text(encoding="utf-8"))


def test_designs_have_their_volume_and_their_certificate() -> None:
    vectors = sets_of(3, 40, 6)
    designs = optimal_designs(list(vectors), TOLERANCE)
    assert all(excess(one, design.weights) <= TOLERANCE * 1.01 for one, design in zip(vectors, designs, strict=True))
    volumes = [
        np.linalg.slogdet(one.T @ (design.weights[:, None] * one))[1]
        for one, design in zip(vectors, designs, strict=True)
    ]
    # of two designs with the certificate the log volumes differ by at most n times the tolerance
    np.testing.assert_allclose(volumes, GOLDEN["design_log_volumes"], atol=6 * TOLERANCE)


@pytest.mark.parametrize("missing_weight", [0.0, 0.1])
def test_factors_predict_held_out_ratings_as_before(missing_weight: float) -> None:
    rng = np.random.default_rng(0)
    drawn = sample(
        Size(300, 100, 8_000, 25.0, 60.0),
        Tastes(3.5, rng.normal(size=(30, 4)) / 2, rng.normal(size=(30, 4)) / 2, 0.3),
        rng,
    )
    model = fit_factors(
        drawn.learned, FactorsConfig(dimension=4, regularization=2.0, missing_weight=missing_weight), rng
    )
    error = float(np.sqrt(np.mean((model.predict(drawn.user, drawn.item) - drawn.rating) ** 2)))
    assert error == pytest.approx(GOLDEN["held_out_rmse"][str(missing_weight)], abs=0.01)
