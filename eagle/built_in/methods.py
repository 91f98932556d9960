"""The built-in methods: each opens as a function of a :class:`eagle.methods.context.MethodContext`."""

from __future__ import annotations

from dataclasses import dataclass

from eagle.core.parts import BuiltIn


@dataclass(frozen=True)
class BuiltInMethod(BuiltIn):
    """A method, and what a reader calls it."""

    label: str


RULES = {
    "random": BuiltInMethod("eagle.methods.built_in:random_actions", "Random actions"),
    "linear_rule": BuiltInMethod("eagle.methods.built_in:linear_rule", "Linear rule, H changes"),
    "softmax_policy": BuiltInMethod("eagle.methods.built_in:softmax_policy", "Softmax policy"),
    "fixed_best": BuiltInMethod("eagle.methods.built_in:fixed_best", "Best fixed actions (oracle)"),
}
"""They take one action in each step, and are arms of every evaluation."""

SEARCHES = {
    "search_random": BuiltInMethod("eagle.methods.proposers:search_random", "Random actions"),
    "search_linear_rule": BuiltInMethod("eagle.methods.proposers:search_linear_rule", "Linear rule"),
    "search_softmax_policy": BuiltInMethod("eagle.methods.proposers:search_softmax_policy", "Softmax policy"),
    "search_reference": BuiltInMethod("eagle.methods.proposers:search_reference", "Reference"),
    "search_eagle": BuiltInMethod("eagle.methods.proposers:search_eagle", "EAGLE"),
    "direct_prompt": BuiltInMethod("eagle.methods.proposers:direct_prompt", "Direct prompting"),
    "tree_search": BuiltInMethod("eagle.methods.searches.opening:tree_search", "Tree search"),
    "uct": BuiltInMethod("eagle.methods.searches.opening:uct", "Tree search, UCT"),
    "evolution": BuiltInMethod("eagle.methods.searches.opening:evolution", "Evolution"),
    "quality_diversity": BuiltInMethod("eagle.methods.searches.opening:quality_diversity", "Quality diversity"),
    "quality_diversity_eagle": BuiltInMethod(
        "eagle.methods.searches.opening:quality_diversity_eagle", "Quality diversity with EAGLE"
    ),
}
"""They ask for several texts of listed actions and keep the best, where ``evaluate.methods``,
``evaluate.budgets.methods`` or a user asks for them.
"""

OTHERS = {
    "elm": BuiltInMethod("eagle.methods.elm.method:elm", "elm"),
}
"""They do something else, where they are asked for."""

METHODS = {**SEARCHES, **OTHERS}
"""What parameters may name."""
EVERY_METHOD = {**RULES, **METHODS}


def label_of(name: str) -> str:
    """Return what a reader calls a method that is asked for several texts; one's own goes by its name."""
    return METHODS[name].label if name in METHODS else name.replace("_", " ")
