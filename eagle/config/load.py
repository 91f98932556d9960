"""From the file to the checked parameters. Every problem in the file is reported at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from eagle.config.root import Config
from eagle.core.errors import EagleError, Problem, did_you_mean, user_error


def _known_keys(location: tuple[Any, ...]) -> list[str]:
    """Names that would have been right at the place of an unknown key."""
    model: Any = Config
    for part in location[:-1]:
        field = getattr(model, "model_fields", {}).get(part)
        if field is None:
            return []
        model = field.annotation
    return list(getattr(model, "model_fields", {}))


def _problem(error: Any, source: Path) -> Problem:
    location = tuple(error["loc"])
    dotted = ".".join(str(part) for part in location) or "the whole file"
    if error["type"] == "extra_forbidden":
        known = _known_keys(location)
        return Problem(
            f"{source}: unknown parameter {dotted}",
            expected=f"one of {', '.join(known)}" if known else "",
            mend=did_you_mean(str(location[-1]), known),
        )
    found = "" if isinstance(error["input"], dict | BaseModel) else repr(error["input"])
    return Problem(f"{source}: {dotted}: {error['msg'].removeprefix('Value error, ')}", found=found)


def parse_config(values: Any, source: Path = Path("params.yaml")) -> Config:
    """Check a mapping and return the :class:`Config`; all problems are in one :class:`EagleError`."""
    if not isinstance(values, dict):
        raise user_error(f"{source} should be a mapping of sections", found=type(values).__name__)
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        raise EagleError(_problem(e, source) for e in error.errors()) from None


class _Loader(yaml.SafeLoader):
    """Refuses a name that stands twice in one section.

    YAML would silently take the last (pasted lines above the old ones).
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names: set[str] = set()
        for key, _ in node.value:
            if str(key.value) in names:
                raise yaml.MarkedYAMLError(
                    problem=f"{key.value!r} stands twice in one section", problem_mark=key.start_mark
                )
            names.add(str(key.value))
        return super().construct_mapping(node, deep)


def read_values(path: Path) -> Any:
    """Return what a YAML file of parameters holds, unchecked."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except FileNotFoundError:
        raise user_error(f"{path} does not exist", mend="run the command from the project's root folder") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise user_error(f"{path} is not valid YAML", found=error) from None


def load_config(path: Path = Path("params.yaml")) -> Config:
    """Read params.yaml."""
    return parse_config(read_values(path), path)
