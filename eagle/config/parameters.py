"""Writes params.yaml and docs/parameters.md from the fields of ``eagle.config``:
``python -m eagle.config.parameters``.
"""

from __future__ import annotations

import json
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from eagle.config import IDLE, AllActionPhase, Config, OnPolicyPhase, Section, SelectionPhase, load_config
from eagle.config.kinds import Kind
from eagle.core.artifacts import complete_or_absent

_HEAD = """\
# All parameters with their defaults. Units, ranges and sources: docs/parameters.md.
# [P] the paper, [M] measured on the embedded default (docs/method.md), [O] ours.
# Change one from the command line for one experiment: dvc exp run -S train.kl_coefficient=0.05
"""
_DOCS_HEAD = """\
# Parameters

Made from `eagle/config/` by `make parameters`; do not edit. Sources: **[P]** the paper, **[M]** measured on the
embedded default (docs/method.md), **[O]** ours, with the reason. A change makes exactly those stages stale that
`dvc.yaml` names for the section.
"""


def _scalar(value: Any) -> str:
    """A value on one line, as YAML (JSON is YAML)."""
    if isinstance(value, float) and "e" in repr(value) and "." not in repr(value):
        return repr(value).replace("e", ".0e")  # YAML 1.1 reads 1e-05 as text
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)


def _lines(section: Section, indent: str) -> Iterator[str]:
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        comment = f"  # {field.description}" if field.description else ""
        if isinstance(value, Section):
            yield f"{indent}{name}:{comment}"
            yield from _lines(value, indent + "  ")
        elif isinstance(value, tuple) and value and isinstance(value[0], Section):
            yield f"{indent}{name}:{comment}"
            for entry in value:
                first, *rest = _lines(entry, indent + "    ")
                yield f"{indent}  - {first.strip()}"
                yield from rest
        else:
            yield f"{indent}{name}: {_scalar(value)}{comment}"


def params_yaml(config: Config | None = None) -> str:
    """Return params.yaml with every key written out and explained; by default with the default values."""
    lines: list[str] = []
    for line in _lines(config or Config(), ""):
        if not line.startswith(" "):
            lines.append("")
        lines.append(line)
    return _HEAD + "\n".join(lines) + "\n"


def _allowed(field: FieldInfo) -> str:
    """Choices or range of a field, for a reader."""
    words: list[str] = []

    def describe(annotation: Any, metadata: Any) -> None:
        kind = next((mark for mark in metadata if isinstance(mark, Kind)), None)
        if kind is not None:
            words.extend([*(f"`{choice}`" for choice in kind.choices), f"`{kind.form}`"])
            return
        for mark in metadata:
            for attribute, sign in (("ge", ">="), ("gt", ">"), ("le", "<="), ("lt", "<")):
                if getattr(mark, attribute, None) is not None:
                    words.append(f"{sign} {getattr(mark, attribute):g}")
        origin = get_origin(annotation)
        if origin is Annotated:
            describe(get_args(annotation)[0], get_args(annotation)[1:])
        elif origin is Literal:
            words.extend(f"`{choice}`" for choice in get_args(annotation))
        elif origin in (Union, types.UnionType):
            for part in get_args(annotation):
                describe(part, ())
        elif origin is tuple:
            words.append("list of")
            describe(get_args(annotation)[0], ())
        elif annotation is type(None):
            words.append("null")
        elif isinstance(annotation, type) and annotation in (str, bool, int, float):
            words.append({str: "text", bool: "true, false", int: "whole number", float: "number"}[annotation])

    describe(field.annotation, field.metadata)
    return ", ".join(words).replace("list of, ", "list of ")


def _row(dotted: str, field: FieldInfo) -> str:
    meaning = (field.description or "") + (
        "; decides no result and makes nothing stale" if field.json_schema_extra == IDLE else ""
    )
    cells = (f"`{dotted}`", f"`{_scalar(field.default)}`", _allowed(field), meaning)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _rows(section: type[Section], prefix: str) -> Iterator[str]:
    for name, field in section.model_fields.items():
        default = field.get_default(call_default_factory=True)
        dotted = f"{prefix}.{name}" if prefix else name
        if isinstance(default, Section):
            yield from _rows(type(default), dotted)
        elif isinstance(default, tuple) and default and isinstance(default[0], Section):
            kinds = ", ".join(str(getattr(entry, "kind", "")) for entry in default)
            yield f"| `{dotted}` | {kinds} | list of the kinds below | {field.description} |"
        else:
            yield _row(dotted, field)


def parameters_markdown() -> str:
    """Return docs/parameters.md: one table for each section, one row for each parameter."""
    table = "| parameter | default | allowed | meaning |\n|---|---|---|---|\n"
    parts = [_DOCS_HEAD]
    for name, field in Config.model_fields.items():
        default = field.get_default(call_default_factory=True)
        rows = list(_rows(type(default), name)) if isinstance(default, Section) else [_row(name, field)]
        parts.append(f"\n## {name}\n{field.description}\n\n{table}" + "\n".join(rows) + "\n")
    for kind in (AllActionPhase, OnPolicyPhase, SelectionPhase):
        label = kind.model_fields["kind"].default
        parts.append(
            f"\n## A phase of kind {label}\n{(kind.__doc__ or '').strip()}\n\n{table}"
            + "\n".join(_rows(kind, ""))
            + "\n"
        )
    return "".join(parts)


def write(root: Path = Path("."), *, keep: bool = False) -> None:
    """Write params.yaml and docs/parameters.md with the defaults; ``keep``: params.yaml alone, with its own values.

    With ``keep``, what params.yaml lacks is added with its default, so that a project of an earlier version goes on.
    """
    params = root / "params.yaml"
    texts = {params: params_yaml(load_config(params) if keep else None)}
    if not keep:
        texts[root / "docs/parameters.md"] = parameters_markdown()
    for path, text in texts.items():
        with complete_or_absent(path) as draft:
            draft.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(keep="--keep" in sys.argv[1:])
