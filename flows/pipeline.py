"""The whole pipeline: what ``make run`` runs in a checkout, and ``python -m flows.pipeline`` anywhere."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from typing import Any

import psutil
from prefect import flow

from eagle.config import load_config
from eagle.config.takeover import name_what_stages_read
from eagle.core.commands import run_everything
from eagle.core.errors import EagleError
from eagle.core.project import Project
from eagle.registry.kept import forget_lost, store_line
from flows import fork_server
from flows.action_design import action_design
from flows.dvc import StageFailed, UserMistake, require_repository, up_to_date
from flows.eagle_rl import eagle_rl
from flows.embedding_training import embedding_training
from flows.evaluation import evaluation
from flows.names import dated
from flows.server import loss_told, require_server


@flow(
    name="EAGLE pipeline", flow_run_name=dated("pipeline"), description="From ratings to a registered steering agent."
)
def pipeline() -> None:
    with fork_server.running():
        embedding_training()
        action_design()
        eagle_rl()
        evaluation()


def stop_at_once(*_: Any) -> None:
    """Ctrl-C: end the stage, then leave.

    Prefect would first wait minutes for its temporary server, which got the Ctrl-C too.
    """
    children = psutil.Process().children(recursive=True)
    for child in children:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.send_signal(signal.SIGINT)
    _, alive = psutil.wait_procs(children, timeout=20)
    for child in alive:
        child.kill()
    print(f"\nstopped; finished stages are kept, {run_everything()} goes on from here", file=sys.stderr, flush=True)
    os._exit(130)


def main() -> int:
    """Run the pipeline here and now, print the table, and return an exit code as the ``eagle`` command does."""
    from eagle.report.summary import print_summary

    signal.signal(signal.SIGINT, stop_at_once)
    try:
        require_repository()
        config = load_config()  # mistakes in params.yaml are told before anything is started
        name_what_stages_read(config, Project())
        if lost := forget_lost(config.registry, Project()):
            print(f"the registry has lost {lost}: the agent is registered again")
        if up_to_date():  # which needs no server
            print("every stage is up to date")
        else:
            require_server()
            with loss_told(), fork_server.running():  # which imports while Prefect starts
                pipeline()
        print_summary(Project())
        if line := store_line(config.registry, Project()):
            print(line)
    except (StageFailed, EagleError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 2 if isinstance(error, UserMistake | EagleError) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
