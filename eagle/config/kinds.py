"""Names in params.yaml that are built in or made by a rule: the ``kind`` of a part (or a class of one's own as
``package.module:Name``), and a reference policy (or the same one trained with another seed).
"""

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
REFERENCES = ("uniform", "optimistic", "g_optimal")
"""What a reference policy imitates [P Sec. 4.3]."""
SEEDED = re.compile(rf"({'|'.join(REFERENCES)})_seed(0|[1-9]\d*)")


@dataclass(frozen=True)
class Kind:
    """Mark of a field that names something, as in ``Annotated[str, Kind(("paper",))]``."""

    choices: tuple[str, ...]
    """The built-in names."""
    rule: re.Pattern[str] = OWN
    """What all other names look like."""
    form: str = "package.module:Name"
    """The same for a reader."""
    meaning: str = "of your own"

    def check(self, value: str) -> str:
        """Return ``value`` where it is a built-in name or follows the rule; else ValueError says what does."""
        if value in self.choices or self.rule.fullmatch(value):
            return value
        hint = did_you_mean(value, self.choices)
        names = ", ".join(repr(choice) for choice in self.choices)
        raise ValueError(f"should be {names} or {self.form} {self.meaning}" + (f"; {hint}" if hint else ""))

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> Any:
        return handler(Annotated[source, AfterValidator(self.check)])


SourceKind = Annotated[str, Kind(tuple(SOURCES))]
DomainKind = Annotated[str, Kind(("auto", *DOMAINS))]
EncoderKind = Annotated[str, Kind(tuple(ENCODERS))]
UtilityKind = Annotated[str, Kind(tuple(UTILITIES))]
EngineKind = Annotated[str, Kind(("auto", *ENGINES))]
MethodKind = Annotated[str, Kind(tuple(METHODS))]
JudgeKind = Annotated[str, Kind(tuple(JUDGES))]
ReferenceName = Annotated[str, Kind(REFERENCES, SEEDED, "NAME_seedN", "for the same with the random numbers of seed N")]


def seeded(name: str) -> tuple[str, int | None]:
    """Return what a reference imitates and the seed that its name asks for: g_optimal_seed8 is g_optimal with 8.

    None: that of params.yaml.
    """
    found = SEEDED.fullmatch(name)
    return (found[1], int(found[2])) if found else (name, None)
