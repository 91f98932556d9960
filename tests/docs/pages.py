"""The pages that a reader follows, and what is in them: shell commands, YAML, links."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[2]
LAB = ROOT / "docs/lab"
README, TUTORIAL = ROOT / "README.md", ROOT / "docs/tutorial.md"


def every_page() -> list[Path]:
    """README, CONTRIBUTING and the pages of docs/; those of the lab are dated and stay as they are."""
    return [README, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    """The page's fenced blocks of one language, indented ones too."""
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)


def commands(page: Path) -> list[list[str]]:
    """The words of every command in the shell blocks, comments left out."""
    lines = [line for block in blocks(page, "console") for line in block.splitlines()]
    found = [shlex.split(part, comments=True) for line in lines for part in line.split(" && ")]
    return [words for words in found if words]


def links(page: Path) -> list[str]:
    """The page's links to other files."""
    found = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    return [link for link in found if not link.startswith(("http:", "https:"))]
