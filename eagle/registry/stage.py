"""Stage register: all runs into MLflow, the agent into its registry, and the champion where it is beaten."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.metadata import version as package_version
from pathlib import Path

import mlflow
import pandas as pd
from mlflow.entities import LoggedModelOutput

from eagle.config import Config
from eagle.core.artifacts import content_hash, write_json
from eagle.core.project import Project
from eagle.data.stored import read_provenance
from eagle.domains.open import domain_of
from eagle.evaluation.stored import read_headline
from eagle.registry.answers import failures_told
from eagle.registry.champion import CaseScores, Promotion, bounds_text, decide
from eagle.registry.live.state import under_way
from eagle.registry.new_agent import NewAgent, best_agent
from eagle.registry.provenance import catalogue_hash, commit
from eagle.registry.run_log import RunLog
from eagle.registry.runs import PipelineRuns, log_pipeline
from eagle.registry.store import Store, champion_version, download, files_lost, open_store
from eagle.registry.traces import log_traces
from eagle.registry.turns import registering
from eagle.report.registration import Registration
from eagle.report.summary import markdown
from eagle.report.words import limits
from eagle.serving.agent_files import AgentFiles, borrowed_models, pack_agent
from eagle.serving.model import SIGNATURE
from eagle.serving.searching import own_search
from eagle.serving.steer import Steerer

_PINNED = ("mlflow", "torch", "transformers", "peft", "pandas", "pyarrow", "pydantic", "safetensors")


@dataclass(frozen=True)
class Registered:
    """A version of the registered model, and what was decided about it."""

    version: str
    before: str | None
    """The champion's version until now; None where there was none."""
    decision: Promotion

    @property
    def champion(self) -> str | None:
        """The champion's version from now on."""
        return self.version if self.decision.moves else self.before


@failures_told()
def run(config: Config, project: Project) -> None:
    """Write reports/registration.json: the runs, the registered version, and the decision about the champion.

    mlruns/registered.json says to DVC that the store has them.
    """
    store = open_store(config.registry, project)
    agent = best_agent(config, project)
    figures = read_headline(project.headline).get(agent.scored.name, {})
    runs = log_pipeline(config, project, store, under_way(config, project), figures)
    with registering(project):  # the champion that the agent is compared with stays it until the alias moves
        made = _decide_and_register(config, project, store, agent, runs)
    run_id = runs.of_arm[agent.arm.name]
    told = {"eagle.version": made.version, "eagle.champion": "yes" if made.decision.moves else "no"}
    RunLog(store, runs.parent).tags(told)
    log_traces(project, store, agent, run_id, config.registry.traces)
    Registration(
        model=config.registry.model,
        version=made.version,
        arm=agent.arm.start,
        run=run_id,
        pipeline_run=runs.parent,
        champion=made.champion,
        champion_before=made.before,
        decision=asdict(made.decision),
        tracking_uri=config.registry.tracking_uri,
    ).write(project)
    write_json(project.registered, {"model": config.registry.model})


def _decide_and_register(
    config: Config, project: Project, store: Store, agent: NewAgent, runs: PipelineRuns
) -> Registered:
    before = champion_version(store.client, config.registry.model)
    if before is not None and files_lost(store.client, config.registry.model, before, project):
        before = None  # nobody can open it, nor let it play
    decision = _against_champion(config, project, store, before, agent)  # before there is a version without it
    tags = _tags(config, project, agent, before, decision)
    made = Registered(_register(config, project, store, agent, runs, tags), before, decision)
    _describe(config, project, store, agent, made)
    return made


def _register(
    config: Config, project: Project, store: Store, agent: NewAgent, runs: PipelineRuns, tags: Mapping[str, str]
) -> str:
    """Log the agent to its arm's run as a model from code, show it on the pipeline's too, and register it; return the
    version, which begins with its tags.
    """
    mlflow.set_tracking_uri(store.uri)
    mlflow.set_registry_uri(store.uri)
    example = pd.DataFrame([{"user": agent.scores.users[0], "item": agent.scores.anchors[0]}])
    with tempfile.TemporaryDirectory() as folder, mlflow.start_run(run_id=runs.of_arm[agent.arm.name]):
        agent.scores.save(Path(folder) / "agent")
        files = pack_agent(config, project, str(agent.arm.start), Path(folder) / "agent")
        info = mlflow.pyfunc.log_model(
            name="agent",
            python_model=str(Path(__file__).parent / "model_code.py"),
            artifacts={"agent": str(files.root)},
            signature=SIGNATURE,
            input_example=(example, {"horizon": 1}),  # which MLflow tries: one change is enough
            pip_requirements=[f"{name}=={package_version(name).split('+')[0]}" for name in _PINNED],
        )
        made = mlflow.register_model(info.model_uri, config.registry.model, tags=dict(tags))
    store.client.log_outputs(runs.parent, [LoggedModelOutput(str(info.model_id), step=0)])
    return str(made.version)


def _against_champion(
    config: Config, project: Project, store: Store, champion: str | None, agent: NewAgent
) -> Promotion:
    """Compare the new agent with the ``champion``'s version, where there is one."""
    if champion is None:
        return decide(agent.scores, None, lambda: agent.scores, config)
    folder = download(f"models:/{config.registry.model}/{champion}", store.uri)
    AgentFiles(folder, *borrowed_models(project)).check_own()
    replay = partial(_replay, folder, config, project, agent)
    return decide(agent.scores, CaseScores.load(folder), replay, config, agent.broken)


def _replay(folder: Path, config: Config, project: Project, agent: NewAgent) -> CaseScores:
    """Let the champion's adapter play the new cases in the present environment, with the evaluation's seeds."""
    champion = AgentFiles(folder, *borrowed_models(project))
    champion.check()
    steerer = Steerer.open(config, project, champion.agent(champion.arm))
    pairs = list(zip(agent.cases["user"], agent.cases["anchor"], strict=True))
    if agent.searched:
        found = own_search(config, project, steerer).search(
            pairs, budget=config.evaluate.search.budget, seed=config.seed
        )
    else:
        found = steerer.steer(pairs, seed=config.seed)
    return replace(agent.scores, utility=[trajectory.utility for trajectory in found])


def _tags(config: Config, project: Project, agent: NewAgent, before: str | None, decision: Promotion) -> dict[str, str]:
    """Return what a registered version is told apart by."""
    return {
        "eagle.decision": decision.reason,
        "eagle.bounds": bounds_text(agent.broken),
        "eagle.champion_before": before or "none",
        "eagle.base_model": config.llm.model,
        "eagle.base_hash": content_hash(project.llm),
        "eagle.data_hash": catalogue_hash(project),
        "eagle.commit": commit(project) or "unknown",
    }


def _describe(config: Config, project: Project, store: Store, agent: NewAgent, made: Registered) -> None:
    """Write the page of the registered version, and move the alias where the agent wins."""
    name = config.registry.model
    store.client.update_model_version(name, made.version, model_card(config, project, agent, made))
    if made.decision.moves:
        store.client.set_registered_model_alias(name, "champion", made.version)


def model_card(config: Config, project: Project, agent: NewAgent, made: Registered) -> str:
    """Return what the version's page says, in Markdown: what it is, from which data, what was measured and decided."""
    source = read_provenance(project.catalogue_files.source)
    card = [
        f"# {agent.arm.label}, an EAGLE agent",
        f"A LoRA adapter over {config.llm.model} that steers texts of the catalogue {source['source']}. Seed "
        f"{config.seed}, commit {commit(project) or 'unknown'}.",
        f"**Decision:** {made.decision.reason}",
        f"**Bounds:** {bounds_text(agent.broken)}",
        f"**Data:** {source['source']}, hash {catalogue_hash(project)}. Licence: {source.get('licence', 'not stated')}",
        "## Held-out comparison",
        markdown(project),
        "## Limits",
        *(f"- {limit}" for limit in limits(domain_of(config).fields)),
    ]
    return "\n\n".join(card)
