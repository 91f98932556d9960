"""A registration, as the stage register leaves it."""

from __future__ import annotations

from eagle.report.registration import Registration

FIRST = Registration(
    model="eagle-agent",
    version="1",
    arm="g_optimal",
    run="0a",
    pipeline_run="0b",
    champion="1",
    champion_before=None,
    decision={"moves": True, "reason": "there was no champion"},
    tracking_uri="sqlite:///here.db",
)
