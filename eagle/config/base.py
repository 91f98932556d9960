"""What every section of params.yaml is made of."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(ge=0, le=1)]
Share = Annotated[float, Field(gt=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
Natural = Annotated[int, Field(ge=0)]
IDLE: dict[str, Any] = {"decides_results": False}
"""Marks a parameter that decides no result: ``dvc.yaml`` does not name it, so that a change makes no stage stale."""


class Section(BaseModel):
    """Base of all sections: unknown keys are errors, values cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def idle(cls) -> frozenset[str]:
        """Names of the parameters that say how and where work is done and decide no result."""
        return frozenset(name for name, field in cls.model_fields.items() if field.json_schema_extra == IDLE)

    def decisive(self) -> dict[str, Any]:
        """Return all other parameters, JSON-able: what unfinished work is known by."""
        return self.model_dump(mode="json", exclude=set(self.idle()))
