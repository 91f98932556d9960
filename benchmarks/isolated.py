"""A measurement in a process of its own: its peak of memory is nobody else's, and no side finds what another has warmed
up.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_QUIET = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "TRL_EXPERIMENTAL_SILENCE": "1"}


def apart(module: str, *words: object) -> Any:
    """Run ``python -m module words`` and return the JSON of its last line; RuntimeError with the end of its errors if
    it fails.
    """
    command = [sys.executable, "-m", module, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | _QUIET)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def arguments(about: str | None, sides: Iterable[str]) -> argparse.ArgumentParser:
    """Return what every such process is told: a side, the file or folder it works on, and the clock."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("side", choices=list(sides))
    parser.add_argument("data", type=Path)
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall")
    return parser
