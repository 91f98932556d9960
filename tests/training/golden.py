"""The golden training curve: three short trainings of a tiny model whose every figure is on record.

Each is in float32 on one thread: a reference, an all-action training from it, and two on-policy updates (more draws
would make it likely that rounding changes one of them somewhere, and with it all that follows).

``python -m tests.training.golden`` records the curve anew. Do that on purpose only: when the method was changed, or
after an update of the packages named in the file, once the old curve is seen to hold with the old ones.
"""

from __future__ import annotations

import json
import platform
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from eagle.compute.beside import one_thread
from eagle.config import LoraSettings, OnPolicyPhase
from eagle.core.project import Project
from eagle.policies.lora import LoraPolicy
from eagle.training import reference, stage
from eagle.training.curves import read_curve
from eagle.training.on_policy import OnPolicy
from tests.tiny import build_tiny_llm
from tests.training.paying import Counting, Place, rules
from tests.training.project_files import build_project, config

RECORD = Path(__file__).with_name("golden_curve.json")
#: What draws or adds up the numbers: random bits, arithmetic, the model's layers and what its tokens are.
PACKAGES = ("torch", "numpy", "transformers", "tokenizers", "peft")

Rows = list[dict[str, Any]]


def versions() -> dict[str, str]:
    """Return the versions that the curve was, or would be, recorded with; of packages without the build's name."""
    return {name: version(name).split("+")[0] for name in PACKAGES} | {"python": platform.python_version()}


def on_policy_rows(folder: Path) -> Rows:
    """Train two updates in an environment that pays for a letter."""
    base = build_tiny_llm(folder / "llm")
    LoraPolicy.create(base, LoraSettings(rank=4), 0).save(folder / "reference")
    policy = LoraPolicy.load(base, folder / "reference", trainable=True)
    settings = OnPolicyPhase(updates=2, episodes=8, rollouts_per_pair=4, learning_rate=2e-3)
    cases: Any = [Place(0)]
    environment: Any = Counting()
    phase = OnPolicy(settings, environment, rules(), cases, policy, kl_coefficient=0.1, gamma=1.0, seed=3)
    return [{"update": number + 1, **phase.update(number)[0]} for number in range(settings.updates)]


def curves(folder: Path) -> dict[str, Rows]:
    """Train in ``folder`` and return the curves, a row for each update."""
    with one_thread():  # how many threads share a sum changes its last digits
        project: Project = build_project(folder / "project")
        reference.run(config(), project, "g_optimal")
        stage.run(config(), project, "g_optimal")
        found = {
            "reference": read_curve(project.curve("reference_g_optimal")),
            "all_action": read_curve(project.curve("train_g_optimal")),
            "on_policy": pd.DataFrame(on_policy_rows(folder)),
        }
    return {name: json.loads(table.to_json(orient="records", double_precision=8)) for name, table in found.items()}


def main() -> None:
    """Record the curve."""
    with tempfile.TemporaryDirectory() as folder:
        found = {"versions": versions(), "curves": curves(Path(folder))}
    RECORD.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
