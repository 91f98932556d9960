"""What is said of texts, which own answers are good, and when an adapted environment is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from eagle.adapting.changes import NamedChange
from eagle.adapting.decision import decide
from eagle.adapting.figures import EnvironmentFigures, figures_of, kept_words, said_words
from eagle.adapting.own_answers import DRAWS, graded, own_answers, own_requests
from eagle.environment.rewrite import Rewrite
from eagle.quality.measures import repeated_triples

ITEM = "Genres: drama. Plot: A retired baker opens her harbour shop again after the flood and waits for customers."
GHOST = NamedChange("Add a friendly ghost.", None, frozenset({"friendly", "ghost"}))
HORROR = NamedChange("Turn it into a horror film.", "horror", frozenset({"horror"}))
VAMPIRE = NamedChange("Make it horror, with a vampire.", "horror", frozenset({"horror", "vampire"}))
GOOD = "Genres: drama. Plot: A retired baker opens her harbour shop and a friendly ghost waits there for new customers."
PLAIN = EnvironmentFigures(400, 0.7, 0.15, 0.02, 0.2, 0.24, 0.3, 0.84, 0.0, 4)


def test_shares_of_words_by_hand() -> None:
    assert kept_words("The old baker opens her shop.", "A baker opens a mill.") == pytest.approx(2 / 3)
    assert said_words(GHOST, "A baker.", "A ghost and a baker.") == 0.5
    assert said_words(GHOST, "A friendly baker.", "A friendly ghost.") == 1.0
    assert repeated_triples("she bakes the bread and she bakes the cake") == 1
    assert repeated_triples("she bakes the bread and he bakes the cake") == 0


def test_figures_by_hand() -> None:
    answers = [
        Rewrite(GOOD),
        Rewrite(None, "unparsable"),
        Rewrite(ITEM, copied=True),
        Rewrite("Genres: horror. Plot: A baker bakes the bread until a ghost bakes the bread with him."),
    ]
    found = figures_of(
        [ITEM] * 4, [GHOST, GHOST, HORROR, HORROR], answers, ["He said a friendly ghost waits there now."]
    )
    assert (found.texts, found.whole, found.failed, found.copied, found.repeated) == (4, 0.25, 0.25, 0.25, 0.5)
    assert found.said == pytest.approx((1 + 0) / 2)
    assert (found.followed, found.longest_run, found.remembered) == (1.0, 5, 0.0)
    assert 0 < found.kept < 1


def test_no_answers_give_no_figures_and_no_error() -> None:
    assert figures_of([], [], [], []).whole == 0.0


@pytest.mark.parametrize(
    ("text", "change", "copied", "good"),
    [
        (GOOD, GHOST, False, True),
        (GOOD, GHOST, True, False),
        (None, GHOST, False, False),
        (GOOD, HORROR, False, False),
        (GOOD.replace("drama", "horror"), HORROR, False, True),
        (GOOD.replace("drama", "horror"), VAMPIRE, False, False),
        (GOOD.replace("friendly ghost", "happy robot"), GHOST, False, False),
        (
            "Genres: drama. Plot: A friendly ghost haunts some hotel at night where nobody ever wants to sleep.",
            GHOST,
            False,
            False,
        ),
        (GOOD[:-1] + " and for new customers and for new customers.", GHOST, False, False),
        ("Genres: drama. Plot: A retired baker meets a ghost.", GHOST, False, False),
    ],
)
def test_only_good_answers_teach(text: str | None, change: NamedChange, copied: bool, good: bool) -> None:
    cause = None if text is not None else "unparsable"
    assert (graded(ITEM, change, Rewrite(text, cause, copied)) is not None) is good


class TwoDraws:
    """Answers the first draw of a request badly and the second well."""

    def rewrite(self, texts: Sequence[str], actions: Sequence[str], seeds: Sequence[int]) -> list[Rewrite]:
        return [Rewrite(GOOD) if place % DRAWS else Rewrite(None, "unparsable") for place, _ in enumerate(texts)]


def test_the_better_draw_of_each_request_is_learned() -> None:
    edits = own_answers(TwoDraws(), {"i1": ITEM}, [GHOST], 100, 10, 7)
    assert [(e.source, e.action, e.target, e.kind) for e in edits] == [(ITEM, GHOST.action, GOOD, "own")]
    assert own_answers(TwoDraws(), {"i1": ITEM}, [GHOST], 100, 0, 7) == []
    requests = own_requests({"i1": ITEM, "i2": GOOD}, [GHOST, HORROR], 6, 7)
    assert len(requests) == 6 and len({(r.text, r.change.action) for r in requests}) == 3


BETTER = replace(PLAIN, whole=0.9, failed=0.02, repeated=0.08)


def test_a_better_environment_is_kept_and_both_sides_are_written_down() -> None:
    decision = decide(PLAIN, BETTER)
    assert decision.adapted and "0.900" in decision.reasons[0]
    assert (decision.plain["whole"], decision.tried["whole"]) == (0.7, 0.9)


@pytest.mark.parametrize("share", ["kept", "said", "followed"])
def test_a_loss_within_the_noise_of_some_300_texts_is_none(share: str) -> None:
    assert decide(PLAIN, replace(BETTER, **{share: getattr(PLAIN, share) - 0.015})).adapted


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"whole": 0.7}, "whole first answers"),
        ({"whole": 0.72}, "whole first answers"),  # within the noise of 400 texts
        ({"kept": 0.21}, "item's words kept"),
        ({"said": 0.27}, "action's words said"),
        ({"followed": 0.8}, "named labels followed"),
        ({"remembered": 0.05}, "recite the corpus"),
    ],
)
def test_one_loss_is_enough_to_stay_with_the_plain_one(change: dict[str, Any], reason: str) -> None:
    decision = decide(PLAIN, replace(BETTER, **change))
    assert not decision.adapted
    assert len(decision.reasons) == 1 and reason in decision.reasons[0]
