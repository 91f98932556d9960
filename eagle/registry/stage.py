"""Stage register: all runs into MLflow, the agent into its registry, and the champion where it is beaten."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd

from eagle.config import Config
from eagle.core.artifacts import content_hash, write_json
from eagle.core.project import Project
from eagle.evaluation.arm import Arm, load_arms
from eagle.evaluation.bounds import outside
from eagle.evaluation.stored import read_trajectories
from eagle.registry.champion import CaseScores, Promotion, decide, scores_of, surroundings
from eagle.registry.runs import log_pipeline
from eagle.registry.store import Store, champion_version, download, open_store
from eagle.serving.agent_files import AgentFiles, borrowed_models, pack_agent
from eagle.serving.model import SIGNATURE
from eagle.serving.steer import Steerer

_PINNED = ("mlflow", "torch", "transformers", "peft", "pandas", "pyarrow", "pydantic", "safetensors")


def run(config: Config, project: Project) -> None:
    """Write reports/registration.json: the runs, the registered version, and the decision about the champion."""
    store = open_store(config.registry, project)
    parent, children = log_pipeline(config, project, store)
    trajectories = read_trajectories(project.trajectories)
    arm = best_arm(load_arms(project), trajectories)
    cases = trajectories[(trajectories["arm"] == arm.name) & (trajectories["step"] == 0)].sort_values("case")
    scores = scores_of(trajectories, arm, surroundings(config, project, cases))
    with tempfile.TemporaryDirectory() as folder:
        files = pack_agent(config, project, str(arm.start), Path(folder) / "agent")
        scores.save(files.root)
        before = champion_version(store.client, config.registry.model)
        version = _register(
            config, store, files, children[arm.name], {"user": scores.users[0], "item": scores.anchors[0]}
        )
        broken = outside(project, arm)
        decision = _against_champion(config, project, before, scores, cases, broken)
    made_by = {"arm": str(arm.start), "run": children[arm.name], "pipeline_run": parent}
    _record(config, project, store, version, before, decision, made_by, broken or "kept")


def best_arm(arms: Sequence[Arm], trajectories: pd.DataFrame) -> Arm:
    """Return the trained arm with the highest mean final U; the first one where they are level."""
    final = trajectories.sort_values("step").groupby(["arm", "case"])["utility"].last().groupby("arm").mean()
    return max((arm for arm in arms if arm.is_main), key=lambda arm: float(final[arm.name]))


def _register(config: Config, store: Store, files: AgentFiles, run_id: str, example: dict[str, str]) -> str:
    """Log the agent to its run as a model from code and register it; return the version."""
    mlflow.set_tracking_uri(store.uri)
    mlflow.set_registry_uri(store.uri)
    from importlib.metadata import version

    with mlflow.start_run(run_id=run_id):
        info = mlflow.pyfunc.log_model(
            name="agent",
            python_model=str(Path(__file__).parent / "model_code.py"),
            artifacts={"agent": str(files.root)},
            signature=SIGNATURE,
            input_example=(pd.DataFrame([example]), {"horizon": 1}),  # which MLflow tries: one change is enough
            pip_requirements=[f"{name}=={version(name).split('+')[0]}" for name in _PINNED],
            registered_model_name=config.registry.model,
        )
    return str(info.registered_model_version)


def _against_champion(
    config: Config, project: Project, champion: Any | None, scores: CaseScores, cases: pd.DataFrame, broken: str | None
) -> Promotion:
    if champion is None:
        return decide(scores, None, lambda: scores, config)
    folder = download(config.registry, project, f"models:/{config.registry.model}/{champion.version}")
    return decide(scores, CaseScores.load(folder), _replay(folder, config, project, scores, cases), config, broken)


def _replay(
    folder: Path, config: Config, project: Project, scores: CaseScores, cases: pd.DataFrame
) -> Callable[[], CaseScores]:
    """Let the champion's adapter play the new cases in the present environment, with the evaluation's seeds."""

    def play() -> CaseScores:
        champion = AgentFiles(folder, *borrowed_models(project))
        champion.check_borrowed()
        steerer = Steerer.open(config, project, champion.agent(champion.arm))
        pairs = list(zip(cases["user"], cases["anchor"], strict=True))
        found = steerer.steer(pairs, seed=config.seed)
        return CaseScores(scores.surroundings, scores.anchors, scores.users, [t.utility for t in found])

    return play


def _record(
    config: Config,
    project: Project,
    store: Store,
    version: str,
    before: Any | None,
    decision: Promotion,
    made_by: dict[str, str],
    bounds: str,
) -> None:
    name = config.registry.model
    if decision.moves:
        store.client.set_registered_model_alias(name, "champion", version)
    tags = {
        "eagle.decision": decision.reason,
        "eagle.bounds": bounds,
        "eagle.champion_before": str(before.version) if before else "none",
        "eagle.base_model": config.llm.model,
        "eagle.base_hash": content_hash(project.llm),
    }
    for key, value in tags.items():
        store.client.set_model_version_tag(name, version, key, value)
    write_json(
        project.registration,
        {
            "model": name,
            "version": version,
            **made_by,
            "champion": version if decision.moves else str(before.version) if before else None,
            "champion_before": str(before.version) if before else None,
            "decision": asdict(decision),
            "tracking_uri": config.registry.tracking_uri,
        },
    )
