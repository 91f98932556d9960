"""One Prefect task around ``dvc repro``: its output becomes log lines, its failure an error of the right kind."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import signal
import subprocess
import sys
from collections import deque
from pathlib import Path
from typing import Any

import httpx
from prefect import get_run_logger, task

from eagle.config import load_config
from eagle.config.takeover import name_what_stages_read
from eagle.core.errors import EagleError
from eagle.core.parent import PIPELINE, identity
from eagle.core.project import Project
from eagle.core.repository import repository_problems
from eagle.data.sources.download import ANEW
from flows.busy import advises_removal, holder, stood_back
from flows.leftovers import remove_leftovers

HOUR = 3600
_MISTAKE = "eagle: "
"""How the message of a user's mistake begins."""
_LAST, _ALL_PROBLEMS = 40, 1000  # lines kept of what dvc says, and of such a message


class StageFailed(RuntimeError):
    """A stage ended with an error that another try may mend (network, memory, a busy repository)."""


class UserMistake(StageFailed):
    """A stage ended with exit 2: parameters, data or surroundings have to be mended first, so there is no retry."""


def _environment() -> dict[str, str]:
    """This process's environment with the folder of its Python first, so that ``dvc`` and ``eagle`` are the installed
    ones, and with its identity, so that all stages of a flow stand in one MLflow run.
    """
    own = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    flow = identity(os.getpid())
    return {**os.environ, **own, **({PIPELINE: flow} if flow else {})}


def require_repository() -> None:
    """Raise UserMistake with all that keeps DVC from working in this folder."""
    if problems := repository_problems(Path()):
        raise UserMistake(EagleError(problems))


def up_to_date() -> bool:
    """Say whether DVC finds nothing to do; where it has never done anything, it need not look."""
    if not Path("dvc.lock").exists():
        return False
    command = [sys.executable, "-m", "dvc", "status", "--quiet"]
    return subprocess.run(command, env=_environment(), check=False).returncode == 0


def _may_be_retried(_task: Any, _run: Any, state: Any) -> bool:
    return not isinstance(state.result(raise_on_failure=False), UserMistake)


def _failure(lines: list[str]) -> StageFailed:
    """The error for a failed ``dvc repro``: what the stage itself said to the user, else DVC's last line; all of it is
    in the log.
    """
    code = re.search(r"exited with (\d+)", lines[-1])
    said = [number for number, line in enumerate(lines) if line.startswith(_MISTAKE)]
    if code and code[1] == "2" and said:
        return UserMistake("\n".join(lines[said[-1] : -1]))
    return StageFailed(lines[-1])


class _OneLine(logging.Filter):
    """Leaves out the traceback of a failed stage, and of a server that went away: it shows this file, or Prefect's."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and isinstance(record.exc_info[1], StageFailed | EagleError | httpx.HTTPError):
            record.exc_info = None
        return True


for _name in ("prefect.flow_runs", "prefect.task_runs"):
    logging.getLogger(_name).addFilter(_OneLine())


def stop(process: subprocess.Popen[str]) -> None:
    """End the process and its children where it still runs: as Ctrl-C does, and by force after half a minute."""
    for sign, patience in ((signal.SIGINT, 30), (signal.SIGKILL, 30)):
        if process.poll() is not None:
            return
        os.killpg(process.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)


@task(
    task_run_name="{label}",
    retries=1,
    retry_delay_seconds=20,
    retry_condition_fn=_may_be_retried,
    timeout_seconds=12 * HOUR,
    persist_result=False,
)
def bring_up_to_date(label: str, stages: list[str], anew: bool = False) -> None:
    """Run ``dvc repro`` for these stages and whatever they need; ``label`` is the name shown in Prefect.

    ``anew``: run these stages, and no others, also where nothing has changed; what depends on them is stale only where
    their outputs differ.

    Where another ``dvc`` works on the same, it waits and then goes on. Raises UserMistake where a stage ended with exit
    2, StageFailed for any other failure.
    """
    require_repository()
    _see_what_stages_read()
    log = get_run_logger()
    for path in remove_leftovers():
        log.info(f"removed {path}: a killed dvc had left it half written, and no dvc is at work here")
    waited_for, gone = None, False
    while lines := _repro(stages, anew, log):
        other = holder(lines)
        if other is None and (gone or not stood_back(lines)):
            raise _failure(lines)
        gone = other is None  # it has ended since: ask once more
        if other is not None:
            if other != waited_for:
                log.info(f"waiting for {other}, which is at work in this project")
            other.wait()
        waited_for = other


def _see_what_stages_read() -> None:
    """Have DVC see code and files as they are now: a schedule may run for months, over updates of the package."""
    try:
        name_what_stages_read(load_config(), Project())
    except EagleError as error:
        raise UserMistake(error) from None


def _repro(stages: list[str], anew: bool, log: logging.Logger | logging.LoggerAdapter) -> list[str]:
    """Run ``dvc repro`` once; return its last lines where it failed, else nothing."""
    last: deque[str] = deque(maxlen=_LAST)
    command = [sys.executable, "-m", "dvc", "repro", *(["--force", "--single-item"] if anew else []), *stages]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,  # universal newlines: a progress bar's carriage returns become lines of their own
        errors="replace",
        env=_environment() | ({ANEW: "1"} if anew else {}),
        start_new_session=True,  # so that a timeout or Ctrl-C can stop dvc and the stage together
    ) as process:
        try:
            for line in process.stdout or ():
                if line.startswith(_MISTAKE):
                    last = deque(maxlen=_ALL_PROBLEMS)  # a mistake is told with all its problems
                if line.strip():
                    last.append(line.rstrip())
                    if not advises_removal(line):
                        log.info(line.rstrip())
        finally:
            stop(process)
    return (list(last) or ["dvc repro failed without a word"]) if process.returncode else []
