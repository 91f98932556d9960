"""Named settings: a few lines of YAML that change params.yaml for one purpose (a longer comparison, the paper's own
recipe).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from eagle.config import load_config, parse_config, read_values
from eagle.config.parameters import params_yaml
from eagle.core.artifacts import complete_or_absent
from eagle.core.errors import did_you_mean, user_error
from eagle.core.project import Project


def merged(present: Any, change: Any) -> Any:
    """Return ``present`` with ``change`` over it: sections are merged, everything else (lists too) is replaced."""
    if not isinstance(present, dict) or not isinstance(change, dict):
        return change
    return present | {key: merged(present.get(key), value) for key, value in change.items()}


def differences(before: Any, after: Any, name: str = "") -> Iterator[str]:
    """Yield ``section.key: old -> new`` for everything that differs."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key, value in after.items():
            yield from differences(before.get(key), value, f"{name}.{key}" if name else str(key))
    elif before != after:
        yield f"{name}: {before} -> {after}"


def apply_setting(project: Project, name: str) -> list[str]:
    """Write params.yaml with the changes of ``settings/NAME.yaml`` and return them; EagleError leaves it as it was."""
    source = project.setting(name)
    known = sorted(path.stem for path in source.parent.glob("*.yaml"))
    if name not in known:
        raise user_error(f"there is no setting {name!r}", expected=", ".join(known), mend=did_you_mean(name, known))
    before = load_config(project.params)
    after = parse_config(merged(read_values(project.params), read_values(source)), source)
    with complete_or_absent(project.params) as unfinished:
        unfinished.write_text(params_yaml(after), encoding="utf-8")
    return list(differences(before.model_dump(mode="json"), after.model_dump(mode="json"))) or [
        "params.yaml has this setting already"
    ]
