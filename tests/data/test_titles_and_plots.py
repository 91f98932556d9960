from __future__ import annotations

import pytest

from eagle.data.columns.titles import key, keys, split_year, upright
from eagle.data.sources.plots import Plot, find_plots, story, tidy


@pytest.mark.parametrize(
    ("title", "plain", "year"),
    [
        ("Heat (1995)", "Heat", 1995),
        ("Doctor Who (2005- )", "Doctor Who", 2005),
        ("2001", "2001", None),
        ("(500) Days", "(500) Days", None),
    ],
)
def test_the_trailing_year_is_read(title: str, plain: str, year: int | None) -> None:
    assert split_year(title) == (plain, year)


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Matrix, The", "The Matrix"),
        ("Avventura, L'", "L'Avventura"),
        (
            "City of Lost Children, The (Cité des enfants perdus, La)",
            "The City of Lost Children (La Cité des enfants perdus)",
        ),
        ("Paris, Texas", "Paris, Texas"),
    ],
)
def test_articles_go_back_to_the_front(title: str, expected: str) -> None:
    assert upright(title) == expected


def test_keys_of_two_writings_meet() -> None:
    assert key("Singin' in the Rain") == key("SINGIN’ IN THE RAIN") == "singin in the rain"
    assert keys("Seven (a.k.a. Se7en) (1995)") == ["seven", "se7en"]
    assert keys("Cité & amis, La (1995)") == ["la cite and amis"]


PLOT = Plot("The Hat", '"Comedy", "Drama"', "A hatter [[London|in]] London , ( ) loses his   hat .")


def test_a_plot_is_matched_by_title_and_genre_and_tidied() -> None:
    assert find_plots([("Hat, The (1950)", ["comedy"], 1950)], [PLOT], {}) == ["A hatter in London, loses his hat."]


@pytest.mark.parametrize(
    ("genres", "year", "plot"),
    [
        (["horror"], 1950, PLOT),  # no genre in common
        (
            ["drama"],
            1950,
            Plot("The Hat", "Drama", "In 1977 a hatter loses his hat."),
        ),  # tells of a year after the film
        (["drama"], 1950, Plot("The Hat", "Drama, Silent film", "A hatter loses his hat.")),  # another era
        (["comedy"], 1950, Plot("The Hat", "Short Film, Comedy", "A hatter loses his hat.")),  # another kind
    ],
)
def test_a_doubtful_plot_is_no_plot(genres: list[str], year: int, plot: Plot) -> None:
    assert find_plots([("Hat, The (1950)", genres, year)], [plot], {}) == [None]


def test_one_plot_cannot_tell_which_of_two_films_it_is() -> None:
    films = [("Hat, The (1950)", ["comedy"], 1950), ("Hat, The (1990)", ["comedy"], 1990)]
    assert find_plots(films, [PLOT], {}) == [None, None]
    assert find_plots([*films[:1], *films[:1]], [PLOT], {})[0] is not None  # one film under two ids


def test_of_two_plots_the_one_that_shares_more_genres_wins() -> None:
    other = Plot("The Hat", "Drama", "A wrong story about a lost hat.")
    assert find_plots([("Hat, The (1950)", ["comedy", "drama"], 1950)], [other, PLOT], {})[0] == tidy(PLOT.text)
    assert find_plots([("Hat, The (1950)", ["drama"], 1950)], [other, PLOT], {}) == [None]


LEAD = (
    "The Hat is a 1950 British comedy film directed by A. B. Smith. It stars John Doe (Jim) and was based on a novel. "
    "The film tells the story of a hatter (Doe) who loses his best hat and finds Mr. Brown, a thief. "
    "The two become friends and open a shop. The film won three Awards. He later wrote books about it."
)


def test_actors_are_left_out() -> None:
    assert tidy("Mike and Al, played by A. Bee and Cee Dee respectively, go home.") == "Mike and Al go home."
    assert tidy("Al (portrayed by A. Bee) goes home with Sue, played by Cee Dee.") == "Al goes home with Sue."


def test_a_summary_is_cut_to_its_story() -> None:
    expected = (
        "The film tells the story of a hatter who loses his best hat and finds Mr. Brown, a thief. The two "
        "become friends and open a shop."
    )
    assert story(LEAD) == expected
    assert find_plots([("Hat, The (1951)", ["drama"], 1951)], [], {"The Hat (film)": LEAD}) == [expected]


def test_a_summary_of_another_year_or_of_a_thing_is_no_plot() -> None:
    thing = (
        "A hat is a head covering. Since 1950 the story of hats follows the fashion of the great cities of the world."
    )
    assert find_plots([("Hat, The (1990)", ["drama"], 1990)], [], {"The Hat": LEAD}) == [None]
    assert find_plots([("The Hat (1950)", ["drama"], 1950)], [], {"The Hat": thing}) == [None]


@pytest.mark.parametrize(
    ("lead", "expected"),
    [
        (
            "The film stars J. Doe as Al, a lonely baker who falls in love with a runaway bride.",
            "A lonely baker who falls in love with a runaway bride.",
        ),
        (
            "Hat is a 1990 drama film about three sisters who must share one small house by the sea.",
            "Three sisters who must share one small house by the sea.",
        ),
        (
            "It was released in May. Critics praised it and it was nominated for nine Awards, of which it won two in "
            "the end.",
            None,
        ),
    ],
)
def test_clauses_that_tell_are_found_in_sentences_about_the_production(lead: str, expected: str | None) -> None:
    assert story(lead) == expected
