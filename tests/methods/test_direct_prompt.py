"""Direct prompting: the sentence that a user's profile becomes."""

from __future__ import annotations

from pathlib import Path

import pytest

from eagle.environment.branching import BranchingEnvironment
from eagle.environment.steering import Case
from eagle.methods.direct_prompt import taste_action
from eagle.methods.open import open_method
from eagle.methods.search import Search
from eagle.methods.softmax import Tastes
from eagle.testing.methods import method_context


@pytest.mark.parametrize(
    ("liked", "disliked", "who"),
    [
        (("comedy", "crime"), ("war",), " who likes comedy and crime and dislikes war"),
        (("a", "b", "c", "d"), (), " who likes a, b and c"),
        ((), ("war", "horror"), " who dislikes war and horror"),
        ((), (), ""),
    ],
)
def test_the_profile_becomes_a_sentence(liked: tuple[str, ...], disliked: tuple[str, ...], who: str) -> None:
    tastes = Tastes({"u": liked}, {"u": disliked})
    assert taste_action(tastes, "u") == f"Change it so that somebody{who} would love it."


def test_every_user_has_their_own(tmp_path: Path) -> None:
    method = open_method("direct_prompt", method_context(tmp_path))
    assert isinstance(method, Search)
    states = [BranchingEnvironment.start(Case(n, "i0", user, "Start.")) for n, user in enumerate(("u0", "u1", "u9"))]
    assert method.agent.act(states, [1, 2, 3]) == [
        "Change it so that somebody who likes comedy and dislikes war would love it.",
        "Change it so that somebody who likes crime and dislikes comedy would love it.",
        "Change it so that somebody would love it.",
    ]
