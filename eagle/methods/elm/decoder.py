"""From points to texts of the domain, checked as the environment checks its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from eagle.config import Config
from eagle.core.project import Project
from eagle.data.descriptions import Descriptions
from eagle.domains.base import Domain
from eagle.domains.open import domain_of
from eagle.engine.base import Completion, SamplingSpec
from eagle.environment.checks import check_text
from eagle.environment.prompts import clean, opening
from eagle.environment.rewrite import Rewrite
from eagle.methods.elm.point_model import PointModel


class PointWriter(Protocol):
    """What writes texts for points: a :class:`Decoder`, or a planted one."""

    def write(self, points: np.ndarray, seeds: Sequence[int]) -> list[Rewrite]:
        """Return one answer for each of ``points`` (n, d); it depends on the point and its seed alone."""
        ...


@dataclass(frozen=True)
class Decoder:
    """Writes with a trained model, under the environment's own sampling; ``vocabulary``: genres that a text may name.

    A text is drawn once, where the environment may draw a defective one again.
    """

    model: PointModel
    domain: Domain
    spec: SamplingSpec
    vocabulary: frozenset[str]

    @classmethod
    def over(cls, model: PointModel, config: Config, project: Project) -> Decoder:
        """Return the decoder of a project; reads the parameter sections llm, data and domain."""
        spec = SamplingSpec(config.llm.max_new_tokens, config.llm.temperature, config.llm.top_p)
        genres = frozenset(Descriptions.load(project.descriptions).genres)
        return cls(model, domain_of(config), spec, genres)

    def write(self, points: np.ndarray, seeds: Sequence[int]) -> list[Rewrite]:
        """See :class:`PointWriter`."""
        return [self._checked(completion) for completion in self.model.write(points, seeds, self.spec)]

    def _checked(self, completion: Completion) -> Rewrite:
        checked = check_text(
            clean(opening(self.domain) + completion.text),
            finished=completion.finish == "stop",
            vocabulary=self.vocabulary,
            fields=self.domain.fields,
            least_words=self.domain.least_words,
        )
        text = None if checked.description is None else checked.description.render()
        return Rewrite(text, checked.cause, tokens=len(completion.token_ids), dropped=checked.dropped)
