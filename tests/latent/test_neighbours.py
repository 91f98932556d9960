"""Neighbours: the product against all distances, the index against the product."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eagle.core.errors import EagleError
from eagle.latent import neighbours
from eagle.latent.neighbours import Exact, Indexed, neighbours_among
from eagle.latent.utility import RelativeDistance


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 1000), count=st.integers(1, 12), room=st.sampled_from([1, 50, 10**6]))
def test_the_product_finds_what_all_distances_say(seed: int, count: int, room: int) -> None:
    rng = np.random.default_rng(seed)
    points, z = rng.normal(size=(9, 4)) + 100, rng.normal(size=(7, 4)) + 100
    every = np.linalg.norm(points[None] - z[:, None], axis=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbours, "ROOM", room)
        distance, index = Exact(points)(z, count)
    np.testing.assert_allclose(distance, np.sort(every, axis=1)[:, :count], atol=1e-12)
    np.testing.assert_array_equal(index, np.argsort(every, axis=1)[:, :count])


def test_a_point_of_the_catalogue_is_at_no_distance_from_itself() -> None:
    points = np.random.default_rng(0).normal(size=(50, 13)) * 1e3
    distance, index = Exact(points)(points, 1)
    assert not distance.any()
    np.testing.assert_array_equal(index[:, 0], np.arange(50))


@pytest.fixture(scope="module")
def clustered() -> np.ndarray:
    """Points around a few centres, as films lie around their genres."""
    rng = np.random.default_rng(1)
    return rng.normal(size=(30, 13))[rng.integers(0, 30, 3000)] + 0.4 * rng.normal(size=(3000, 13))


def test_the_index_agrees_with_the_product(clustered: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("faiss", reason="the extra index is not installed")
    z = clustered[:300] + 0.1
    exact, near = Exact(clustered)(z, 3), Indexed(clustered)(z, 3)
    same = [len(set(a) & set(b)) for a, b in zip(exact[1], near[1], strict=True)]
    assert np.mean(same) / 3 > 0.99
    assert (near[0] >= exact[0] - 1e-12).all(), "distances are true ones, and none is nearer than the nearest"
    again = Indexed(clustered)(z, 3)
    np.testing.assert_array_equal(again[1], near[1])
    exactly = RelativeDistance(clustered, 3)(z)
    monkeypatch.setattr(neighbours, "EXACT_UP_TO", 1000)
    np.testing.assert_allclose(RelativeDistance(clustered, 3)(z), exactly, rtol=0.02)


def test_a_large_catalogue_without_the_index_names_the_extra(
    clustered: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "EXACT_UP_TO", 1000)
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(EagleError, match=r"eagle-steering\[index\]"):
        neighbours_among(clustered)
