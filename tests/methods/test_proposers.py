"""What proposes in a search explores as the parameters say, by the stored design or evenly."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from eagle.config import Config, parse_config
from eagle.core.artifacts import write_table
from eagle.environment.steering import Observation
from eagle.methods.context import MethodContext
from eagle.methods.proposers import exploring, search_eagle
from eagle.testing.methods import ACTIONS, ANCHORS, method_context


def config(**search: float | str) -> Config:
    return parse_config({"evaluate": {"search": search}})


def drawn(context: MethodContext, settings: Config, history: tuple[str, ...] = ()) -> Counter[str]:
    """Count the actions of 600 proposals at an anchor that has no design of its own."""
    agent = exploring(context.agent("any"), settings, context.project, context.candidates)
    seen = [Observation(n, "held out", "u0", len(history), "Genres: war.", None, history) for n in range(600)]
    return Counter(agent.act(seen, range(600)))


@pytest.fixture
def context(tmp_path: Path) -> MethodContext:
    """The planted world, with a design that tries one action at every anchor."""
    found = method_context(tmp_path)
    rows = [(a, n, action, float(n == 1)) for a in ANCHORS for n, action in enumerate(ACTIONS)]
    table = pd.DataFrame(rows, columns=["anchor", "action_index", "action", "weight"])
    found.project.design_weights.parent.mkdir(parents=True)
    write_table(found.project.design_weights, table, "design_weights")
    return found


def test_with_epsilon_zero_the_agent_itself_proposes(context: MethodContext) -> None:
    agent = context.agent("any")
    assert exploring(agent, config(), context.project, context.candidates) is agent


def test_the_design_is_explored_where_it_is_named_and_the_list_where_it_is_not(context: MethodContext) -> None:
    assert drawn(context, config(epsilon=1, explore="design")) == {ACTIONS[1]: 600}
    evenly = drawn(context, config(epsilon=1, explore="uniform"))
    assert set(evenly) == set(ACTIONS)
    assert max(evenly.values()) < 2 * min(evenly.values())


def test_epsilon_falls_with_the_changes_made_before(context: MethodContext) -> None:
    settings = config(epsilon=1, explore="design", epsilon_decay=0)
    assert len(drawn(context, settings, (ACTIONS[0],))) > 1  # the agent's own actions come again
    assert drawn(context, settings) == {ACTIONS[1]: 600}


def test_the_search_with_eagle_proposes_so(context: MethodContext) -> None:
    search = search_eagle(context.with_config(config(epsilon=0.5)))
    assert search.agent.name.endswith("_exploring")
