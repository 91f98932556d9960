"""How the methods that come with the project are opened: each is called with the context, as one's own is."""

from __future__ import annotations

from eagle.methods.agent_method import AgentMethod
from eagle.methods.context import MethodContext
from eagle.methods.fixed_best import FixedBest
from eagle.methods.rules import LinearRule, RandomActions, mean_shifts
from eagle.methods.softmax_fit import fit_softmax_policy
from eagle.training.steps import CachedSteps


def random_actions(context: MethodContext) -> AgentMethod:
    """Return the method that draws listed actions."""
    return AgentMethod(RandomActions(context.candidates, context.repeat), context.horizon)


def linear_rule(context: MethodContext) -> AgentMethod:
    """Return the method that takes the action whose mean shift suits the user best."""
    data = context.data
    agent = LinearRule(data.candidates, mean_shifts(data.steps), data.latent.user_vector, context.repeat)
    return AgentMethod(agent, context.horizon)


def softmax_policy(context: MethodContext) -> AgentMethod:
    """Return the softmax policy on genre features, fitted on the cached steps."""
    return AgentMethod(fit_softmax_policy(context.data, repeat=context.repeat), context.horizon)


def fixed_best(context: MethodContext) -> AgentMethod:
    """Return each user's best fixed actions, by U over the cached steps of all anchors that nobody starts from here.

    Validation anchors have cached steps, too, and start episodes where that split is evaluated.
    """
    validated = context.config.evaluate.split == "validation"
    steps = context.data.steps if validated else CachedSteps.load(context.project)
    agent = FixedBest.fit(steps, context.data.utility, context.candidates, context.users)
    return AgentMethod(agent, context.horizon)
