"""The library side of ``eagle init``: a new project folder, its columns guessed from the user's files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from eagle.config import Config, parse_config
from eagle.config.starting import start_project
from eagle.core.errors import user_error
from eagle.data.guessing import guess


def begin(
    folder: Path,
    ratings: Path | None,
    items: Path | None,
    texts: Path | None,
    noun: str | None,
    encoding: str | None = None,
) -> list[str]:
    """Make the folder's files; return what to tell the user, line by line.

    Files inside the folder are named from there, all others by their absolute path; none is copied.
    """
    data: dict[str, Any] = {"noun": noun} if noun else {}
    notes: dict[str, str] = {}
    said: list[str] = []
    if ratings and items:
        parse_config({"data": {"files": {"encoding": encoding}}}, Path("eagle init"))
        seen = guess(ratings, items, texts, encoding)
        named = {"ratings": ratings, "items": items, "texts": texts}
        files: dict[str, Any] = {name: _from(folder, path) for name, path in named.items() if path}
        files |= {"columns": seen.columns, "genre_separator": seen.genre_separator, "encoding": encoding}
        data |= {"source": "files", "files": files, "rating_min": seen.rating_min, "rating_max": seen.rating_max}
        notes = (
            seen.notes
            if noun
            else {"noun": "NOT NAMED: write what an item is called, or texts speak of films", **seen.notes}
        )
        columns = ", ".join(f"{name}: {column}" for name, column in seen.columns.items())
        said = [f"guessed columns: {columns or 'none'}; scale: {seen.rating_min} to {seen.rating_max}"]
    elif ratings or items or texts:
        raise user_error("a catalogue needs two files", expected="--ratings and --items", mend="name both, or none")
    written = start_project(folder, Config.model_validate({"data": data}), notes)
    said += [f"params.yaml, {name}: {note}" for name, note in notes.items() if not note.startswith("guessed")]
    return [f"{folder}: wrote {', '.join(written)}; your files are referred to, not copied", *said]


def _from(folder: Path, path: Path) -> str:
    whole = path.resolve()
    return str(whole.relative_to(folder.resolve()) if whole.is_relative_to(folder.resolve()) else whole)
