"""The methods that come with the project, by name, and how a method is opened."""

from __future__ import annotations

from eagle.core.errors import user_error
from eagle.core.parts import load_part
from eagle.methods.base import Method
from eagle.methods.context import MethodContext

ARMS = {
    "random": "eagle.methods.built_in:random_actions",
    "linear_rule": "eagle.methods.built_in:linear_rule",
    "softmax_policy": "eagle.methods.built_in:softmax_policy",
    "fixed_best": "eagle.methods.built_in:fixed_best",
}
"""Name -> what is called with the context and returns the method. All of these are arms of every evaluation."""

METHODS = {
    "search_random": "eagle.methods.proposers:search_random",
    "search_linear_rule": "eagle.methods.proposers:search_linear_rule",
    "search_softmax_policy": "eagle.methods.proposers:search_softmax_policy",
    "search_reference": "eagle.methods.proposers:search_reference",
    "search_eagle": "eagle.methods.proposers:search_eagle",
    "direct_prompt": "eagle.methods.proposers:direct_prompt",
    "tree_search": "eagle.methods.searches.opening:tree_search",
    "uct": "eagle.methods.searches.opening:uct",
    "evolution": "eagle.methods.searches.opening:evolution",
    "quality_diversity": "eagle.methods.searches.opening:quality_diversity",
    "quality_diversity_eagle": "eagle.methods.searches.opening:quality_diversity_eagle",
    "elm": "eagle.methods.elm.method:elm",
}
"""The same for methods that are run where ``evaluate.methods``, ``evaluate.budgets.methods`` or a user asks."""


def open_method(kind: str, context: MethodContext) -> Method:
    """Open a method by its name in :data:`ARMS` or :data:`METHODS`, or one's own by ``package.module:Name``.

    Raises EagleError where there is no such part, or where it is no method.
    """
    method = load_part("method", kind, {**ARMS, **METHODS})(context)
    if not isinstance(method, Method):
        raise user_error(
            f"{kind} opens no method",
            found=type(method).__name__,
            expected="an object with a name and run(cases, budget, seeds, environment, utility)",
            mend="see eagle/methods/base.py, and test yours with eagle.testing.methods.MethodContract",
        )
    return method
