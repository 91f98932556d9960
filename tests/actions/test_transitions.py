"""Cached transitions: every row planned once, failures as data, and a killed run that ends as an uninterrupted one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from eagle.actions.expansion import Anchor, first_steps
from eagle.actions.outcomes import kept_words, outcome_figures
from eagle.actions.transitions import anchors_of, build_transitions, expanded
from eagle.compute.sharding import ShardCache
from eagle.compute.workers import InProcess
from eagle.config import Config, TransitionsConfig, parse_config
from eagle.core.errors import EagleError
from eagle.core.seeding import derive_seed
from eagle.data.descriptions import Descriptions
from eagle.environment.rewrite import Rewrite
from eagle.environment.steering import Writer
from tests.actions.conftest import Parrot

ACTIONS = ("Set it in Rome.", "Make the hero a robot.", "Hold up a mirror.", "Add a dog.", "Give them a song.")


@pytest.fixture
def actions(descriptions: pd.DataFrame) -> pd.DataFrame:
    rows = [
        (
            anchor,
            "train" if place else "validation",
            index,
            action,
            "plot changes",
            "generic",
            "seed" if index < 4 else "llm",
        )
        for place, anchor in enumerate(["i4", "i1", "i10"])
        for index, action in enumerate(ACTIONS)
    ]
    return pd.DataFrame(rows, columns=["anchor", "split", "action_index", "action", "category", "kind", "origin"])


def settings(shard_rows: int = 320, **transitions: int) -> Config:
    return parse_config({"seed": 5, "transitions": transitions, "llm": {"shard_rows": shard_rows}})


def build(
    config: Config, actions: pd.DataFrame, descriptions: pd.DataFrame, folder: Path, writer: Writer | None = None
) -> pd.DataFrame:
    chosen = writer or Parrot()
    workers = InProcess(lambda: lambda question: expanded(question, chosen, config.transitions, config.seed))
    return build_transitions(config, actions, Descriptions(descriptions).texts, workers, ShardCache(folder, "parrot"))[
        0
    ]


def test_every_anchor_action_and_sample_is_one_row(
    actions: pd.DataFrame, descriptions: pd.DataFrame, tmp_path: Path
) -> None:
    table = build(settings(samples=2), actions, descriptions, tmp_path)
    assert table["row"].tolist() == list(range(3 * 5 * 2))
    assert table.groupby(["anchor", "action_index"]).size().eq(2).all()
    assert (table["state"] == table["anchor"]).all()
    assert (table["step"] == 1).all()
    assert table["history"].map(len).eq(0).all()
    for row in table.itertuples():
        assert row.seed == derive_seed(5, "environment", row.state_text, row.action, row.sample)


def test_failures_are_rows_with_a_cause(actions: pd.DataFrame, descriptions: pd.DataFrame, tmp_path: Path) -> None:
    table = build(settings(), actions, descriptions, tmp_path)
    failed = table["next_text"].isna()
    assert (failed == table["action"].str.contains("robot")).all()
    assert table.loc[failed, "cause"].eq("cut off").all()
    assert table.loc[~failed, "cause"].isna().all()


def test_a_text_of_another_form_is_a_failure(actions: pd.DataFrame, descriptions: pd.DataFrame, tmp_path: Path) -> None:
    class Careless(Parrot):
        def rewrite(self, texts: Sequence[str], actions: Sequence[str], seeds: Sequence[int]) -> list[Rewrite]:
            return [Rewrite("no genre line" if "Rome" in a else t) for t, a in zip(texts, actions, strict=True)]

    table = build(settings(), actions, descriptions, tmp_path, Careless())
    broken = table["action"] == ACTIONS[0]
    assert table.loc[broken, "next_text"].isna().all()
    assert table.loc[broken, "cause"].str.contains("not of the form").all()


def test_second_steps_expand_changed_texts_with_unused_shared_actions(
    actions: pd.DataFrame, descriptions: pd.DataFrame, tmp_path: Path
) -> None:
    table = build(settings(second_steps=2, second_actions=3), actions, descriptions, tmp_path).set_index(
        "row", drop=False
    )
    second = table[table["step"] == 2]
    assert second.groupby("anchor")["state"].nunique().eq(2).all()
    assert second.groupby("state").size().eq(3).all()
    assert set(second["action"]) <= set(ACTIONS[:4])
    for row in second.itertuples():
        parent = table.loc[int(row.state.removeprefix("row:"))]
        assert (parent["next_text"], parent["anchor"]) == (row.state_text, row.anchor)
        assert row.history == [parent["action"]]
        assert row.action not in row.history
        assert not parent["copied"]


def test_second_steps_leave_first_steps_unchanged(
    actions: pd.DataFrame, descriptions: pd.DataFrame, tmp_path: Path
) -> None:
    columns = ["anchor", "action", "sample", "seed", "next_text", "cause"]
    plain = build(settings(), actions, descriptions, tmp_path)
    more = build(settings(second_steps=2), actions, descriptions, tmp_path)
    pd.testing.assert_frame_equal(plain[columns], more.loc[more["step"] == 1, columns].reset_index(drop=True))


def test_killed_run_ends_as_an_uninterrupted_one(
    actions: pd.DataFrame, descriptions: pd.DataFrame, tmp_path: Path
) -> None:
    class Killed(Parrot):
        def rewrite(self, texts: Sequence[str], actions: Sequence[str], seeds: Sequence[int]) -> list[Rewrite]:
            if len(self.calls) == 3:  # in the middle of the second shard
                raise KeyboardInterrupt
            return super().rewrite(texts, actions, seeds)

    config = settings(shard_rows=5, second_steps=1, second_actions=2)
    whole = build(config, actions, descriptions, tmp_path / "a")
    with pytest.raises(KeyboardInterrupt):
        build(config, actions, descriptions, tmp_path / "b", Killed())
    after = Parrot()
    resumed = build(config, actions, descriptions, tmp_path / "b", after)
    pd.testing.assert_frame_equal(whole, resumed)
    assert len(after.calls) == 4  # two anchors of two steps: the first one's shard was kept


def test_mostly_failed_is_one_clear_error_with_causes(
    actions: pd.DataFrame, descriptions: pd.DataFrame, tmp_path: Path
) -> None:
    class Silent(Parrot):
        def rewrite(self, texts: Sequence[str], actions: Sequence[str], seeds: Sequence[int]) -> list[Rewrite]:
            return [Rewrite(None, "repetition") for _ in texts]

    with pytest.raises(EagleError, match=r"15 of 15: repetition \(15\)"):
        build(settings(), actions, descriptions, tmp_path, Silent())


def test_an_anchor_without_description_is_a_clear_error(actions: pd.DataFrame, descriptions: pd.DataFrame) -> None:
    with pytest.raises(EagleError, match="i10"):
        anchors_of(actions, Descriptions(descriptions[descriptions["item"] != "i10"]).texts)


def test_plan_gives_every_row_its_own_seed() -> None:
    anchor = Anchor("a", "Genres: drama.", ACTIONS, (0, 1))
    planned = first_steps(anchor, TransitionsConfig(samples=3), 1)
    assert len({row.seed for row in planned}) == len(planned) == 15


def test_figures_are_known_by_construction(actions: pd.DataFrame, descriptions: pd.DataFrame, tmp_path: Path) -> None:
    figures = outcome_figures(build(settings(), actions, descriptions, tmp_path))
    assert figures["rows"] == 15
    assert figures["defect_rate"] == pytest.approx(0.2)
    assert figures["copy_rate"] == figures["no_op_rate"] == pytest.approx(0.2)
    assert figures["causes"] == {"cut off": 3}
    assert figures["new_tokens"] == 3 * 90 + 12 * 5
    assert figures["by_action"][ACTIONS[2]]["no_op_rate"] == 1.0
    assert figures["by_step"]["1"]["rows"] == 15


def test_kept_words_is_an_overlap() -> None:
    assert kept_words("A b c", "a B c!") == 1.0
    assert kept_words("a b", "c d") == 0.0
    assert kept_words("", "") == 0.0
