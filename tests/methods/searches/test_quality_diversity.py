"""Quality diversity: how full an archive is by hand, what it keeps, and that an agent is asked once a round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from eagle.environment.steering import Observation
from eagle.latent.space import LatentSpace
from eagle.methods.searches.archive import TextArchive, centroids_of
from eagle.methods.searches.mutation import Mutation
from eagle.methods.searches.quality_diversity import AgentEmitter, MutationEmitter, QualityDiversity
from tests.methods.searches.planted import CASES, PlantedUtility, Words, answers, listed, play


def latent(points: np.ndarray, train: Sequence[bool]) -> LatentSpace:
    items = [f"i{n}" for n in range(len(points))]
    return LatentSpace(items, points, ["u"], np.zeros((1, 2)), {}, np.array(train), np.ones(1, bool))


def test_an_archive_keeps_the_best_of_each_region() -> None:
    archive = TextArchive(np.eye(4))
    assert archive.elites == []
    for place, (gain, region) in enumerate([(0.5, 2), (0.7, 2), (0.6, 2), (-0.1, 0)], start=1):
        archive.add(place, gain, np.eye(4)[region])
    assert archive.elites == [4, 2]
    assert archive.figures.coverage == 0.5
    assert archive.figures.quality == pytest.approx(0.6)


def test_regions_are_where_the_training_items_are() -> None:
    points = np.array([[0.0, 0.0], [0.1, 0.0], [5.0, 5.0], [5.1, 5.0], [99.0, 99.0]], np.float32)
    space = latent(points, [True] * 4 + [False])
    assert sorted(centroids_of(space, 2, 1).round(2).tolist()) == [[0.05, 0.0], [5.05, 5.0]]
    assert len(centroids_of(space, 16, 1)) == 4, "no more regions than different training items"
    assert (centroids_of(space, 2, 1) == centroids_of(space, 2, 1)).all()


def share(said: Words) -> float:
    return said.count("a") - 0.5 * said.count("b")


def test_every_case_has_an_archive_of_its_own() -> None:
    method = QualityDiversity("mine", MutationEmitter(Mutation(listed("a", "b", "c", "d"), repeat=True)), np.eye(4))
    play(method, PlantedUtility(share), 4)
    assert set(method.archives) == {case.case for case in CASES}
    # the first four changes are one of each letter: each has a region, with gains 1, -.5, 0 and 0
    assert {figure.coverage for figure in method.archives.values()} == {1.0}
    assert {figure.quality for figure in method.archives.values()} == {0.5}
    assert answers(play(method, PlantedUtility(share, lambda said: "a" not in said), 4)) < {("c",), ("d",)}
    assert {figure.coverage for figure in method.archives.values()} == {0.75}


@dataclass
class CountingAgent:
    """Always the same action; remembers how many were asked for in each call."""

    name: str = "agent"
    asked: list[int] = field(default_factory=list)

    def act(self, observations: Sequence[Observation], seeds: Sequence[int]) -> list[str]:
        self.asked.append(len(observations))
        assert len(set(zip(observations, seeds, strict=True))) == len(observations), "two equal questions"
        return ["a"] * len(observations)


def test_an_agent_is_asked_once_a_round_for_all_cases() -> None:
    agent = CountingAgent()
    found = play(QualityDiversity("mine", AgentEmitter(agent), np.eye(4)), PlantedUtility(share), 6)
    assert agent.asked == [4 * len(CASES), 2 * len(CASES)]
    assert {said[-1] for said in answers(found)} == {"a"}
