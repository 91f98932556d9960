"""Named streams: the same name gives the same draws, another name gives others."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from eagle.core.seeding import derive_seed, stream

names = st.lists(st.text(st.characters(exclude_characters="\x1f", codec="utf-8"), max_size=8), max_size=4)


@given(st.integers(0, 2**31), names)
def test_the_same_names_give_the_same_seed(seed: int, parts: list[str]) -> None:
    assert derive_seed(seed, *parts) == derive_seed(seed, *parts)
    assert 0 <= derive_seed(seed, *parts) < 2**63


@given(st.integers(0, 2**31), names, names)
def test_different_names_give_different_seeds(seed: int, one: list[str], two: list[str]) -> None:
    assert (derive_seed(seed, *one) == derive_seed(seed, *two)) == (one == two)


def test_the_seed_is_stable_across_processes_and_versions() -> None:
    assert derive_seed(7, "environment", "text", 3) == 4212524433840847827
    assert stream(7, "a").integers(1 << 30) == stream(7, "a").integers(1 << 30)
    assert stream(7, "a").integers(1 << 30) != stream(7, "b").integers(1 << 30)
