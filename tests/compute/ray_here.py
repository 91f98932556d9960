"""Whether Ray itself runs on this machine: a sandbox may lack what it needs (sockets, shared memory), which says
nothing about us.
"""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from importlib.util import find_spec

import pytest

from eagle.core import telemetry

START = (
    "import ray; ray.init(num_cpus=1, include_dashboard=False, object_store_memory=2**27, log_to_driver=False); "
    "ray.shutdown()"
)


@cache
def _why_not() -> str | None:
    if find_spec("ray") is None:  # not imported here: it reads its settings when it is
        return "the extra 'ray' is not installed"
    try:
        quiet = os.environ | telemetry.SETTINGS
        done = subprocess.run(
            [sys.executable, "-c", START], capture_output=True, text=True, timeout=120, check=False, env=quiet
        )
    except subprocess.TimeoutExpired:
        return "Ray itself does not start on this machine within 2 minutes"
    return (
        None
        if done.returncode == 0
        else f"Ray itself does not start on this machine: {done.stderr.strip().splitlines()[-1:]}"
    )


def skip_without_ray() -> None:
    """Skip the test that calls it where Ray, by itself, does not start."""
    if reason := _why_not():
        pytest.skip(reason)
