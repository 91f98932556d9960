"""An arm of the comparison as a record, and the one list of the arms of a run.

Names stand in tables (column ``arm``) and as keys of metrics.json. Nobody takes a name apart: what an arm is stands in
its record, and reports/arms.json keeps the records of the last run for everything that comes after the evaluation.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal

from eagle.built_in.methods import RULES
from eagle.config import Config, seeded
from eagle.core.artifacts import read_json, write_json
from eagle.core.errors import user_error
from eagle.core.project import Project
from eagle.methods.rollout import ANCHOR

Kind = Literal["anchor", "rule", "reference", "eagle", "elsewhere", "macro", "search", "method"]
Mode = Literal["free", "listed"]

LINEAR, LINEAR_ONCE = "linear_rule", "linear_rule_once"
REFERENCE_LABELS = {"uniform": "uniform", "optimistic": "optimistic", "g_optimal": "G-optimal"}
VERSION = 1  # of reports/arms.json


@dataclass(frozen=True)
class Arm:
    """One row of the comparison."""

    name: str
    """What tables and metrics call it."""
    kind: Kind
    """anchor: the unchanged item. rule: no language model acts. reference: a policy before training. eagle: a trained
    one. elsewhere: a trained one in another environment. macro: all of its actions in one call. search: several texts
    are asked for and the best is kept. method: any other."""
    start: str | None
    """Reference that a language-model policy is or was trained from, also of one that is searched with; None where
    there is none."""
    mode: Mode
    """free: it writes its own actions. listed: it takes actions of the list."""
    label: str
    """What a reader calls it."""
    budget: int
    """Texts that it may ask of the environment for one case."""

    @property
    def is_main(self) -> bool:
        """Whether it is a trained policy as it is meant to be used: in its own environment, writing freely."""
        return self.kind == "eagle" and self.mode == "free"

    @property
    def searches_with_eagle(self) -> bool:
        """Whether it asks a trained policy for several texts and keeps the best."""
        return self.kind == "search" and self.start is not None

    @property
    def curve(self) -> str | None:
        """Name of its learning curve below reports/curves; None where it learned nothing of its own."""
        if self.kind == "reference":
            return f"reference_{self.start}"
        return f"train_{self.start}" if self.is_main else None


def anchor_arm() -> Arm:
    """Return the arm that changes nothing."""
    return Arm(ANCHOR, "anchor", None, "free", "Anchor (unchanged)", 0)


def rule_arms(horizon: int) -> list[Arm]:
    """Return the arms without a language model; ``horizon`` is H, changes per episode."""
    arms = [Arm(name, "rule", None, "listed", rule.label, horizon) for name, rule in RULES.items()]
    once = Arm(LINEAR_ONCE, "rule", None, "listed", "Linear rule, one change", 1)
    place = list(RULES).index(LINEAR)
    return [*arms[:place], once, *arms[place:]]


def reference_arm(start: str, horizon: int) -> Arm:
    """Return the arm of one reference policy."""
    return Arm(f"reference_{start}", "reference", start, "free", f"Reference, {_shown(start)}", horizon)


def eagle_arm(start: str, horizon: int, mode: Mode = "free") -> Arm:
    """Return the arm of the policy that was trained from the reference ``start``."""
    if mode == "listed":
        return Arm(f"eagle_{start}_listed", "eagle", start, mode, f"EAGLE, {_shown(start)}, listed only", horizon)
    return Arm(f"eagle_{start}", "eagle", start, mode, f"EAGLE, {_shown(start)}", horizon)


def elsewhere_arm(start: str, horizon: int) -> Arm:
    """Return the arm of a trained policy in another environment."""
    label = f"EAGLE, {_shown(start)}, other environment"
    return Arm(f"elsewhere_{start}", "elsewhere", start, "free", label, horizon)


def macro_arm(start: str) -> Arm:
    """Return the arm that applies all actions of a trained policy's episode in one call."""
    return Arm(f"macro_{start}", "macro", start, "free", f"EAGLE, {_shown(start)}, all actions at once", 1)


def policy_arms(config: Config) -> list[Arm]:
    """Return the arms in which a language model acts in its own environment: references, then each trained policy."""
    horizon, found = config.evaluate.horizon, []
    found += [reference_arm(start, horizon) for start in config.reference.names]
    for start in config.train.arms:
        found.append(eagle_arm(start, horizon))
        found += [eagle_arm(start, horizon, "listed")] if config.evaluate.listed_arms else []
    return found


def condition_arms(config: Config) -> list[Arm]:
    """Return the arms of trained policies under other conditions, where ``evaluate`` asks for them."""
    settings, found = config.evaluate, []
    for start in config.train.arms:
        if settings.other_model is not None or settings.other_temperature is not None:
            found.append(elsewhere_arm(start, settings.horizon))
        found += [macro_arm(start)] if settings.macro else []
    return found


def arms_of(config: Config, methods: Iterable[Arm] = ()) -> tuple[Arm, ...]:
    """Return all arms of a run in the order of its tables; ``methods`` are further ones, which come last."""
    rules, policies = rule_arms(config.evaluate.horizon), policy_arms(config)
    return (anchor_arm(), *rules, *policies, *condition_arms(config), *methods)


def proposer_arms(config: Config) -> list[Arm]:
    """Return the arms whose language models propose listed actions to searches; no table has them."""
    found = []
    for start in config.train.arms:
        for arm in (reference_arm(start, 1), eagle_arm(start, 1)):
            found.append(replace(arm, name=f"{arm.name}_proposes", mode="listed"))
    return found


def reference_of(arm: Arm, arms: Iterable[Arm]) -> Arm | None:
    """Return the arm that a trained policy started from; None for all others, and where it was not run."""
    if arm.kind != "eagle":
        return None
    return next((one for one in arms if one.kind == "reference" and one.start == arm.start), None)


def belongs_to(stage: str, arms: Iterable[Arm]) -> bool:
    """Say whether an instance of a stage, such as train@uniform, made one of ``arms``; files of earlier runs did not.

    A stage that has no instances belongs to all of them.
    """
    name, _, start = stage.partition("@")
    kinds = {"train": "eagle", "reference": "reference"}
    return not start or any(arm.kind == kinds.get(name) and arm.start == start for arm in arms)


def search_of(arm: Arm, arms: Iterable[Arm]) -> Arm | None:
    """Return the arm that searches with a trained policy; None where none was run."""
    return next((one for one in arms if one.searches_with_eagle and one.start == arm.start), None)


def write_arms(project: Project, arms: Sequence[Arm]) -> None:
    """Write reports/arms.json."""
    write_json(project.arms, {"version": VERSION, "arms": [asdict(arm) for arm in arms]})


def load_arms(project: Project) -> tuple[Arm, ...]:
    """Return the arms of the last evaluation; EagleError where there was none, or it wrote another form."""
    found = read_json(project.arms)
    if found.get("version") != VERSION:
        raise user_error(
            f"{project.arms} is not what this step reads",
            found=f"version {found.get('version', '-')}",
            expected=f"version {VERSION}",
            mend="run `dvc repro` to make it anew with this version of the project",
        )
    return tuple(Arm(**entry) for entry in found["arms"])


def _shown(start: str) -> str:
    imitated, seed = seeded(start)
    label = REFERENCE_LABELS.get(imitated, imitated)
    return label if seed is None else f"{label}, seed {seed}"
