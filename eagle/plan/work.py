"""How much work every stage has under given parameters: amounts of a few terms, whose prices are fitted to measured
runs.

A term has one price, whichever stage it stands in: a token that the language model writes costs the same in the
transitions, in rollouts and in the evaluation, so that a run that did one of them tells about the others. What a stage
takes before its work begins is a term too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq

from eagle.actions.written import MAX_TOKENS
from eagle.config import AllActionPhase, Config, ReferenceName, load_config
from eagle.config.stages import all_instances
from eagle.core.errors import user_error
from eagle.core.project import CatalogueFiles, Project
from eagle.domains.table import domain_of
from eagle.policies.agents import LONGEST_ACTION
from eagle.profiles.writer import LINE_TOKENS

Amounts = dict[str, float]
SIMPLE_ARMS = 4  # random, linear rule, softmax, fixed: they write no actions, but the environment answers them
KNOWN_SIZES = {
    "movielens-100k": (1_682, 943, 100_000),
    "ml-latest-small": (9_724, 610, 100_836),
    "ml-25m": (62_423, 162_541, 25_000_095),
    "ml-32m": (87_585, 200_948, 32_000_204),
}


@dataclass(frozen=True)
class Sizes:
    """Rows of the catalogue."""

    items: int
    users: int
    ratings: int

    @classmethod
    def of(cls, config: Config, project: Project) -> Sizes:
        """Count the catalogue if it is fetched, else take what is known of the source; EagleError for own files that
        are not fetched.
        """
        if project.catalogue_files.items.exists() and load_config(project.params).data == config.data:
            return cls.fetched(project.catalogue)
        if config.data.source not in KNOWN_SIZES:
            raise user_error(
                "the size of the catalogue is not known yet",
                mend="run `dvc repro fetch` first: it costs next to nothing",
            )
        items, users, ratings = KNOWN_SIZES[config.data.source]
        kept = min(1.0, config.data.max_ratings / ratings) if config.data.max_ratings else 1.0
        return cls(items, max(1, round(users * kept)), round(ratings * kept))

    @classmethod
    def fetched(cls, catalogue: Path) -> Sizes:
        """Count the rows of a catalogue's tables."""
        files = CatalogueFiles(catalogue)
        items, users, ratings = (pq.read_metadata(path).num_rows for path in (files.items, files.users, files.ratings))
        return cls(items, users, ratings)


@dataclass
class Work:
    """One stage's amounts of priced terms, for the four things that are forecast; ``together``: texts that can be
    written at once.
    """

    seconds: Amounts = field(default_factory=dict)
    peak_memory_mib: Amounts = field(default_factory=dict)
    prompt_tokens: Amounts = field(default_factory=dict)
    new_tokens: Amounts = field(default_factory=dict)
    together: float = 0.0

    def write(self, kind: str, count: float, longest: int, rounds: int = 1) -> None:
        """Add ``count`` texts of a kind, of at most ``longest`` tokens each, written in so many rounds that wait for
        each other.
        """
        add(self.new_tokens, kind, count * longest)
        add(self.prompt_tokens, kind, count)
        self.together = max(self.together, count / rounds)


def add(amounts: Amounts, term: str, amount: float) -> None:
    """Add to a term; nothing adds no term."""
    if amount:
        amounts[term] = amounts.get(term, 0.0) + amount


def work_of(config: Config, sizes: Sizes) -> dict[str, Work]:
    """Return the work of every stage by its full name (``train@g_optimal``), in the order in which they run."""
    found = {name: Work() for name in all_instances(config)}
    _before_the_model(config, sizes, found)
    _texts(config, sizes, found)
    for target in config.reference.names:
        _reference(config, target, found[f"reference@{target}"])
    for arm in config.train.arms:
        _train(config, found[f"train@{arm}"])
    for name, work in found.items():
        start = f"start of {name.split('@')[0]}"
        add(work.seconds, start, 1)
        add(work.peak_memory_mib, start, 1)
        add(work.peak_memory_mib, "language model", bool(work.new_tokens))
    return found


def _before_the_model(config: Config, sizes: Sizes, found: dict[str, Work]) -> None:
    for name in ("fetch", "validate", "split"):
        add(found[name].seconds, f"ratings of {name}", sizes.ratings)
    for name in ("fetch", "validate", "split", "factors"):
        add(found[name].peak_memory_mib, "ratings", sizes.ratings)
    add(found["factors"].seconds, "ratings swept", sizes.ratings * config.factors.iterations)
    add(found["describe"].seconds, "items described", sizes.items)
    add(found["encoder"].seconds, "texts embedded", sizes.items)
    add(found["encoder"].seconds, "ratings in rounds", sizes.ratings * config.encoder.rounds)
    add(found["encoder"].peak_memory_mib, "items", sizes.items)
    add(found["encoder"].peak_memory_mib, "ratings in rounds", sizes.ratings)
    add(found["profiles"].seconds, "users profiled", sizes.users)


def transition_rows(config: Config) -> int:
    """Return how many next texts are cached."""
    settings, anchors = config.transitions, config.actions.train_anchors + config.actions.validation_anchors
    return anchors * settings.samples * (config.actions.per_anchor + settings.second_steps * settings.second_actions)


def _texts(config: Config, sizes: Sizes, found: dict[str, Work]) -> None:
    longest, anchors = config.llm.max_new_tokens, config.actions.train_anchors + config.actions.validation_anchors
    found["describe"].write("next text", min(sizes.items, config.describe.write_at_most), longest)
    if config.profiles.origin == "llm":
        users = min(sizes.users, config.profiles.written or sizes.users)
        found["profiles"].write("profile line", users * len(domain_of(config).profiling.sections), LINE_TOKENS)
    found["actions"].write("listed action", anchors * config.actions.llm_written, MAX_TOKENS)
    found["transitions"].write("next text", transition_rows(config), longest)
    add(found["design"].seconds, "texts embedded", transition_rows(config))
    _evaluate(config, found["evaluate"])


def _evaluate(config: Config, work: Work) -> None:
    settings, arms = config.evaluate, len(config.train.arms)
    cases, longest = settings.anchors * settings.users, config.llm.max_new_tokens
    writing = len(config.reference.names) + arms * (1 + settings.listed_arms)
    elsewhere = arms * (settings.other_temperature is not None or settings.other_model is not None)
    steps = cases * settings.horizon
    work.write("policy's action", steps * (writing + elsewhere), LONGEST_ACTION, settings.horizon)
    played = steps * (SIMPLE_ARMS + writing + elsewhere) + cases * arms * settings.macro
    work.write(
        "compared text", played, longest, settings.horizon
    )  # fewer than steps: arms that do the same share a text
    add(work.seconds, "steps judged", played)
    add(work.peak_memory_mib, "rows decoded at once", min(cases, 2 * config.llm.batch_rows))  # two parts, side by side


def _reference(config: Config, target: ReferenceName, work: Work) -> None:
    """An optimistic target is one action, a uniform one all K, a G-optimal one some two per dimension of the design."""
    candidates, prompts = config.actions.per_anchor, config.reference.prompts
    support = {
        "uniform": candidates,
        "optimistic": 1,
        "g_optimal": min(candidates, 2 * (config.design.projection or candidates)),
    }[target]
    support = min(support, config.reference.actions or support)
    for amounts in (work.seconds, work.prompt_tokens):
        add(amounts, "prompts imitated", config.reference.updates * prompts)
        add(amounts, "actions imitated", config.reference.updates * prompts * support)
    add(work.peak_memory_mib, "actions imitated at once", prompts * support)


def _train(config: Config, work: Work) -> None:
    candidates = config.actions.per_anchor
    for phase in config.train.phases:
        if isinstance(phase, AllActionPhase):
            for amounts in (work.seconds, work.prompt_tokens):
                add(amounts, "actions weighed", phase.updates * phase.pairs * candidates)
                add(amounts, "actions scored once", max(phase.pool, phase.pairs) * candidates)
            add(work.peak_memory_mib, "actions weighed at once", phase.pairs * candidates)
        elif phase.updates:
            episodes = max(1, phase.episodes // phase.rollouts_per_pair) * phase.rollouts_per_pair
            steps = phase.updates * episodes * config.train.horizon
            add(work.seconds, "steps played", steps)
            work.write("next text", steps, config.llm.max_new_tokens, phase.updates * config.train.horizon)
            work.write("played action", steps, LONGEST_ACTION, phase.updates * config.train.horizon)
            add(work.peak_memory_mib, "episodes at once", episodes * config.train.horizon)
