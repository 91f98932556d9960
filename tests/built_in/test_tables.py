"""A line of a table is all that a built-in part needs: what it opens is there, is code of the stages that open it, and
parameters may name it.
"""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

import eagle.built_in
from eagle.built_in.methods import METHODS, RULES
from eagle.config import Config, parse_config
from eagle.config.stages import STAGES
from eagle.core.code import reached
from eagle.core.errors import EagleError
from eagle.core.parts import BuiltIn, load_part
from eagle.evaluation.arm import LINEAR_ONCE, rule_arms
from eagle.evaluation.searches import method_arm

SEAMS = {
    "sources": ("data", "source", ["fetch"]),
    "domains": ("domain", "kind", ["describe", "train", "evaluate"]),
    "encoders": ("encoder", "kind", ["encoder", "train", "evaluate"]),
    "utilities": ("utility", "kind", ["reference", "train", "evaluate"]),
    "engines": ("llm", "engine", ["describe", "train", "evaluate"]),
    "methods": ("evaluate", "methods", ["evaluate"]),
    "judges": ("evaluate", "judges", ["evaluate"]),
}
"""Table -> the parameter that names its parts, and stages that open them."""


def parts(table: str) -> dict[str, BuiltIn]:
    """Return the lines of a table, or of all tables of one module."""
    module = importlib.import_module(f"eagle.built_in.{table}")
    tables = [value for value in vars(module).values() if isinstance(value, dict)]
    return {name: part for lines in tables for name, part in lines.items() if isinstance(part, BuiltIn)}


def test_every_seam_has_its_table() -> None:
    (folder,) = eagle.built_in.__path__
    assert {file.stem for file in Path(folder).glob("*.py")} == {"__init__", *SEAMS}


@pytest.mark.parametrize("table", SEAMS)
def test_what_a_line_names_is_there_and_is_code_of_the_stages_that_open_it(table: str) -> None:
    lines = parts(table)
    assert lines
    assert all(callable(load_part("part", name, lines)) for name in lines)
    places = {part.place.partition(":")[0] for part in lines.values()}
    for stage in STAGES:
        if stage.name in SEAMS[table][2]:
            assert {*places, f"eagle.built_in.{table}"} <= reached(stage.module), stage.name


@pytest.mark.parametrize("table", SEAMS)
def test_parameters_name_the_parts_and_say_which_there_are(table: str) -> None:
    section, field, _ = SEAMS[table]
    names = METHODS if table == "methods" else parts(table)
    many = isinstance(getattr(getattr(Config(), section), field), tuple)
    for name in names:
        extra = {"files": {"ratings": "r.csv", "items": "i.csv"}} if name == "files" else {}
        named = list(dict.fromkeys(["panel", name])) if table == "judges" else [name]
        assert parse_config({section: {field: named if many else name, **extra}})
    wrong = f"{next(iter(names))}x"
    with pytest.raises(EagleError) as caught:
        parse_config({section: {field: ["panel", wrong] if many else wrong}})
    said = str(caught.value)
    assert [name for name in names if name not in said] == []
    assert f"did you mean {next(iter(names))!r}" in said


def test_a_line_of_the_methods_says_what_a_reader_calls_them() -> None:
    assert [arm.name for arm in rule_arms(3) if arm.name != LINEAR_ONCE] == list(RULES)
    assert {arm.label for arm in rule_arms(3)} > {rule.label for rule in RULES.values()}
    arms = {name: method_arm(name, 8, Config()) for name in METHODS}
    assert [name for name, arm in arms.items() if not arm.label.startswith(METHODS[name].label)] == []


def test_a_method_of_ones_own_goes_by_its_label_or_else_by_its_name() -> None:
    assert method_arm("best_of_two", 8, Config()).label == "best_of_two"
    assert method_arm("best_of_two", 8, Config(), "Best of two").label == "Best of two"
    assert method_arm("search_random", 8, Config(), "Mine").label == "Random actions, best of 8"
