"""What every encoder has to do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from eagle.latent.base import Encoder, EncoderData
from eagle.testing.worlds import encoder_data

ODD = ("", "no genres, no plot, no form", "Genres: a genre that nobody knows. Plot: It\nhas two lines.", "word " * 500)


class EncoderContract:
    """Override the fixture ``encoder_class``: the class that ``encoder.kind`` names."""

    @pytest.fixture
    def encoder_class(self) -> type[Encoder]:
        raise NotImplementedError("override the fixture encoder_class: return your class")

    @pytest.fixture
    def data(self) -> EncoderData:
        return encoder_data()

    @pytest.fixture
    def fitted(self, encoder_class: type[Encoder], data: EncoderData) -> tuple[Encoder, np.ndarray]:
        return encoder_class.fit(data)

    def test_every_text_has_a_vector(self, fitted: tuple[Encoder, np.ndarray], data: EncoderData) -> None:
        encoder, _ = fitted
        vectors = encoder.encode(data.texts, data.years)
        expected = (len(data.texts), encoder.dimension)
        assert vectors.shape == expected, f"encode should return (n, dimension) {expected}, got {vectors.shape}"
        assert vectors.dtype == np.float32, f"encode should return float32, got {vectors.dtype}"
        assert np.isfinite(vectors).all(), "encode should return finite numbers"
        none = encoder.encode([], [])
        assert none.shape == (0, encoder.dimension), f"no texts should give (0, dimension), got {none.shape}"

    def test_every_user_has_a_vector(self, fitted: tuple[Encoder, np.ndarray], data: EncoderData) -> None:
        encoder, users = fitted
        expected = (len(data.folding.users), encoder.dimension)
        assert np.shape(users) == expected, f"fit should return z_u (n_users, dimension) {expected}, got {users.shape}"
        assert np.isfinite(users).all(), "z_u should be finite, also of users who rated little"

    def test_users_and_items_meet(self, fitted: tuple[Encoder, np.ndarray], data: EncoderData) -> None:
        """<z_u, E_D> ranks the items that a user rated as the ratings do, better than chance."""
        encoder, users = fitted
        scores = users @ encoder.encode(data.texts, data.years)[data.train].T
        found = []
        for row in range(len(data.folding.users)):
            rated = data.folding.sums[[row]].tocoo()
            if len(rated.data) > 2 and np.ptp(rated.data) > 0:
                found.append(np.corrcoef(scores[row, rated.coords[1]], rated.data)[0, 1])
        assert np.nanmean(found) > 0.1, (
            f"<z_u, encode(text)> should rank rated items as the user did: mean correlation {np.nanmean(found):.2f}, "
            "expected above .1 in a world where users like genres"
        )

    def test_a_row_depends_on_its_own_text_only(self, fitted: tuple[Encoder, np.ndarray], data: EncoderData) -> None:
        encoder, _ = fitted
        texts, years = data.texts[:5], data.years[:5]
        alone = np.vstack([encoder.encode([text], [year]) for text, year in zip(texts, years, strict=True)])
        np.testing.assert_allclose(
            encoder.encode(texts, years), alone, atol=1e-5, err_msg="texts encoded together and one by one differ"
        )

    def test_no_text_is_refused(self, fitted: tuple[Encoder, np.ndarray]) -> None:
        vectors = fitted[0].encode(ODD, [None] * len(ODD))
        assert np.isfinite(vectors).all(), f"a text of any form should have a finite vector; texts: {ODD[:3]}"

    def test_texts_tell_apart(self, fitted: tuple[Encoder, np.ndarray], data: EncoderData) -> None:
        vectors = fitted[0].encode(data.texts, data.years)
        assert len(np.unique(vectors, axis=0)) > 1, "all texts have one vector: nothing could be steered"

    def test_the_same_data_give_the_same_encoder(self, encoder_class: type[Encoder], data: EncoderData) -> None:
        first, again = encoder_class.fit(data), encoder_class.fit(data)
        what = "fit twice on the same data, the {} differ: derive every draw from a fixed seed"
        np.testing.assert_array_equal(first[1], again[1], err_msg=what.format("users"))
        np.testing.assert_array_equal(
            first[0].encode(data.texts, data.years),
            again[0].encode(data.texts, data.years),
            err_msg=what.format("texts' vectors"),
        )

    def test_what_is_saved_is_what_is_loaded(
        self, fitted: tuple[Encoder, np.ndarray], encoder_class: type[Encoder], data: EncoderData, tmp_path: Path
    ) -> None:
        encoder, _ = fitted
        encoder.save(tmp_path)
        taken = {"encoder.json", "latent.safetensors"} & {path.name for path in tmp_path.iterdir()}
        assert not taken, f"save should leave {', '.join(taken)} to the stage"
        loaded = encoder_class.load(tmp_path, data.embedder)
        assert loaded.dimension == encoder.dimension, "dimension should survive save and load"
        np.testing.assert_allclose(
            loaded.encode(data.texts, data.years),
            encoder.encode(data.texts, data.years),
            atol=1e-6,
            err_msg="an encoder that was saved and loaded encodes otherwise",
        )
