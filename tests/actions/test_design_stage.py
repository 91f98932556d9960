"""The design stage and the paper's sampler: vectors, projection, both methods side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from eagle.actions.design import optimal_design, stage
from eagle.actions.design.paper_sampler import sample_design
from eagle.actions.design.stage import action_vectors, encode_rows, project_onto_principal
from eagle.config import PaperSampler, parse_config
from eagle.core.artifacts import read_arrays, read_json, read_table, write_table
from eagle.core.errors import EagleError
from eagle.core.project import Project
from eagle.latent.space import LatentSpace


class Letters:
    """A deterministic map of texts to 5 dimensions; remembers what it was asked."""

    dimension = 5

    def __init__(self) -> None:
        self.asked: list[tuple[str, int | None]] = []

    def encode(self, texts: Sequence[str], years: Sequence[int | None]) -> np.ndarray:
        self.asked += list(zip(texts, years, strict=True))
        rows = [
            np.random.default_rng(list(t.encode())).normal(size=5) + (y or 0) for t, y in zip(texts, years, strict=True)
        ]
        return np.array(rows, np.float32)


@pytest.fixture
def table() -> pd.DataFrame:
    rows = []
    for anchor in ("a", "b"):
        for index in range(12):
            for sample in range(2):
                text = (
                    None
                    if (index, sample) == (3, 0) or index == 7
                    else f"Genres: drama. Plot: {anchor} {index} {sample}."
                )
                rows.append((len(rows), anchor, 1, index, text))
        rows.append((len(rows), anchor, 2, 0, "Genres: drama. Plot: second."))
    return pd.DataFrame(rows, columns=["row", "anchor", "step", "action_index", "next_text"])


def test_rows_are_encoded_once_with_their_anchors_year_and_failures_are_nan(table: pd.DataFrame) -> None:
    encoder = Letters()
    vectors = encode_rows(table, encoder, {"a": 1, "b": None})  # type: ignore[arg-type]
    assert vectors.dtype == np.float32
    np.testing.assert_array_equal(np.isnan(vectors).all(axis=1), table["next_text"].isna())
    assert len(encoder.asked) == len(set(encoder.asked))
    assert {year for _, year in encoder.asked} == {1, None}


def test_action_vectors_are_means_over_working_first_steps(table: pd.DataFrame) -> None:
    vectors = np.arange(len(table), dtype=np.float32)[:, None] * np.ones((1, 3), np.float32)
    vectors[table["next_text"].isna()] = np.nan
    indices, means = action_vectors(table, vectors, "a", None)
    assert indices == [i for i in range(12) if i != 7]
    assert means[0, 0] == pytest.approx(0.5)
    assert means[3, 0] == pytest.approx(7.0)  # one of two samples failed
    centred = action_vectors(table, vectors, "a", np.full(3, 2.0))[1]
    np.testing.assert_allclose(centred, means - 2.0)


def test_projection_keeps_the_most_and_all_when_asked() -> None:
    vectors = np.random.default_rng(0).normal(size=(30, 6)) * np.array([10, 5, 1, 0.1, 0.1, 0.1])
    projected = project_onto_principal(vectors, 2)
    assert projected.shape == (30, 2)
    singular = np.linalg.svd(vectors, compute_uv=False)
    assert (projected**2).sum() == pytest.approx((singular[:2] ** 2).sum())
    np.testing.assert_array_equal(project_onto_principal(vectors, 0), vectors)
    np.testing.assert_array_equal(project_onto_principal(vectors, 9), vectors)


def test_pseudo_inverse_test_accepts_the_first_draw_whatever_it_is() -> None:
    """The paper's recipe with k <= n: every member of the subset has norm exactly k, so the test selects nothing."""
    vectors = np.random.default_rng(1).normal(size=(40, 12))
    for seed in range(5):
        design = sample_design(vectors, PaperSampler(), np.random.default_rng(seed))
        assert (design.accepted, design.tries) == (True, 1)
        assert design.tested == pytest.approx(10 / 12)
        assert design.factor == np.inf
        assert (design.rank, design.support) == (10, 10)


def test_honest_test_over_all_actions_never_passes() -> None:
    vectors = np.random.default_rng(1).normal(size=(40, 4))
    settings = PaperSampler(supremum="all", inverse="exact", tries=50)
    design = sample_design(vectors, settings, np.random.default_rng(0))
    assert (design.accepted, design.tries) == (False, 50)
    assert design.factor == pytest.approx(design.tested)
    assert design.factor > optimal_design(vectors).factor


def test_exact_inverse_of_a_singular_subset_is_never_accepted() -> None:
    design = sample_design(np.eye(6), PaperSampler(subset=3, inverse="exact", tries=4), np.random.default_rng(0))
    assert not design.accepted
    assert design.weights.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("factor", [1.0, 1.3, 1.6, 3.0])
@pytest.mark.parametrize("supremum", ["subset", "all"])
def test_draws_tested_side_by_side_end_where_one_by_one_does(
    monkeypatch: pytest.MonkeyPatch, factor: float, supremum: str
) -> None:
    vectors = np.random.default_rng(2).normal(size=(20, 4))
    settings = PaperSampler(factor=factor, supremum=supremum, tries=60)
    together = sample_design(vectors, settings, np.random.default_rng(5))
    monkeypatch.setattr("eagle.actions.design.paper_sampler.TOGETHER", 1)
    alone = sample_design(vectors, settings, np.random.default_rng(5))
    assert (together.tries, together.accepted, together.tested) == (
        alone.tries,
        alone.accepted,
        pytest.approx(alone.tested),
    )
    np.testing.assert_array_equal(together.weights, alone.weights)


def test_sampler_on_degenerate_sets() -> None:
    zero = sample_design(np.zeros((4, 2)), PaperSampler(), np.random.default_rng(0))
    assert (zero.factor, zero.rank, zero.support) == (1.0, 0, 4)
    flat = sample_design(np.outer(np.arange(1, 13), [1.0, 2.0]), PaperSampler(subset=12), np.random.default_rng(0))
    assert flat.rank == 1
    assert 1.0 < flat.factor < 12.0


@pytest.fixture
def project(tmp_path: Path, table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> Project:
    found = Project(tmp_path)
    actions = pd.DataFrame(
        [(a, i, f"Do {i}.") for a in ("a", "b") for i in range(12)], columns=["anchor", "action_index", "action"]
    )
    write_table(found.actions, actions, "actions")
    write_table(found.transitions, table, "transitions")
    nothing = np.zeros(2, bool)
    latent = LatentSpace(
        ["a", "b"], np.ones((2, 5), np.float32), [], np.zeros((0, 5)), {"a": 1990, "b": None}, nothing, nothing[:0]
    )
    monkeypatch.setattr(stage, "load_latent", lambda folder: latent)
    monkeypatch.setattr(stage, "load_encoder", lambda folder, text_model: Letters())
    return found


@pytest.mark.parametrize("method", ["certified", "paper"])
def test_stage_writes_vectors_weights_and_both_methods(project: Project, table: pd.DataFrame, method: str) -> None:
    config = parse_config({"design": {"method": method, "projection": 3, "centre": "anchor"}})
    stage.run(config.only(("seed", "design")), project)
    arrays, ids = read_arrays(project.transition_vectors, "transition_vectors")
    assert arrays["z"].shape == (len(table), 5)
    assert ids["rows"] == [str(row) for row in table["row"]]
    weights = read_table(project.design_weights, "design_weights")
    assert weights.groupby("anchor")["weight"].sum().to_numpy() == pytest.approx([1.0, 1.0])
    assert weights.loc[weights["action_index"] == 7, "weight"].eq(0.0).all()
    figures = read_json(project.stage_metrics("design"))
    assert figures["certified"]["factor_max"] <= 1.001
    for anchor in figures["anchors"].values():
        assert anchor["certified"]["rank"] == 3
        assert anchor["certified"]["support"] <= 11
        assert anchor["paper"]["factor"] is None or anchor["paper"]["factor"] > anchor["certified"]["factor"]


def test_stage_gives_the_same_bytes_twice(project: Project) -> None:
    config = parse_config({})
    files = [
        project.transition_vectors,
        project.design_weights,
        project.stage_metrics("design"),
    ]
    stage.run(config, project)
    first = [file.read_bytes() for file in files]
    stage.run(config, project)
    assert [file.read_bytes() for file in files] == first


def test_an_anchor_whose_texts_all_failed_is_a_clear_error(project: Project, table: pd.DataFrame) -> None:
    write_table(
        project.transitions, table.assign(next_text=table["next_text"].where(table["anchor"] == "a")), "transitions"
    )
    with pytest.raises(EagleError, match="anchor b"):
        stage.run(parse_config({}), project)
