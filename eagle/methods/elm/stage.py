"""Stage elm: train ELM's adapter on the training items, and check what it writes for validation items.

With ``elm.updates`` 0 nothing is trained: the folder says so, and whoever asks for the method is told.
"""

from __future__ import annotations

import pandas as pd

from eagle.config import Config
from eagle.core.artifacts import complete_or_absent, write_json
from eagle.core.project import Project
from eagle.methods.elm.stored import ElmNote
from eagle.training.curves import write_curve


def run(config: Config, project: Project) -> None:
    """Write models/elm, reports/curves/elm.csv and reports/stages/elm.json."""
    if config.elm.updates:
        from eagle.methods.elm.fitting import fit  # torch and the language model: nothing for a stage that does nothing

        fit(config, project)
        return
    with complete_or_absent(project.elm) as draft:
        draft.mkdir()
        ElmNote("", config.elm.radius).write(draft)
    write_curve(project.curve("elm"), pd.DataFrame([{"update": 0}]))
    write_json(project.stage_metrics("elm"), {"trained": False})
