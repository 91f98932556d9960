"""Films keep every word: prompts, seed actions, profiles and checks are those recorded before domains were parts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eagle.actions.seeds import Seed, generic_seeds, personalized_seeds
from eagle.actions.written import Request, request_prompt
from eagle.config import DomainConfig
from eagle.domains.base import Domain
from eagle.domains.open import open_domain
from eagle.engine.scripted import ScriptedModel
from eagle.environment.checks import check_text
from eagle.environment.prompts import describe_prompt, rewrite_prompt
from eagle.policies.prompt import policy_prompt
from eagle.profiles.taste import Taste
from eagle.profiles.wording import full_profile
from eagle.profiles.writer import profile_prompt

RECORDED = json.loads((Path(__file__).parent / "film_golden.json").read_text(encoding="utf-8"))
MODEL = ScriptedModel()
DOMAINS = {noun: open_domain(DomainConfig(), noun) for noun in ("film", "book")}
FILM = DOMAINS["film"]
GENRES = [
    *[
        "drama",
        "comedy",
        "action",
        "thriller",
        "romance",
        "adventure",
        "children's",
        "crime",
        "sci-fi",
        "horror",
        "war",
        "mystery",
        "musical",
    ],
    *["documentary", "animation", "western", "film-noir", "fantasy", "unknown"],
    "space opera",
]
TEXT = "Genres: drama, war. Plot: A teacher opens a school in the old mill and nobody in the valley comes to learn."
TASTES = (
    Taste(
        ("crime", "film-noir", "war"),
        ("comedy", "musical", "space opera"),
        (("Loves", ("crime", "war")), ("Dislikes", ("comedy",))),
        1.3,
        0.7,
        -0.5,
        40,
    ),
    Taste(("space opera",), ("x",), (("Loves", ("space opera",)),), 0.5, -0.9, 0.5, 4),
)


def _seeds(seeds: list[Seed]) -> list[list[str]]:
    return [[seed.action, seed.category, seed.kind] for seed in seeds]


def _described(domain: Domain) -> list[str]:
    return [
        describe_prompt(MODEL, "Heat", 1995, ("crime", "drama"), domain),
        describe_prompt(MODEL, "Heat", None, ("crime",), domain),
    ]


def _requests() -> list[str]:
    profiles = ("", "User likes a. Dislikes b.", "", "", "")
    return [
        request_prompt(MODEL, Request("i", slot, TEXT, category, "generic", profile), FILM)
        for slot in range(3)
        for category, profile in zip(FILM.categories, profiles, strict=True)
    ]


def _checked() -> list[Any]:
    found = []
    for line, finished, *_ in RECORDED["checks"]:
        checked = check_text(
            line, finished=finished, vocabulary=frozenset({"drama", "war"}), fields=FILM.fields, least_words=8
        )
        text = checked.description.render() if checked.description else None
        found.append([line, finished, text, checked.cause, checked.dropped])
    return found


RENDERED: dict[str, Callable[[], Any]] = {
    "rewrite": lambda: {n: rewrite_prompt(MODEL, TEXT, "Set it in space.", d) for n, d in DOMAINS.items()},
    "describe": lambda: {noun: _described(domain) for noun, domain in DOMAINS.items()},
    "generic seeds": lambda: _seeds(generic_seeds(FILM)),
    "personalized seeds": lambda: _seeds(personalized_seeds(GENRES, FILM)),
    "personalized seeds of a book": lambda: _seeds(personalized_seeds(GENRES, DOMAINS["book"])[:60]),
    "requests": _requests,
    "profile": lambda: [
        profile_prompt(MODEL, "Liked: Heat (crime). Disliked: Alien (horror).", lines, FILM.profiling)
        for lines in ((), ("One.",), ("One.", "Two.", "Three.", "Four."))
    ],
    "full": lambda: [full_profile(taste, FILM.profiling) for taste in TASTES],
    "short": lambda: [taste.short for taste in TASTES],
    "policy": lambda: [
        policy_prompt(TASTES[0].short, TEXT),
        policy_prompt(TASTES[0].short, TEXT, ["Set it in space.", "Add a dog."]),
        policy_prompt(TASTES[0].short, "free text"),
    ],
    "checks": _checked,
}


@pytest.mark.parametrize("part", RECORDED)
def test_films_keep_every_word(part: str) -> None:
    assert RENDERED[part]() == RECORDED[part]
