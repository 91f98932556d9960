"""Stage transitions: what the environment makes of every (anchor, action, sample).

1. Follows the paper: a frozen language model applies an action to a description and writes the next one.
2. Differs: the answers are cached, since one table of next texts tells the value of every action for all users at once.
3. Differs: a failed generation is a row with a cause, never a text and never a reward.

Work goes by shards of whole anchors, on as many workers as there are. A finished shard's rows are kept under
models/checkpoints/transitions, so that a killed run goes on from there; batches never cross shards, so that the result
is the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from eagle.actions.expansion import Anchor, TransitionRow, Writer, apply_to_all, first_steps, second_steps
from eagle.actions.outcomes import check_enough_worked, outcome_figures
from eagle.actions.stored import read_actions
from eagle.compute.cutting import cut
from eagle.compute.sharding import ShardCache, answer_shards, open_workers
from eagle.compute.workers import Answerer, Workers
from eagle.config import Config, TransitionsConfig
from eagle.core.artifacts import write_json, write_table
from eagle.core.errors import user_error
from eagle.core.project import Project
from eagle.data.descriptions import Descriptions
from eagle.domains.open import domain_of
from eagle.environment.rewrite import Rewriter
from eagle.environment.sharded import environment_identity

_LAYOUT = 2


def anchors_of(actions: pd.DataFrame, texts: Mapping[str, str]) -> list[Anchor]:
    """Return the anchors of the actions table in its order; EagleError where one has no text."""
    missing = sorted(set(actions["anchor"]) - set(texts))
    if missing:
        raise user_error("anchors without a description", found=", ".join(missing[:5]), mend="run `dvc repro actions`")
    found = []
    for name, rows in actions.groupby("anchor", sort=False):
        item = str(name)
        ordered = rows.sort_values("action_index")
        shared = tuple(int(i) for i in ordered.loc[ordered["origin"] == "seed", "action_index"])
        found.append(Anchor(item, texts[item], tuple(ordered["action"]), shared))
    return found


def expand(
    group: Sequence[Anchor], writer: Writer, settings: TransitionsConfig, seed: int
) -> list[list[TransitionRow]]:
    """Return all rows of every anchor of a group; a parent's place counts within its anchor's rows."""
    done = apply_to_all(writer, [first_steps(anchor, settings, seed) for anchor in group])
    if not settings.second_steps:
        return done
    planned = [second_steps(anchor, rows, settings, seed) for anchor, rows in zip(group, done, strict=True)]
    return [rows + more for rows, more in zip(done, apply_to_all(writer, planned), strict=True)]


def expanded(
    question: Sequence[dict[str, Any]], writer: Writer, settings: TransitionsConfig, seed: int
) -> list[list[dict[str, Any]]]:
    """Answer one shard in a worker: the rows of every anchor."""
    group = [
        Anchor(**{**anchor, "actions": tuple(anchor["actions"]), "shared": tuple(anchor["shared"])})
        for anchor in question
    ]
    return [[asdict(row) for row in rows] for rows in expand(group, writer, settings, seed)]


@dataclass(frozen=True)
class OpenExpansion:
    """Opens the environment in a worker."""

    config: Config
    project: Project

    def __call__(self) -> Answerer:
        writer, settings, seed = (
            Rewriter.open(self.config, self.project, remember=False),
            self.config.transitions,
            self.config.seed,
        )
        return lambda question: expanded(question, writer, settings, seed)


def expand_all(
    anchors: Sequence[Anchor], config: Config, workers: Workers, cache: ShardCache
) -> list[list[TransitionRow]]:
    """Return every anchor's rows, from finished shards where there are some."""
    settings = config.transitions
    second = settings.second_steps * settings.second_actions

    def rows(group: Sequence[Anchor]) -> int:
        return settings.samples * sum(len(anchor.actions) + second for anchor in group)

    shards = cut(anchors, config.llm.shard_rows, lambda anchor: settings.samples * len(anchor.actions))
    answers = answer_shards(
        shards,
        workers,
        cache,
        question=lambda shard: [asdict(anchor) for anchor in shard],
        title="transitions",
        unit="text",
        count=rows,
    )
    return [
        [TransitionRow(**{**row, "history": tuple(row["history"])}) for row in found]
        for answer in answers
        for found in answer
    ]


def as_table(anchors: Sequence[Anchor], shards: Sequence[Sequence[TransitionRow]]) -> pd.DataFrame:
    """Return the transitions table; rows are numbered through, states named by item id or ``row:<n>``."""
    records, start = [], 0
    for anchor, rows in zip(anchors, shards, strict=True):
        for place, row in enumerate(rows):
            record = asdict(row)
            parent = record.pop("parent")
            state = anchor.item if parent < 0 else f"row:{start + parent}"
            records.append(
                {"row": start + place, "anchor": anchor.item, "state": state} | record | {"history": list(row.history)}
            )
        start += len(rows)
    return pd.DataFrame.from_records(records)


def build_transitions(
    config: Config, actions: pd.DataFrame, texts: Mapping[str, str], workers: Workers, cache: ShardCache
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the transitions table and the stage's figures."""
    anchors = anchors_of(actions, texts)
    table = as_table(anchors, expand_all(anchors, config, workers, cache))
    check_enough_worked(table)
    return table, outcome_figures(table)


def run(config: Config, project: Project) -> None:
    """Stage transitions: read actions and descriptions; write data/transitions.parquet and
    reports/stages/transitions.json.
    """
    actions, descriptions = read_actions(project.actions), Descriptions.load(project.descriptions)
    identity = environment_identity(config.llm, domain_of(config), project, __name__)
    cache = ShardCache(
        project.unfinished("transitions"), [_LAYOUT, config.transitions.decisive(), config.seed, identity]
    )
    with open_workers(config.llm, OpenExpansion(config, project.resolved())) as workers:
        table, figures = build_transitions(config, actions, descriptions.texts, workers, cache)
    write_table(project.transitions, table, "transitions", inputs=[project.actions, project.descriptions])
    write_json(project.stage_metrics("transitions"), figures)
    cache.clear()
