"""Stage transitions: what the environment makes of every (anchor, action, sample).

1. Follows the paper: a frozen language model applies an action to a description and writes the next one.
2. Differs: the answers are cached, since one table of next texts tells the value of every action for all users at once.
3. Differs: a failed generation is a row with a cause, never a text and never a reward.

Work goes by shards of a few anchors. A finished shard's rows are kept under models/checkpoints/transitions, in a folder named after
everything that they depend on, so that a killed run goes on from there; batches never cross shards, so that the result is the same.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from eagle.actions.expansion import Anchor, Row, Writer, apply_to_all, first_steps, second_steps
from eagle.actions.outcomes import check_enough_worked, outcome_figures
from eagle.artifacts import read_json, read_table, write_json, write_table
from eagle.config import Config, TransitionsConfig
from eagle.errors import user_error
from eagle.progress import bar
from eagle.project import Project

_LAYOUT = 1
_SHARD_ROWS = 320  # first steps generated together: several full batches, about a minute on two cores


def anchors_of(actions: pd.DataFrame, descriptions: pd.DataFrame) -> list[Anchor]:
    """Return the anchors of the actions table in its order; EagleError where one has no description."""
    texts = dict(zip(descriptions["item"], descriptions["text"], strict=True))
    missing = sorted(set(actions["anchor"]) - set(texts))
    if missing:
        raise user_error("anchors without a description", found=", ".join(missing[:5]), mend="run `dvc repro actions`")
    found = []
    for item, rows in actions.groupby("anchor", sort=False):
        ordered = rows.sort_values("action_index")
        shared = tuple(int(i) for i in ordered.loc[ordered["origin"] == "seed", "action_index"])
        found.append(Anchor(str(item), texts[item], tuple(ordered["action"]), shared))
    return found


def shard_folder(checkpoints: Path, anchors: Sequence[Anchor], settings: TransitionsConfig, seed: int, writer: dict[str, Any]) -> Path:
    """Return the folder of finished shards; its name is a hash of all that the rows depend on."""
    everything = {"layout": _LAYOUT, "settings": settings.model_dump(), "seed": seed, "writer": writer}
    everything["anchors"] = [asdict(a) for a in anchors]
    digest = hashlib.sha256(json.dumps(everything, sort_keys=True).encode()).hexdigest()[:16]
    return checkpoints / "transitions" / digest


def shards_of(anchors: Sequence[Anchor], samples: int) -> list[list[Anchor]]:
    """Return the anchors in groups that are generated together: whole anchors, until a group has ``_SHARD_ROWS`` first steps."""
    groups: list[list[Anchor]] = []
    room = 0
    for anchor in anchors:
        if room <= 0:
            groups.append([])
            room = _SHARD_ROWS
        groups[-1].append(anchor)
        room -= len(anchor.actions) * samples
    return groups


def expand(group: Sequence[Anchor], writer: Writer, settings: TransitionsConfig, seed: int) -> list[list[Row]]:
    """Return all rows of every anchor of a group; a parent's place counts within its anchor's rows."""
    done = apply_to_all(writer, [first_steps(anchor, settings, seed) for anchor in group])
    if not settings.second_steps:
        return done
    planned = [second_steps(anchor, rows, settings, seed) for anchor, rows in zip(group, done, strict=True)]
    return [rows + more for rows, more in zip(done, apply_to_all(writer, planned), strict=True)]


def expand_all(anchors: Sequence[Anchor], writer: Writer, settings: TransitionsConfig, seed: int, folder: Path) -> list[list[Row]]:
    """Return every anchor's rows, reading finished shards from ``folder`` and adding new ones."""
    second = settings.second_steps * settings.second_actions
    found: list[list[Row]] = []
    with bar(settings.samples * sum(len(a.actions) + second for a in anchors), "transitions", "text") as progress:
        for place, group in enumerate(shards_of(anchors, settings.samples)):
            path = folder / f"{place:05d}.json"
            if not path.exists():
                write_json(path, {"anchors": [[asdict(row) for row in rows] for rows in expand(group, writer, settings, seed)]})
            for rows in read_json(path)["anchors"]:
                found.append([Row(**{**row, "history": tuple(row["history"])}) for row in rows])
            progress.update(settings.samples * sum(len(a.actions) + second for a in group))
    return found


def as_table(anchors: Sequence[Anchor], shards: Sequence[Sequence[Row]]) -> pd.DataFrame:
    """Return the transitions table; rows are numbered through, states named by item id or ``row:<n>``."""
    records, start = [], 0
    for anchor, rows in zip(anchors, shards, strict=True):
        for place, row in enumerate(rows):
            record = asdict(row)
            parent = record.pop("parent")
            state = anchor.item if parent < 0 else f"row:{start + parent}"
            records.append({"row": start + place, "anchor": anchor.item, "state": state} | record | {"history": list(row.history)})
        start += len(rows)
    return pd.DataFrame.from_records(records)


def build_transitions(
    config: Config, actions: pd.DataFrame, descriptions: pd.DataFrame, writer: Writer, described: dict[str, Any], checkpoints: Path
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the transitions table and the stage's figures; ``described`` identifies the writer (model, prompt, sampling)."""
    anchors = anchors_of(actions, descriptions)
    folder = shard_folder(checkpoints, anchors, config.transitions, config.seed, described)
    table = as_table(anchors, expand_all(anchors, writer, config.transitions, config.seed, folder))
    check_enough_worked(table)
    return table, outcome_figures(table)


def run(config: Config, project: Project) -> None:
    """Stage transitions: read actions and descriptions; write data/transitions.parquet and reports/stages/transitions.json."""
    from eagle.llm.open import open_language_model
    from eagle.llm.prompts import rewrite_prompt
    from eagle.llm.rewrite import Rewriter

    model = open_language_model(config.llm, project.llm, project.completions)
    writer = Rewriter.open(config, project, model=model, remember=False)
    example = rewrite_prompt(model, "Genres: drama. Plot: A plot.", "An action.", config.data.noun)
    described = {"model": model.fingerprint, "prompt": example, "llm": config.llm.decisive()}
    actions, descriptions = read_table(project.actions, "actions"), read_table(project.descriptions, "descriptions")
    table, figures = build_transitions(config, actions, descriptions, writer, described, project.checkpoints)
    write_table(project.transitions, table, "transitions", inputs=[project.actions, project.descriptions])
    write_json(project.stage_metrics("transitions"), figures)
    shutil.rmtree(project.checkpoints / "transitions", ignore_errors=True)
