"""An agent at work: requests side by side keep their own seeds and horizons, and a rounded text says that it is one."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

import eagle.serving
from eagle.config import parse_config
from eagle.core.errors import EagleError
from eagle.serving.steer import NAMED, Steerer, rounding
from eagle.serving.trajectories import ServedTrajectory, render
from tests.serving.small_agent import ITEMS, USERS, Engine, steerer


def ask(opened: Steerer, number: int) -> list[ServedTrajectory]:
    pairs = [(USERS[number % 3], ITEMS[number % 4]), ("u0", "i1")]
    return opened.steer(pairs, seed=number % 5, horizon=number % 3)


def test_requests_side_by_side_get_what_they_would_get_alone() -> None:
    alone = [ask(steerer(Engine()), number) for number in range(24)]
    engine = Engine()
    shared = steerer(engine)
    with ThreadPoolExecutor(16) as threads:
        together = list(threads.map(lambda number: ask(shared, number), range(24)))
    assert together == alone
    assert engine.mixed == []
    assert engine.adapter is None
    assert [len(found[0].steps) for found in together[:3]] == [4, 2, 3]  # 0: the agent's own horizon
    assert shared.agent.counts.acted == 0  # each request counts for itself


def test_a_shorter_request_is_the_beginning_of_a_longer_one() -> None:
    opened = steerer(Engine())
    (long,), (short,) = (opened.steer([("u1", "i2")], seed=7, horizon=horizon) for horizon in (3, 1))
    assert short.steps == long.steps[:2]


def test_samples_differ_and_the_first_has_the_seed_itself() -> None:
    opened = steerer(Engine())
    first, second = opened.samples("u1", "i2", samples=2, seed=7)
    assert [first] == opened.steer([("u1", "i2")], seed=7)
    assert (first.sample, second.sample) == (0, 1)
    assert first.text != second.text


def test_what_cannot_be_steered_is_said_at_once() -> None:
    opened = steerer(Engine())
    with pytest.raises(EagleError, match="unknown item 'Film i2'") as caught:
        opened.steer([("u9", "Film i2")], seed=0)
    assert len(caught.value.problems) == 2
    assert "give an id: i2 (Film i2)" in str(caught.value)
    with pytest.raises(EagleError) as many:
        opened.steer([("u1", f"nothing {number}") for number in range(NAMED + 3)], seed=0)
    assert len(many.value.problems) == NAMED + 1
    assert many.value.problems[-1].what == "3 more items are unknown"
    with pytest.raises(EagleError, match="horizon"):
        opened.steer([("u1", "i2")], seed=0, horizon=-1)


def test_a_rounded_text_says_so_and_an_exact_one_says_nothing() -> None:
    half = parse_config({"llm": {"dtype": "bfloat16", "device": "cpu"}})
    remark = rounding(half, Engine(batch_invariant=False))
    assert remark == "written one row at a time in bfloat16: may differ from the evaluation's text"
    rounded = steerer(Engine(), remark).samples("u1", "i2", samples=1, seed=7)
    assert remark in render(rounded, as_json=False)
    assert json.loads(render(rounded, as_json=True))[0]["remark"] == remark
    full = parse_config({"llm": {"dtype": "float32", "device": "cpu"}})
    assert rounding(full, Engine()) is None
    exact = steerer(Engine()).samples("u1", "i2", samples=1, seed=7)
    assert "evaluation" not in render(exact, as_json=False)
    assert json.loads(render(exact, as_json=True))[0]["remark"] is None


@pytest.mark.filterwarnings("ignore:.*Any type hint")  # MLflow's own, when it is first imported
def test_a_registered_model_finds_its_class_where_every_version_looked_for_it() -> None:
    from eagle.serving.model import SteeringModel

    assert eagle.serving.SteeringModel is SteeringModel
    with pytest.raises(AttributeError, match="no attribute 'Other'"):
        _ = eagle.serving.Other
