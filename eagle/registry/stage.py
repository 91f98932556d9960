"""Stage register: all runs into MLflow, the agent into its registry, and the champion where it is beaten."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.metadata import version as package_version
from pathlib import Path

import mlflow
import pandas as pd

from eagle.config import Config
from eagle.core.artifacts import content_hash, write_json
from eagle.core.project import Project
from eagle.evaluation.arm import Arm, load_arms
from eagle.evaluation.bounds import BoundCheck, check_bounds, outside
from eagle.evaluation.stored import read_metrics, read_trajectories
from eagle.registry.champion import CaseScores, Promotion, bounds_text, decide, scores_of, surroundings
from eagle.registry.runs import log_pipeline
from eagle.registry.store import Store, champion_version, download, open_store
from eagle.serving.agent_files import AgentFiles, borrowed_models, pack_agent
from eagle.serving.model import SIGNATURE
from eagle.serving.steer import Steerer
from eagle.training.curves import read_curve

_PINNED = ("mlflow", "torch", "transformers", "peft", "pandas", "pyarrow", "pydantic", "safetensors")


@dataclass(frozen=True)
class NewAgent:
    """The best trained arm of this run, which stands for champion."""

    arm: Arm
    cases: pd.DataFrame
    """Its held-out cases in order: columns anchor, user."""
    scores: CaseScores
    broken: list[BoundCheck]
    """The bounds that it does not keep."""


def run(config: Config, project: Project) -> None:
    """Write reports/registration.json: the runs, the registered version, and the decision about the champion."""
    store = open_store(config.registry, project)
    runs = log_pipeline(config, project, store)
    agent = best_agent(config, project)
    before = champion_version(store.client, config.registry.model)
    version = _register(config, project, store, agent, runs.of_arm[agent.arm.name])
    decision = _against_champion(config, project, before, agent)
    _tag(config, project, store, version, before, decision, agent)
    champion = version if decision.moves else before
    write_json(
        project.registration,
        {
            "model": config.registry.model,
            "version": version,
            "arm": agent.arm.start,
            "run": runs.of_arm[agent.arm.name],
            "pipeline_run": runs.parent,
            "champion": champion,
            "champion_before": before,
            "decision": asdict(decision),
            "tracking_uri": config.registry.tracking_uri,
        },
    )


def best_agent(config: Config, project: Project) -> NewAgent:
    """Return the trained arm with the highest mean final U, with its scores and the bounds that it breaks."""
    trajectories = read_trajectories(project.trajectories)
    arm = best_arm(load_arms(project), trajectories)
    start = (trajectories["arm"] == arm.name) & (trajectories["step"] == 0)
    cases = trajectories.loc[start].sort_values("case")[["anchor", "user"]]
    scores = scores_of(trajectories, arm, surroundings(config, project, cases))
    figures, curve = read_metrics(project.metrics)[arm.name], read_curve(project.curve(str(arm.curve)))
    return NewAgent(arm, cases, scores, outside(check_bounds(config.registry.bounds, figures, curve)))


def best_arm(arms: Sequence[Arm], trajectories: pd.DataFrame) -> Arm:
    """Return the trained arm with the highest mean final U; the first one where they are level."""
    final = trajectories.sort_values("step").groupby(["arm", "case"])["utility"].last().groupby("arm").mean()
    return max((arm for arm in arms if arm.is_main), key=lambda arm: float(final[arm.name]))


def _register(config: Config, project: Project, store: Store, agent: NewAgent, run_id: str) -> str:
    """Log the agent to its run as a model from code and register it; return the version."""
    mlflow.set_tracking_uri(store.uri)
    mlflow.set_registry_uri(store.uri)
    example = pd.DataFrame([{"user": agent.scores.users[0], "item": agent.scores.anchors[0]}])
    with tempfile.TemporaryDirectory() as folder, mlflow.start_run(run_id=run_id):
        files = pack_agent(config, project, str(agent.arm.start), Path(folder) / "agent")
        agent.scores.save(files.root)
        info = mlflow.pyfunc.log_model(
            name="agent",
            python_model=str(Path(__file__).parent / "model_code.py"),
            artifacts={"agent": str(files.root)},
            signature=SIGNATURE,
            input_example=(example, {"horizon": 1}),  # which MLflow tries: one change is enough
            pip_requirements=[f"{name}=={package_version(name).split('+')[0]}" for name in _PINNED],
            registered_model_name=config.registry.model,
        )
    return str(info.registered_model_version)


def _against_champion(config: Config, project: Project, champion: str | None, agent: NewAgent) -> Promotion:
    """Compare the new agent with the ``champion``'s version, where there is one."""
    if champion is None:
        return decide(agent.scores, None, lambda: agent.scores, config)
    folder = download(config.registry, project, f"models:/{config.registry.model}/{champion}")
    replay = partial(_replay, folder, config, project, agent)
    return decide(agent.scores, CaseScores.load(folder), replay, config, agent.broken)


def _replay(folder: Path, config: Config, project: Project, agent: NewAgent) -> CaseScores:
    """Let the champion's adapter play the new cases in the present environment, with the evaluation's seeds."""
    champion = AgentFiles(folder, *borrowed_models(project))
    champion.check_borrowed()
    steerer = Steerer.open(config, project, champion.agent(champion.arm))
    pairs = list(zip(agent.cases["user"], agent.cases["anchor"], strict=True))
    found = steerer.steer(pairs, seed=config.seed)
    return replace(agent.scores, utility=[trajectory.utility for trajectory in found])


def _tag(
    config: Config,
    project: Project,
    store: Store,
    version: str,
    before: str | None,
    decision: Promotion,
    agent: NewAgent,
) -> None:
    """Write the decision beside the registered version, and move the alias where the agent wins."""
    name = config.registry.model
    if decision.moves:
        store.client.set_registered_model_alias(name, "champion", version)
    tags = {
        "eagle.decision": decision.reason,
        "eagle.bounds": bounds_text(agent.broken),
        "eagle.champion_before": before or "none",
        "eagle.base_model": config.llm.model,
        "eagle.base_hash": content_hash(project.llm),
    }
    for key, value in tags.items():
        store.client.set_model_version_tag(name, version, key, value)
