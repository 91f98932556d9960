"""A small encoded world, built once."""

from __future__ import annotations

import pytest

from eagle.config import parse_config
from eagle.core.project import Project
from eagle.latent import factors, stage
from tests.latent.conftest import world

__all__ = ["world"]


@pytest.fixture(scope="session")
def encoded(world: Project) -> Project:
    settings = {
        "seed": 3,
        "factors": {"dimension": 4},
        "encoder": {"pca": 4, "genre_weight": 1.0, "lambda_text": 1.0, "lambda_user": 1.0},
    }
    config = parse_config(settings)
    factors.run(config, world)
    stage.run(config, world)
    return world
