"""A small project that has run undisturbed once, and the same folder to be disturbed, put back before every case."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import yaml

from eagle.core.artifacts import md5_of, read_json, remove
from eagle.core.project import Project
from eagle.engine.cache import CompletionStore

CHANGING = ("own", "data", "models", "reports", "mlruns", ".cache", ".dvc", "dvc.yaml", "dvc.lock", "params.yaml")
"""What runs and faults may change in the folder; the library in it stays as it is."""
TIMED = ("reports/costs", "reports/report.html", "reports/registration.json", "reports/data_docs", "mlruns")
"""Files that differ from run to run, by the time they took, names of runs or dates."""
TRACKER = "eagle.registry.live.tracker"


@dataclass(frozen=True)
class Done:
    """How a command ended, and all that it said."""

    code: int
    said: str

    @property
    def clear(self) -> bool:
        """Whether a user was told by one message, not by a traceback."""
        return bool(self.code) and "Traceback" not in self.said and "unexpected error" not in self.said


@dataclass(frozen=True)
class World:
    """``root`` is disturbed; ``pristine`` is the same folder as an undisturbed run left it."""

    root: Path
    pristine: Path
    surroundings: Mapping[str, str]
    stages: tuple[str, ...]
    seconds: dict[str, float] = field(default_factory=dict)
    """Wall seconds of each stage through DVC when nobody disturbed it."""

    def reset(self) -> None:
        """Put back what may have changed."""
        end_trackers(self.root)
        for name in CHANGING:
            there, here = self.pristine / name, self.root / name
            remove(here)
            if there.is_dir():
                shutil.copytree(there, here)
            elif there.exists():
                shutil.copy2(there, here)

    def unmake(self, stage: str, *, later: bool = True) -> None:
        """Take a stage's outputs away, and those of all later ones, as before their first run."""
        gone = self.stages[self.stages.index(stage) :] if later else (stage,)
        lock = self.lock()
        for name in gone:
            for out in lock["stages"].pop(name, {}).get("outs", []):
                remove(self.root / out["path"])
        (self.root / "dvc.lock").write_text(yaml.safe_dump(lock), encoding="utf-8")
        remove(self.root / ".dvc/cache/runs")  # or DVC would take the outputs from there

    def forget_texts(self) -> None:
        """Make the cache of completions cold."""
        for path in (self.root / ".cache").glob("completions*"):
            path.unlink()

    def lock(self) -> dict:
        """Return dvc.lock."""
        return yaml.safe_load((self.root / "dvc.lock").read_text(encoding="utf-8"))

    def start(self, *command: str, **more: str) -> subprocess.Popen[str]:
        """Start a command in the folder, in a process group of its own; ``more``: variables of its environment."""
        return subprocess.Popen(
            command,
            cwd=self.root,
            env={**self.surroundings, **more},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )

    def run(self, *command: str, **more: str) -> Done:
        """Run a command in the folder to its end."""
        process = self.start(*command, **more)
        said, _ = process.communicate()
        return Done(process.returncode, said)

    def dvc(self, *words: str) -> Done:
        """Run ``dvc``."""
        return self.run("dvc", *words)

    def outputs(self, stage: str) -> list[str]:
        """Return the paths of a stage's outputs, by the lock of the undisturbed run."""
        lock = yaml.safe_load((self.pristine / "dvc.lock").read_text(encoding="utf-8"))
        return [out["path"] for out in lock["stages"][stage]["outs"]]

    def cost(self, stage: str) -> float:
        """Return the seconds that a stage's own work took when nobody disturbed it."""
        return float(read_json(Project(self.pristine).cost(stage))["seconds"])

    def differences(self, stages: Sequence[str] | None = None) -> list[str]:
        """Return what is not as the undisturbed run left it: results by their bytes, leftovers, damaged texts."""
        paths = [out for stage in stages or self.stages for out in self.outputs(stage) if not out.startswith(TIMED)]
        here, there = (hashes(root, paths) for root in (self.root, self.pristine))
        other = [f"other bytes in {name}" for name in sorted(here.keys() | there) if here.get(name) != there.get(name)]
        return other + self.leftovers()

    def leftovers(self) -> list[str]:
        """Return half-written files, unfinished work, and texts in the cache that do not match their checksum."""
        drafts = [path for path in self.root.rglob(".*.part") if ".dvc" not in path.parts]
        unfinished = [path for path in (self.root / "models/checkpoints").rglob("*") if path.is_file()]
        found = [f"left behind: {path.relative_to(self.root)}" for path in [*drafts, *unfinished]]
        objects = [path for path in Project(self.root).dvc_cache.rglob("*") if path.is_file()]
        found += [f"DVC's cache: {path.name} holds something else" for path in objects if not _is_itself(path)]
        store = self.root / ".cache/completions.sqlite"
        return found + (_damaged(store) if store.exists() else [])


def end_trackers(root: Path) -> None:
    """End what still carries journals to MLflow there: it would write into the folder that is put back."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if TRACKER in process.cmdline() and Path(process.cwd()) == root:
                process.kill()
                found.append(process)
    psutil.wait_procs(found)


def _is_itself(path: Path) -> bool:
    """Whether an object of DVC's cache has the hash that it is named by; DVC's own drafts have other names."""
    name = (path.parent.name + path.name).removesuffix(".dir")
    digest = md5_of(path)
    return len(name) != len(digest) or name == digest


def _damaged(path: Path) -> list[str]:
    """Return what is wrong with a store of completions."""
    with contextlib.closing(CompletionStore(path).connect()) as db:
        (said,) = db.execute("PRAGMA integrity_check").fetchone()
        keys = [key for (key,) in db.execute("SELECT key FROM completions")]
    wrong = [] if said == "ok" else [f"the cache of completions: {said}"]
    if len(CompletionStore(path).read(keys)) < len(keys):
        wrong.append("the cache of completions held damaged texts")
    return wrong


def hashes(root: Path, paths: Sequence[str]) -> dict[str, str]:
    """Return the SHA-256 of every file at or below ``paths``."""
    found = {}
    for name in paths:
        path = root / name
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in filter(Path.is_file, files):
            found[str(file.relative_to(root))] = hashlib.sha256(file.read_bytes()).hexdigest()
    return found
