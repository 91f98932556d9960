"""Seeds, written actions, anchors: what the stage promises about its table."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from eagle.actions.anchors import choose_anchors, spread_over
from eagle.actions.candidate_list import CandidateList, is_valid_action
from eagle.actions.candidates import Write, build_actions, halves
from eagle.actions.duplicates import NEAR_DUPLICATE, content_words, duplicate_rate, overlap, repeats_any
from eagle.actions.labels import frequent_labels
from eagle.actions.seeds import choose_seeds, generic_seeds, personalized_seeds
from eagle.actions.written import Request, clean_action, request_prompt, write_actions
from eagle.actions.written_shards import write_on_workers
from eagle.config import ActionsConfig, Config, DomainConfig, LLMConfig, parse_config
from eagle.core.errors import EagleError
from eagle.core.project import Project
from eagle.domains.base import Domain
from eagle.domains.clothing import CATEGORIES
from eagle.domains.open import open_domain
from eagle.engine.scripted import ScriptedModel

MOVIELENS = (
    *("drama", "comedy", "action", "thriller", "romance", "adventure", "children's", "crime", "sci-fi"),
    *("horror", "war", "mystery", "musical", "documentary", "animation", "fantasy", "western", "film-noir"),
)
IDEAS = (
    "a talking horse",
    "the lighthouse",
    "jealous twins",
    "a submarine",
    "a silent clown",
    "a banker",
    "a paper moon",
)


def domain(noun: str) -> Domain:
    return open_domain(DomainConfig(), noun)


FILM = domain("film")


def scripted(prompt: str, seed: int) -> str:
    return f" {IDEAS[seed % len(IDEAS)]}.\nMore"


def settings(**actions: object) -> Config:
    return parse_config(
        {
            "seed": 3,
            "actions": {"train_anchors": 5, "validation_anchors": 2, "per_anchor": 12, "llm_written": 4} | actions,
        }
    )


def by(model: ScriptedModel) -> Write:
    """Let this model write, all requests at once."""
    return lambda requests, taken, reserve: write_actions(model, requests, taken, reserve, FILM, 0.7, 3)


def test_seeds_are_short_valid_and_distinct() -> None:
    seeds = generic_seeds(FILM) + personalized_seeds(MOVIELENS, FILM)[: 2 * len(MOVIELENS)]
    texts = [seed.action for seed in seeds]
    assert all(is_valid_action(text) and len(text.split()) <= 12 for text in texts)
    assert duplicate_rate(texts) == 0.0
    assert {seed.category for seed in seeds} == set(FILM.categories)


@pytest.mark.parametrize("personalized", [halves(ActionsConfig())[1], len(MOVIELENS)])
def test_personalized_half_names_the_most_frequent_labels_each_once_before_any_twice(personalized: int) -> None:
    chosen = [s.action for s in choose_seeds(MOVIELENS, FILM, 5, personalized) if s.kind == "personalized"]
    assert len(chosen) == personalized
    assert all(genre in action for genre, action in zip(MOVIELENS, chosen, strict=False))


def test_other_genres_get_templates_and_plain_sentences_only() -> None:
    found = [s.action for s in personalized_seeds(["space opera", "(no genres listed)", "x: y\nz"], domain("book"))]
    assert found == ["Turn it into a space opera book.", "Give it much more space opera."]
    assert {s.category for s in generic_seeds(domain("garment"))} == set(CATEGORIES)


def test_too_few_seeds_is_a_clear_error() -> None:
    with pytest.raises(EagleError, match=r"(?s)personalized.*llm_written"):
        choose_seeds(["drama"], FILM, 5, 50)


@pytest.mark.parametrize(
    ("per_anchor", "share", "written", "expected"),
    [(40, 0.5, 4, (18, 18, 2, 2)), (10, 0.0, 3, (7, 0, 3, 0)), (10, 1.0, 3, (0, 7, 0, 3)), (2, 0.1, 1, (1, 0, 1, 0))],
)
def test_halves_add_up(per_anchor: int, share: float, written: int, expected: tuple[int, ...]) -> None:
    found = halves(ActionsConfig(per_anchor=per_anchor, personalized_share=share, llm_written=written))
    assert found == expected
    assert sum(found) == per_anchor


def test_all_written_is_refused() -> None:
    with pytest.raises(EagleError, match="shared"):
        halves(ActionsConfig(per_anchor=4, llm_written=4))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('1. "make the hero a lonely clown"', "Make the hero a lonely clown."),
        ("Set it in Rome. Then add a dog.", "Set it in Rome."),
        ("The hero is sad.", None),
        ("Let's make it fun.", None),
        ("Make it about a coward, a coward, a coward.", None),
        ("Make it a touching touching story.", None),
        ("", None),
        ("...", None),
        ("Add " + "very long words " * 9, None),
    ],
)
def test_cleaning_leaves_one_imperative_sentence_or_nothing(text: str, expected: str | None) -> None:
    assert clean_action(text) == expected


def test_overlap_of_words() -> None:
    assert overlap(content_words("Make the hero a robot."), content_words("Turn the hero into robots")) == 1.0
    assert overlap(content_words("Set it in space."), content_words("Move it to space.")) == 0.5
    assert NEAR_DUPLICATE > 0.5
    assert not repeats_any("Set it in space.", ["Move it to space.", "Add a dog."])
    assert overlap(content_words("Add a dog."), content_words("Add a cat.")) == 0.0
    assert content_words("Make it!") == frozenset({"make", "it"})
    assert duplicate_rate(["Add a dog.", "Add the dog!", "Add a cat."]) == pytest.approx(1 / 3)


def test_anchors_come_from_their_split_with_a_plot_and_in_any_order_of_items(
    descriptions: pd.DataFrame, splits: pd.DataFrame
) -> None:
    anchors = choose_anchors(descriptions, splits, "train", 8, seed=1)
    assert anchors["item"].is_unique
    assert set(anchors["item"]) <= set(splits.loc[splits["split"] == "train", "item"])
    assert (anchors["plot"] != "").all()
    shuffled = descriptions.sample(frac=1, random_state=0)
    assert choose_anchors(shuffled, splits, "train", 8, seed=1)["item"].tolist() == anchors["item"].tolist()


def test_anchors_are_spread_over_genres_and_years(descriptions: pd.DataFrame) -> None:
    chosen = spread_over(descriptions, 12, 0, "train")
    first = chosen["genres"].map(lambda genres: genres[0]).value_counts()
    assert len(first) == 6
    assert first.max() == first.min() == 2
    assert (chosen.assign(first=chosen["genres"].str[0]).groupby("first")["year"].agg(np.ptp) >= 24).all()


def test_items_without_a_plot_fill_up_with_a_warning(
    descriptions: pd.DataFrame, splits: pd.DataFrame, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        anchors = choose_anchors(descriptions, splits, "train", 28, seed=1)
    assert len(anchors) == 28
    told = int((descriptions.merge(splits).query("split == 'train'")["plot"] != "").sum())
    assert int((anchors["plot"] != "").sum()) == told
    assert "no plot" in caplog.text


def test_fewer_items_than_asked_is_a_clear_error(descriptions: pd.DataFrame, splits: pd.DataFrame) -> None:
    with pytest.raises(EagleError, match=r"(?s)15 validation items.*actions.validation_anchors"):
        choose_anchors(descriptions, splits, "validation", 16, seed=1)


def test_table_shares_seeds_and_ends_with_written_ones(
    descriptions: pd.DataFrame, splits: pd.DataFrame, profiles: pd.DataFrame
) -> None:
    table, figures = build_actions(settings(), descriptions, splits, profiles, by(ScriptedModel(scripted)))
    assert len(table) == 7 * 12
    for _, rows in table.groupby("anchor"):
        assert rows["action_index"].tolist() == list(range(12))
        assert rows["origin"].tolist() == ["seed"] * 8 + ["llm"] * 4
        assert rows["action"].is_unique
        assert (rows["kind"] == "personalized").sum() == 6
    shared = table[table["origin"] == "seed"].groupby("action_index")["action"].nunique()
    assert (shared == 1).all()
    assert table["action"].map(is_valid_action).all()
    assert figures["duplicate_rate"] == 0.0
    assert len(CandidateList.from_table(table).shared) == 8


def test_same_seed_gives_the_same_table(
    descriptions: pd.DataFrame, splits: pd.DataFrame, profiles: pd.DataFrame
) -> None:
    tables = [
        build_actions(settings(), descriptions, splits, profiles, by(ScriptedModel(scripted)))[0] for _ in range(2)
    ]
    pd.testing.assert_frame_equal(*tables)


def test_written_in_shards_is_written_at_once(
    descriptions: pd.DataFrame,
    splits: pd.DataFrame,
    profiles: pd.DataFrame,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = ScriptedModel(scripted)
    monkeypatch.setattr("eagle.actions.written_shards.open_language_model", lambda *_: model)
    project, config = Project(tmp_path), settings().model_copy(update={"llm": LLMConfig(shard_rows=5)})
    project.llm.mkdir(parents=True)
    at_once = build_actions(config, descriptions, splits, profiles, by(ScriptedModel(scripted)))
    in_shards = build_actions(config, descriptions, splits, profiles, partial(write_on_workers, config, project))
    pd.testing.assert_frame_equal(at_once[0], in_shards[0])
    assert at_once[1] == in_shards[1]
    assert {len(prompts) for prompts, _, _ in model.asked} >= {8, 4}  # seven anchors of four requests: two to a shard
    asked = len(model.asked)
    build_actions(config, descriptions, splits, profiles, partial(write_on_workers, config, project))
    assert len(model.asked) == asked  # finished shards are kept


def test_a_stubborn_model_is_replaced_by_the_reserve(
    descriptions: pd.DataFrame, splits: pd.DataFrame, profiles: pd.DataFrame
) -> None:
    stubborn = ScriptedModel(lambda prompt, seed: " a robot.\n" if seed % 2 else "\n")
    table, figures = build_actions(settings(), descriptions, splits, profiles, by(stubborn))
    reserve = table[table["origin"] == "reserve"]
    assert len(reserve) == figures["written_from_reserve"] > 0
    assert figures["written_invalid_rate"] > 0
    assert figures["duplicate_rate"] == 0.0
    assert table.groupby("anchor").size().eq(12).all()


def test_no_written_actions_need_no_model(
    descriptions: pd.DataFrame, splits: pd.DataFrame, profiles: pd.DataFrame
) -> None:
    table, figures = build_actions(settings(llm_written=0), descriptions, splits, profiles, by(ScriptedModel()))
    assert set(table["origin"]) == {"seed"}
    assert figures["written_drawn"] == 0


def test_personal_requests_show_a_training_profile(
    descriptions: pd.DataFrame, splits: pd.DataFrame, profiles: pd.DataFrame
) -> None:
    model = ScriptedModel(scripted)
    build_actions(settings(), descriptions, splits, profiles, by(model))
    asked = {prompt for prompts, _, _ in model.asked for prompt in prompts}
    shown = {p for p in asked if "User likes" in p}
    assert 0 < len(shown) < len(asked)
    held_out = profiles.loc[profiles["split"] != "train", "short"]
    assert not any(short in prompt for prompt in asked for short in held_out)


def test_every_category_opens_with_an_order() -> None:
    model = ScriptedModel()
    for words in map(domain, ("film", "garment", "board game")):
        for slot, category in enumerate(words.categories * 3):
            prompt = request_prompt(
                model, Request("i", slot, "Genres: drama. Plot: A plot.", category, "generic"), words
            )
            opening = prompt.rsplit("assistant: ", 1)[1]
            assert is_valid_action(f"{opening} a lighthouse.")


def test_frequent_labels_count_training_items_only(descriptions: pd.DataFrame, splits: pd.DataFrame) -> None:
    chosen = descriptions["genres"].map(lambda g: "action" in g or "drama" in g)
    only = splits.assign(split=np.where(chosen, "train", "test"))
    counts = descriptions.loc[chosen, "genres"].explode().value_counts()
    labels, same = frequent_labels(descriptions, only, FILM)
    assert labels == sorted(counts.index, key=lambda genre: (-counts[genre], genre))
    assert same is FILM


def test_without_genres_typical_words_make_actions_that_read_as_sentences() -> None:
    things = ("keeper", "lighthouse", "letter", "storm", "queen", "map")
    plots = [f"She slowly finds the {one} and a {other}." for one in things for other in things] * 2
    table = pd.DataFrame({"plot": plots, "genres": [[] for _ in plots]}).assign(item=lambda t: t.index.astype(str))
    labels, words = frequent_labels(table, pd.DataFrame({"item": table["item"], "split": "train"}), FILM)
    assert set(labels) == set(things)
    assert "Make lighthouse its main theme." in [seed.action for seed in personalized_seeds(labels, words)]
    assert words.generic_actions() == FILM.generic_actions()
