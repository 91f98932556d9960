"""The forecast of ``eagle check --plan``: seconds, tokens and memory of every stage, before anything is spent."""

from __future__ import annotations

import math
from pathlib import Path

from eagle.config import Config
from eagle.core.project import Project
from eagle.plan.prices import TARGETS, WRITTEN, Costs, Priced, cost, unpriced
from eagle.plan.work import Sizes, Work, work_of

BYTES_PER_PARAMETER = 2  # bfloat16
BY_MODEL_SIZE = frozenset(
    {WRITTEN, "prompts imitated", "actions imitated", "actions weighed", "actions scored once", "steps played"}
)
"""Terms of seconds that grow with the language model."""


def parameters_of(folder: Path) -> int:
    """Return how many parameters the language model in a folder has, 0 where none is there."""
    from safetensors import safe_open

    count = 0
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, framework="numpy") as weights:
            count += sum(math.prod(weights.get_slice(name).get_shape()) for name in weights.keys())  # noqa: SIM118
    return count


def forecast(config: Config, sizes: Sizes, priced: Priced, parameters: int = 0) -> dict[str, Costs]:
    """Return what every stage will cost, by its full name.

    ``parameters`` of the language model (0: as in the fit) scale its terms. Workers on a cluster share the writing;
    those on this machine share its cores, and are not counted.
    """
    ratio = parameters / priced.parameters if parameters else 1.0
    prices = priced.prices | {
        "seconds": {n: p * (ratio if n in BY_MODEL_SIZE else 1.0) for n, p in priced.prices["seconds"].items()}
    }
    found = {}
    for name, work in work_of(config, sizes).items():
        costs = cost(work, prices)
        written = costs["new_tokens"] * prices["seconds"].get(WRITTEN, 0.0)
        costs["seconds"] -= written * (1 - 1 / _writers(config, work))
        if work.new_tokens or BY_MODEL_SIZE & work.seconds.keys():
            costs["peak_memory_mib"] += (ratio - 1) * priced.parameters * BYTES_PER_PARAMETER / 2**20
        found[name] = costs
    return found


def _writers(config: Config, work: Work) -> int:
    """Return how many workers have something to write at once."""
    shared = 1 if config.llm.on_one_machine else config.llm.workers
    return max(1, min(shared, math.ceil(work.together / config.llm.shard_rows)))


def forecast_lines(config: Config, project: Project) -> list[str]:
    """Return the forecast as lines: a table of all stages, its sums, and what it rests on."""
    priced, sizes = Priced.shipped(), Sizes.of(config, project)
    parameters = parameters_of(project.llm)
    stages = forecast(config, sizes, priced, parameters)
    rows: list[tuple[str, ...]] = [("stage", "time", "tokens written", "tokens read", "memory")]
    rows += [(name, *_told(costs)) for name, costs in stages.items()]
    sums = {target: sum(costs[target] for costs in stages.values()) for target in TARGETS}
    rows.append(
        ("all stages", *_told(sums | {"peak_memory_mib": max(costs["peak_memory_mib"] for costs in stages.values())}))
    )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))])
        for row in rows
    ]
    return [*lines, "", *_grounds(config, sizes, priced, parameters)]


def _grounds(config: Config, sizes: Sizes, priced: Priced, parameters: int) -> list[str]:
    off = ", ".join(f"{name} {error:.0%}" for name, error in priced.error.items())
    lines = [
        f"catalogue: {sizes.items:,} items, {sizes.users:,} users, {sizes.ratings:,} ratings",
        f"prices: {len(priced.paces)} runs, at the pace of {priced.machine}",
        f"off on settings left out of the fit (medians): {off}"
        if off
        else "error: not known, all runs had one setting",
    ]
    if parameters:
        lines.append(
            f"language model: {parameters / 1e6:,.0f} million parameters, {parameters / priced.parameters:.2g} times "
            f"those of the fit"
        )
    missing = unpriced(work_of(config, sizes), priced.prices)
    if missing:
        lines.append(f"in no measured run, so missing above: {', '.join(missing)}")
    return lines


def _told(costs: Costs) -> tuple[str, ...]:
    memory = f"{costs['peak_memory_mib'] / 1024:.1f} GiB"
    return _time(costs["seconds"]), f"{costs['new_tokens']:,.0f}", f"{costs['prompt_tokens']:,.0f}", memory


def _time(seconds: float) -> str:
    for unit, length in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:,.1f} {unit}"
    return f"{seconds:.1f} s"
