"""The built-in judges: each opens as a class, :class:`eagle.evaluation.judges.base.Judge`."""

from __future__ import annotations

from eagle.core.parts import BuiltIn

JUDGES = {
    "panel": BuiltIn("eagle.evaluation.judges.panel_judge:PanelJudge"),
    "hidden_shelf": BuiltIn("eagle.evaluation.judges.shelf:HiddenShelf"),
}
