"""Profiles: derived tastes, written texts that leak nothing, and the encoder-from-profile check."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eagle.config import Config, ProfilesConfig, parse_config
from eagle.core.artifacts import read_json, read_table
from eagle.core.project import Project
from eagle.domains.film import SECTIONS
from eagle.engine.scripted import ScriptedModel
from eagle.latent.space import LatentSpace, load_latent
from eagle.profiles.check import nearest_neighbour_distance, profile_check
from eagle.profiles.stage import asked_users, run
from eagle.profiles.taste import Taste, grade_genres, rank_genres, tastes
from eagle.profiles.writer import TRIES, bare_title, histories, history_line, leak, write_profiles
from tests.latent.conftest import WordEmbedder


def test_the_short_profile_reads_as_the_policy_expects() -> None:
    taste = Taste(("crime", "drama"), ("war",), (), 1.0, 0.0, 0.0, 30)
    assert taste.short == "User likes crime, drama. Dislikes war."


def test_tastes_are_relative_to_the_average_train_user() -> None:
    """Everybody loves drama (the effect is common); only what differs from the average names a user."""
    vectors = np.array([[2.0, 1.0], [2.0, -1.0], [2.0, 0.0]], np.float32)
    names = ["a", "b", "c"]
    latent = LatentSpace(
        ["i"], np.zeros((1, 2), np.float32), names, vectors, {"i": None}, np.ones(1, bool), np.ones(3, bool)
    )
    effects = {"crime": np.array([0.0, 1.0]), "drama": np.array([5.0, 0.0]), "war": np.array([0.0, -1.0])}
    history = pd.DataFrame({"user": ["a", "b"], "rating": [5.0, 1.0]})
    found = tastes(latent, effects, np.array([0.0, 1.0]), history, ProfilesConfig(liked=1, disliked=1))
    assert [(taste.liked, taste.disliked) for taste in found[:2]] == [(("crime",), ("war",)), (("war",), ("crime",))]
    assert [taste.generosity for taste in found] == [2.0, -2.0, 0.0]
    assert found[0].newer > 0 > found[1].newer
    assert [taste.ratings for taste in found] == [1, 1, 0]


@given(effects=st.lists(st.floats(-1, 1), min_size=1, max_size=9), liked=st.integers(1, 5), disliked=st.integers(1, 5))
def test_no_genre_is_both_liked_and_disliked_and_the_strongest_comes_first(
    effects: list[float], liked: int, disliked: int
) -> None:
    names = [f"g{n}" for n in range(len(effects))]
    likes, dislikes = rank_genres(np.array(effects), names, liked, disliked)
    assert not set(likes) & set(dislikes)
    value = dict(zip(names, effects, strict=True))
    assert value[likes[0]] == max(effects)
    assert all(value[a] >= value[b] for a in likes for b in dislikes)
    assert list(likes) == sorted(likes, key=lambda g: -value[g])
    assert list(dislikes) == sorted(dislikes, key=lambda g: value[g])


def test_genres_fall_into_grades_by_their_effect() -> None:
    graded = grade_genres(np.array([0.0, 1.3, -2.0, 2.0, 0.5]), ["a", "b", "c", "d", "e"])
    assert graded == (("Loves", ("d", "b")), ("Likes", ("e",)), ("Is neutral about", ("a",)), ("Avoids", ("c",)))


def test_the_stage_writes_five_sections_for_every_user(encoded: Project) -> None:
    run(parse_config({"seed": 3}).only(["seed", "data", "domain", "profiles", "llm"]), encoded)
    table = read_table(encoded.profiles, "profiles")
    assert table["user"].tolist() == load_latent(encoded.encoder).users
    for text in table["full"]:
        assert [line.split(":")[0] for line in text.split("\n")] == list(SECTIONS)
        assert leak(text, ["Strange Tale 3 (1990)"]) is None
    report = read_json(encoded.stage_metrics("profiles"))
    assert report["origin"] == {"ratings": 40}
    assert report["check"]["full"]["error"]["users"] == 8
    before = encoded.profiles.read_bytes()
    run(parse_config({"seed": 3}), encoded)
    assert encoded.profiles.read_bytes() == before


def test_the_check_passes_for_profiles_that_state_the_vector_and_fails_for_empty_ones() -> None:
    rng = np.random.default_rng(0)
    words = [f"word{n}" for n in range(12)]
    choice = rng.integers(12, size=(120, 2))
    meaning = rng.normal(size=(12, 3))
    vectors = meaning[choice].sum(axis=1) + 0.3 * rng.normal(size=(120, 3))
    splits = np.array((["train"] * 8 + ["validation", "test"]) * 12)
    texts = [" ".join(words[word] for word in row) for row in choice]
    telling = profile_check(texts, vectors, splits, WordEmbedder(), np.random.default_rng(1))
    empty = profile_check(["nothing"] * 120, vectors, splits, WordEmbedder(), np.random.default_rng(1))
    assert telling["error"]["high"] < telling["error of the mean user"]["low"]
    assert empty["error"]["value"] == pytest.approx(empty["error of the mean user"]["value"], abs=1e-3)
    assert empty["below nearest neighbour"] is False


def test_the_nearest_neighbour_is_never_the_row_itself() -> None:
    np.testing.assert_allclose(nearest_neighbour_distance(np.array([[0.0], [1.0], [5.0]])), [1, 1, 4])


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("Likes slow dramas.", None),
        ("Loved The Matrix.", "title"),
        ("Loved matrix reloaded-like films.", None),
        ("Adores Star Wars and space.", "title"),
        ("Adores star wars and space.", "title"),
        ("Enjoyed Heat above all.", "title"),
        ("Feels the heat of a chase.", None),
        ("Gives 5 stars to dramas.", "rating"),
        ("Dramas (4.5) over comedies.", "rating"),
        ("Scores them 4/5.", "rating"),
        ("Highly rated crime.", "rating"),
        ("Prefers the 1990s.", None),
        ("  ", "empty"),
    ],
)
def test_titles_and_ratings_are_found(text: str, cause: str | None) -> None:
    assert leak(text, ["Matrix, The (1999)", "Star Wars (1977)", "Heat (1995)"]) == cause


def test_an_article_behind_the_comma_comes_to_the_front() -> None:
    assert bare_title("Matrix, The (1999)") == "the matrix"


ROWS = pd.DataFrame({"user": ["a", "a", "a", "b"], "item": ["1", "2", "3", "1"], "rating": [5.0, 3.0, 1.0, 4.0]})
ITEMS = pd.DataFrame(
    {
        "title": ["Star Wars (1977)", "Big Night (1996)", "Old Road (1990)"],
        "genres": [["sci-fi", "war"], ["drama"], []],
    },
    index=["1", "2", "3"],
)
LINES = ("Is at home in silence.", "Likes drama.", "Any will do.", "Enjoys rain on windows.", "Sees much.")


def dutiful(prompt: str, seed: int) -> str:
    """A model that answers every section with its line."""
    return f" {LINES[SECTIONS.index(prompt.splitlines()[-1].split(':')[-2].split()[-1])]}\n"


def test_the_history_shows_the_most_telling_ratings_by_side() -> None:
    names = pd.Series({"1": "Star Wars (war)", "2": "Big Night", "3": "Old Road"})
    assert history_line(ROWS[ROWS["user"] == "a"], names, 2) == "Liked: Star Wars (war). Disliked: Old Road."


def test_the_model_is_told_titles_with_genres_and_each_section_follows_the_finished_ones() -> None:
    model = ScriptedModel(dutiful)
    written, causes = write_profiles(model, histories(ROWS, ["a", "b", "c"], ITEMS, 20), Config())
    assert list(written) == ["a", "b"]
    assert written["a"].split("\n") == [f"{name}: {line}" for name, line in zip(SECTIONS, LINES, strict=True)]
    assert causes == {}
    assert (
        model.asked[0][0][0]
        .rsplit("user: ", 1)[1]
        .startswith("Liked: Star Wars (sci-fi, war), Big Night (drama). Disliked: Old Road.")
    )
    third = next(prompts[0] for prompts, _, _ in model.asked if prompts[0].endswith("Director:"))
    assert third.endswith("assistant: Overall: Is at home in silence.\nGenre: Likes drama.\nDirector:")


def test_a_profile_that_names_a_title_is_drawn_again_and_then_given_up() -> None:
    def script(prompt: str, seed: int) -> str:
        return " Loves Star Wars.\n" if "Big Night" in prompt.rsplit("user:", 1)[1] else dutiful(prompt, seed)

    model = ScriptedModel(script)
    written, causes = write_profiles(model, histories(ROWS, ["a", "b"], ITEMS, 20), Config())
    assert list(written) == ["b"]
    assert causes == {"title": TRIES}
    assert (
        len({seeds for prompts, _, seeds in model.asked if len(prompts) == 1 and "Big Night" in prompts[0]})
        == TRIES - 1
    )


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("", "empty"),
        ("Likes drama, war and crime; dislikes comedy.", "example"),
        ("Sees much, sees much, sees much, sees much.", "repetition"),
        ("Gives 5 stars to silence.", "rating"),
        ("word " * 400, "cut off"),
    ],
)
def test_an_unusable_line_says_why(line: str, cause: str) -> None:
    written, causes = write_profiles(
        ScriptedModel(lambda prompt, seed: f" {line}\n"), histories(ROWS, ["b"], ITEMS, 20), Config()
    )
    assert written == {}
    assert causes == {cause: TRIES}


def test_one_line_for_all_sections_is_a_repetition() -> None:
    _, causes = write_profiles(
        ScriptedModel(lambda prompt, seed: " Calm.\n"), histories(ROWS, ["b"], ITEMS, 20), Config()
    )
    assert causes == {"repetition": TRIES}


def test_a_line_at_the_length_limit_ends_with_its_last_sentence() -> None:
    model = ScriptedModel(lambda prompt, seed: dutiful(prompt, seed).rstrip() + " And" + " on" * 90)
    written, _ = write_profiles(model, histories(ROWS, ["b"], ITEMS, 20), Config())
    assert written["b"].split("\n")[0] == f"Overall: {LINES[0]}"


def test_half_of_the_asked_users_are_those_that_the_check_learns_from() -> None:
    users = pd.DataFrame(
        {"user": [f"u{n:02}" for n in range(40)], "split": (["train"] * 8 + ["validation", "test"]) * 4}
    )
    asked = asked_users(users, 12)
    assert users.set_index("user")["split"][asked].value_counts().to_dict() == {"train": 6, "validation": 3, "test": 3}
    assert asked_users(users, 4) == asked[:4]
    assert sorted(asked_users(users, 0)) == users["user"].tolist()


def test_of_many_users_a_part_is_checked(encoded: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eagle.profiles.stage.CHECKED_USERS", 30)
    run(parse_config({"seed": 3}), encoded)
    report = read_json(encoded.stage_metrics("profiles"))
    assert report["users"] == 40
    assert 0 < report["check"]["full"]["error"]["users"] <= 8


def test_written_profiles_are_checked_beside_the_derived_ones_where_there_are_enough(
    encoded: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eagle.profiles.writer.open_language_model", lambda *_: ScriptedModel(dutiful))
    encoded.llm.mkdir(parents=True, exist_ok=True)
    reports = {}
    for written in (4, 0):
        run(parse_config({"seed": 3, "profiles": {"origin": "llm", "written": written}}), encoded)
        reports[written] = read_json(encoded.stage_metrics("profiles"))
    assert reports[4]["origin"] == {"ratings": 36, "llm": 4}
    assert list(reports[4]["check"]) == ["not checked"]
    assert reports[0]["origin"] == {"llm": 40}
    assert set(reports[0]["check"]) == {"full", "full, from ratings"}
