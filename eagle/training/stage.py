"""Stage train@{arm}: EAGLE, trained from one reference policy.

1. Follows the paper: the policy starts as a copy of its reference and maximises E[U(E_D(x_H))] - alpha KL(pi ||
   pi_ref).
2. Differs: training is a list of phases (params.yaml: train.phases); the default one takes the gradient over all listed
   actions of cached states, the paper's REINFORCE with value baseline and GAE is the phase on_policy and runs alone or
   after it.
3. Differs: killed training goes on from its last checkpoint with the identical result.

Several processes may share each update (train.processes, :mod:`eagle.compute.parallel`), which changes the rounding of
sums alone.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import cache, partial

import pandas as pd

from eagle.compute.devices import placement
from eagle.compute.parallel import Parallel
from eagle.compute.processes import launch
from eagle.compute.sharding import open_workers
from eagle.config import AllActionPhase, Config, Phase, SelectionPhase, with_seed_of
from eagle.core.artifacts import content_hash, hash_of, write_table
from eagle.core.project import Project
from eagle.core.seeding import derive_seed, stream
from eagle.engine.identity import code_behind
from eagle.environment.sharded import OpenRewriter
from eagle.latent.base import Utility
from eagle.policies.lora import LoraPolicy
from eagle.training.all_action import AllAction
from eagle.training.checkpoint import Progress
from eagle.training.curves import write_curve
from eagle.training.decisions import Decision, DecisionSource, Used
from eagle.training.records import Row
from eagle.training.reference import save_policy
from eagle.training.setup import Training, TrainingData, load_training_data
from eagle.training.trainer import RunningPhase, Trainer, no_figures
from eagle.training.watch import Watch

#: Users per validation anchor in the figures taken at checkpoints.
WATCHED_USERS = 4


def run(config: Config, project: Project, arm: str) -> None:
    """Train one arm; write its adapter, its curve and its sample records."""
    launch(partial(train, config, project.resolved(), arm), config.train.processes, config.llm.device)


def train(config: Config, project: Project, arm: str, parallel: Parallel) -> None:
    """Train as one of the processes that train together; the main one writes."""
    config, start = with_seed_of(config, arm)
    material = load_training_data(config.utility, project)
    policy = LoraPolicy.load(project.llm, project.reference(arm), trainable=True, **placement(config.llm))
    seed = derive_seed(config.seed, "train", start)
    watch: Callable[[], Row] = no_figures
    if parallel.main:
        watch = Watch(policy, _held_out(config, material, seed), config.train.temperature, seed)
    with ExitStack() as stack:
        # All phases share the workers, which are opened when the first of them starts to play.
        workers = cache(lambda: stack.enter_context(open_workers(config.llm, OpenRewriter(config, project.resolved()))))
        training = Training(config, project, material, policy, workers, parallel)
        phases = [
            _starter(phase, training, derive_seed(seed, "phase", number))
            for number, phase in enumerate(config.train.phases)
        ]
        checkpoints = project.unfinished(f"train_{arm}_{checkpoint_key(config, project, arm)}")
        trainer = Trainer(phases, checkpoints, config.train.checkpoint_every, watch, parallel)
        log = trainer.run()
    if parallel.main:
        _write(policy, log, project, arm)
        trainer.clean()


def _write(policy: LoraPolicy, log: Progress, project: Project, arm: str) -> None:
    save_policy(policy, project.agent(arm), name=arm, kind="eagle", reference=content_hash(project.reference(arm)))
    write_curve(project.curve(f"train_{arm}"), pd.DataFrame(log.rows or [{"update": 0}]))
    columns = ["update", "phase", "anchor", "user", "step", "prompt", "action", "probability", "value", "text", "cause"]
    samples = pd.DataFrame(log.samples, columns=columns).astype({"text": "string", "cause": "string"})
    write_table(project.training_samples(arm), samples, "training_samples")


def checkpoint_key(config: Config, project: Project, arm: str) -> str:
    """Hash of inputs, parameters and code: a checkpoint of others is never taken up."""
    inputs = [
        project.llm,
        project.actions,
        project.transitions,
        project.design,
        project.profiles,
        project.encoder,
        project.reference(arm),
        *([project.quality] if any(isinstance(phase, SelectionPhase) for phase in config.train.phases) else []),
    ]
    named = ("data", "domain", "train", "reference", "utility", "llm", "quality")
    sections = [getattr(config, name) for name in named]
    decisive = [section.decisive() for section in sections]
    return hash_of([config.seed, *decisive, *map(content_hash, inputs), code_behind(__name__, *sections)])


def _used(config: Config) -> Used:
    if config.train.repeat_actions:
        return "open"
    return "named" if config.reference.history else "left_out"


def _utility(phase: AllActionPhase, material: TrainingData) -> Utility:
    """Return what this phase values actions by: U of the tastes that profiles tell, or of the users' own."""
    return material.utility_by_profile() if phase.taste == "profile" else material.utility


def _source(
    config: Config, phase: AllActionPhase, material: TrainingData, split: str, utility: Utility
) -> DecisionSource:
    """Return the decisions of a split as this phase takes them, valued by ``utility``."""
    return material.source(
        split,
        utility,
        single_cell_weight=phase.single_cell_weight,
        horizon=config.train.horizon,
        lookahead=phase.lookahead,
        used=_used(config),
        most_named=config.reference.history,
    )


def _held_out(config: Config, material: TrainingData, seed: int) -> list[Decision]:
    """Return decisions at validation anchors for a few validation users each, valued by what was seen there in one
    step and by the users' own tastes, whatever the training values by.
    """
    if not len(material.validation_steps) or not material.users["validation"]:
        return []
    source = _source(config, AllActionPhase(lookahead=1), material, "validation", material.utility)
    rng = stream(seed, "validation")
    users = [source.users[i] for i in rng.permutation(len(source.users))[:WATCHED_USERS]]
    return [source.first(anchor, user) for user in users for anchor in source.anchors]


def _starter(phase: Phase, training: Training, seed: int) -> Callable[[], RunningPhase]:
    material = training.material
    if isinstance(phase, AllActionPhase):
        return lambda: AllAction(
            phase,
            _source(training.config, phase, material, "train", _utility(phase, material)),
            training.policy,
            kl_coefficient=training.config.train.kl_coefficient,
            seed=seed,
            parallel=training.parallel,
        )
    # The environment and its encoder are opened only by the phases that play.
    from eagle.training.start import start_on_policy, start_selection

    if isinstance(phase, SelectionPhase):
        source = _source(training.config, AllActionPhase(), material, "train", material.utility)
        return lambda: start_selection(phase, replace(source, horizon=1), training, seed)
    return lambda: start_on_policy(phase, training, seed)
