"""Where everything lies: the one place that knows the project's paths."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from eagle.core.folders import CatalogueFiles, SplitFiles
from eagle.core.workspace import home


@dataclass(frozen=True)
class Project:
    """Paths below one project root; a stage reads and writes through these and nothing else."""

    root: Path = Path(".")

    def resolved(self) -> Project:
        """Return the project with an absolute root, for workers that run elsewhere."""
        return Project(self.root.resolve())

    @property
    def home(self) -> Path:
        """The root; in a temporary workspace of ``dvc exp run`` that of the project, which keeps texts and MLflow."""
        return home(self.root)

    @property
    def params(self) -> Path:
        return self.root / "params.yaml"

    @property
    def dvc_yaml(self) -> Path:
        """YAML that says to DVC what depends on what."""
        return self.root / "dvc.yaml"

    @property
    def dvc_lock(self) -> Path:
        """YAML that DVC writes: every output with its hash; absent where the stages ran without DVC."""
        return self.root / "dvc.lock"

    @property
    def dvc_cache(self) -> Path:
        """Folder: DVC's copies of outputs, each under its hash, where DVC's configuration names no other one."""
        return self.root / ".dvc/cache/files/md5"

    @property
    def requirements_lock(self) -> Path:
        """The pinned packages of the environment."""
        return self.root / "requirements.lock"

    @property
    def status_page(self) -> Path:
        """Markdown: the last run in one screen."""
        return self.root / "docs/status.md"

    def setting(self, name: str) -> Path:
        """YAML of one named setting: what it changes in params.yaml."""
        return self.settings / f"{name}.yaml"

    @property
    def settings(self) -> Path:
        """Folder of :meth:`setting`."""
        return self.root / "settings"

    # data/ -----------------------------------------------------------------
    @property
    def catalogue(self) -> Path:
        """Folder: ratings.parquet, items.parquet, users.parquet, source.json."""
        return self.root / "data/catalogue"

    @property
    def catalogue_files(self) -> CatalogueFiles:
        return CatalogueFiles(self.catalogue)

    @property
    def validation(self) -> Path:
        """JSON: which checks ran on which catalogue, and that all passed."""
        return self.root / "data/validation.json"

    @property
    def splits(self) -> Path:
        """Folder: items.parquet, users.parquet, ratings.parquet."""
        return self.root / "data/splits"

    @property
    def split_files(self) -> SplitFiles:
        return SplitFiles(self.splits)

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

    @property
    def transition_vectors(self) -> Path:
        return self.design / "encoded.safetensors"

    @property
    def design_weights(self) -> Path:
        return self.design / "weights.parquet"

    # models/ ---------------------------------------------------------------
    @property
    def llm(self) -> Path:
        """Folder in transformers' layout: config, tokenizer, safetensors."""
        return self.root / "models/llm"

    @property
    def environment(self) -> Path:
        """Folder: which model writes the environment's texts, and its adapter over the language model, if any."""
        return self.root / "models/environment"

    @property
    def text_model(self) -> Path:
        """Sentence model (MiniLM) in transformers' layout: the base of E_D."""
        return self.root / "models/text_model"

    @property
    def quality(self) -> Path:
        """JSON: the limits of whole texts."""
        return self.root / "models/quality.json"

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
    def elm(self) -> Path:
        """Folder of ELM's adapter from latent points to soft tokens, or of the note that none was trained."""
        return self.root / "models/elm"

    @property
    def checkpoints(self) -> Path:
        """Unfinished work that a resumed run goes on from; not a DVC output, deleted on success."""
        return self.root / "models/checkpoints"

    def unfinished(self, work: str) -> Path:
        """Folder of what one stage, or one training with one set of inputs, has done so far."""
        return self.checkpoints / work

    @property
    def completions(self) -> Path:
        """SQLite file: every text that a language model wrote; not a DVC output, may be deleted at any time."""
        return self.home / ".cache/completions.sqlite"

    # reports/ --------------------------------------------------------------
    @property
    def reports(self) -> Path:
        return self.root / "reports"

    @property
    def data_docs(self) -> Path:
        return self.reports / "data_docs"

    @property
    def data_docs_page(self) -> Path:
        return self.data_docs / "index.html"

    @property
    def curves(self) -> Path:
        """Folder of :meth:`curve`."""
        return self.reports / "curves"

    def curve(self, name: str) -> Path:
        """CSV with one row per update: a DVC plot, and the metric history that MLflow gets."""
        return self.curves / f"{name}.csv"

    @property
    def all_stage_metrics(self) -> Path:
        """Folder of :meth:`stage_metrics`."""
        return self.reports / "stages"

    def stage_metrics(self, stage: str) -> Path:
        return self.all_stage_metrics / f"{stage}.json"

    @property
    def costs(self) -> Path:
        """Folder of :meth:`cost`."""
        return self.reports / "costs"

    def cost(self, stage: str) -> Path:
        """JSON: what one stage took; see :func:`eagle.core.costs.account`."""
        return self.costs / f"{stage}.json"

    @property
    def total_costs(self) -> Path:
        """JSON: what all stages up to the evaluation took together."""
        return self.reports / "costs.json"

    def training_samples(self, arm: str) -> Path:
        """Parquet: some steps that one arm played in training, to be read by people."""
        return self.reports / "training" / f"{arm}.parquet"

    @property
    def trajectories(self) -> Path:
        return self.reports / "trajectories.parquet"

    @property
    def candidates(self) -> Path:
        """Every text that a method considered."""
        return self.reports / "candidates.parquet"

    @property
    def metrics(self) -> Path:
        return self.reports / "metrics.json"

    @property
    def budget(self) -> Path:
        """CSV: every method at equal budgets; arm, budget, metric, mean, low, high, cases."""
        return self.reports / "budget.csv"

    def table(self, number: int) -> Path:
        """CSV: table 2, 3 or 4 of the comparison."""
        return self.reports / f"table{number}.csv"

    @property
    def headline(self) -> Path:
        """JSON: the few figures that runs are compared by."""
        return self.reports / "headline.json"

    @property
    def headline_by_arm(self) -> Path:
        """Folder: the same, one JSON for each arm, so that `dvc metrics show` is a table with a row for each."""
        return self.reports / "headline"

    @property
    def gaps(self) -> Path:
        return self.reports / "gaps.parquet"

    @property
    def bounds(self) -> Path:
        """JSON: by arm, its figures beside what it is held to."""
        return self.reports / "bounds.json"

    @property
    def registration(self) -> Path:
        """JSON: the registered version, and the decision about the champion."""
        return self.reports / "registration.json"

    @property
    def registered(self) -> Path:
        """JSON beside the local MLflow store: there as long as the store has what was registered."""
        return self.root / "mlruns/registered.json"

    @property
    def registration_lock(self) -> Path:
        """Held by the one process that registers an agent."""
        return self.home / ".cache/registration.lock"

    @property
    def live_runs(self) -> Path:
        """Folder: what the stages of pipelines under way say, for MLflow; gone once it is there."""
        return self.home / "mlruns/live"

    @property
    def arms(self) -> Path:
        """JSON: the record of every arm of the last evaluation."""
        return self.reports / "arms.json"

    @property
    def report(self) -> Path:
        return self.reports / "report.html"
