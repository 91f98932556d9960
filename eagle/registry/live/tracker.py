"""The process beside a pipeline that carries what its stages say to MLflow (:mod:`eagle.registry.live.stages`).

It leaves its parent at once, so that nobody who ends a stage waits for it. It goes on until the pipeline has ended and
all is carried; a store that fails is asked again, and after the pipeline's end given up. What is left then is carried
by the next pipeline's tracker.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from eagle.core import telemetry
from eagle.core.parent import lives
from eagle.core.patience import soon
from eagle.core.project import Project
from eagle.registry.live.stages import LEFT_OUT, locked

INTERVAL = 0.5
"""Seconds between two looks at the journals."""
_AGAIN = 10.0  # seconds after which a store that failed is asked again
_GIVE_UP = 60.0  # seconds after the pipeline's end


def main(folder: Path) -> None:
    """Detach from whoever started this, and follow the pipeline of a folder unless somebody does."""
    if os.fork():
        os._exit(0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the stages: who follows them writes how they ended
    os.nice(10)
    telemetry.switch_off()
    with locked(folder) as mine:
        if mine:
            _follow_all(folder)


def _follow_all(folder: Path) -> None:
    """Follow the pipeline; before, finish what trackers of ended pipelines have left."""
    with soon():
        for left in sorted(path for path in folder.parent.iterdir() if path != folder and not lives(path.name)):
            with suppress(OSError), locked(left) as mine:  # or another tracker has finished it
                if mine:
                    _follow(left, 0)
        _follow(folder, _GIVE_UP)


def _follow(folder: Path, patience: float) -> None:
    """Carry a pipeline's journals until it has ended; a store that fails then is given up after so many seconds."""
    from mlflow.exceptions import MlflowException

    from eagle.config import load_config
    from eagle.core.errors import EagleError
    from eagle.registry.live.following import Follower
    from eagle.registry.live.system import SystemMetrics

    project, system, ended = Project(), SystemMetrics(), 0.0
    follower: Follower | None = None
    while folder.exists():
        under_way = lives(folder.name) or (follower is not None and follower.running)  # asked before the last look
        try:
            follower = follower or Follower.open(load_config(project.params), project, folder)
            follower.read()
            if follower.registered or not under_way:
                system.stop()
                follower.close()
                return
            system.start(follower)
        except (MlflowException, EagleError, OSError) as error:
            with suppress(OSError):
                (folder / LEFT_OUT).write_text(str(error).splitlines()[0], encoding="utf-8")
            ended += 0 if under_way else _AGAIN
            if ended > patience:
                return
            time.sleep(_AGAIN)
        else:
            time.sleep(INTERVAL)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
