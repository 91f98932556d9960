"""Full profiles written by the LLM from a user's history, as in the paper, section by section.

1. Follows the paper: the five sections; the finished text holds no title and no rating, which is checked here, not
   hoped for.
2. Differs: one line per section, each generated with the earlier ones before it, since a small model loses the form of
   a long answer.
3. Differs: the history is "Liked: title (genres), ... Disliked: ..." and not "title (rating)": a small model knows few
   titles.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from eagle.compute.cutting import cut
from eagle.compute.sharding import ShardCache, answer_shards, open_workers
from eagle.compute.workers import Answerer
from eagle.config import Config
from eagle.core.project import Project
from eagle.core.seeding import derive_seed
from eagle.domains.base import Profiling
from eagle.domains.open import domain_of
from eagle.engine.base import Completion, LanguageModel, SamplingSpec
from eagle.engine.identity import model_identity
from eagle.engine.open import open_language_model
from eagle.environment.checks import EXAMPLE_AT, repeats, similarity, to_last_sentence
from eagle.environment.prompts import clean

TRIES = 3  # draws of one section before a user is given up [O]
LINE_TOKENS = 48
TEMPERATURE = 0.7

_RATING = re.compile(
    r"\b\d(?:\.\d)?\s*(?:/\s*\d+|stars?\b|out of\b)|\brat(?:ed|ing|ings)\b|\(\s*\d(?:\.\d)?\s*\)|★", re.IGNORECASE
)
_YEAR = re.compile(r"\s*\(\d{4}\)\s*$")


def bare_title(title: str) -> str:
    """Return a title without its year, its article in front: ``Matrix, The (1999)`` -> ``the matrix``."""
    name = _YEAR.sub("", title).lower()
    match = re.fullmatch(r"(.*), (the|a|an)", name)
    return f"{match[2]} {match[1]}" if match else name


def leak(text: str, titles: Sequence[str]) -> str | None:
    """Return why ``text`` may not be used: 'empty', 'rating', 'title', or None.

    Titles of one short word ("Heat") are looked for as capitalised words, others in any case.
    """
    if not text.strip():
        return "empty"
    if _RATING.search(text):
        return "rating"
    for title in titles:
        name = bare_title(title)
        short = re.sub(r"^(the|a|an) ", "", name)
        if " " in short and short in text.lower():
            return "title"
        if short and " " not in short and re.search(rf"(?<!^)(?<![.:] )\b{re.escape(short.capitalize())}\b", text):
            return "title"
    return None


def history_line(rows: pd.DataFrame, names: pd.Series, most: int) -> str:
    """Return ``Liked: ...

    Disliked: ...``: the ratings furthest from the user's mean, strongest first; ``names`` by item id.
    """
    away = rows["rating"] - rows["rating"].mean()
    kept = rows.assign(away=away, size=away.abs()).sort_values(["size", "item"], ascending=[False, True]).head(most)
    sides = {"Liked": kept.loc[kept["away"] >= 0, "item"], "Disliked": kept.loc[kept["away"] < 0, "item"]}
    return " ".join(
        f"{side}: {', '.join(names[item] for item in items)}." for side, items in sides.items() if len(items)
    )


def profile_prompt(model: LanguageModel, history: str, lines: Sequence[str], words: Profiling) -> str:
    """Ask for the next section; ``lines`` are the finished ones."""
    messages = [("system", words.task)]
    for shot_history, shot in words.examples:
        messages += [("user", shot_history), ("assistant", "\n".join(f"{name}: {line}" for name, line in shot.items()))]
    done = [f"{name}: {line}" for name, line in zip(words.sections, lines, strict=False)]
    return model.chat([*messages, ("user", history)], prefill="\n".join([*done, f"{words.sections[len(lines)]}:"]))


def _judged(
    completion: Completion, before: Sequence[str], titles: Sequence[str], words: Profiling
) -> tuple[str, str | None]:
    """Return a drawn line, cut after its last full sentence where it met the length limit,
    and why it may not be used.
    """
    line = clean(completion.text)
    if completion.finish == "length":
        line = to_last_sentence(line)
    return line, completion.cause or (
        "cut off" if completion.finish == "length" and not line else _defect(line, before, titles, words)
    )


def _defect(line: str, before: Sequence[str], titles: Sequence[str], words: Profiling) -> str | None:
    if any(similarity(line, example) >= EXAMPLE_AT for _, shot in words.examples for example in shot.values()):
        return "example"
    if repeats(line) or any(similarity(line, earlier) >= EXAMPLE_AT for earlier in before):
        return "repetition"
    return leak(line, titles)


@dataclass(frozen=True)
class History:
    """What the model reads about a user, and the titles that its answer may not hold."""

    user: str
    ratings: str
    titles: tuple[str, ...]


def histories(rows: pd.DataFrame, users: Sequence[str], items: pd.DataFrame, most: int) -> list[History]:
    """Return the histories of those users that have one.

    ``rows`` are the fit rows (user, item, rating); ``items`` has title and genres by id.
    """
    grouped = {str(user): own for user, own in rows[rows["user"].isin(set(users))].groupby("user")}
    names = pd.Series(
        {i: _named(title, genres) for i, title, genres in items[["title", "genres"]].itertuples(name=None)},
        dtype=object,
    )
    return [
        History(user, history_line(grouped[user], names, most), tuple(items.loc[grouped[user]["item"], "title"]))
        for user in users
        if user in grouped
    ]


def _named(title: str, genres: Sequence[str]) -> str:
    return clean(_YEAR.sub("", str(title))) + (f" ({', '.join(genres)})" if len(genres) else "")


def write_profiles(
    model: LanguageModel, histories: Sequence[History], config: Config
) -> tuple[dict[str, str], dict[str, int]]:
    """Return (user -> five lines) for the users whose every section passed, and how many draws failed, by cause."""
    known = {history.user: history for history in histories}
    words = domain_of(config).profiling
    written: dict[str, list[str]] = {user: [] for user in known}
    causes: Counter[str] = Counter()
    spec = SamplingSpec(LINE_TOKENS, TEMPERATURE, config.llm.top_p)
    for number, section in enumerate(words.sections):
        for attempt in range(TRIES):
            waiting = [user for user, lines in written.items() if len(lines) == number]
            if not waiting:
                break
            prompts = [profile_prompt(model, known[user].ratings, written[user], words) for user in waiting]
            seeds = [derive_seed(config.seed, "profile", user, section, attempt) for user in waiting]
            for user, completion in zip(waiting, model.generate(prompts, spec, seeds), strict=True):
                line, cause = _judged(completion, written[user], known[user].titles, words)
                if cause:
                    causes[cause] += 1
                else:
                    written[user].append(line)
    finished = {user: lines for user, lines in written.items() if len(lines) == len(words.sections)}
    return {
        user: "\n".join(f"{n}: {t}" for n, t in zip(words.sections, lines, strict=True))
        for user, lines in finished.items()
    }, dict(causes)


@dataclass(frozen=True)
class OpenProfiles:
    """Opens the model in a worker; a question is a shard of histories,
    the answer what :func:`write_profiles` returns.
    """

    config: Config
    project: Project

    def __call__(self) -> Answerer:
        config = self.config
        model = open_language_model(config.llm, self.project.llm, self.project.completions)

        def answer(question: Sequence[Mapping[str, Any]]) -> list[Any]:
            histories = [History(**{**fields, "titles": tuple(fields["titles"])}) for fields in question]
            return list(write_profiles(model, histories, config))

        return answer


def write_on_workers(
    config: Config, project: Project, histories: Sequence[History]
) -> tuple[dict[str, str], dict[str, int]]:
    """Return what :func:`write_profiles` returns, in shards of users; finished ones are kept under
    models/checkpoints/profiles.
    """
    surroundings = [config.seed, asdict(domain_of(config).profiling), model_identity(config.llm, project.llm, __name__)]
    cache, shards = ShardCache(project.unfinished("profiles"), surroundings), cut(histories, config.llm.shard_rows)
    with open_workers(config.llm, OpenProfiles(config, project.resolved())) as workers:
        answers = answer_shards(
            shards,
            workers,
            cache,
            question=lambda shard: [asdict(history) for history in shard],
            title="profiles",
            unit="user",
        )
    causes: Counter[str] = Counter()
    for _, failed in answers:
        causes.update(failed)
    return {user: text for written, _ in answers for user, text in written.items()}, dict(causes)
