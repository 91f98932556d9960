"""One byte of a file, changed: as an editor would, which tells the time, or as a disk does, which does not."""

from __future__ import annotations

import os
import random
from pathlib import Path


def flip(path: Path, draw: random.Random, *, unseen: bool = False) -> int:
    """Change a byte somewhere in the file, in place, and return where; ``unseen``: its times stay as they were."""
    times = path.stat()
    mode = times.st_mode
    path.chmod(0o644)  # DVC's cache is read-only
    with path.open("r+b") as file:
        place = draw.randrange(times.st_size)
        file.seek(place)
        (before,) = file.read(1)
        file.seek(place)
        file.write(bytes([before ^ draw.randrange(1, 256)]))
    path.chmod(mode)
    if unseen:
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    return place


def files_below(root: Path, names: list[str]) -> list[Path]:
    """Return the files, not empty, at or below these paths of a folder."""
    found = [
        path for name in names for path in ([root / name] if (root / name).is_file() else (root / name).rglob("*"))
    ]
    return sorted(path for path in found if path.is_file() and path.stat().st_size)
