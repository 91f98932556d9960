"""The forecast of ``eagle check --plan``: seconds, tokens and memory of every stage, before anything is spent."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from eagle.config import Config
from eagle.core.project import Project
from eagle.plan.finished import TARGETS, Costs, Finished, last_run
from eagle.plan.sizes import Sizes
from eagle.plan.work import Work, work_of

BYTES_PER_PARAMETER = 2  # bfloat16
START_MIB, MODEL_MIB = 190.0, 1_100.0  # memory of a stage that does next to nothing, without and with the model [M]


def parameters_of(folder: Path) -> int:
    """Return how many parameters the language model in a folder has, 0 where none is there."""
    from safetensors import safe_open

    count = 0
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, framework="numpy") as weights:
            count += sum(math.prod(weights.get_slice(name).get_shape()) for name in weights.keys())  # noqa: SIM118
    return count


def forecast(config: Config, sizes: Sizes, run: Finished, parameters: int = 0) -> tuple[dict[str, Costs], list[str]]:
    """Return what every stage will cost, scaled from a finished run, and what that run does not tell.

    ``parameters`` of the language model (0: as in that run) scale its stages. Workers on a cluster share the writing;
    those on this machine share its cores, and are not counted.
    """
    grown = parameters - run.parameters if parameters and run.parameters else 0
    stages, missing = {}, []
    for name, work in work_of(config, sizes).items():
        kind = run.same_kind(name)
        costs, then = (run.costs[kind], run.work[kind]) if kind else (dict.fromkeys(TARGETS, 0.0), Work())
        missing += [name] if kind is None else []
        stages[name] = _scaled(costs, then, work)
        if work.written and not then.written:
            _lend_texts(stages[name], run, work)
        if work.written:
            stages[name]["seconds"] /= _writers(config)
        if work.written or costs["prompt_tokens"]:
            stages[name]["seconds"] *= 1 + grown / (run.parameters or 1)
            stages[name]["peak_memory_mib"] += grown * BYTES_PER_PARAMETER / 2**20
    return stages, missing


def _writers(config: Config) -> int:
    return 1 if config.llm.on_one_machine else config.llm.workers


def _scaled(costs: Costs, then: Work, now: Work) -> Costs:
    rest = max(0.0, costs["peak_memory_mib"] - (MODEL_MIB if costs["prompt_tokens"] else START_MIB))
    return {
        "seconds": costs["seconds"] * now.time / then.time,
        "peak_memory_mib": costs["peak_memory_mib"] + rest * (now.at_once / then.at_once - 1),
        "prompt_tokens": costs["prompt_tokens"] * _ratio(now.read, then.read),
        "new_tokens": costs["new_tokens"] * _ratio(now.written, then.written),
    }


def _ratio(now: float, then: float) -> float:
    return now / then if then else 0.0


def _lend_texts(costs: Costs, run: Finished, work: Work) -> None:
    """Let a stage that wrote nothing in that run write as the transitions did."""
    texts, then = run.costs["transitions"], run.work["transitions"]
    costs["new_tokens"] += texts["new_tokens"] * work.written / then.written
    if not costs["prompt_tokens"]:
        costs["prompt_tokens"] = texts["prompt_tokens"] * work.read / then.read
    costs["peak_memory_mib"] = max(costs["peak_memory_mib"], texts["peak_memory_mib"])


def forecast_lines(config: Config, project: Project) -> list[str]:
    """Return the forecast as lines: a table of all stages, its sums, and what it was scaled from."""
    run, sizes, parameters = last_run(project), Sizes.of(config, project), parameters_of(project.llm)
    stages, missing = forecast(config, sizes, run, parameters)
    lines = [*_table(stages), "", f"catalogue: {sizes.items:,} items, {sizes.users:,} users, {sizes.ratings:,} ratings"]
    lines.append(f"scaled from: {run.name}")
    if parameters and run.parameters:
        times = parameters / run.parameters
        lines.append(f"language model: {parameters / 1e6:,.0f} million parameters, {times:.2g} times those of that run")
    return lines + ([f"not in that run, so missing above: {', '.join(missing)}"] if missing else [])


def _table(stages: Mapping[str, Costs]) -> list[str]:
    rows = [("stage", "time", "tokens written", "tokens read", "memory")]
    rows += [_row(name, costs) for name, costs in stages.items()]
    sums = {target: sum(costs[target] for costs in stages.values()) for target in TARGETS}
    most = max(costs["peak_memory_mib"] for costs in stages.values())
    rows.append(_row("all stages", sums | {"peak_memory_mib": most}))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))])
        for row in rows
    ]


def _row(name: str, costs: Costs) -> tuple[str, str, str, str, str]:
    memory = f"{costs['peak_memory_mib'] / 1024:.1f} GiB"
    return name, _time(costs["seconds"]), f"{costs['new_tokens']:,.0f}", f"{costs['prompt_tokens']:,.0f}", memory


def _time(seconds: float) -> str:
    for unit, length in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:,.1f} {unit}"
    return f"{seconds:.1f} s"
