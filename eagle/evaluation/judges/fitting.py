"""How the judges that params.yaml names are fitted, and how several of them judge the same texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from eagle.built_in.judges import JUDGES
from eagle.core.errors import user_error
from eagle.core.parts import load_part
from eagle.evaluation.judges.base import Judge, JudgeData


def fit_judges(kinds: Iterable[str], data: JudgeData) -> dict[str, Judge]:
    """Return the judges that ``evaluate.judges`` names, fitted, by the name under which metrics.json has their check.

    A class of one's own goes by its name without the module. Raises EagleError where two have one name.
    """
    judges: dict[str, Judge] = {}
    for kind in kinds:
        name = kind.rpartition(":")[2]
        if name in judges:
            raise user_error(
                f"two judges are called {name}", found=kind, mend="name each judge in evaluate.judges once"
            )
        judges[name] = load_part("judge", kind, JUDGES).fit(data)
    return judges


def judged_by_all(judges: Mapping[str, Judge], trajectories: pd.DataFrame, cases: pd.DataFrame) -> pd.DataFrame:
    """Return ``trajectories`` with every judge's columns, in the order of the judges.

    Raises EagleError where a judge does not give the columns that it names, or gives some that are there already.
    """
    judged = trajectories
    for name, judge in judges.items():
        columns = judge.judge(trajectories, cases)
        taken = sorted(set(judge.columns) & set(judged.columns))
        if taken:
            raise user_error(
                f"judge {name} gives columns that the trajectories have already",
                found=", ".join(taken),
                mend="give them names of their own, such as its name in front",
            )
        if tuple(columns.columns) != tuple(judge.columns) or not columns.index.equals(trajectories.index):
            raise user_error(
                f"judge {name} does not give one row of its columns for each row of the trajectories",
                found=f"{len(columns)} rows of {', '.join(map(str, columns.columns))}",
                expected=f"{len(trajectories)} rows of {', '.join(judge.columns)}, under the trajectories' index",
                mend="return pd.DataFrame({...}, index=trajectories.index)",
            )
        judged = pd.concat([judged, columns], axis=1)
    return judged
