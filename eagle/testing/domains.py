"""What every domain has to hold.

    class TestWine(DomainContract):
        @pytest.fixture
        def domain(self) -> Domain:
            return open_domain(DomainConfig(kind="my_domains:wine"), "wine")

The built-in domains pass the same tests.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

import pytest

from eagle.actions.candidate_list import is_valid_action
from eagle.actions.duplicates import repeats_any
from eagle.actions.seeds import generic_seeds, personalized_seeds
from eagle.built_in.domains import DOMAINS
from eagle.domains.base import Domain
from eagle.domains.text import NAME, Description
from eagle.environment.checks import check_text, similarity
from eagle.profiles.taste import Taste
from eagle.profiles.wording import full_profile

LABELS = ("alpine", "river", "old town")
FOREIGN = {
    "film": frozenset({"film", "films", "movie", "movies", "plot", "genre", "genres"}),
    "clothing": frozenset({"garment", "garments", "cotton", "silk", "floral", "lace"}),
}
"""Words that give a domain away, by the name of the built-in domain that may use them."""


def _words(domain: Domain) -> Iterator[str]:
    """Everything that a domain says."""
    for text in (domain.rewriting.task, domain.describing.task, domain.suggesting.task, domain.profiling.task):
        yield text
    for shown in (*domain.rewriting.examples, *domain.describing.examples, *domain.suggesting.examples):
        yield from shown
    for history, sections in domain.profiling.examples:
        yield from (history, *sections.values())
    yield from domain.profiling.sections
    for texts in domain.generic_actions():
        yield from texts
    for _, text in domain.personal_actions(LABELS):
        yield text


class DomainContract:
    """Override the fixture ``domain``: the domain under test.

    Texts can be read back, actions are valid and distinct, examples pass the domain's own checks, no words are foreign.
    """

    own_words: ClassVar[frozenset[str]] = frozenset()
    """Words of FOREIGN that belong into this domain after all."""

    @pytest.fixture
    def domain(self) -> Domain:
        raise NotImplementedError("override the fixture domain: return your domain")

    def test_it_has_every_part(self, domain: Domain) -> None:
        missing = [name for name in vars(Domain) if not name.startswith("_") and not hasattr(domain, name)]
        assert not missing, f"the domain lacks {missing}; eagle.domains.base.Domain says what each is"

    def test_fields_have_names_that_can_be_read_back(self, domain: Domain) -> None:
        for name in (domain.fields.labels, domain.fields.body):
            assert re.fullmatch(NAME, name), f"{name!r} is no name of a field: letters and blanks, at most 30"
        assert domain.fields.labels.lower() != domain.fields.body.lower(), "both fields have the same name"

    def test_a_text_can_be_read_back(self, domain: Domain) -> None:
        for labels, body in ((("alpine", "old town"), "A walk. It ends late."), (("river",), ""), ((), "No labels.")):
            text = Description(labels, body, domain.fields).render()
            read = Description.parse(text, domain.fields)
            assert (read.genres, read.plot) == (labels, body), f"{text!r} is read back as {read}"
            assert Description.read(text, domain.fields) == read, f"who knows no domain reads {text!r} otherwise"

    def test_examples_of_rewriting_are_usable_and_changed(self, domain: Domain) -> None:
        assert domain.rewriting.examples, "a small language model needs at least one example of a change"
        for before, change, after in domain.rewriting.examples:
            for text in (before, after):
                self._check_usable(text, domain)
            assert is_valid_action(change), f"the change {change!r} is not one imperative sentence of 2 to 20 words"
            assert similarity(before, after) < 0.8, f"the example changes too little: {after!r}"

    def test_examples_of_describing_are_usable(self, domain: Domain) -> None:
        assert domain.describing.examples, "a small language model needs at least one example of a description"
        for _, text in domain.describing.examples:
            self._check_usable(text, domain)

    @staticmethod
    def _check_usable(text: str, domain: Domain) -> None:
        checked = check_text(text, finished=True, fields=domain.fields, least_words=domain.least_words)
        assert checked.cause is None, f"the domain's own check calls its example {checked.cause}: {text!r}"

    def test_every_category_has_actions_and_openings(self, domain: Domain) -> None:
        wanted = len(domain.categories)
        assert wanted == len(set(domain.categories)) > 0, f"categories repeat or lack: {domain.categories}"
        for what, found in (("actions", domain.generic_actions()), ("openings", domain.suggesting.openings)):
            assert len(found) == wanted, f"{len(found)} lists of {what} for {wanted} categories"
            assert all(found), f"a category has no {what}"

    def test_generic_actions_are_valid_and_distinct(self, domain: Domain) -> None:
        texts = [seed.action for seed in generic_seeds(domain)]
        invalid = [text for text in texts if not is_valid_action(text)]
        assert not invalid, f"not one imperative sentence of 2 to 20 words: {invalid}"
        repeats = [text for place, text in enumerate(texts) if repeats_any(text, texts[:place])]
        assert not repeats, f"these generic actions nearly repeat an earlier one, of any category: {repeats}"

    def test_personal_actions_are_valid_distinct_and_of_known_categories(self, domain: Domain) -> None:
        made = domain.personal_actions(LABELS)
        wrong = [place for place, _ in made if not 0 <= place < len(domain.categories)]
        assert not wrong, f"no category at the places {wrong}"
        texts = [text for _, text in made]
        assert len(set(texts)) == len(texts), "some personal actions repeat each other"
        assert len(personalized_seeds(LABELS, domain)) == len(texts), "some personal actions are no imperative sentence"
        unnamed = [label for label in LABELS if not any(label in text for text in texts)]
        assert not unnamed, f"no personal action names the labels {unnamed}"

    def test_openings_and_examples_of_actions_are_orders(self, domain: Domain) -> None:
        for openings in domain.suggesting.openings:
            for opening in openings:
                assert is_valid_action(f"{opening} a lighthouse."), f"{opening!r} opens no order"
        for _, opening, action in domain.suggesting.examples:
            assert action.startswith(opening), f"{action!r} does not begin with its opening {opening!r}"
            assert is_valid_action(action), f"{action!r} is no action"

    def test_profiles_have_their_five_sections(self, domain: Domain) -> None:
        words = domain.profiling
        assert len(set(words.sections)) == 5, f"five sections with names of their own, not {words.sections}"
        for _, shown in words.examples:
            assert tuple(shown) == tuple(words.sections), f"an example has the sections {tuple(shown)}"
        taste = Taste(("alpine",), ("river",), (("Loves", ("alpine",)),), 1.0, 0.0, 0.0, 30)
        lines = full_profile(taste, words).split("\n")
        assert [line.split(":")[0] for line in lines] == list(words.sections), f"the profile reads {lines}"

    def test_prompts_name_what_the_catalogue_holds(self, domain: Domain) -> None:
        for task in (domain.rewriting.task, domain.describing.task, domain.suggesting.task, domain.profiling.task):
            assert domain.noun in task, f"the noun {domain.noun!r} is not in {task!r}"

    def test_no_words_of_another_domain(self, domain: Domain) -> None:
        own = {kind for kind, known in DOMAINS.items() if domain.noun.lower() in known.nouns}
        foreign = frozenset().union(*(words for kind, words in FOREIGN.items() if kind not in own)) - self.own_words
        told = {text: foreign & set(re.findall(r"[a-z]+", text.lower())) for text in _words(domain)}
        found = {text: sorted(words) for text, words in told.items() if words}
        assert not found, f"words of another domain (allow them in own_words where they are right): {found}"
