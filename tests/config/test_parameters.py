"""params.yaml and docs/parameters.md against the fields of eagle.config."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from eagle.config import Config, OnPolicyPhase, parse_config
from eagle.config.parameters import parameters_markdown, params_yaml, write

ROOT = Path(__file__).parents[2]


def _keys(value: Any, prefix: str = "") -> set[str]:
    if not isinstance(value, dict):
        return {prefix}
    return {key for name, inner in value.items() for key in _keys(inner, f"{prefix}.{name}".strip("."))}


def test_params_yaml_of_the_project_is_legal_and_has_every_key() -> None:
    values = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    assert _keys(parse_config(values).model_dump(mode="json")) == _keys(values)


def test_the_written_file_means_the_defaults() -> None:
    assert parse_config(yaml.safe_load(params_yaml())) == Config()


@given(rate=st.floats(1e-12, 1e6), updates=st.integers(0, 10**9))
def test_any_value_survives_the_file(rate: float, updates: int) -> None:
    phase = OnPolicyPhase(learning_rate=rate, updates=updates)
    config = Config(train=Config().train.model_copy(update={"phases": (phase, phase)}))
    assert parse_config(yaml.safe_load(params_yaml(config))) == config


def test_the_table_of_parameters_is_current() -> None:
    assert (ROOT / "docs/parameters.md").read_text(encoding="utf-8") == parameters_markdown()


@pytest.mark.parametrize(
    "needed",
    ["`train.kl_coefficient`", "`reference.lora.rank`", "`design.paper.subset`", "`gae_lambda`", "`movielens-100k`"],
)
def test_the_table_names_nested_parameters_and_choices(needed: str) -> None:
    assert needed in parameters_markdown()


def test_write_makes_both_files(tmp_path: Path) -> None:
    write(tmp_path)
    assert (tmp_path / "params.yaml").read_text(encoding="utf-8") == params_yaml()
    assert (tmp_path / "docs/parameters.md").read_text(encoding="utf-8") == parameters_markdown()


def test_a_file_of_an_earlier_version_gets_what_it_lacks_and_keeps_its_values(tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    file.write_text("seed: 9\nevaluate: {horizon: 2}\n", encoding="utf-8")
    write(tmp_path, keep=True)
    found = parse_config(yaml.safe_load(file.read_text(encoding="utf-8")))
    default = Config()
    assert found.seed == 9 and found.evaluate == default.evaluate.model_copy(update={"horizon": 2})
    assert _keys(yaml.safe_load(file.read_text(encoding="utf-8"))) == _keys(default.model_dump(mode="json"))
    assert [path.name for path in tmp_path.iterdir()] == ["params.yaml"]
