"""Which module takes which figures.

A module has ``measure(setting) -> Found`` and imports its peers where it uses them.
"""

from __future__ import annotations

import importlib
from collections.abc import Collection, Iterable, Iterator

from benchmarks.records import Found, Setting

MODULES = {
    "generation": ("generation_batch_1", "generation_best", "engine_share"),
    "design": ("design", "design_by_hand"),
    "als": ("als", "als_25m_memory"),
    "preferences": ("als_implicit",),
    "rl_step": ("rl_step_tokens", "rl_step_memory"),
    "noop": ("noop_repro", "eagle_help"),
}


def names_of(modules: Iterable[str]) -> list[str]:
    """Return the records of these modules that have a goal."""
    return [name for module in modules for name in MODULES[module]]


def measure_all(setting: Setting, only: Collection[str] | None = None) -> Iterator[tuple[str, Found]]:
    """Yield each module's findings as they come; with ``only``, of the modules that take one of these records."""
    for module, names in MODULES.items():
        if only is None or set(only) & set(names):
            yield module, importlib.import_module(f"benchmarks.{module}").measure(setting)
