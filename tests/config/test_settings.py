"""Named settings: what is written is checked, whole, and nothing else changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eagle.config import Config, load_config
from eagle.config.parameters import params_yaml
from eagle.config.settings import apply_setting, differences, merged
from eagle.core.errors import EagleError
from eagle.core.project import Project

SETTINGS = Path(__file__).parents[2] / "settings"
trees = st.recursive(
    st.integers(), lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3), max_leaves=8
)
sections = st.dictionaries(st.sampled_from("abc"), trees, max_size=3)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project at seed 11 with a setting of two lines and a broken one."""
    (tmp_path / "settings").mkdir()
    (tmp_path / "params.yaml").write_text(params_yaml(Config(seed=11)))
    (tmp_path / "settings/long.yaml").write_text(
        "evaluate: {anchors: 20}\ntrain: {phases: [{kind: on_policy, updates: 5}]}\n"
    )
    (tmp_path / "settings/broken.yaml").write_text("evaluate: {anchrs: 20}\n")
    return Project(tmp_path)


def test_a_setting_changes_what_it_names_and_says_so(project: Project) -> None:
    before = load_config(project.params)
    said = apply_setting(project, "long")
    after = load_config(project.params)
    assert "evaluate.anchors: 10 -> 20" in said and len(said) == 2
    assert (after.evaluate.anchors, after.train.phases[0].kind, after.train.phases[0].updates) == (20, "on_policy", 5)
    assert after.seed == 11 and after.evaluate.users == before.evaluate.users
    assert apply_setting(project, "long") == ["params.yaml has this setting already"]


def test_mistakes_leave_params_as_they_were(project: Project) -> None:
    before = project.params.read_text()
    with pytest.raises(EagleError, match="did you mean 'long'"):
        apply_setting(project, "lang")
    with pytest.raises(
        EagleError, match=r"broken.yaml: unknown parameter evaluate.anchrs[\s\S]*did you mean 'anchors'"
    ):
        apply_setting(project, "broken")
    assert project.params.read_text() == before


@pytest.mark.parametrize("name", sorted(path.stem for path in SETTINGS.glob("*.yaml")))
def test_the_project_s_own_settings_are_valid_and_change_something(tmp_path: Path, name: str) -> None:
    (tmp_path / "settings").symlink_to(SETTINGS)
    (tmp_path / "params.yaml").write_text(params_yaml())
    assert apply_setting(Project(tmp_path), name) != ["params.yaml has this setting already"]
    load_config(tmp_path / "params.yaml")


@given(sections, sections)
def test_merging_is_idempotent_and_differences_name_what_changed(
    before: dict[str, object], change: dict[str, object]
) -> None:
    after = merged(before, change)
    assert merged(after, change) == after
    assert list(differences(after, after)) == []
    assert bool(list(differences(before, after))) == (before != after)


@pytest.mark.parametrize("name", ["paper", "paper_full"])
def test_the_papers_settings_keep_to_the_papers_utility_and_episodes(name: str) -> None:
    paper = load_config(SETTINGS / f"{name}.yaml")
    assert paper.utility.weight_of_distance > 0, "the paper's U is a sum of preference and distance"
    assert (paper.train.horizon, paper.train.reward, paper.train.repeat_actions) == (5, "end", True)
    assert [phase.kind for phase in paper.train.phases] == ["on_policy"]
    assert paper.environment.adapt is False
