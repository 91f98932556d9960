"""Stage ``encoder``: fit E_D, fold every user in, encode the catalogue, judge both recipes on unseen items."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from eagle.config import Config
from eagle.core.artifacts import complete_or_absent, write_json
from eagle.core.project import Project
from eagle.core.seeding import stream
from eagle.data.descriptions import Descriptions
from eagle.latent.cold import cold_report, warm_rmse
from eagle.latent.encoder import Encoder, LatentSpace, text_model_fingerprint
from eagle.latent.factors import Factors
from eagle.latent.features import FeatureMap, TextEmbedder
from eagle.latent.ratings import Splits
from eagle.latent.recipes import FitData, Fitted, fit_joint_hybrid, fit_two_stage
from eagle.latent.sentence import Remembered, SentenceModel


@dataclass(frozen=True)
class ItemTexts:
    """Descriptions of all items in one order."""

    items: list[str]
    texts: list[str]
    years: list[int | None]
    has_plot: np.ndarray  # (n_items,) bool

    @classmethod
    def load(cls, project: Project) -> ItemTexts:
        found = Descriptions.load(project.descriptions)
        has_plot = (found.table["plot"] != "").to_numpy()
        return cls(found.items, list(found.texts.values()), list(found.years.values()), has_plot)


def _material(
    catalogue: ItemTexts, splits: Splits, factors: Factors, embedder: TextEmbedder, config: Config
) -> tuple[FitData, FeatureMap]:
    train = pd.Index(catalogue.items).get_indexer(pd.Index(factors.items))
    texts, years = [catalogue.texts[i] for i in train], [catalogue.years[i] for i in train]
    features = FeatureMap.fit(texts, years, embedder, config.encoder)
    vectors = features(catalogue.texts, catalogue.years, embedder)
    hot = features.genre_hot(catalogue.texts)
    return FitData(catalogue.items, vectors, hot, train, splits.learning(), splits.folding(), factors), features


def _fit(kind: str, material: FitData, config: Config) -> Fitted:
    if kind == "joint_hybrid":
        return fit_joint_hybrid(material, config.encoder)
    return fit_two_stage(material, config.encoder, config.factors)


def _latent(fitted: Fitted, catalogue: ItemTexts, material: FitData, weights: np.ndarray) -> LatentSpace:
    return LatentSpace(
        catalogue.items,
        (material.vectors @ weights.T).astype(np.float32),
        fitted.users,
        fitted.user_vectors.astype(np.float32),
        dict(zip(catalogue.items, catalogue.years, strict=True)),
        np.isin(np.array(catalogue.items, object), material.factors.items),
        np.isin(np.array(fitted.users, object), material.factors.users),
    )


def run(config: Config, project: Project) -> None:
    """Fit the configured recipe, save it, and report both recipes beside the baselines."""
    splits, catalogue = Splits.load(project), ItemTexts.load(project)
    embedder = Remembered(SentenceModel(project.text_model))
    material, features = _material(catalogue, splits, Factors.load(project.factors), embedder, config)
    fitted = {kind: _fit(kind, material, config) for kind in ("two_stage", "joint_hybrid")}
    chosen = fitted[config.encoder.kind]
    weights = chosen.weights(config.encoder.bias_weight)
    description: dict[str, Any] = {
        "kind": config.encoder.kind,
        "dimension": len(weights),
        "text_model": text_model_fingerprint(project.text_model),
        "settings": config.encoder.model_dump(),
    }
    with complete_or_absent(project.encoder) as draft:
        draft.mkdir()
        Encoder(features, weights, embedder).save(draft, description)
        _latent(chosen, catalogue, material, weights).save(draft)
    genres = fit_two_stage(replace(material, vectors=material.genre_hot), config.encoder, config.factors)
    report = {
        "kind": config.encoder.kind,
        "dimension": len(weights),
        "features": material.vectors.shape[1],
        "cold": cold_report(fitted, genres, material, catalogue.has_plot, splits, config),
        "warm_rmse": {kind: warm_rmse(each, splits, stream(config.seed, "warm")) for kind, each in fitted.items()},
    }
    write_json(project.stage_metrics("encoder"), report)
