"""The section about MLflow, and the bounds that a champion keeps."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from eagle.config.base import IDLE, Count, Fraction, Natural, NonNegative, Positive, Section

_LONGEST = 256  # characters of a name in MLflow's database


def _experiment(name: str) -> str:
    if not name.strip() or len(name) > _LONGEST:
        raise ValueError(f"should be a name of 1 to {_LONGEST} characters: MLflow takes no other")
    return name


def _model(name: str) -> str:
    """Return the name where MLflow takes it, and where its addresses, which end at "?", lead to it."""
    if set(name) & set("/:?") or name == "." or name.startswith(".."):
        raise ValueError("should be a name without '/', ':' and '?' that is not '.' and does not begin with '..'")
    return _experiment(name)


ExperimentName = Annotated[str, AfterValidator(_experiment)]
ModelName = Annotated[str, AfterValidator(_model)]


class BoundsConfig(Section):
    distinct_actions: Count = Field(
        4, description="least number of different actions over the held-out cases [O: 16 to 19 seen]"
    )
    valid_actions: Fraction = Field(0.9, description="least share of valid actions [O: all seen]")
    mutual_information: NonNegative = Field(
        0.02,
        description="least information between user and action, nats [O: .3 to .5 seen; .002 where one action served "
        "everybody]",
    )
    defects: Fraction = Field(0.1, description="largest share of failed changes [O: 1% to 3% seen]")
    copies: Fraction = Field(0.1, description="largest share of copied texts [O: up to 1% seen]")
    kl: Positive = Field(5.0, description="largest KL(policy || reference) at the last update, nats [O: 1.0 seen]")


class RegistryConfig(Section):
    experiment: ExperimentName = Field("eagle", description="MLflow experiment")
    model: ModelName = Field("eagle-agent", description="registered model")
    tracking_uri: str = Field("sqlite:///mlruns/mlflow.db", description="MLflow store")
    live: bool = Field(
        True,
        description="whether MLflow shows a pipeline from its first stage on; false: only when it registers",
        json_schema_extra=IDLE,
    )
    traces: Natural = Field(
        3, description="held-out episodes of the registered agent that MLflow shows as traces", json_schema_extra=IDLE
    )
    bounds: BoundsConfig = Field(
        BoundsConfig(),
        description="what a gain must not be bought with; an agent outside is marked and replaces no champion",
    )
