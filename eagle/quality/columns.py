"""What gates and judges say of the texts of trajectories, as columns beside them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from eagle.quality.gates import TextGates
from eagle.quality.judging import Following, Perplexity

GATES = ("repeated_triple", "copied_item", "too_long")
"""Gates with a column of their own; all that select are together in ``broken``."""


def quality_columns(
    rows: pd.DataFrame,
    anchors: Mapping[int, str],
    gates: TextGates,
    *,
    perplexity: Perplexity | None = None,
    following: Following | None = None,
) -> pd.DataFrame:
    """Return ``rows`` (arm, case, step, action, text: all steps, from 0 on) with more columns; ``anchors``: case -> its
    anchor's text.

    broken: beyond a selecting gate. repeated_triple, copied_item, too_long: beyond this gate, whether it selects or
    not; where nothing was calibrated none is. high_perplexity: odd to the base model, NaN before a case's last step.
    off_action: the change is no nearer to its action than to the others, NaN where nothing changed. The last two are
    there for judges that are given.
    """
    texts, made_from = rows["text"].tolist(), [anchors[case] for case in rows["case"]]
    beyond = gates.exceeded(texts, made_from).set_axis(rows.index)
    found = {"broken": gates.broken(texts, made_from)}
    found |= {gate: beyond[gate].to_numpy() if gate in beyond else np.zeros(len(rows), bool) for gate in GATES}
    if perplexity is not None:
        found["high_perplexity"] = _high_perplexity(rows, perplexity)
    if following is not None:
        found["off_action"] = _off_action(rows, following)
    return rows.assign(**found)


def _high_perplexity(rows: pd.DataFrame, perplexity: Perplexity) -> np.ndarray:
    """Return 1.0 for odd answers, 0.0 for others, NaN for texts on the way to them, (n_rows,)."""
    last = np.flatnonzero(rows["step"] == rows.groupby(["arm", "case"])["step"].transform("max"))
    high = np.full(len(rows), np.nan)
    high[last] = perplexity.high(rows["text"].iloc[last].tolist())
    return high


def _off_action(rows: pd.DataFrame, following: Following) -> np.ndarray:
    """Return 1.0 where a change is off its action, 0.0 where it is not, NaN where there is none, (n_rows,)."""
    before = rows.sort_values("step", kind="stable").groupby(["arm", "case"])["text"].shift().reindex(rows.index)
    changed = np.flatnonzero((before.notna() & (before != rows["text"])).to_numpy())
    part = rows.iloc[changed]
    margin = following.margins(before.iloc[changed].tolist(), part["text"].tolist(), part["action"].tolist())
    off = np.full(len(rows), np.nan)
    off[changed] = np.where(np.isnan(margin), np.nan, margin <= 0)
    return off
