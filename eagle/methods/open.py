"""How a method is opened by its name."""

from __future__ import annotations

from eagle.built_in.methods import EVERY_METHOD
from eagle.core.errors import user_error
from eagle.core.parts import load_part
from eagle.methods.base import Method
from eagle.methods.context import MethodContext


def open_method(kind: str, context: MethodContext) -> Method:
    """Open a method by its name in :mod:`eagle.built_in.methods`, or one's own by ``package.module:Name``.

    Raises EagleError where there is no such part, or where it is no method.
    """
    method = load_part("method", kind, EVERY_METHOD)(context)
    if not isinstance(method, Method):
        raise user_error(
            f"{kind} opens no method",
            found=type(method).__name__,
            expected="an object with a name and run(cases, budget, seeds, environment, utility)",
            mend="see eagle/methods/base.py, and test yours with eagle.testing.methods.MethodContract",
        )
    return method
