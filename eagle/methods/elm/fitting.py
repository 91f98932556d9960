"""Fit ELM on a project's files: what it learns from, the model, its checks."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd

from eagle.compute.devices import placement
from eagle.config import Config
from eagle.core.artifacts import complete_or_absent, content_hash, hash_of, write_json
from eagle.core.project import Project
from eagle.core.seeding import derive_seed, stream
from eagle.domains.open import domain_of
from eagle.engine.identity import code_behind
from eagle.latent.encoders import load_encoder
from eagle.latent.space import load_latent
from eagle.methods.elm.adapter import PointAdapter
from eagle.methods.elm.checks import DecoderCheck
from eagle.methods.elm.decoder import Decoder
from eagle.methods.elm.pairs import PointTexts, items_of, with_changes
from eagle.methods.elm.point_model import PointModel, PointPrompt
from eagle.methods.elm.stored import ElmNote
from eagle.methods.elm.training import TwoStages
from eagle.policies.lora_model import LoraModel
from eagle.training.curves import write_curve


def fit(config: Config, project: Project) -> None:
    """Train, check, and write models/elm, reports/curves/elm.csv and reports/stages/elm.json."""
    latent = load_latent(project.encoder)
    pairs = items_of("train", latent, project)
    pairs = with_changes(pairs, latent, project) if config.elm.changes else pairs
    model = fresh_model(config, project, pairs.points)
    checkpoints = project.unfinished(f"elm_{_key(config, project)}")
    log = TwoStages(model, pairs, config.elm, config.seed, checkpoints).run()
    decoder = Decoder.over(model, config, project)
    check = DecoderCheck(
        load_encoder(project.encoder, project.text_model),
        latent.item_vectors[latent.train_items],
        latent.user_vectors[~latent.train_users],
    )
    held_out = _some(items_of("validation", latent, project), config.elm.checked, config.seed)
    seeds = [derive_seed(config.seed, "elm", "check", row) for row in range(len(held_out.texts))]
    report = check.report(decoder, held_out, seeds)
    with complete_or_absent(project.elm) as draft:
        draft.mkdir()
        model.save(draft)
        ElmNote(content_hash(project.encoder), config.elm.radius).write(draft)
    write_curve(project.curve("elm"), pd.DataFrame(log.rows))
    write_json(project.stage_metrics("elm"), {"trained": True, "pairs": len(pairs.texts), **report})
    shutil.rmtree(checkpoints, ignore_errors=True)


def fresh_model(config: Config, project: Project, points: np.ndarray) -> PointModel:
    """Return the untrained model for points like ``points`` (n, d); its fresh LoRA adapter has no effect."""
    settings, seed_of_lora = config.elm, derive_seed(config.seed, "elm", "lora")
    language_model = LoraModel.create(project.llm, settings.lora, seed_of_lora, **placement(config.llm))
    seed = derive_seed(config.seed, "elm", "adapter")
    adapter = PointAdapter.fresh(points, settings.hidden, settings.soft_tokens, language_model.embeddings, seed)
    return PointModel(language_model, adapter, PointPrompt.of(language_model.tokenizer, domain_of(config)))


def open_model(config: Config, project: Project) -> PointModel:
    """Open the trained model in models/elm; one of another language model is an EagleError."""
    return PointModel.load(project.llm, project.elm, domain_of(config), **placement(config.llm))


def _some(items: PointTexts, most: int, seed: int) -> PointTexts:
    """Draw ``most`` items without replacement, in their own order; all where there are no more."""
    chosen = sorted(stream(seed, "elm", "checked").permutation(len(items.texts))[:most].tolist())
    return PointTexts(items.points[chosen], [items.texts[n] for n in chosen], [items.years[n] for n in chosen])


def _key(config: Config, project: Project) -> str:
    """Hash of all that decides the weights: unfinished work of others is never taken up."""
    inputs = [project.llm, project.encoder, project.splits, project.descriptions, project.actions, project.transitions]
    hashes = [content_hash(path) for path in (*inputs, project.design) if path.exists()]
    sections = (config.elm, config.llm, config.domain)
    decisive = [section.decisive() for section in sections]
    return hash_of([config.seed, *decisive, *hashes, code_behind(__name__, *sections)])
