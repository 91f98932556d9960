"""The built-in encoders and utilities keep the contracts that users' own have to keep."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from eagle.built_in.encoders import ENCODERS
from eagle.latent.base import Encoder, Utility
from eagle.latent.encoders import encoder_class
from eagle.latent.linear import JointHybrid
from eagle.latent.utility import PaperUtility
from eagle.latent.utility_of_parts import UtilityOfParts
from eagle.testing.encoders import EncoderContract
from eagle.testing.utilities import UtilityContract
from eagle.testing.worlds import encoder_data


class TestBuiltInEncoders(EncoderContract):
    @pytest.fixture(params=list(ENCODERS))
    def encoder_class(self, request: pytest.FixtureRequest) -> type[Encoder]:
        return encoder_class(request.param)


class TestPaperUtility(UtilityContract):
    @pytest.fixture
    def utility_class(self) -> type[Utility]:
        return PaperUtility


class CloseToTaste(UtilityOfParts):
    """Preference less half the squared length: each user's best point is their own vector."""

    weights = {"preference": 1.0, "length": -0.5}  # noqa: RUF012

    def parts(self, z: np.ndarray, users: Sequence[str]) -> dict[str, np.ndarray]:
        tastes = self.latent.rows_of_users(users)
        return {"preference": (tastes * z).sum(axis=1), "length": (z**2).sum(axis=1)}


class TestUtilityOfParts(UtilityContract):
    @pytest.fixture
    def utility_class(self) -> type[Utility]:
        return CloseToTaste

    def test_the_best_point_is_the_users_own(self, utility: CloseToTaste) -> None:
        own = utility.latent.user_vectors
        other = own + 0.3
        assert (utility(own, utility.latent.users) > utility(other, utility.latent.users)).all()


def test_every_name_in_the_table_has_a_class() -> None:
    assert {encoder_class(kind).__name__ for kind in ENCODERS} == {"JointHybrid", "TwoStage"}


class Constant(JointHybrid):
    """An encoder that breaks the contract: all texts in one place."""

    def encode(self, texts: Sequence[str], years: Sequence[int | None]) -> np.ndarray:
        return np.zeros((len(texts), self.dimension), np.float32)


def test_a_broken_contract_is_said_in_words() -> None:
    data = encoder_data()
    with pytest.raises(AssertionError, match="nothing could be steered"):
        EncoderContract().test_texts_tell_apart(Constant.fit(data), data)
