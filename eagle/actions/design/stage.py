"""Stage design: where the cached texts lie in the latent space, and an exploration design over each anchor's actions.

1. Follows the paper (Definition 1): z_a = mean over the samples of E_D(x'), not centred; ``design.centre: anchor``
   takes the movement from the anchor's own vector instead.
2. Differs: the latent dimension must be well below K, or the exact design is uniform; so each anchor's z_a are
   projected onto their first ``design.projection`` principal directions (of the uncentred vectors) before the design is
   solved.
3. Differs: the certified solver is the default; the paper's sampler runs beside it on the same vectors, and both report
   the factor over all actions, the rank and the support.

Actions all of whose texts failed have no vector: their weight is 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from eagle.actions.design.paper_sampler import SampledDesign, sample_designs
from eagle.actions.design.solver import Design, optimal_designs
from eagle.actions.stored import read_actions, read_transitions
from eagle.config import Config, DesignConfig
from eagle.core.artifacts import write_arrays, write_json, write_table
from eagle.core.errors import user_error
from eagle.core.project import Project
from eagle.core.seeding import stream
from eagle.latent.base import Encoder
from eagle.latent.encoders import load_encoder
from eagle.latent.space import LatentSpace, load_latent

Vectors = NDArray[np.floating]


def encode_rows(table: pd.DataFrame, encoder: Encoder, years: dict[str, int | None]) -> Vectors:
    """Return E_D of every next text (n_rows, d) float32, with the anchor's year; NaN rows for failed ones.

    Equal texts are encoded once.
    """
    fine = table["next_text"].notna().to_numpy()
    wanted = [
        (str(text), years.get(anchor))
        for text, anchor in zip(table.loc[fine, "next_text"], table.loc[fine, "anchor"], strict=True)
    ]
    place = {pair: i for i, pair in enumerate(dict.fromkeys(wanted))}
    vectors = np.full((len(table), encoder.dimension), np.nan, dtype=np.float32)
    if place:
        encoded = encoder.encode([text for text, _ in place], [year for _, year in place])
        vectors[fine] = encoded[[place[pair] for pair in wanted]]
    return vectors


def action_vectors(
    table: pd.DataFrame, vectors: Vectors, anchor: str, centre: Vectors | None
) -> tuple[list[int], NDArray[np.float64]]:
    """Return (action indices with a vector, their z_a (k, d)): means over the first-step samples of one anchor, less
    ``centre``.
    """
    rows = ((table["anchor"] == anchor) & (table["step"] == 1)).to_numpy() & np.isfinite(vectors).all(axis=1)
    indices, place = np.unique(table.loc[rows, "action_index"].to_numpy(), return_inverse=True)
    means = np.zeros((len(indices), vectors.shape[1]))
    np.add.at(means, place, vectors[rows].astype(np.float64))
    means /= np.maximum(np.bincount(place, minlength=len(indices)), 1)[:, None]
    return [int(i) for i in indices], means if centre is None else means - centre


def project_onto_principal(vectors: NDArray[np.float64], directions: int) -> NDArray[np.float64]:
    """Return (K, min(directions, d)): coordinates along the first right singular vectors; all of ``vectors`` (K, d)
    where 0.
    """
    if directions == 0 or directions >= vectors.shape[1]:
        return vectors
    basis = np.linalg.svd(vectors, full_matrices=False)[2][:directions]
    return vectors @ basis.T


def design_anchors(
    table: pd.DataFrame,
    vectors: Vectors,
    anchors: Sequence[str],
    latent: LatentSpace,
    settings: DesignConfig,
    seed: int,
) -> tuple[list[list[int]], list[Design], list[SampledDesign]]:
    """Return, per anchor, the action indices with a vector, the certified design and the paper's, over the same
    projected vectors.
    """
    indices, sets = [], []
    for anchor in anchors:
        centre = (
            latent.item_vectors[latent.item_index([anchor])[0]].astype(np.float64)
            if settings.centre == "anchor"
            else None
        )
        found, means = action_vectors(table, vectors, anchor, centre)
        if not found:
            raise user_error(
                f"no action of anchor {anchor} gave a usable text", mend="another seed, or a stronger model (llm.model)"
            )
        indices.append(found)
        sets.append(project_onto_principal(means, settings.projection))
    rngs = [stream(seed, "paper sampler", anchor) for anchor in anchors]
    return indices, optimal_designs(sets, settings.tolerance), sample_designs(sets, settings.paper, rngs)


def _summary(designs: Sequence[Design | SampledDesign]) -> dict[str, Any]:
    factors = np.array([d.factor for d in designs])
    finite = np.isfinite(factors)
    return {
        "factor_max": float(factors.max()) if finite.all() else None,
        "factor_median": float(np.median(factors)) if finite.sum() * 2 > len(finite) else None,
        "unbounded": int((~finite).sum()),
        "rank_median": float(np.median([d.rank for d in designs])),
        "support_median": float(np.median([d.support for d in designs])),
    }


def _of_anchor(certified: Design, paper: SampledDesign) -> dict[str, Any]:
    return {
        "certified": {
            "factor": certified.factor,
            "rank": certified.rank,
            "support": certified.support,
            "iterations": certified.iterations,
        },
        "paper": {
            "factor": paper.factor if np.isfinite(paper.factor) else None,
            "rank": paper.rank,
            "support": paper.support,
            "tested": paper.tested if np.isfinite(paper.tested) else None,
            "accepted": paper.accepted,
            "tries": paper.tries,
        },
    }


def run(config: Config, project: Project) -> None:
    """Stage design: write data/design (vectors and weights) and reports/stages/design.json."""
    actions, table = read_actions(project.actions), read_transitions(project.transitions)
    latent = load_latent(project.encoder)
    vectors = encode_rows(table, load_encoder(project.encoder, project.text_model), latent.years)
    anchors = [str(a) for a in dict.fromkeys(actions["anchor"])]
    indices, certified, paper = design_anchors(table, vectors, anchors, latent, config.design, config.seed)
    chosen: Sequence[Design | SampledDesign] = certified if config.design.method == "certified" else paper
    weight = {
        (anchor, index): float(w)
        for anchor, found, design in zip(anchors, indices, chosen, strict=True)
        for index, w in zip(found, design.weights, strict=True)
    }
    weights = actions[["anchor", "action_index", "action"]].assign(
        weight=[
            weight.get((str(a), int(i)), 0.0) for a, i in zip(actions["anchor"], actions["action_index"], strict=True)
        ]
    )
    inputs, rows = [project.actions, project.transitions], {"rows": table["row"].astype(str)}
    write_arrays(project.transition_vectors, {"z": vectors}, "transition_vectors", ids=rows, inputs=inputs)
    write_table(project.design_weights, weights, "design_weights", inputs=inputs)
    figures = {
        "method": config.design.method,
        "projection": config.design.projection,
        "actions_per_anchor": len(actions) / max(len(anchors), 1),
        "certified": _summary(certified),
        "paper": _summary(paper) | {"accepted": int(sum(p.accepted for p in paper))},
        "anchors": {anchor: _of_anchor(c, p) for anchor, c, p in zip(anchors, certified, paper, strict=True)},
    }
    write_json(project.stage_metrics("design"), figures)
