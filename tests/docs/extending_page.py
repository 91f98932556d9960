"""What stands in docs/extending.md: files to write out, and parameters."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs/extending.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def files() -> dict[str, str]:
    """Name -> text of every python block; the name is the last `file.py` that the text before it mentions."""
    found: dict[str, str] = {}
    for block in BLOCK.finditer(PAGE):
        if block[1] == "python":
            name = re.findall(r"`([\w/]+\.py)`", BLOCK.sub("", PAGE[: block.start()]))[-1]
            assert name not in found, f"{name} stands twice in docs/extending.md"
            found[name] = block[2]
    return found


def parameters() -> list[str]:
    """Every yaml block."""
    return [block[2] for block in BLOCK.finditer(PAGE) if block[1] == "yaml"]


def write_files(folder: Path) -> list[str]:
    """Write all files out and return their names."""
    for name, text in files().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return list(files())
