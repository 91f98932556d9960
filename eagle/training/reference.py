"""Stage reference@{uniform,optimistic,g_optimal}: the policies that EAGLE starts from and stays near to.

1. Follows the paper (Sec. 4.3): pi_ref(.|x) = q(x), learnt by supervised fine-tuning with cross-entropy on the action
   text, for q uniform over all K actions, optimistic (the action of best next-step value) or the anchor's G-optimal
   design.
2. Differs: the cross-entropy is taken over all actions of a prompt at once, weighted by q (a uniform q over at most
   ``reference.actions`` of them), instead of over single samples, so that tens of updates do what 20,000 sampled ones
   did.
3. Differs: prompts of later steps name the actions already used; these get no weight in the target, so that free text
   does not repeat.
4. "Best" means utility by default and predicted rating on demand (the paper says both, reference.optimistic_by).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from eagle.actions.stored import read_design
from eagle.compute.devices import placement
from eagle.config import Config, with_seed_of
from eagle.core import live
from eagle.core.artifacts import complete_or_absent
from eagle.core.progress import track
from eagle.core.project import Project
from eagle.core.seeding import derive_seed, stream
from eagle.policies.lora import LoraPolicy
from eagle.training.curves import write_curve
from eagle.training.decisions import Decision, DecisionSource
from eagle.training.imitation import imitate
from eagle.training.optimizer import Descent, adamw, warm
from eagle.training.records import Row
from eagle.training.setup import load_training_data

#: Updates of linear warm-up.
WARMUP = 2


def target(name: str, decision: Decision, weights: Mapping[tuple[str, str], float]) -> np.ndarray:
    """Return q over the listed actions ``(K,)``; used actions get nothing.

    ``weights``: (anchor, action) -> design weight.
    """
    if name == "optimistic":
        chosen = np.zeros(len(decision.actions))
        chosen[int(np.where(decision.unused, decision.values, -np.inf).argmax())] = 1.0
        return chosen
    mass = decision.unused.astype(float)
    if name == "g_optimal":
        design = mass * [weights.get((decision.state.anchor, a), 0.0) for a in decision.actions]
        mass = design if design.sum() > 0 else mass
    return mass / mass.sum()  # type: ignore[no-any-return]


def thinned(target: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    """Return a target ``(K,)`` over at most ``most`` actions whose expectation is ``target``: systematic draws, in
    random order.

    A target over so few actions stays as it is, and so does every target where ``most`` is 0.
    """
    support = rng.permutation(np.flatnonzero(target > 0))
    if not most or len(support) <= most:
        return target
    marks = (np.arange(most) + rng.random()) / most
    drawn = support[
        np.searchsorted(np.cumsum(target[support]), marks * target.sum(), side="right").clip(max=len(support) - 1)
    ]
    counts: np.ndarray = np.bincount(drawn, minlength=len(target)) / most
    return counts


def fine_tune(
    policy: LoraPolicy,
    source: DecisionSource,
    name: str,
    weights: Mapping[tuple[str, str], float],
    config: Config,
) -> list[Row]:
    """Run the supervised updates; return the curve's rows."""
    settings = config.reference
    descent = Descent(adamw(policy.parameters(), settings.learning_rate), policy.usage, settings.prompts)
    rows = []
    for update in track(range(settings.updates), f"reference {name}", unit="update"):
        decisions = source.sample(stream(config.seed, "reference", name, update), settings.prompts)
        rng = stream(config.seed, "reference", name, update, "actions")
        wanted = [target(name, d, weights) for d in decisions]
        targets = [thinned(q, settings.actions, rng) for q in wanted]
        policy.seed_dropout(derive_seed(config.seed, "reference", name, update))
        loss = imitate(policy, decisions, targets, descent)
        norm = descent.step(warm(settings.learning_rate, update, WARMUP))
        least = np.mean([-(q[q > 0] * np.log(q[q > 0])).sum() for q in wanted])
        row = {"loss": loss, "excess": loss - float(least), "gradient_norm": norm}
        live.figures(update + 1, row)
        rows.append({"update": update + 1, **row})
    return rows


def run(config: Config, project: Project, name: str) -> None:
    """Train one reference policy and write its adapter and curve."""
    config, imitated = with_seed_of(config, name)
    settings = config.reference
    material = load_training_data(config.utility, project)
    utility = material.utility.preference_only() if settings.optimistic_by == "rating" else material.utility
    source = material.source(
        "train",
        utility,
        single_cell_weight=settings.single_cell_weight,
        horizon=settings.history + 1,
        lookahead=1,
        used="named" if settings.history else "open",
    )
    seed = derive_seed(config.seed, "reference", imitated, "adapter")
    policy = LoraPolicy.create(project.llm, settings.lora, seed, **placement(config.llm))
    weights = read_design(project.design_weights) if imitated == "g_optimal" else {}
    rows = fine_tune(policy, source, imitated, weights, config)
    save_policy(policy, project.reference(name), name=name, kind="reference")
    write_curve(project.curve(f"reference_{name}"), pd.DataFrame(rows))


def save_policy(policy: LoraPolicy, folder: Path, **note: Any) -> None:
    """Write an adapter folder, complete or not at all."""
    with complete_or_absent(folder) as draft:
        policy.save(draft, **note)
