"""Stage ``encoder``: fit E_D, fold every user in, encode the catalogue, judge both recipes on unseen items."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from eagle.config import Config
from eagle.core.artifacts import complete_or_absent, write_json
from eagle.core.project import Project
from eagle.core.seeding import stream
from eagle.data.descriptions import Descriptions
from eagle.latent.base import Encoder, EncoderData
from eagle.latent.cold import ColdStart, warm_rmse
from eagle.latent.encoders import encoder_class, save_encoder, text_model_fingerprint
from eagle.latent.factors import Factors
from eagle.latent.features import FeatureMap
from eagle.latent.linear import LinearEncoder, linear_data
from eagle.latent.ratings import Splits
from eagle.latent.recipes import RECIPES, FitData, Fitted, fit_recipe, fit_two_stage
from eagle.latent.sentence import Remembered, SentenceModel
from eagle.latent.space import LatentSpace
from eagle.latent.verdict import verdict_line


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


def encoder_data(config: Config, project: Project, splits: Splits, catalogue: ItemTexts) -> EncoderData:
    """Return what an encoder learns from under these parameters."""
    factors = Factors.load(project.factors)
    return EncoderData(
        catalogue.items,
        catalogue.texts,
        catalogue.years,
        pd.Index(catalogue.items).get_indexer(pd.Index(factors.items)),
        splits.learning(),
        splits.folding(),
        factors,
        Remembered(SentenceModel(project.text_model)),
        config.encoder,
        config.factors,
    )


@dataclass(frozen=True)
class _Chosen:
    encoder: Encoder
    item_vectors: np.ndarray  # (n_items, d) float32
    user_vectors: np.ndarray  # (n_users, d)


def _choose(data: EncoderData, fitted: Mapping[str, Fitted], linear: FitData, features: FeatureMap) -> _Chosen:
    """Return the encoder that ``encoder.kind`` names; the built-in recipes are fitted already, for the report."""
    encoder: Encoder
    kind = encoder_class(data.settings.kind)
    if issubclass(kind, LinearEncoder):
        encoder, users = kind.of(fitted[kind.recipe], features, data)
        return _Chosen(encoder, encoder.map(linear.vectors), users)
    encoder, users = kind.fit(data)
    return _Chosen(encoder, np.asarray(encoder.encode(data.texts, data.years), np.float32), np.asarray(users))


def _latent(chosen: _Chosen, data: EncoderData) -> LatentSpace:
    return LatentSpace(
        data.items,
        chosen.item_vectors,
        data.folding.users,
        chosen.user_vectors.astype(np.float32),
        dict(zip(data.items, data.years, strict=True)),
        np.isin(np.array(data.items, object), data.factors.items),
        np.isin(np.array(data.folding.users, object), data.factors.users),
    )


def run(config: Config, project: Project) -> None:
    """Fit the configured encoder, save it, and report it and both recipes beside the baselines."""
    splits, catalogue = Splits.load(project), ItemTexts.load(project)
    data = encoder_data(config, project, splits, catalogue)
    linear, features = linear_data(data)
    fitted = {recipe: fit_recipe(recipe, linear, config.encoder, config.factors) for recipe in RECIPES}
    chosen = _choose(data, fitted, linear, features)
    description: dict[str, Any] = {
        "kind": config.encoder.kind,
        "dimension": chosen.encoder.dimension,
        "text_model": text_model_fingerprint(project.text_model),
        "settings": config.encoder.model_dump(),
    }
    with complete_or_absent(project.encoder) as draft:
        draft.mkdir()
        save_encoder(chosen.encoder, draft, description)
        _latent(chosen, data).save(draft)
    genres = fit_two_stage(replace(linear, vectors=linear.genre_hot), config.encoder, config.factors)
    own = {} if config.encoder.kind in RECIPES else {config.encoder.kind: chosen.user_vectors @ chosen.item_vectors.T}
    cold = ColdStart.of(fitted, genres, linear, splits, config, own)
    report: dict[str, Any] = {
        "kind": config.encoder.kind,
        "dimension": chosen.encoder.dimension,
        "features": linear.vectors.shape[1],
        "cold": cold.report(catalogue.has_plot),
        "warm_rmse": {kind: warm_rmse(each, splits, stream(config.seed, "warm")) for kind, each in fitted.items()},
        "against_popularity": cold.against_popularity(config.encoder.kind),
    }
    write_json(project.stage_metrics("encoder"), report)
    said = verdict_line(report["against_popularity"]["validation"]["as in U"], "validation items")
    print(f"encoder: {said}", file=sys.stderr, flush=True)
