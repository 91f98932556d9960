"""The built-in encoders: each opens as a class, :class:`eagle.latent.base.Encoder`."""

from __future__ import annotations

from eagle.core.parts import BuiltIn

ENCODERS = {
    "joint_hybrid": BuiltIn("eagle.latent.linear:JointHybrid"),
    "two_stage": BuiltIn("eagle.latent.linear:TwoStage"),
}
