"""params.yaml is checked as a whole, and a stage sees only what it declares."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from eagle.config import Config, load_config, parse_config
from eagle.core.errors import EagleError


def test_all_problems_are_reported_at_once_with_suggestions() -> None:
    with pytest.raises(EagleError) as caught:
        parse_config({"sed": 1, "train": {"horizn": 2, "gamma": 3}, "data": {"source": "netflix"}})
    message = str(caught.value)
    assert len(caught.value.problems) == 4
    assert "did you mean 'seed'?" in message
    assert "did you mean 'horizon'?" in message
    assert "train.gamma" in message and "found: 3" in message
    assert "data.source" in message and "'movielens-100k'" in message


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"split": {"test_items": 0.5, "validation_items": 0.5}}, "no items for training"),
        ({"split": {"test_users": 0.6, "validation_users": 0.4}}, "no users for training"),
        ({"reference": {"names": ["uniform"]}}, "which reference.names does not train"),
        ({"train": {"arms": ["g_optimal"] * 2}}, "train.arms names g_optimal, g_optimal: one training twice"),
        (
            {"seed": 8, "reference": {"names": ["uniform", "g_optimal", "g_optimal_seed8"]}},
            "reference.names names g_optimal, g_optimal_seed8: one training twice, as seed is 8",
        ),
        ({"reference": {"names": ["optimal"]}}, "should be .* or NAME_seedN .*; did you mean 'g_optimal'"),
        ([], "should be a mapping"),
        ({"llm": {"top_p": 0}}, r"llm\.top_p: Input should be greater than 0"),
        ({"registry": {"experiment": " "}}, r"registry\.experiment: should be a name of 1 to 256 characters"),
        ({"registry": {"experiment": "e" * 257}}, r"registry\.experiment: should be a name of 1 to 256 characters"),
        ({"registry": {"model": ""}}, r"registry\.model: should be a name of 1 to 256 characters"),
    ],
)
def test_contradictions_are_errors(values: object, words: str) -> None:
    with pytest.raises(EagleError, match=words):
        parse_config(values)


@pytest.mark.parametrize("name", ["a/b", "a:b", "a/b:c", "a?b", ".", "..", "..a"])
def test_a_model_s_name_that_mlflow_or_its_addresses_do_not_take_is_refused_at_once(name: str) -> None:
    with pytest.raises(EagleError, match=r"registry\.model: should be a name without"):
        parse_config({"registry": {"model": name}})


@pytest.mark.parametrize("name", ["eagle-agent", "桌游 2", ".a", "a.b@c"])
def test_other_names_of_a_model_are_kept(name: str) -> None:
    assert parse_config({"registry": {"model": name}}).registry.model == name


@pytest.mark.parametrize("word", ["No", "off", "yes", "12", "2020-01-01", "1.5"])
def test_a_name_that_yaml_takes_for_something_else_is_to_be_quoted(tmp_path: Path, word: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(f"data: {{files: {{columns: {{item: {word}}}}}}}", encoding="utf-8")
    with pytest.raises(EagleError, match=rf'data\.files\.columns\.item(.|\n)*in quotes, item: "{re.escape(word)}"'):
        load_config(path)
    path.write_text(f'data: {{files: {{columns: {{item: "{word}"}}}}}}', encoding="utf-8")
    assert load_config(path).data.files.columns.item == word


def test_a_missing_or_broken_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(EagleError, match="does not exist"):
        load_config(tmp_path / "params.yaml")
    (tmp_path / "params.yaml").write_text("seed: [1")
    with pytest.raises(EagleError, match="not valid YAML"):
        load_config(tmp_path / "params.yaml")


def test_a_folder_in_the_place_of_the_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(EagleError, match=r"(?s)cannot be read.*found: Is a directory"):
        load_config(tmp_path)


def test_lines_pasted_above_the_old_ones_do_not_pass_unseen(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("data:\n  source: files\n  noun: film\n  source: movielens-100k\n")
    with pytest.raises(EagleError, match=r"'source' stands twice in one section(.|\n)*line 4"):
        load_config(path)


def test_a_stage_cannot_read_a_section_that_it_does_not_declare() -> None:
    view = Config().only(["seed", "split"])
    assert view.seed == Config().seed
    assert view.split == Config().split
    with pytest.raises(RuntimeError, match="'train'"):
        _ = view.train


def _undocumented(model: object, path: str = "") -> list[str]:
    import typing

    found: list[str] = []
    for name, field in getattr(model, "model_fields", {}).items():
        if name != "kind" and not field.description:
            found.append(path + name)
        for inner in (field.annotation, *typing.get_args(field.annotation)):
            found += _undocumented(inner, f"{path}{name}.")
    return found


def test_every_parameter_says_what_it_means() -> None:
    assert _undocumented(Config) == []


@pytest.mark.parametrize(("section", "name"), [("encoder", "kind"), ("utility", "kind"), ("llm", "engine")])
def test_a_part_is_a_built_in_name_or_a_class_of_ones_own(section: str, name: str) -> None:
    assert getattr(getattr(parse_config({section: {name: "own.parts:Mine"}}), section), name) == "own.parts:Mine"
    with pytest.raises(EagleError, match=r"or package\.module:Name of your own"):
        parse_config({section: {name: "own.parts"}})


def test_a_misspelt_part_is_met_with_the_nearest_name() -> None:
    with pytest.raises(EagleError, match="did you mean 'joint_hybrid'"):
        parse_config({"encoder": {"kind": "joint_hybird"}})
