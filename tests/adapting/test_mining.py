"""Edits mined from planted texts are the planted ones, and nothing near a held-out text is among them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from eagle.adapting.changes import changes_of
from eagle.adapting.drafts import halves, neighbour_drafts, spliced_drafts
from eagle.adapting.edits import mined_edits
from eagle.adapting.mining import MANY, Edit, mine
from eagle.adapting.stories import NEAR, SHARED, Stories, near, stories_of
from eagle.data.corpus import Corpus, Prose, unused_plots
from eagle.domains.open import default_domain
from eagle.domains.text import Description
from eagle.environment.checks import words
from eagle.quality.runs import CommonRuns
from tests.adapting.planted import CHANGES, CORPUS, FAMILIES, FILM, THEMES, AxisEmbedder, prose, theme_of

EMBEDDER = AxisEmbedder()
ACTIONS = EMBEDDER.embed([change.action for change in CHANGES])


def stories(held: tuple[str, ...] = (), corpus: list[Prose] = CORPUS) -> Stories:
    return stories_of(Corpus(corpus, list(held)), EMBEDDER, 32, FILM, 1000)


def mined(kind: str, wanted: int = 20) -> list[Edit]:
    there = stories()
    drafts = {
        "neighbour": lambda: neighbour_drafts(there, range(len(there))),
        "splice": lambda: spliced_drafts(there, range(len(there)), EMBEDDER),
    }[kind]()
    return mine(drafts, there, CHANGES, ACTIONS, wanted)


@pytest.mark.parametrize("kind", ["neighbour", "splice"])
def test_the_action_of_an_edit_is_what_its_target_has_and_its_source_has_not(kind: str) -> None:
    edits = mined(kind)
    assert len(edits) >= 10
    for edit in edits:
        source, target = Description.read(edit.source), Description.read(edit.target)
        assert edit.action == f"Make it about the {theme_of(edit.target)}."
        assert theme_of(edit.source) != theme_of(edit.target)
        label = next(change.label for change in CHANGES if change.action == edit.action)
        assert label is None or (target.genres[0] == label and label not in source.genres)
        family = [name for name in FAMILIES if name in words(target.plot)]
        assert family[0] in words(source.plot), "a source is of its target's own family"


def test_a_spliced_source_begins_as_its_target() -> None:
    for edit in mined("splice"):
        first = [Description.read(line).plot.split(". ")[0] for line in (edit.source, edit.target)]
        assert first[0] == first[1]


def test_a_text_is_halved_after_its_first_sentence_or_clause() -> None:
    assert halves("One is here too. Two is here too. Three.") == ("One is here too.", "Two is here too. Three.")
    assert halves("A thief robs a bank, which is owned by her father, and fails.") == (
        "A thief robs a bank,",
        "which is owned by her father, and fails.",
    )
    assert halves("A thief robs a bank, and fails.") == (), "a half has four words"


def test_half_of_the_edits_name_no_label_and_no_action_has_many() -> None:
    edits = mined("neighbour", 12)
    of = Counter(edit.action for edit in edits)
    named = sum(of[change.action] for change in CHANGES if change.label is not None)
    assert named == 6 and len(edits) == 12
    assert max(of.values()) <= MANY * 12 / len(CHANGES)
    assert len({edit.target for edit in edits}) == len(edits)


def test_without_labels_typical_words_take_their_part() -> None:
    """As many edits as with labels, also of neighbours; what an action names is said by its target and not before."""
    fields = FILM.without_labels()
    unlabelled = [Prose((), text.text) for text in CORPUS]
    changes = [replace(change, label=theme) for change, theme in zip(CHANGES[:2], THEMES, strict=False)] + CHANGES[2:]
    corpus = Corpus(unlabelled, [])
    found = mined_edits(corpus, changes, EMBEDDER, fields, max_words=32, stories=1000, wanted=12, seed=1).edits
    assert Counter(edit.kind for edit in found) == {"splice": 3, "quote": 6, "neighbour": 3}
    assert {theme_of(edit.target) for edit in found} == set(THEMES)
    for edit in found:
        assert edit.target.startswith("The plot: ")
        assert edit.kind == "quote" or edit.action == f"Make it about the {theme_of(edit.target)}."
        assert theme_of(edit.source) != theme_of(edit.target)
    bare = [replace(change, label=None) for change in CHANGES]
    assert len(mined_edits(corpus, bare, EMBEDDER, fields, max_words=32, stories=1000, wanted=12, seed=1).edits) == 12


def test_the_same_seed_mines_the_same_edits() -> None:
    def once(seed: int) -> list[Edit]:
        corpus = Corpus(CORPUS, [])
        found = mined_edits(corpus, CHANGES, EMBEDDER, FILM, max_words=32, stories=16, wanted=8, seed=seed)
        return found.edits

    assert once(1) == once(1)
    assert once(1) != once(2)


def test_no_held_out_text_and_no_near_copy_of_one_is_learned_from() -> None:
    held = prose("baker", "robot").text
    retold = Prose(
        ("sci-fi",), "For years a robot and the baker have lived next door without ever speaking to each other."
    )
    quoted = Prose(
        ("drama",), "Long ago in spring a sailor from nowhere walks home alone every single evening with her dog."
    )
    there = stories((held, "He walks home alone every single evening with her old cat."), [*CORPUS, retold, quoted])
    plots = {text.plot for text in there.texts}
    assert held not in plots and retold.text not in plots and quoted.text not in plots
    assert prose("sailor", "pirate").text not in plots, "it shares eight words in a row with the second one"
    apart = stories((held,), [retold, quoted, prose("baker", "pirate")])
    assert [text.plot for text in apart.texts] == [quoted.text]


def test_near_is_a_matter_of_the_cosine() -> None:
    held = np.array([[1.0, 0.0]])
    angles = np.arccos(np.array([NEAR + 0.01, NEAR - 0.01]))
    assert near(np.c_[np.cos(angles), np.sin(angles)], held).tolist() == [True, False]
    assert near(np.ones((2, 2)), np.zeros((0, 2))).tolist() == [False, False]


@pytest.mark.parametrize(
    "text",
    [
        "Too short to be told.",
        "A sentence that goes on " + "and on " * 30 + "until the limit cuts it.",
        "A robot with {{markup}} in its plot walks home alone every single evening to the old mill.",
        "the man sees the dog and " * 5 + "runs.",
    ],
)
def test_what_is_no_whole_text_is_left_out(text: str) -> None:
    assert len(stories((), [Prose(("drama",), text)])) == 0


def test_plots_of_the_catalogues_films_are_left_out_under_any_name() -> None:
    plots = pd.DataFrame(
        {
            "Title": ["The City of Lost Children", "La Cité des enfants perdus", "Heat", "Another One", "No Genre"],
            "Category": ['"Science Fiction"', '"Drama"', '"Crime film"', '"Horror", "Family"', '"Silent"'],
            "Plot": ["one", "two", "three", "four  text", "five"],
        }
    )
    titles = ["City of Lost Children, The (Cité des enfants perdus, La) (1995)", "Heat (1995)"]
    assert unused_plots(plots, titles, {"horror", "children", "crime"}) == [Prose(("children", "horror"), "four text")]


def test_every_action_knows_what_it_names() -> None:
    changes = {change.action: change for change in changes_of(default_domain(), ["horror", "war"])}
    horror = [change for change in changes.values() if change.label == "horror"]
    assert horror and all("horror" in change.action.lower() or change.telling for change in horror)
    robot = changes["Make the hero a robot."]
    assert robot.label is None and robot.telling == {"robot"}
    assert {change.label for change in changes.values()} == {None, "horror", "war"}


def test_the_longest_shared_run_is_counted_in_words() -> None:
    runs = CommonRuns(["The old baker walks home alone.", "A ghost waits."])
    assert runs.longest(["She walks home, alone!", "Nothing here.", "An old baker walks home"]).tolist() == [3, 0, 4]
    assert SHARED > 4 and len(THEMES) == len(CHANGES)
