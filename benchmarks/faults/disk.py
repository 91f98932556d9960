"""Kind ``disk``: a disk that is full, or can no longer be written, at seeded moments of a stage.

The project stands on a small memory disk for it, which needs the rights to mount one.
"""

from __future__ import annotations

import contextlib
import random
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from benchmarks.faults.kill import START
from benchmarks.faults.ledger import Case, Outcome
from benchmarks.faults.world import Done, World

ROOM = 256
"""MiB of the disk where it is not to be full."""
SHARES = (0.0, 0.3, 0.6, 0.9)
"""How much of what a stage writes still finds room."""


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Lay a memory disk over a folder, and take it away again; PermissionError where that is not allowed."""
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={ROOM}m", "none", folder], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise PermissionError(done.stderr.strip())
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def remount(folder: Path, options: str) -> bool:
    """Change the disk's options; say whether it let itself be changed."""
    command = ["mount", "-o", f"remount,{options}", folder]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def full(world: World, *, stage: str, share: float) -> Outcome:
    """Run a stage where only a share of what it writes finds room, then with room."""
    copy = world.root.with_name("copy")
    with _moved(world, copy):
        world.unmake(stage)
        needed = sum(size for name in world.outputs(stage) if (size := _size(world.pristine / name)))
        used = shutil.disk_usage(world.root).used
        remount(world.root, f"size={used + int(share * needed)}")
        stopped = world.run("eagle", "stage", stage)
        remount(world.root, f"size={ROOM}m,rw")
        return _judged(world, stage, stopped, f"{stage}, room for {share:.0%} of {needed >> 10} KiB")


def read_only(world: World, *, stage: str, share: float) -> Outcome:
    """Close the disk at a moment of a stage, as a failing one is, then open it again."""
    copy = world.root.with_name("copy")
    with _moved(world, copy):
        world.unmake(stage)
        if share == 0:
            remount(world.root, "ro")
        process = world.start("eagle", "stage", stage)
        time.sleep(share * (START + world.cost(stage)))
        while process.poll() is None and not remount(world.root, "ro"):  # not while a file is open for writing
            time.sleep(0.01)
        said, _ = process.communicate()
        remount(world.root, f"size={ROOM}m,rw")
        return _judged(world, stage, Done(process.returncode, said), f"{stage}, closed from {share:.0%} on")


def _judged(world: World, stage: str, stopped: Done, where: str) -> Outcome:
    again = world.run("eagle", "stage", stage)
    if again.code:
        return Outcome("lost", f"{where}: not to be finished: {again.said[-300:]}")
    if wrong := world.differences([stage]):
        return Outcome("lost", f"{where}: {'; '.join(wrong[:3])}")
    if stopped.code == 0:
        return Outcome("identical", f"{where}: it ended before it met the fault")
    said = stopped.said.strip().splitlines()
    clear = stopped.clear and stopped.code == 2
    return Outcome("told" if clear else "unclear", f"{where}: exit {stopped.code}, {' / '.join(said[-3:])[:250]}")


@contextlib.contextmanager
def _moved(world: World, aside: Path) -> Iterator[None]:
    """The world on a small disk, as it was undisturbed; on the large one it stays as it is."""
    world.reset()
    shutil.copytree(world.root, aside, symlinks=True)
    try:
        with small_disk(world.root):
            shutil.copytree(aside, world.root, symlinks=True, dirs_exist_ok=True)
            yield
    finally:
        shutil.rmtree(aside)


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def allowed(folder: Path) -> str:
    """Return why no disk can be mounted at a folder; empty where one can."""
    try:
        with small_disk(folder):
            return ""
    except (PermissionError, FileNotFoundError) as error:
        return str(error)


def cases(seed: int, runs: int) -> Iterator[Case]:
    """Yield every stage with every share, full and read-only; the shares are moved a little by the seed."""
    yield from (
        Case("disk", group, f"{seed}-{fault.__name__}-{share:g}-{stage}", partial(_tried, fault, stage, seed, share))
        for share in SHARES[: max(1, runs // 50)]
        for stage in STAGES
        for group, fault in (("full", full), ("read-only", read_only))
    )


def _tried(fault: Callable[..., Outcome], stage: str, seed: int, share: float, world: World) -> Outcome:
    if stage not in world.stages:
        return Outcome("skipped", f"{stage} is not among the stages")
    if why := allowed(world.root):
        return Outcome("skipped", why)
    moved = share + 0.1 * random.Random(f"{seed} {stage} {share}").random() if share else 0.0
    return fault(world, stage=stage, share=moved)


STAGES = (
    "fetch",
    "validate",
    "split",
    "factors",
    "describe",
    "quality",
    "encoder",
    "profiles",
    "actions",
    "environment",
    "transitions",
    "design",
    "reference@g_optimal",
    "train@g_optimal",
    "elm",
    "evaluate",
    "report",
    "register",
)
