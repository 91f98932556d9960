"""The line that is a state: what is rendered can be read back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eagle.domains.text import Description, Fields

words = st.text(st.characters(categories=["Ll"]), min_size=1, max_size=8)
plots = st.lists(words, min_size=1, max_size=12).map(lambda w: " ".join(w) + ".")


@given(st.lists(words, max_size=4, unique=True).filter(lambda g: g == [x.lower() for x in g]), plots | st.just(""))
def test_render_and_parse_are_inverse(genres: list[str], plot: str) -> None:
    description = Description(tuple(genres), plot)
    assert Description.parse(description.render()) == description


def test_a_line_reads_as_people_write_it() -> None:
    read = Description.parse(" Genres: Crime,  comedy, crime. Plot: A thief retires. Or does he? ")
    assert read == Description(("crime", "comedy"), "A thief retires. Or does he?")


@given(plots | st.just(""))
def test_a_line_of_one_field_is_read_back_with_and_without_its_domain(plot: str) -> None:
    description = Description((), plot, Fields("Categories", "Description").without_labels())
    line = description.render()
    assert line.startswith("The description:")
    assert Description.parse(line, description.fields) == Description.read(line) == description


def test_one_sentence_of_a_plot_is_not_taken_for_labels() -> None:
    line = Description((), "A thief retires", Fields().without_labels()).render()
    assert Description.read(line).genres == ()
    with pytest.raises(ValueError, match=r"not of the form 'The plot: ...'"):
        Description.parse("Genres: crime. Plot: A thief retires.", Fields().without_labels())


@pytest.mark.parametrize("text", ["", "Plot: only a plot.", "Genres: crime\nPlot: two lines", "A thief retires."])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not of the form"):
        Description.parse(text)


def test_who_reads_any_text_takes_one_of_another_form_for_a_plot() -> None:
    line = "Genres: crime. Plot: A thief."
    assert Description.read_any(line) == Description.read(line)
    assert Description.read_any("A thief  retires.\n") == Description((), "A thief  retires.\n")
