"""The methods that come with the project, by name, and how a method is opened."""

from __future__ import annotations

from eagle.core.errors import user_error
from eagle.core.parts import load_part
from eagle.methods.base import Method
from eagle.methods.context import MethodContext

METHODS = {
    "random": "eagle.methods.built_in:random_actions",
    "linear_rule": "eagle.methods.built_in:linear_rule",
    "softmax_policy": "eagle.methods.built_in:softmax_policy",
    "fixed_best": "eagle.methods.built_in:fixed_best",
}
"""Name -> what is called with the context and returns the method. All of these are arms of every evaluation."""


def open_method(kind: str, context: MethodContext) -> Method:
    """Open a method by its name in :data:`METHODS`, or one's own by ``package.module:Name``.

    Raises EagleError where there is no such part, or where it is no method.
    """
    method = load_part("method", kind, METHODS)(context)
    if not isinstance(method, Method):
        raise user_error(
            f"{kind} opens no method",
            found=type(method).__name__,
            expected="an object with a name and run(cases, budget, seeds, environment, utility)",
            mend="see eagle/methods/base.py, and test yours with eagle.testing.methods.MethodContract",
        )
    return method
