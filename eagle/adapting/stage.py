"""Stage `environment`: adapt the environment's model to the catalogue, and keep it only where it is better.

1. Paper, Sec. 4.2: the environment is a frozen language model. Followed from here on: this stage ends before any text
   of the environment is written.
2. Ours (docs/method.md): a LoRA over the same base learns edits of real prose of the domain, mined without a teacher,
   mixed with the plain model's own good answers. The agents keep the plain model as their base.
3. Ours: it is used where it beats the plain one on validation items (`eagle.adapting.decision`), else the plain one is,
   and the decision says why. No held-out item's text, nor one near to it, is learned from (`eagle.adapting.stories`).
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from eagle.config import Config
from eagle.core.artifacts import complete_or_absent, write_json
from eagle.core.folders import EnvironmentFiles
from eagle.core.project import Project
from eagle.environment.adapted import EnvironmentDecision, reason_against

FEW = 4  # steps' worth of edits below which nothing is learned [O]


def run(config: Config, project: Project) -> None:
    """Write models/environment and reports/stages/environment.json."""
    against = reason_against(config)
    if against is None:
        _adapt(config, project)
    else:
        _write(project, EnvironmentDecision(False, (against,)), {})


def _adapt(config: Config, project: Project) -> None:
    from eagle.adapting.work import AdaptingWork  # torch and more, which a stage that is off need not open

    work = AdaptingWork(config, project)
    if not work.validation:
        _write(project, EnvironmentDecision(False, ("no validation item has a text to compare on",)), {})
        return
    edits = work.edits()
    counts: dict[str, Any] = {"edits": dict(Counter(edit.kind for edit in edits))}
    if len(edits) < FEW * config.environment.edits:
        reason = f"{len(edits)} edits to learn from, fewer than {FEW * config.environment.edits}"
        _write(project, EnvironmentDecision(False, (reason,)), counts)
        return
    rows = work.learn(edits)
    figures = {**counts, "loss_first": rows[0]["loss"], "loss_last": rows[-1]["loss"]}
    _write(project, work.decide(), figures, work.adapter)
    work.clean()


def _write(
    project: Project, decision: EnvironmentDecision, figures: Mapping[str, Any], adapter: Path | None = None
) -> None:
    """Write the decision, with the adapter where it is kept, and the stage's figures."""
    with complete_or_absent(project.environment) as draft:
        files = EnvironmentFiles(draft)
        draft.mkdir(parents=True, exist_ok=True)
        decision.save(files.decision)
        if decision.adapted and adapter is not None:
            shutil.copytree(adapter, files.adapter)
    write_json(project.stage_metrics("environment"), {**asdict(decision), **figures})
