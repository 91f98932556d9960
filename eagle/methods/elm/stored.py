"""The trained adapter on disk: what lies beside its weights, and how it is opened."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from eagle.core.artifacts import content_hash, read_record, write_json
from eagle.core.errors import user_error
from eagle.core.project import Project

_NOTE = "elm.json"


@dataclass(frozen=True)
class ElmNote:
    """What the folder says of itself. ``encoder``: hash of the encoder whose points the adapter reads, "" where none
    was trained; ``radius``: how far from an anchor it is asked, see :class:`eagle.config.ElmConfig`.
    """

    encoder: str
    radius: float

    @property
    def trained(self) -> bool:
        return bool(self.encoder)

    def write(self, folder: Path) -> None:
        """Write the note into the adapter's folder, which exists."""
        write_json(folder / _NOTE, asdict(self))


def read_note(project: Project) -> ElmNote:
    """Return the note of an adapter that can be asked.

    Raises EagleError where it has no weights, or where they were trained on points of another encoder.
    """
    found = read_record(project.elm / _NOTE, ElmNote, "run `dvc repro elm` to make it anew")
    if not found.trained:
        raise user_error(
            f"method elm has an adapter without weights in {project.elm}",
            found="not trained, since elm.updates was 0",
            expected="elm.updates above 0",
            mend="set elm.updates in params.yaml, to 150 say, and run `dvc repro elm`; or do without this method",
        )
    encoder = content_hash(project.encoder)
    if found.encoder != encoder:
        raise user_error(
            f"ELM's adapter in {project.elm} reads points of another encoder",
            found=f"trained for {found.encoder}",
            expected=f"{encoder} ({project.encoder})",
            mend="run `dvc repro elm` to train it for this encoder",
        )
    return found
