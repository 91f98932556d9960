"""Reference policies by fine-tuning, then EAGLE from each of the chosen ones."""

from __future__ import annotations

from prefect import flow

from eagle.config import load_config
from flows import fork_server
from flows.dvc import bring_up_to_date
from flows.names import dated


@flow(
    name="EAGLE RL",
    flow_run_name=dated("EAGLE RL"),
    description="Reference policies (SFT), then EAGLE by policy gradient, one arm after the other, then ELM.",
)
def eagle_rl() -> None:
    with fork_server.running():
        config = load_config()
        bring_up_to_date("reference policies", [f"reference@{name}" for name in config.reference.names])
        for arm in config.train.arms:
            bring_up_to_date(f"EAGLE from {arm}", [f"train@{arm}"])
        bring_up_to_date("ELM's adapter", ["elm"])
