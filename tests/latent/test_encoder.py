"""Features, E_D, the latent space and the stage that makes them."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from eagle.config import EncoderConfig, UtilityConfig, parse_config
from eagle.core.artifacts import read_json, read_table, write_json, write_table
from eagle.core.errors import EagleError
from eagle.core.project import Project
from eagle.data.stored import read_item_split, read_rating_split
from eagle.latent import factors as factors_stage
from eagle.latent import stage
from eagle.latent.encoders import load_encoder
from eagle.latent.features import FeatureMap, Projection
from eagle.latent.linear import JointHybrid
from eagle.latent.sentence import Remembered, SentenceModel
from eagle.latent.space import LatentSpace, load_latent
from eagle.latent.utility import PaperUtility
from eagle.profiles.genre_effects import common_genres, genre_effects
from tests.latent.conftest import WordEmbedder, tell

TEXTS = [
    tell(["crime"], "thief"),
    tell(["comedy", "drama"], "robot"),
    tell(["drama"], ""),
    tell(["war", "crime"], "soldier"),
]
YEARS = [1950, 1999, None, 1970]


@pytest.fixture
def features(embedder: WordEmbedder) -> FeatureMap:
    return FeatureMap.fit(TEXTS, YEARS, embedder, EncoderConfig(pca=3, year_functions=5))


def made(features: FeatureMap, embedder: WordEmbedder, d: int = 3) -> JointHybrid:
    return JointHybrid(features, np.random.default_rng(0).normal(size=(d, features.dimension)), embedder)


def test_the_blocks_of_the_features_stand_where_they_should(features: FeatureMap, embedder: WordEmbedder) -> None:
    x = features(TEXTS, YEARS, embedder)
    assert features.genres == ["comedy", "crime", "drama", "war"]
    np.testing.assert_allclose(x[1, :4], [0.3, 0, 0.3, 0])
    assert not x[2, 4:9].any(), "no year, no year functions"
    assert not x[2, -3:].any(), "no plot, no plot components"
    assert x[0, 4] == 1, "the first radial function stands on the first year"
    assert x.shape == (4, features.dimension)


def test_the_full_text_is_centred_on_the_training_items(features: FeatureMap, embedder: WordEmbedder) -> None:
    np.testing.assert_allclose(features(TEXTS, YEARS, embedder)[:, 9:12].mean(axis=0), 0, atol=1e-7)


def test_years_outside_the_training_range_stand_at_its_end(features: FeatureMap, embedder: WordEmbedder) -> None:
    late, last = features([TEXTS[0]] * 2, [2040, 1999], embedder)
    np.testing.assert_array_equal(late, last)


def test_a_projection_finds_the_planted_direction() -> None:
    rng = np.random.default_rng(0)
    direction = np.array([3.0, -4.0, 0.0]) / 5
    points = rng.normal(size=(200, 1)) * direction + 0.001 * rng.normal(size=(200, 3)) + 7
    found = Projection.fit(points, 1).directions[:, 0]
    np.testing.assert_allclose(found, -direction, atol=1e-3)  # the largest entry is made positive


def test_a_text_of_another_form_is_a_plot_without_genres(features: FeatureMap, embedder: WordEmbedder) -> None:
    x = features(["A ghost\nhunts alone"], [None], embedder)
    assert not x[0, :9].any()
    assert x[0, -3:].any()


def test_batch_equals_one_by_one(features: FeatureMap, embedder: WordEmbedder) -> None:
    encoder = made(features, embedder)
    single = np.vstack([encoder.encode([text], [year]) for text, year in zip(TEXTS, YEARS, strict=True)])
    np.testing.assert_allclose(encoder.encode(TEXTS, YEARS), single, atol=1e-6)
    assert encoder.encode([], []).shape == (0, 3)


def test_texts_and_years_must_pair_up(features: FeatureMap, embedder: WordEmbedder) -> None:
    with pytest.raises(ValueError, match="4 texts but 1 years"):
        made(features, embedder).encode(TEXTS, [1990])


def test_a_genre_word_moves_the_vector_by_its_own_column(features: FeatureMap) -> None:
    """With an embedder blind to words, the effect of a genre is 0.3 times its column of W,
    whatever else the text says.
    """

    class Blind(WordEmbedder):
        def _one(self, text: str) -> np.ndarray:
            return np.ones(self.dimension) / np.sqrt(self.dimension)

    encoder = made(features, Blind())
    table = pd.DataFrame(
        {"text": TEXTS, "year": YEARS, "genres": [["crime"], ["comedy", "drama"], ["drama"], ["war", "crime"]]}
    )
    effects = genre_effects(encoder, table)
    assert list(effects) == encoder.genres
    for column, genre in enumerate(encoder.genres):
        np.testing.assert_allclose(effects[genre], 0.3 * encoder.weights[:, column], atol=1e-6)


def test_rare_genres_have_no_effect_unless_all_are_rare() -> None:
    table = pd.DataFrame({"genres": [["drama"]] * 12 + [["war"]]})
    assert common_genres(table) == ["drama"]
    assert common_genres(table.tail(2)) == ["drama", "war"]


def test_each_text_is_embedded_once(embedder: WordEmbedder) -> None:
    remembered = Remembered(embedder)
    first, again = remembered.embed(["a", "b", "a"]), remembered.embed(["b", "c"])
    assert sorted(embedder.calls) == ["a", "b", "c"]
    np.testing.assert_array_equal(first[1], again[0])
    assert remembered.embed([]).shape == (0, embedder.dimension)


def test_memory_is_bounded(embedder: WordEmbedder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eagle.latent.sentence.MOST_REMEMBERED", 1)
    remembered = Remembered(embedder)
    first, again = remembered.embed(["a", "b"]), remembered.embed(["b", "a"])
    assert embedder.calls == ["a", "b", "a", "b"]
    np.testing.assert_array_equal(first, again[::-1])


def test_sentence_vectors_do_not_depend_on_their_neighbours(world: Project) -> None:
    model = SentenceModel(world.text_model)
    texts = ["A thief.", "A retired thief takes one last job in Paris.", "A thief.", "Ghost " * 40]
    together = model.embed(texts)
    np.testing.assert_allclose(together, np.vstack([model.embed([text]) for text in texts]), atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(together[0], together[2])


def test_packed_layers_give_what_transformers_does(world: Project) -> None:
    texts = ["A thief.", "A retired thief takes one last job in Paris.", "Ghost " * 40]
    tokenizer = AutoTokenizer.from_pretrained(str(world.text_model))
    plain = AutoModel.from_pretrained(str(world.text_model), dtype=torch.float32).eval()
    with torch.inference_mode():
        pooled = torch.cat(
            [plain(**tokenizer(text, return_tensors="pt")).last_hidden_state.mean(dim=1) for text in texts]
        )
    expected = torch.nn.functional.normalize(pooled, dim=1).numpy()
    np.testing.assert_allclose(SentenceModel(world.text_model).embed(texts), expected, atol=1e-5)
    roughly = SentenceModel(world.text_model, torch.bfloat16).embed(texts)
    assert roughly.dtype == np.float32
    np.testing.assert_allclose(roughly, expected, atol=0.05)


def test_a_folder_without_weights_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(EagleError, match="is not a sentence model"):
        SentenceModel(tmp_path / "nowhere")


SETTINGS = {
    "seed": 3,
    "factors": {"dimension": 4, "regularization": 1.0},
    "encoder": {
        "pca": 4,
        "genre_weight": 1.0,
        "ridge": 1.0,
        "lambda_user": 1.0,
        "lambda_text": 1.0,
        "lambda_bias_text": 1.0,
    },
}


@pytest.fixture(scope="module")
def encoded(world: Project) -> Project:
    config = parse_config(SETTINGS)
    factors_stage.run(config.only(["seed", "factors"]), world)
    stage.run(config.only(["seed", "encoder", "factors"]), world)
    return world


def test_what_was_saved_encodes_the_catalogue_as_the_latent_space_holds_it(encoded: Project) -> None:
    encoder, latent = load_encoder(encoded.encoder, encoded.text_model), load_latent(encoded.encoder)
    catalogue = stage.ItemTexts.load(encoded)
    assert latent.items == catalogue.items
    assert [latent.years[item] for item in latent.items] == catalogue.years
    np.testing.assert_allclose(encoder.encode(catalogue.texts, catalogue.years), latent.item_vectors, atol=1e-5)
    assert latent.dimension == encoder.dimension == 5
    np.testing.assert_array_equal(latent.user_vectors[:, -1], 1)


def test_every_user_has_a_vector_and_the_train_rows_are_marked(encoded: Project) -> None:
    latent = load_latent(encoded.encoder)
    assert len(latent.users) == 40
    assert (latent.train_users.sum(), latent.train_items.sum()) == (24, 36)
    assert np.linalg.norm(latent.user_vectors[~latent.train_users][:, :-1], axis=1).min() > 0


def test_the_report_judges_both_recipes_and_finds_the_planted_taste(encoded: Project) -> None:
    report = read_json(encoded.stage_metrics("encoder"))
    table = report["cold"]["test items, all users"]
    assert table["user mean"]["rho"]["value"] == 0
    for kind in ("two_stage", "joint_hybrid"):
        assert table[f"{kind}, personal part"]["rho"]["low"] > 0.1
        assert report["warm_rmse"][kind]["value"] is not None
    assert set(report["cold"]) >= {
        "test items, test users",
        "validation items, all users",
        "test items, all users, items with plots",
    }


def test_the_panels_ratings_do_not_reach_the_encoder(encoded: Project, tmp_path: Path) -> None:
    from eagle.core.artifacts import read_table, write_table

    other = Project(tmp_path)
    splits = (encoded.splits / "items.parquet", encoded.splits / "users.parquet")
    for path in (encoded.catalogue_files.source, encoded.descriptions, *splits):
        copy = tmp_path / path.relative_to(encoded.root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    ratings = read_table(encoded.splits / "ratings.parquet", "rating_split")
    ratings["rating"] = np.where(ratings["part"] == "panel", 5.5 - ratings["rating"], ratings["rating"])
    write_table(other.splits / "ratings.parquet", ratings, "rating_split")
    other.text_model.parent.mkdir(parents=True)
    other.text_model.symlink_to(encoded.text_model)
    config = parse_config(SETTINGS)
    factors_stage.run(config, other)
    stage.run(config, other)
    for name in ("encoder.safetensors", "latent.safetensors"):
        assert (other.encoder / name).read_bytes() == (encoded.encoder / name).read_bytes()


def test_any_rating_scale_gives_the_same_space_and_items_that_nobody_rated_stand_in_it(
    encoded: Project, tmp_path: Path
) -> None:
    """The same ratings on a scale from -10 to 10, and one more item that no rating speaks of."""
    other, config = Project(tmp_path), parse_config(SETTINGS)
    shutil.copytree(encoded.root / "data", tmp_path / "data")
    other.text_model.parent.mkdir(parents=True)
    other.text_model.symlink_to(encoded.text_model)
    ratings = read_rating_split(encoded.split_files.ratings)
    write_table(other.split_files.ratings, ratings.assign(rating=5 * ratings["rating"] - 15), "rating_split")
    source = read_json(encoded.catalogue_files.source)
    write_json(other.catalogue_files.source, {**source, "rating_min": -10.0, "rating_max": 10.0})
    items = read_item_split(encoded.split_files.items)
    never = pd.DataFrame({"item": ["new"], "split": ["never_rated"]})
    write_table(other.split_files.items, pd.concat([items, never], ignore_index=True), "item_split")
    described = read_table(encoded.descriptions, "descriptions")
    new = described.head(1).assign(item="new", text=tell(["war"], "dragon"), plot="A dragon finds a ghost.")
    write_table(other.descriptions, pd.concat([described, new], ignore_index=True), "descriptions")
    factors_stage.run(config, other)
    stage.run(config, other)
    ours, theirs = load_latent(encoded.encoder), load_latent(other.encoder)
    np.testing.assert_allclose(theirs.item_vectors[:-1], ours.item_vectors, atol=5e-3)
    np.testing.assert_allclose(theirs.user_vectors, ours.user_vectors, atol=5e-3)
    warm, wide = (read_json(project.stage_metrics("encoder"))["warm_rmse"] for project in (encoded, other))
    for kind in ("two_stage", "joint_hybrid"):
        assert wide[kind]["value"] == pytest.approx(5 * warm[kind]["value"], rel=5e-3)
    assert theirs.items[-1] == "new"
    assert not theirs.train_items[-1]
    distance = PaperUtility.fit(theirs, UtilityConfig()).parts(theirs.item_vectors[-1:], theirs.users[:1])["distance"]
    apart = PaperUtility.fit(ours, UtilityConfig()).parts(theirs.item_vectors[-1:], theirs.users[:1])["distance"]
    assert distance[0] < apart[0]  # what exists already is less new


def test_another_sentence_model_is_refused(encoded: Project, tmp_path: Path) -> None:
    from tests.tiny import build_tiny_text_encoder

    with pytest.raises(EagleError, match="another sentence model"):
        load_encoder(encoded.encoder, build_tiny_text_encoder(tmp_path / "other", seed=9))


def test_an_unknown_user_is_named(encoded: Project) -> None:
    latent: LatentSpace = load_latent(encoded.encoder)
    with pytest.raises(EagleError, match="nobody"):
        latent.rows_of_users(["u1", "nobody"])
    np.testing.assert_array_equal(latent.rows_of_users(["u1"])[0], latent.user_vectors[1])
    assert latent.item_index(["i3"])[0] == 3
