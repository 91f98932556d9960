"""Where everything lies: the one place that knows the project's paths."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Project:
    """Paths below one project root; a stage reads and writes through these and nothing else."""

    root: Path = Path(".")

    def resolved(self) -> Project:
        """Return the project with an absolute root, for workers that run elsewhere."""
        return Project(self.root.resolve())

    @property
    def params(self) -> Path:
        return self.root / "params.yaml"

    def setting(self, name: str) -> Path:
        """YAML of one named setting: what it changes in params.yaml."""
        return self.root / "settings" / f"{name}.yaml"

    # data/ -----------------------------------------------------------------
    @property
    def catalogue(self) -> Path:
        """Folder: ratings.parquet, items.parquet, users.parquet, source.json."""
        return self.root / "data/catalogue"

    @property
    def validation(self) -> Path:
        """JSON: which checks ran on which catalogue, and that all passed."""
        return self.root / "data/validation.json"

    @property
    def splits(self) -> Path:
        """Folder: items.parquet, users.parquet, ratings.parquet."""
        return self.root / "data/splits"

    @property
    def descriptions(self) -> Path:
        return self.root / "data/descriptions.parquet"

    @property
    def profiles(self) -> Path:
        return self.root / "data/profiles.parquet"

    @property
    def actions(self) -> Path:
        return self.root / "data/actions.parquet"

    @property
    def transitions(self) -> Path:
        return self.root / "data/transitions.parquet"

    @property
    def design(self) -> Path:
        """Folder: encoded.safetensors (one latent row per transition), weights.parquet."""
        return self.root / "data/design"

    # models/ ---------------------------------------------------------------
    @property
    def llm(self) -> Path:
        """Folder in transformers' layout: config, tokenizer, safetensors."""
        return self.root / "models/llm"

    @property
    def text_model(self) -> Path:
        """Sentence model (MiniLM) in transformers' layout: the base of E_D."""
        return self.root / "models/text_model"

    @property
    def factors(self) -> Path:
        return self.root / "models/factors.safetensors"

    @property
    def encoder(self) -> Path:
        """Folder: E_D, the user vectors z_u, the encoded catalogue."""
        return self.root / "models/encoder"

    def reference(self, name: str) -> Path:
        """Folder of the LoRA adapter of one reference policy."""
        return self.root / "models/reference" / name

    def agent(self, arm: str) -> Path:
        """Folder of the LoRA adapter of one trained EAGLE arm (named after its reference)."""
        return self.root / "models/agent" / arm

    @property
    def checkpoints(self) -> Path:
        """Unfinished work that a resumed run goes on from; not a DVC output, deleted on success."""
        return self.root / "models/checkpoints"

    @property
    def completions(self) -> Path:
        """SQLite file: every text that a language model wrote; not a DVC output, may be deleted at any time."""
        return self.root / ".cache/completions.sqlite"

    # reports/ --------------------------------------------------------------
    @property
    def reports(self) -> Path:
        return self.root / "reports"

    @property
    def data_docs(self) -> Path:
        return self.reports / "data_docs"

    def curve(self, name: str) -> Path:
        """CSV with one row per update: a DVC plot, and the metric history that MLflow gets."""
        return self.reports / "curves" / f"{name}.csv"

    def stage_metrics(self, stage: str) -> Path:
        return self.reports / "stages" / f"{stage}.json"

    def cost(self, stage: str) -> Path:
        return self.reports / "costs" / f"{stage}.json"

    @property
    def trajectories(self) -> Path:
        return self.reports / "trajectories.parquet"

    @property
    def metrics(self) -> Path:
        return self.reports / "metrics.json"

    @property
    def report(self) -> Path:
        return self.reports / "report.html"
