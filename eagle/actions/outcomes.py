"""What became of the cached transitions: defects, copies, changes that change nothing."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pandas as pd

from eagle.core.errors import user_error
from eagle.domains.text import Description
from eagle.environment.checks import apart

#: Share of failed rows above which the cache is refused.
MOST_FAILED = 0.5
#: Words kept / words of either text (Jaccard) from which a next text counts as unchanged.
NO_OP = 0.9


def _words(text: str) -> frozenset[str]:
    return frozenset(apart(re.findall(r"[^\W_]+", text.lower())))


def kept_words(before: str, after: str) -> float:
    """Return the Jaccard overlap of two texts' words, in [0, 1]."""
    first, second = _words(before), _words(after)
    return len(first & second) / max(len(first | second), 1)


def check_enough_worked(table: pd.DataFrame) -> None:
    """EagleError where more than half of the rows failed, with the commonest causes."""
    failed = table["next_text"].isna()
    if len(table) and failed.mean() > MOST_FAILED:
        causes = Counter(table.loc[failed, "cause"]).most_common(3)
        raise user_error(
            "most of the cached transitions failed",
            found=f"{int(failed.sum())} of {len(table)}: " + "; ".join(f"{cause} ({n})" for cause, n in causes),
            expected=f"at most {MOST_FAILED:.0%}",
            mend="take a stronger model (llm.model), a lower llm.temperature or a larger llm.max_new_tokens",
        )


def outcome_figures(table: pd.DataFrame) -> dict[str, Any]:
    """Return the stage's figures: shares over all rows, per step and per action (shared actions only), and counts of
    causes.
    """
    failed = table["next_text"].isna()
    fine = table[~failed]
    kept = pd.Series(
        [kept_words(a, b) for a, b in zip(fine["state_text"], fine["next_text"], strict=True)],
        index=fine.index,
        dtype=float,
    )
    genres = pd.Series(
        [
            Description.read(a).genres != Description.read(b).genres
            for a, b in zip(fine["state_text"], fine["next_text"], strict=True)
        ],
        index=fine.index,
        dtype=bool,
    )
    marks = pd.DataFrame(
        {
            "step": table["step"],
            "defect_rate": failed,
            "copy_rate": table["copied"],
            "no_op_rate": (kept >= NO_OP).reindex(table.index, fill_value=False),
            "genres_changed_rate": genres.reindex(table.index, fill_value=False),
        }
    )
    rates = list(marks.columns[1:])
    return {
        "rows": len(table),
        "anchors": int(table["anchor"].nunique()),
        **{name: float(marks[name].mean()) for name in rates},
        "kept_words": float(kept.mean()) if len(kept) else None,
        "new_tokens": int(table["tokens"].sum()),
        "causes": dict(Counter(table.loc[failed, "cause"]).most_common()),
        "by_step": {
            str(step): {"rows": len(rows), **{n: float(rows[n].mean()) for n in rates}}
            for step, rows in marks.groupby("step")
        },
        "by_action": {
            str(action): {name: round(float(rows[name].mean()), 4) for name in rates}
            for action, rows in marks.assign(action=table["action"]).groupby("action", sort=True)
            if len(rows) > 1
        },
    }
