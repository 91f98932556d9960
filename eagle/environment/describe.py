"""Stage `describe`: one line of genres and plot for every item, with its origin.

1. Paper, Sec. 5.1: the language model writes every description (plot, likes, dislikes). Here the source's own plot is
   kept, shortened, where there is one (origin source): a small model invents what it does not know.
2. Items without a text: plots written by the model from title, year and genres for the most rated ones (origin llm),
   as many as `describe.write_at_most`; all others have their genre line only (origin metadata).
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from eagle.compute.cutting import cut
from eagle.compute.sharding import ShardCache, answer_shards, open_workers
from eagle.compute.workers import Answerer
from eagle.config import Config
from eagle.core.artifacts import write_json, write_table
from eagle.core.project import Project
from eagle.core.seeding import derive_seed
from eagle.data.stored import read_items, read_rating_split
from eagle.domains.open import domain_of
from eagle.domains.text import GENRES_AND_PLOT, Description, Fields
from eagle.engine.base import SamplingSpec
from eagle.engine.identity import model_identity
from eagle.engine.open import open_language_model
from eagle.environment.checks import check_text
from eagle.environment.prompts import before_body, clean, describe_prompt
from eagle.environment.sentences import first_sentences

_NOT_IN_GENRE = re.compile(r"[.,:;\n]")


@dataclass(frozen=True)
class OpenPlots:
    """Opens in a worker the model that writes plots; a question is a shard of [item, title, year, genres]."""

    config: Config
    project: Project

    def __call__(self) -> Answerer:
        config, domain = self.config, domain_of(self.config)
        model = open_language_model(config.llm, self.project.llm, self.project.completions)
        spec = SamplingSpec(config.llm.max_new_tokens, config.describe.temperature, config.llm.top_p)

        def answer(question: Sequence[Sequence[Any]]) -> list[list[str | None]]:
            prompts = [
                describe_prompt(model, title, year, tuple(genres), domain) for _, title, year, genres in question
            ]
            seeds = [derive_seed(config.seed, "describe", item) for item, *_ in question]
            return [
                [completion.text, completion.finish, completion.cause]
                for completion in model.generate(prompts, spec, seeds)
            ]

        return answer


def run(config: Config, project: Project) -> None:
    """Write data/descriptions.parquet and reports/stages/describe.json."""
    inputs = [project.catalogue_files.items, project.split_files.ratings]
    items, ratings = read_items(inputs[0]), read_rating_split(inputs[1])
    rated = ratings.loc[ratings["part"] == "fit", "item"].value_counts()
    table = describe(items, config.describe.max_words, domain_of(config).fields)
    write = without_text(table, rated, config.describe.write_at_most)
    causes = write_plots(table, items, write, config, project) if write else Counter()
    write_table(project.descriptions, table, "descriptions", inputs=inputs)
    write_json(project.stage_metrics("describe"), summary(table, rated, causes))
    shutil.rmtree(project.unfinished("describe"), ignore_errors=True)


def shorten(text: str, max_words: int, fields: Fields = GENRES_AND_PLOT) -> str:
    """Return whole sentences of ``text``, at most ``max_words`` words, on one line and without our markers.

    See :mod:`eagle.environment.sentences` for what counts as a word, and for a first sentence that is longer.
    """
    markers = rf"\b({'|'.join(map(re.escape, fields.names))}|change)\s*:\s*"
    said = re.sub(markers, "", clean(text), flags=re.IGNORECASE)
    return first_sentences(said, max_words)


def describe(items: pd.DataFrame, max_words: int, fields: Fields = GENRES_AND_PLOT) -> pd.DataFrame:
    """Return the descriptions table from the catalogue's own words (schema descriptions)."""
    rows = []
    for item, text, named, released in zip(items["item"], items["text"], items["genres"], items["year"], strict=True):
        genres = tuple(dict.fromkeys(g for g in (_genre(name) for name in named) if g))
        plot = shorten(text, max_words, fields) if isinstance(text, str) else ""
        year = None if pd.isna(released) else int(released)
        rows.append(
            (
                item,
                Description(genres, plot, fields).render(),
                list(genres),
                plot,
                year,
                "source" if plot else "metadata",
            )
        )
    table = pd.DataFrame(rows, columns=["item", "text", "genres", "plot", "year", "origin"])
    return table.astype({"year": "Int64"})


def _genre(name: str) -> str:
    return " ".join(_NOT_IN_GENRE.sub(" ", name).lower().split())


def without_text(table: pd.DataFrame, rated: pd.Series, at_most: int) -> list[int]:
    """Return row numbers of the most rated items that have no plot, most rated first, ties by item id."""
    missing = table[table["plot"] == ""].assign(rated=lambda t: t["item"].map(rated).fillna(0))
    order = missing.sort_values(["rated", "item"], ascending=[False, True])
    return [int(row) for row in order.index[:at_most]]


def write_plots(
    table: pd.DataFrame, items: pd.DataFrame, rows: Sequence[int], config: Config, project: Project
) -> Counter[str]:
    """Let the model write the plots of ``rows`` into ``table``; return how many failed, by cause."""
    years = [None if pd.isna(table["year"][row]) else int(table["year"][row]) for row in rows]
    requests = [
        [table["item"][row], str(items["title"][row]), year, list(table["genres"][row])]
        for row, year in zip(rows, years, strict=True)
    ]
    domain = domain_of(config)
    words = [asdict(domain.describing), asdict(domain.fields)]
    surroundings = [config.seed, config.describe.temperature, words, model_identity(config.llm, project.llm, __name__)]
    cache, shards = ShardCache(project.unfinished("describe"), surroundings), cut(requests, config.llm.shard_rows)
    with open_workers(config.llm, OpenPlots(config, project.resolved())) as workers:
        answers = answer_shards(shards, workers, cache, title="plots", unit="text")
    causes: Counter[str] = Counter()
    for row, (text, finish, cause) in zip(rows, (plot for answer in answers for plot in answer), strict=True):
        genres = tuple(table["genres"][row])
        line = clean(f"{before_body(genres, domain.fields)}{text}")
        checked = check_text(
            line,
            finished=finish == "stop",
            vocabulary=frozenset(genres),
            fields=domain.fields,
            least_words=domain.least_words,
        )
        if checked.description is None:
            causes[cause or checked.cause or "error"] += 1
            continue
        plot = shorten(checked.description.plot, config.describe.max_words, domain.fields)
        table.loc[row, ["text", "plot", "origin"]] = [Description(genres, plot, domain.fields).render(), plot, "llm"]
    return causes


def summary(table: pd.DataFrame, rated: pd.Series, causes: Counter[str]) -> dict[str, object]:
    """Return how many items, and which share of the ratings, have a text of which origin; lengths in words."""
    counts = table["item"].map(rated).fillna(0)
    lengths = table.loc[table["plot"] != "", "plot"].map(lambda plot: len(plot.split()))
    return {
        "items": len(table),
        **{f"items_{origin}": int((table["origin"] == origin).sum()) for origin in ("source", "llm", "metadata")},
        "share_of_ratings_with_plot": float(counts[table["plot"] != ""].sum() / max(counts.sum(), 1)),
        "mean_words": float(lengths.mean()) if len(lengths) else 0.0,
        "genres": len({genre for row in table["genres"] for genre in row}),
        "failed": dict(sorted(causes.items())),
    }
