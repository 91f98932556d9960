"""What a saved adapter says about itself: above all, the language model it belongs to."""

from __future__ import annotations

import json
from pathlib import Path

from eagle.core.artifacts import content_hash
from eagle.core.errors import user_error
from eagle.engine.folders import other_model

#: File beside peft's own two that holds the note.
ADAPTER_NOTE = "eagle.json"


def adapter_note(folder: Path) -> dict[str, str]:
    """Return what a saved adapter says about itself (``base``: hash of the model folder it belongs to)."""
    note = Path(folder) / ADAPTER_NOTE
    if not note.exists():
        raise user_error(f"{folder} is not an adapter of this project", mend="run `dvc repro` to train it")
    return json.loads(note.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def check_base(adapter: Path, model_folder: Path) -> str:
    """Return the base's hash; EagleError where the adapter was trained over another model."""
    found, expected = adapter_note(adapter)["base"], content_hash(model_folder)
    if found != expected:
        raise other_model(adapter, found, f"{expected} ({model_folder})")
    return expected


def same_shape(one: Path, other: Path) -> bool:
    """Whether two saved adapters differ in their weights alone: the same rank, scale and modules."""
    settings = [folder / "adapter_config.json" for folder in (one, other)]
    return (
        all(path.is_file() for path in settings) and len({path.read_text(encoding="utf-8") for path in settings}) == 1
    )
