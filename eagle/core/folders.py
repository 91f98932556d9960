"""What lies in the folders that are written as drafts first, and so are also read elsewhere than in the project."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class CatalogueFiles:
    """The files of a catalogue's folder."""

    folder: Path

    @property
    def ratings(self) -> Path:
        return self.folder / "ratings.parquet"

    @property
    def items(self) -> Path:
        return self.folder / "items.parquet"

    @property
    def users(self) -> Path:
        return self.folder / "users.parquet"

    @property
    def source(self) -> Path:
        """JSON: where the ratings come from, under which licence, on which scale."""
        return self.folder / "source.json"

    @property
    def overview(self) -> Path:
        """JSON: what was read, in one look; absent where the stage ``fetch`` did not write the folder."""
        return self.folder / "overview.json"


@dataclass(frozen=True)
class SplitFiles:
    """The files of the splits' folder."""

    folder: Path

    @property
    def items(self) -> Path:
        return self.folder / "items.parquet"

    @property
    def users(self) -> Path:
        return self.folder / "users.parquet"

    @property
    def ratings(self) -> Path:
        return self.folder / "ratings.parquet"


@dataclass(frozen=True)
class EnvironmentFiles:
    """The files of the environment's folder."""

    folder: Path

    @property
    def decision(self) -> Path:
        """JSON: which model writes the texts, and why."""
        return self.folder / "decision.json"

    @property
    def adapter(self) -> Path:
        """Folder of the LoRA adapter that writes them; absent where the plain model does."""
        return self.folder / "adapter"
