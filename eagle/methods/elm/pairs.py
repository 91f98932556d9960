"""Which points and texts ELM learns from, and which it is checked on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eagle.actions.candidate_list import CandidateList
from eagle.core.project import Project
from eagle.data.descriptions import Descriptions
from eagle.data.stored import items_of_split
from eagle.domains.text import Description
from eagle.latent.space import LatentSpace
from eagle.training.steps import CachedSteps


@dataclass(frozen=True)
class PointTexts:
    """Points (n, d), the text of each, and the year that the encoder is told with it."""

    points: np.ndarray
    texts: list[str]
    years: list[int | None]


def items_of(split: str, latent: LatentSpace, project: Project) -> PointTexts:
    """Return the items of a split that have a plot."""
    described = Descriptions.load(project.descriptions)
    items = [item for item in items_of_split(project.split_files.items, split) if described.plots.get(item)]
    texts = [Description.read(described.texts[item]).render() for item in items]
    return PointTexts(latent.item_vectors[latent.item_index(items)], texts, [described.years[item] for item in items])


def with_changes(items: PointTexts, latent: LatentSpace, project: Project) -> PointTexts:
    """Return the same and the environment's cached changes of training anchors, each with its own point."""
    anchors = CandidateList.load(project.actions).anchors("train")
    steps = CachedSteps.load(project).of(anchors)
    return PointTexts(
        np.concatenate([items.points, steps.next_vector.astype(np.float32)]),
        [*items.texts, *map(str, steps.next_text)],
        [*items.years, *(latent.years.get(anchor) for anchor in steps.anchor)],
    )
