"""Every built-in domain holds the contract; the section ``domain`` of params.yaml finds the right one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from eagle.actions.candidates import halves
from eagle.actions.seeds import choose_seeds, generic_seeds, personalized_seeds
from eagle.config import ActionsConfig, DomainConfig, parse_config
from eagle.core.errors import EagleError
from eagle.domains.base import Domain
from eagle.domains.open import domain_of, kind_of, open_domain
from eagle.domains.text import Fields
from eagle.engine.base import SamplingSpec
from eagle.engine.scripted import ScriptedModel
from eagle.environment.rewrite import Rewriter
from eagle.policies.prompt import policy_prompt
from eagle.testing.domains import DomainContract

OWN = {
    "kind": "plain",
    "noun": "recipe",
    "labels": "Cuisines",
    "body": "Dish",
    "actions": {
        "taste": ["Make it much hotter.", "Make it sweet and sour."],
        "work": ["Make it ready in ten minutes.", "Cook it slowly for a whole day."],
    },
    "examples": [
        [
            "Cuisines: thai. Dish: Rice noodles with lime, peanuts and a little chilli, fried in one pan.",
            "Make it a soup.",
            "Cuisines: thai, soup. Dish: A clear broth with lime and lemongrass in which the noodles swell slowly.",
        ]
    ],
}
SPEC = SamplingSpec(400, 0.7)
BOARD_GAMES = ["card game", "fantasy", "economic", "fighting", "wargame", "dice", "science fiction", "adventure"]


def of(data_noun: str = "film", /, **settings: object) -> Domain:
    return open_domain(DomainConfig.model_validate(settings), data_noun)


class TestFilm(DomainContract):
    @pytest.fixture
    def domain(self) -> Domain:
        return of()


class TestBook(DomainContract):
    @pytest.fixture
    def domain(self) -> Domain:
        return of("graphic novel")


class TestClothing(DomainContract):
    @pytest.fixture
    def domain(self) -> Domain:
        return of(kind="clothing")


class TestPlain(DomainContract):
    @pytest.fixture
    def domain(self) -> Domain:
        return of("board game")


class TestPlainWithWordsOfItsOwn(DomainContract):
    @pytest.fixture
    def domain(self) -> Domain:
        return of(**OWN)


@pytest.mark.parametrize(
    ("noun", "kind"),
    [
        ("film", "film"),
        ("Book", "film"),
        ("graphic novel", "film"),
        ("garment", "clothing"),
        ("dress", "clothing"),
        ("board game", "plain"),
        ("game", "plain"),
        ("joke", "plain"),
        ("recipe", "plain"),
    ],
)
def test_the_noun_chooses_the_domain(noun: str, kind: str) -> None:
    assert kind_of(noun) == kind
    assert of(noun) == of(noun, kind=kind) == of(noun, kind=None)
    assert of(noun).noun == noun


def test_a_noun_that_a_built_in_domain_does_not_know_gives_way_to_its_own() -> None:
    assert of("film", kind="clothing").noun == "garment"
    assert of("film", kind="clothing", noun="kimono").noun == "kimono"
    assert of("film", noun="podcast episode", kind="auto").noun == "podcast episode"


@pytest.mark.parametrize("noun", ["graphic novel", "board game", "joke", "recipe", "book"])
def test_only_things_to_wear_are_told_of_cotton(noun: str) -> None:
    domain = of(noun)
    told = " ".join(seed.action for seed in [*generic_seeds(domain), *personalized_seeds(BOARD_GAMES, domain)]).lower()
    assert not any(word in told for word in ("floral", "cotton", "wool", "pockets"))


@pytest.mark.parametrize("labels", [BOARD_GAMES, ["one"], []])
def test_a_plain_domain_has_enough_actions_whatever_the_catalogue_names(labels: list[str]) -> None:
    generic, personalized, *_ = halves(ActionsConfig())
    seeds = choose_seeds(labels, of("board game"), generic, personalized)
    assert len({seed.action for seed in seeds}) == generic + personalized
    named = [label for label in labels if any(label in seed.action for seed in seeds)]
    assert named == labels


def test_own_words_reach_prompts_checks_and_actions() -> None:
    domain = of(**OWN)
    assert domain.categories == ("taste", "work")
    assert [seed.category for seed in generic_seeds(domain)] == ["taste", "work", "taste", "work"]
    start = "Cuisines: thai. Dish: Rice noodles with lime and peanuts, fried in one pan by a patient cook."
    written = " mexican. Dish: Corn tortillas filled with beans and peppers, baked until the edges turn brown."
    model = ScriptedModel(lambda *_: written)
    done = Rewriter(model, {"thai", "mexican"}, domain=domain, spec=SPEC).rewrite([start], ["Make it Mexican."], [1])
    assert done[0].text == f"Cuisines:{written}"
    assert (
        "You rewrite descriptions of a recipe. Apply the change to the cuisines and to the dish."
        in model.asked[0][0][0]
    )
    assert "\nCuisines: thai.\n" in policy_prompt("User likes thai.", start)


def test_a_catalogue_without_labels_can_be_rewritten() -> None:
    line = "Categories: . Description: Two chickens cross the road while a duck explains why they must."
    writer = Rewriter(ScriptedModel(lambda *_: line.removeprefix("Categories:")), set(), domain=of("joke"), spec=SPEC)
    assert writer.rewrite(["Categories: . Description: A hen stays."], ["Add ducks."], [1])[0].text == line


def test_what_is_wrong_in_own_words_is_said_at_once() -> None:
    bad = [["Cuisines: thai.", "Make it hot.", "no line"]]
    with pytest.raises(EagleError, match=r"(?s)domain\.labels.*2 x.*Cuisines: thai\..*no line"):
        of(kind="plain", labels="2 x", examples=bad)
    with pytest.raises(EagleError, match=r"film does not read domain\.labels, domain\.actions"):
        of(kind="film", labels="Kinds", actions={"a": ["Make it hot."]})
    with pytest.raises(EagleError, match=r"(?s)domain\.kind.*did you mean 'film'"):
        parse_config({"domain": {"kind": "flim"}})


def test_a_domain_of_ones_own_is_found_by_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_cellar.py").write_text(
        "from dataclasses import replace\n"
        "from eagle.domains.plain import plain\n"
        "def wine(settings, noun):\n"
        "    return replace(plain(settings, noun), noun='wine', least_words=5)\n"
        "def nothing(settings, noun):\n"
        "    return object()\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    domain = domain_of(parse_config({"domain": {"kind": "my_cellar:wine"}}))
    assert (domain.noun, domain.least_words, domain.fields) == ("wine", 5, Fields("Categories", "Description"))
    with pytest.raises(EagleError, match=r"(?s)my_cellar:nothing makes is no domain.*rewriting"):
        of(kind="my_cellar:nothing")


def test_a_contract_that_is_broken_says_what_is_wanted() -> None:
    broken = replace(of("board game"), generic=(("The film is long.",),) * 5)
    with pytest.raises(AssertionError, match=r"imperative sentence.*The film is long"):
        DomainContract().test_generic_actions_are_valid_and_distinct(broken)
    with pytest.raises(AssertionError, match=r"words of another domain.*film"):
        DomainContract().test_no_words_of_another_domain(broken)
    twice = replace(of("board game"), generic=(("Make it bigger.",),) * 5)
    with pytest.raises(AssertionError, match=r"nearly repeat.*Make it bigger"):
        DomainContract().test_generic_actions_are_valid_and_distinct(twice)
