"""What stage `environment` does where it adapts: find edits, learn them, compare."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from eagle.actions.labels import frequent_labels
from eagle.adapting.changes import NamedChange, changes_of
from eagle.adapting.comparison import EnvironmentComparison
from eagle.adapting.decision import decide
from eagle.adapting.edits import Mined, mined_edits
from eagle.adapting.learning import Adaptation, lessons_of
from eagle.adapting.mining import Edit
from eagle.adapting.own_answers import own_answers
from eagle.compute.devices import placement
from eagle.config import Config
from eagle.core.artifacts import complete_or_absent, content_hash, hash_of
from eagle.core.folders import EnvironmentFiles
from eagle.core.project import Project
from eagle.core.seeding import derive_seed
from eagle.data.corpus import read_corpus
from eagle.data.descriptions import Descriptions
from eagle.data.stored import items_of_split, read_item_split
from eagle.domains.base import Domain
from eagle.domains.open import domain_of
from eagle.engine.base import LanguageModel, SamplingSpec
from eagle.engine.identity import code_behind
from eagle.engine.open import open_language_model
from eagle.environment.adapted import EnvironmentDecision
from eagle.environment.rewrite import Rewriter
from eagle.latent.sentence import SentenceModel
from eagle.policies.lora_model import LoraModel
from eagle.training.records import Row
from eagle.training.trainer import Trainer


@dataclass
class AdaptingWork:
    """The steps, over what they share."""

    config: Config
    project: Project

    @cached_property
    def domain(self) -> Domain:
        return domain_of(self.config)

    @cached_property
    def descriptions(self) -> Descriptions:
        return Descriptions.load(self.project.descriptions)

    @cached_property
    def changes(self) -> list[NamedChange]:
        if self.domain.fields.labels:
            return changes_of(self.domain, sorted(self.descriptions.genres))
        splits = read_item_split(self.project.split_files.items)
        typical, domain = frequent_labels(self.descriptions.table, splits, self.domain)
        return changes_of(domain, typical)

    @cached_property
    def model(self) -> LanguageModel:
        return open_language_model(self.config.llm, self.project.llm, self.project.completions)

    @cached_property
    def validation(self) -> dict[str, str]:
        return self._lines("validation")

    @cached_property
    def mined(self) -> Mined:
        settings = self.config.environment
        return mined_edits(
            read_corpus(self.config.data, self.project),
            self.changes,
            SentenceModel(self.project.text_model),
            self.domain.fields,
            max_words=self.config.describe.max_words,
            stories=settings.stories,
            wanted=settings.mined,
            seed=self.config.seed,
        )

    @cached_property
    def unfinished(self) -> Path:
        """Folder of what is done so far with exactly these inputs, parameters and code."""
        project, config = self.project, self.config
        inputs = (project.llm, project.text_model, project.descriptions, project.splits, project.catalogue)
        sections = [getattr(config, name) for name in ("data", "domain", "describe", "environment", "llm")]
        decisive = [section.decisive() for section in sections]
        code = code_behind("eagle.adapting.stage", *sections)
        return project.unfinished(f"environment_{hash_of([config.seed, *decisive, *map(content_hash, inputs), code])}")

    @property
    def adapter(self) -> Path:
        return EnvironmentFiles(self.unfinished).adapter

    def edits(self) -> list[Edit]:
        """Return what is learned from."""
        settings = self.config.environment
        own = own_answers(
            self.writer(None), self._lines("train"), self.changes, settings.own_drawn, settings.own, self.config.seed
        )
        return [*self.mined.edits, *own]

    def writer(self, adapter: Path | None) -> Rewriter:
        """Return an environment that tries once."""
        llm = self.config.llm
        return Rewriter(
            self.model,
            self.descriptions.genres,
            domain=self.domain,
            spec=SamplingSpec(llm.max_new_tokens, llm.temperature, llm.top_p),
            attempts=1,
            adapter=adapter,
        )

    def learn(self, edits: Sequence[Edit]) -> list[Row]:
        """Train the adapter, from a checkpoint where there is one, and save it; return the log's rows."""
        config, seed = self.config, derive_seed(self.config.seed, "environment")
        trained = LoraModel.create(self.project.llm, config.environment.lora, seed, **placement(config.llm))
        lessons = lessons_of(edits, trained.tokenizer, self.domain)
        phase = Adaptation(trained, lessons, config.environment, seed)
        log = Trainer([lambda: phase], self.unfinished, config.environment.checkpoint_every).run()
        with complete_or_absent(self.adapter) as draft:
            trained.save(draft, kind="environment")
        return log.rows

    def decide(self) -> EnvironmentDecision:
        """Compare both environments on validation items."""
        settings, corpus = self.config.environment, [text.plot for text in self.mined.stories.texts]
        comparison = EnvironmentComparison.draw(
            self.validation, self.changes, corpus, settings.anchors, settings.changes, self.config.seed
        )
        return decide(comparison.figures(self.writer(None)), comparison.figures(self.writer(self.adapter)))

    def clean(self) -> None:
        """Remove the unfinished work: the result stands under its final name."""
        shutil.rmtree(self.unfinished, ignore_errors=True)

    def _lines(self, split: str) -> dict[str, str]:
        """Return the lines of a split's items that have a text."""
        items = items_of_split(self.project.split_files.items, split)
        return {item: self.descriptions.texts[item] for item in items if self.descriptions.plots[item]}
