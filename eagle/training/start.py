"""Open what the phases on_policy and selection need: the environment, its cases, the rules of an episode."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from eagle.actions.stored import read_design
from eagle.config import AllActionPhase, Config, OnPolicyPhase, SelectionPhase
from eagle.core.project import Project
from eagle.data.descriptions import Descriptions
from eagle.environment.sharded import ShardedRewriter
from eagle.environment.steering import Case, Observation, SteeringEnvironment
from eagle.latent.encoders import load_encoder
from eagle.latent.text_utility import TextUtility
from eagle.policies.acting import observed_prompt
from eagle.policies.exploring import by_design, evenly
from eagle.quality.stored import load_gates
from eagle.training.decisions import DecisionSource
from eagle.training.on_policy import OnPolicy
from eagle.training.rollouts import Rules
from eagle.training.selection import AskEnvironment, Selection
from eagle.training.setup import Training, TrainingData


def training_cases(project: Project, material: TrainingData) -> list[Case]:
    """Return every (training anchor, training user) as a case; the anchors are those with cached transitions."""
    texts = Descriptions.load(project.descriptions).texts
    anchors = material.candidates.anchors("train")
    return [
        Case(0, anchor, user, texts[anchor], material.latent.years.get(anchor))
        for anchor in anchors
        for user in material.users["train"]
    ]


def episode_rules(config: Config, phase: OnPolicyPhase, project: Project, material: TrainingData) -> Rules:
    """Return how episodes are played under these parameters."""

    def prompt(observation: Observation) -> str:
        most, repeat = config.reference.history, config.train.repeat_actions
        return observed_prompt(material.profiles, observation, most, repeat=repeat)

    return Rules(
        prompt=prompt,
        actions=material.candidates.of,
        explore=by_design(read_design(project.design_weights)) if phase.explore == "design" else evenly,
        temperature=config.train.temperature,
        epsilon=phase.epsilon,
        repeat=config.train.repeat_actions,
        horizon=config.train.horizon,
    )


def best_returns(config: Config, material: TrainingData) -> Callable[[str, str], float]:
    """Return the function that gives the return of the best plan of listed actions at an anchor for a user, valued
    by the user's own z_u as the environment's rewards are.

    Plans are as deep as an episode, but for :data:`eagle.training.action_values.DEEPEST`.
    """
    horizon, repeat = config.train.horizon, config.train.repeat_actions
    weight = AllActionPhase().single_cell_weight
    source = material.source(
        "train",
        material.utility,
        single_cell_weight=weight,
        horizon=horizon,
        lookahead=horizon,
        used="open" if repeat else "left_out",
    )

    @cache
    def best(anchor: str, user: str) -> float:
        decision = source.first(anchor, user)
        start = source.values.utility(decision.state.vector[None], user)[0] if config.train.reward == "step" else 0.0
        return float(decision.stakes.max() - start)

    return best


def open_environment(training: Training) -> SteeringEnvironment:
    """Open the encoder and return the environment; its language model is on the workers (:class:`OpenRewriter`)."""
    config, project = training.config, training.project
    return SteeringEnvironment(
        ShardedRewriter(training.workers(), config.llm.shard_rows),
        load_encoder(project.encoder, project.text_model, remember=False),
        training.material.utility,
        reward=config.train.reward,
    )


def start_selection(phase: SelectionPhase, source: DecisionSource, training: Training, seed: int) -> Selection:
    """Return the phase ready to run; the environment and its workers are opened by the process that asks them."""
    config = training.config
    return Selection(
        phase,
        source,
        ask_environment(training) if training.parallel.main else None,
        training.policy,
        kl_coefficient=config.train.kl_coefficient,
        seed=seed,
        parallel=training.parallel,
    )


def ask_environment(training: Training) -> AskEnvironment:
    """Open the environment, the encoder and the gates that stage ``quality`` calibrated."""
    config, project, material = training.config, training.project, training.material
    encoder = load_encoder(project.encoder, project.text_model, remember=False)
    return AskEnvironment(
        ShardedRewriter(training.workers(), config.llm.shard_rows),
        TextUtility(encoder, material.utility, load_gates(project, config).broken),
        material.latent.years.get,
    )


def start_on_policy(phase: OnPolicyPhase, training: Training, seed: int) -> OnPolicy:
    """Return the phase ready to run; the environment and its workers are opened by the process that plays."""
    config, project, material = training.config, training.project, training.material
    return OnPolicy(
        phase,
        open_environment(training) if training.parallel.main else None,
        episode_rules(config, phase, project, material),
        training_cases(project, material),
        training.policy,
        kl_coefficient=config.train.kl_coefficient,
        gamma=config.train.gamma,
        seed=seed,
        parallel=training.parallel,
        best_return=best_returns(config, material),
    )
