"""Parts by name: a seam's table of what is built in, or a user's own class as ``package.module:Name``."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eagle.core.errors import EagleError, did_you_mean, user_error


@dataclass(frozen=True)
class BuiltIn:
    """A line of a seam's table (:mod:`eagle.built_in`)."""

    place: str
    """What opens the part, as ``package.module:name``."""


def load_part(seam: str, kind: str, built_in: Mapping[str, BuiltIn]) -> Any:
    """Return the class, or the function, that ``kind`` names.

    ``built_in`` is the seam's table; any ``package.module:Name`` that is no name of it is imported as it stands, also
    from the present folder, where a project's own modules lie. Raises EagleError where there is no such part.

    Whoever calls this with a table has all its parts among its code (:func:`eagle.core.code.imports`).
    """
    place = built_in[kind].place if kind in built_in else kind
    module_name, _, name = place.partition(":")
    if not name:
        raise _unknown(
            seam, kind, built_in, did_you_mean(kind, built_in) or "give package.module:Name for a part of your own"
        )
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not module_name.startswith(error.name):
            raise  # the module is there and lacks something itself
        raise _unknown(
            seam, kind, built_in, f"no module {error.name!r} in this folder or among the installed packages"
        ) from None
    if not hasattr(module, name):
        mend = did_you_mean(name, vars(module)) or f"define {name} in {module.__file__}"
        raise _unknown(seam, kind, built_in, mend)
    return getattr(module, name)


def _unknown(seam: str, kind: str, built_in: Mapping[str, BuiltIn], mend: str) -> EagleError:
    own = "package.module:Name of your own"
    return user_error(
        f"there is no {seam} {kind!r}", expected=f"{', '.join(built_in)}, or {own}" if built_in else own, mend=mend
    )
