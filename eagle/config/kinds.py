"""The ``kind`` of a part in params.yaml: a built-in name, or a class of one's own as ``package.module:Name``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, GetCoreSchemaHandler

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


SourceKind = Annotated[str, Kind(("movielens-100k", "ml-latest-small", "ml-25m", "ml-32m", "clothing", "files"))]
DomainKind = Annotated[str, Kind(("auto", "film", "clothing", "plain"))]
EncoderKind = Annotated[str, Kind(("joint_hybrid", "two_stage"))]
UtilityKind = Annotated[str, Kind(("paper",))]
EngineKind = Annotated[str, Kind(("auto", "torch", "openai", "scripted"))]
SEARCHES = ("search_random", "search_linear_rule", "search_softmax_policy", "search_reference", "search_eagle")
FURTHER = ("direct_prompt", "tree_search", "uct", "evolution", "quality_diversity", "quality_diversity_eagle", "elm")
MethodKind = Annotated[str, Kind((*SEARCHES, *FURTHER))]
JudgeKind = Annotated[str, Kind(("panel", "hidden_shelf"))]
