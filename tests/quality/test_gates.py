"""Gates: what they are calibrated to, what breaks a text, and what they do without real texts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eagle.core.errors import EagleError
from eagle.quality.gates import ALL, FEWEST, Limits, TextGates

WHO = ("thief", "robot", "nurse", "baker", "sailor", "clerk", "poet", "guard", "judge", "clown")
WHAT = ("ghost", "letter", "bridge", "garden", "signal", "secret", "brother", "island", "engine", "painting")
WHERE = ("village", "harbour", "desert", "station", "castle", "forest")
EXAMPLE = "Genres: drama. Plot: The widow Rosa has one concert left before winter takes her old piano away."


def line(n: int) -> str:
    who, what, where = WHO[n % 10], WHAT[(n // 10 + n) % 10], WHERE[n % 6]
    then = ("", f", while nobody else among those {20 + n} people could ever say why {what} or {who} was so still")[
        n % 2
    ]
    return f"Genres: drama. Plot: One {who} finds some {what} near that {where}{then}."


REAL = [line(n) for n in range(100)]
FINE = "Genres: war. Plot: Every soldier wants his own {} back before their long march begins at dawn."


def gates(**options: object) -> TextGates:
    return TextGates.fit(REAL, catalogue=[EXAMPLE.replace("Rosa", "Ida")], examples=[EXAMPLE], **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def fitted() -> TextGates:
    return gates()


def test_a_fine_text_is_whole(fitted: TextGates) -> None:
    assert fitted.causes([FINE.format("horse"), REAL[0]], ["", REAL[0]]) == [(), ()]
    assert fitted.broken([FINE.format("horse")]).tolist() == [False]


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (FINE.format("horse and his own horse and his own horse"), "repeated_triple"),
        ("Genres: war. Plot: A brilliant young girl, a cat, a rabbit, a dog, and some other cat.", "repeated_opening"),
        (FINE.format(" ".join(f"word{n}" for n in range(30))), "too_long"),
        ("Genres: war. Plot: Some soldier marches.", "too_short"),
        (FINE.format("horse")[:-1] + "...", "unended"),
        ("Genres: war. Plot: Every soldier has one concert left before their long march begins at dawn.", "example"),
        (FINE.format("horse, called Rosa,"), "example_name"),
    ],
)
def test_one_fault_breaks_a_fine_text_at_its_gate(fitted: TextGates, text: str, cause: str) -> None:
    assert fitted.causes([text])[0] == (cause,)
    assert fitted.broken([text]).tolist() == [True]


def test_a_copy_of_an_item_is_broken_unless_it_was_made_from_it() -> None:
    story = "Seven tired painters cross an icy river because their last lantern went out yesterday."
    fitted = TextGates.fit(REAL, catalogue=[f"Genres: war. Plot: {story}"])
    assert fitted.limits.most["copied_item"] < 12
    copy = f"Genres: drama. Plot: {story}"
    assert fitted.causes([copy]) == [("copied_item",)]
    assert fitted.causes([copy], [f"Genres: war. Plot: {story}"]) == [()]
    assert fitted.broken([copy, copy], ["", f"Genres: war. Plot: {story}"]).tolist() == [True, False]


def test_names_of_ones_own_are_watched_too() -> None:
    assert gates(names=["Gotham"]).causes([FINE.format("Gotham")]) == [("example_name",)]


def test_only_the_gates_that_select_break_a_text() -> None:
    text = FINE.format("horse and his own horse and his own horse")
    lenient = gates(select=["too_short"])
    assert lenient.select == ("too_short",)
    assert not lenient.broken([text]).any()
    assert lenient.exceeded([text])["repeated_triple"].tolist() == [True]


def test_a_tenth_of_the_percentile_is_asked_for_and_got() -> None:
    limits = gates(percentile=0.1).limits
    assert limits.percentile == 0.1
    assert max(limits.excluded.values()) <= 0.1
    assert set(gates(percentile=0).limits.excluded.values()) == {0.0}


def test_too_few_real_texts_break_nothing_and_that_is_said() -> None:
    few = TextGates.fit([*REAL[: FEWEST - 1], "Genres: drama.", "Genres: war."], examples=[EXAMPLE])
    assert not few.broken(["", "a a a a", EXAMPLE]).any()
    assert few.causes(["a a a a"]) == [()]
    assert few.note is not None and str(FEWEST - 1) in few.note
    assert gates().note is None


def test_a_script_without_blanks_and_odd_texts_make_no_fuss(fitted: TextGates) -> None:
    texts = ["", "Genres: .", "类型：剧情。情节：面包师住在小镇上。", "\u200b", "Genres: drama. Plot: ..."]
    assert fitted.broken(texts).shape == (5,)
    chinese = TextGates.fit([f"Genres: drama. Plot: 面包师{n}住在小镇上，等待{n}号的信。" for n in range(60)])
    assert not chinese.broken(["Genres: war. Plot: 面包师九住在小镇上，等待八号的信。"]).any()
    assert chinese.causes(["面包师等信，"])[0] == ("too_short", "unended")


def test_files_keep_the_limits(fitted: TextGates, tmp_path: Path) -> None:
    fitted.limits.save(tmp_path / "quality.json")
    assert Limits.load(tmp_path / "quality.json") == fitted.limits
    (tmp_path / "quality.json").write_text('{"version": 0}')
    with pytest.raises(EagleError, match="quality"):
        Limits.load(tmp_path / "quality.json")


# properties
# ----------------------------------------------------------------------------------------------------------------------
pieces = st.sampled_from(["a", "cat", "the", "Rosa", "one", "concert", "left", ".", ",", "...", *WHO])
real = st.lists(pieces, min_size=1, max_size=30).map(lambda found: "Genres: war. Plot: " + " ".join(found))


@settings(max_examples=12, deadline=None)
@given(st.lists(real, min_size=FEWEST, max_size=FEWEST + 10), st.sampled_from([0.01, 0.05, 0.3]))
def test_no_gate_excludes_more_real_texts_than_it_may(texts: list[str], percentile: float) -> None:
    fitted = TextGates.fit(texts, examples=[EXAMPLE], percentile=percentile)
    assert (fitted.exceeded(texts, texts).mean() <= percentile).all()


@settings(max_examples=25, deadline=None)
@given(st.lists(real, max_size=8), st.randoms())
def test_answers_follow_their_texts(fitted: TextGates, texts: list[str], random: object) -> None:
    order = np.random.default_rng(len(texts)).permutation(len(texts))
    expected = fitted.exceeded(texts).to_numpy()
    assert (fitted.exceeded([texts[n] for n in order]).to_numpy() == expected[order]).all()
    assert fitted.broken(texts).tolist() == expected.any(axis=1).tolist()
    assert [bool(found) for found in fitted.causes(texts)] == expected.any(axis=1).tolist()


@settings(max_examples=25, deadline=None)
@given(st.lists(real, max_size=6), st.lists(real, max_size=6))
def test_the_quick_way_is_as_the_measures_say(fitted: TextGates, texts: list[str], items: list[str]) -> None:
    made_from = (items * 6 + REAL)[: len(texts)]
    measured = fitted.measures(texts, made_from)
    most = np.array([fitted.limits.most[gate] for gate in ALL])
    assert ((measured.to_numpy(float) > most) == fitted.exceeded(texts, made_from).to_numpy()).all()


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(REAL), st.sampled_from(WHO), st.sampled_from(WHAT), st.sampled_from(WHERE))
def test_a_repeated_triple_breaks_any_fine_text(fitted: TextGates, text: str, who: str, what: str, where: str) -> None:
    again = f"{text[:-1]} for {who} {what} {where} and {who} {what} {where}."
    assert "repeated_triple" in fitted.causes([again])[0]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from([FINE.format("horse"), *REAL, "Genres: war. Plot: Too short."]), max_size=10))
def test_asked_again_or_one_by_one_the_answer_is_the_same(fitted: TextGates, texts: list[str]) -> None:
    together = fitted.broken(texts).tolist()
    assert together == fitted.broken(texts).tolist()
    assert together == [bool(found) for text in texts for found in fitted.causes([text])]
