"""The ``kind`` of a part in params.yaml: a built-in name, or a class of one's own as ``package.module:Name``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, GetCoreSchemaHandler

from eagle.built_in.domains import DOMAINS
from eagle.built_in.encoders import ENCODERS
from eagle.built_in.engines import ENGINES
from eagle.built_in.judges import JUDGES
from eagle.built_in.methods import METHODS
from eagle.built_in.sources import SOURCES
from eagle.built_in.utilities import UTILITIES
from eagle.core.errors import did_you_mean

OWN = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")


@dataclass(frozen=True)
class Kind:
    """Mark of a field that names a part, as in ``Annotated[str, Kind(("paper",))]``; ``choices`` are the built-in
    names.
    """

    choices: tuple[str, ...]

    def check(self, value: str) -> str:
        """Return ``value`` where it is a built-in name or ``package.module:Name``; else ValueError says what is."""
        if value in self.choices or OWN.fullmatch(value):
            return value
        hint = did_you_mean(value, self.choices)
        names = ", ".join(repr(choice) for choice in self.choices)
        raise ValueError(f"should be {names} or package.module:Name of your own" + (f"; {hint}" if hint else ""))

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> Any:
        return handler(Annotated[source, AfterValidator(self.check)])


SourceKind = Annotated[str, Kind(tuple(SOURCES))]
DomainKind = Annotated[str, Kind(("auto", *DOMAINS))]
EncoderKind = Annotated[str, Kind(tuple(ENCODERS))]
UtilityKind = Annotated[str, Kind(tuple(UTILITIES))]
EngineKind = Annotated[str, Kind(("auto", *ENGINES))]
MethodKind = Annotated[str, Kind(tuple(METHODS))]
JudgeKind = Annotated[str, Kind(tuple(JUDGES))]
