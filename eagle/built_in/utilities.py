"""The built-in utilities: each opens as a class, :class:`eagle.latent.base.Utility`."""

from __future__ import annotations

from eagle.core.parts import BuiltIn

UTILITIES = {
    "paper": BuiltIn("eagle.latent.utility:PaperUtility"),
}
