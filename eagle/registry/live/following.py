"""The journals of one pipeline, carried to MLflow: a parent run, and a child run for each start of a stage."""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from eagle.config import Config
from eagle.core.live import FINISHED, KILLED
from eagle.core.parent import lives
from eagle.core.project import Project
from eagle.registry.live.state import JOURNAL, REGISTER, PipelineState, StageStart
from eagle.registry.measured import Measured
from eagle.registry.naming import origin, run_name
from eagle.registry.run_log import RunLog
from eagle.registry.stage_log import STAGE, log_stage, stage_tags
from eagle.registry.store import Store, open_store

_KEY = "mlflow.eagle.journal"
"""Tag by which a run is found again; MLflow's page hides tags whose names begin with its own."""
_NOT_YET = "This run of the pipeline has registered no agent (yet). Its stages are the runs below."


class Follower:
    """Carries a pipeline's journals; one at a time, who has the folder's lock."""

    def __init__(self, project: Project, store: Store, folder: Path, state: PipelineState) -> None:
        self._store, self._folder, self._state = store, folder, state
        self._tags = origin(project)

    @classmethod
    def open(cls, config: Config, project: Project, folder: Path) -> Follower:
        """Begin the parent run, or go on with it where a follower before has begun it."""
        store, state = open_store(config.registry, project), PipelineState.load(folder)
        if state is None:
            began = _began(folder)
            tags = {"eagle.kind": "pipeline", "mlflow.note.content": _NOT_YET, **origin(project)}
            log = _begin_once(store, folder.name, run_name(config, project, began), tags, None, began)
            log.params(config.model_dump(mode="json"))
            state = PipelineState(log.run_id)
            state.save(folder)
        return cls(project, store, folder, state)

    @property
    def run(self) -> str:
        """The parent run."""
        return self._state.run

    @property
    def uri(self) -> str:
        """Address of the store."""
        return self._store.uri

    @property
    def registered(self) -> bool:
        """Whether the pipeline's last stage has finished."""
        return REGISTER in self._state.finished()

    @property
    def running(self) -> bool:
        """Whether a stage still runs, as far as was read."""
        return any(start.status is None and _alive(start) for start in self._state.starts.values())

    def read(self) -> None:
        """Carry what is new; a stage that ended without a word was killed."""
        before = asdict(self._state)
        for path in sorted(self._folder.glob(f"*{JOURNAL}")):
            known = self._state.starts.get(path.name)
            if known is not None and known.status is not None:
                continue
            alive = known is None or _alive(known)  # asked before the last look
            self._carry(path)
            left = self._state.starts.get(path.name)
            if not alive and left is not None and left.status is None:
                self._end(left, KILLED, time.time() if lives(self._folder.name) else path.stat().st_mtime)
        if asdict(self._state) != before:
            self._state.save(self._folder)

    def close(self) -> None:
        """End the parent run as its stages ended, and remove the journals."""
        for start in self._state.starts.values():
            if start.status is None:
                self._end(start, KILLED, start.at)
        ends = list(self._state.last().values())
        broken = [start.status for start in ends if start.status and start.status != FINISHED]
        self._log(self._state.run).end(
            broken[-1] if broken else FINISHED, max((start.at for start in ends), default=None)
        )
        shutil.rmtree(self._folder, ignore_errors=True)

    def _log(self, run: str) -> RunLog:
        return RunLog(self._store, run)

    def _carry(self, path: Path) -> None:
        """Carry the new events of one journal; where the store fails, they are carried again later."""
        start = self._state.starts.get(path.name)
        events, size = _new_events(path, start.read if start else 0)
        if not events:
            return
        start = start or self._begin(path.name, events[0])
        told = [(e["time"], e["step"], e["values"]) for e in events if e["event"] == "figures"]
        self._log(start.run).figures(told)
        for event in (event for event in events if event["event"] == "measured"):
            log_stage(self._log(start.run), start.stage, Measured(event["costs"], event["figures"]))
        last = events[-1]
        if last["event"] == "end":
            self._end(start, last["status"], last["time"], last.get("error", ""))
        start.read, start.at = start.read + size, last["time"]

    def _begin(self, journal: str, event: dict[str, Any]) -> StageStart:
        stage = journal.partition("-")[2].removesuffix(JOURNAL)
        tags = {**stage_tags(stage), **self._tags}
        key, name = f"{self._folder.name}/{journal}", STAGE.format(stage)
        run = _begin_once(self._store, key, name, tags, self.run, event["time"])
        self._state.starts[journal] = StageStart(stage, event.get("process"), run.run_id)
        return self._state.starts[journal]

    def _end(self, start: StageStart, status: str, at: float, error: str = "") -> None:
        log = self._log(start.run)
        if error:
            log.tags({"mlflow.note.content": error})
        log.end(status, at)
        start.status, start.at = status, at


def _begin_once(store: Store, key: str, name: str, tags: Mapping[str, str], parent: str | None, began: float) -> RunLog:
    """Begin a run, or go on with the one that a follower began and was killed before it could note it."""
    known = store.client.search_runs([store.experiment_id], f"tags.`{_KEY}` = '{key}'", max_results=1)
    if known:
        return RunLog(store, known[0].info.run_id)
    return RunLog.begin(store, name, {**tags, _KEY: key}, parent, began)


def _began(folder: Path) -> float:
    """Return when the first stage began, in seconds since 1970: the names of the journals begin with nanoseconds."""
    starts = (int(path.name.partition("-")[0]) / 1e9 for path in folder.glob(f"*{JOURNAL}"))
    return min(starts, default=time.time())


def _alive(start: StageStart) -> bool:
    return start.process is not None and lives(start.process)


def _new_events(path: Path, place: int) -> tuple[list[dict[str, Any]], int]:
    """Return the events of the whole lines from a place on, and the size of these lines in bytes.

    A line that a full disk has cut short is none.
    """
    with open(path, "rb") as file:
        file.seek(place)
        lines = [line for line in file if line.endswith(b"\n")]
    events = []
    for line in filter(bytes.strip, lines):
        with contextlib.suppress(ValueError):
            events.append(json.loads(line))
    return events, sum(map(len, lines))
