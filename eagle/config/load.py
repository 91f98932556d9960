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
    mend = _in_quotes(location, source) if error["type"] == "string_type" else ""
    return Problem(f"{source}: {dotted}: {error['msg'].removeprefix('Value error, ')}", found=found, mend=mend)


def _in_quotes(location: tuple[Any, ...], source: Path) -> str:
    """Say how to write a word that YAML 1.1 takes for something else than text (No, on, 1, 2020-01-01); DVC reads YAML
    1.2, where some of them are text, so that only quotes make both read the same.
    """
    try:
        node = yaml.compose(source.read_text(encoding="utf-8"), yaml.SafeLoader)
        for part in location:
            node = next(value for key, value in node.value if key.value == part)  # type: ignore[union-attr]
    except (OSError, UnicodeDecodeError, yaml.YAMLError, StopIteration, AttributeError, TypeError):
        return ""
    if not isinstance(node, yaml.ScalarNode) or node.style is not None:
        return ""
    return f'YAML takes {node.value} for something else than text: write it in quotes, {location[-1]}: "{node.value}"'


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
    except OSError as error:
        raise user_error(f"{path} cannot be read", found=error.strerror, expected="a file of parameters") from None


def load_config(path: Path = Path("params.yaml")) -> Config:
    """Read params.yaml."""
    return parse_config(read_values(path), path)
