"""Full profiles written by the LLM from a user's history "title (rating)", as in the paper, section by section.

1. Follows the paper: the five sections; the finished text holds no title and no rating, which is checked here, not hoped for.
2. Differs: one line per section, each generated with the earlier ones before it, since a small model loses the form of a long answer.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import pandas as pd

from eagle.config import Config
from eagle.llm.base import LanguageModel, SamplingSpec
from eagle.llm.prompts import clean
from eagle.seeding import derive_seed

SECTIONS = ("Overall", "Genre", "Director", "Aesthetic", "Other")
TRIES = 3  # draws of one section before a user is given up [O]
LINE_TOKENS = 48
TEMPERATURE = 0.7

_SHOT_HISTORY = "Iron Harbour (5), Quiet Snow (5), The Long Ledger (4), Laughing Gas 3 (1), Beach Week (2)"
_SHOT = {
    "Overall": "Prefers slow, serious stories about people under pressure and has little patience for noise.",
    "Genre": "Likes drama, war and crime; dislikes broad comedy.",
    "Director": "Is drawn to patient directors with an eye for detail rather than to showmen.",
    "Aesthetic": "Enjoys muted colours, long takes and natural light.",
    "Other": "Values good dialogue and an honest ending.",
}

_RATING = re.compile(r"\b\d(?:\.\d)?\s*(?:/\s*\d+|stars?\b|out of\b)|\brat(?:ed|ing|ings)\b|\(\s*\d(?:\.\d)?\s*\)|★", re.IGNORECASE)
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


def history_line(rows: pd.DataFrame, titles: pd.Series, most: int) -> str:
    """Return ``title (rating), ...``: the ratings furthest from the user's mean, best first."""
    away = (rows["rating"] - rows["rating"].mean()).abs()
    kept = rows.assign(away=away).sort_values(["away", "item"], ascending=[False, True]).head(most)
    kept = kept.sort_values(["rating", "item"], ascending=[False, True])
    return ", ".join(f"{clean(titles[item])} ({rating:g})" for item, rating in zip(kept["item"], kept["rating"], strict=True))


def _prompt(model: LanguageModel, history: str, lines: Sequence[str], noun: str) -> str:
    """Ask for the next section; ``lines`` are the finished ones."""
    system = (
        f"You describe a person's taste from the {noun}s they rated. Five lines: {', '.join(SECTIONS)}. "
        "One sentence each. Never name a title, never give a rating."
    )
    shot = "\n".join(f"{name}: {line}" for name, line in _SHOT.items())
    messages = [("system", system), ("user", _SHOT_HISTORY), ("assistant", shot), ("user", history)]
    done = [f"{name}: {line}" for name, line in zip(SECTIONS, lines, strict=False)]
    return model.chat(messages, prefill="\n".join([*done, f"{SECTIONS[len(lines)]}:"]))


def write_profiles(
    model: LanguageModel, rows: pd.DataFrame, users: Sequence[str], titles: pd.Series, config: Config
) -> tuple[dict[str, str], dict[str, int]]:
    """Return (user -> five lines) for the users whose every section passed, and how many draws failed, by cause.

    ``rows`` are the fit rows (user, item, rating), ``titles`` the items' titles by id.
    """
    grouped = {str(user): own for user, own in rows[rows["user"].isin(set(users))].groupby("user")}
    told = {user: history_line(grouped[user], titles, config.profiles.history) for user in users if user in grouped}
    seen = {user: [str(titles[item]) for item in grouped[user]["item"]] for user in told}
    written: dict[str, list[str]] = {user: [] for user in told}
    causes: Counter[str] = Counter()
    for name in SECTIONS:
        waiting = [user for user, lines in written.items() if len(lines) == SECTIONS.index(name)]
        for attempt in range(TRIES):
            if not waiting:
                break
            prompts = [_prompt(model, told[user], written[user], config.data.noun) for user in waiting]
            seeds = [derive_seed(config.seed, "profile", user, name, attempt) for user in waiting]
            drawn = model.generate(prompts, SamplingSpec(LINE_TOKENS, TEMPERATURE, config.llm.top_p), seeds)
            failed = []
            for user, completion in zip(waiting, drawn, strict=True):
                line = clean(completion.text)
                cause = completion.cause or leak(line, seen[user])
                if cause:
                    causes[cause] += 1
                    failed.append(user)
                else:
                    written[user].append(line)
            waiting = failed
    finished = {user: lines for user, lines in written.items() if len(lines) == len(SECTIONS)}
    return {user: "\n".join(f"{n}: {t}" for n, t in zip(SECTIONS, lines, strict=True)) for user, lines in finished.items()}, dict(causes)
