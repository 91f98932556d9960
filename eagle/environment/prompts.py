"""The environment's prompt: chat turns of our own writing that show what applying a change means.

The turns are as long as the texts they are followed by, the head is the same for all rows (computed once), and the
assistant's turn is pre-filled with "Genres:" (docs/method.md: 10-18% defective texts against 29-51% for plain prompts).
"""

from __future__ import annotations

import re

from eagle.engine.base import LanguageModel

PREFILL = "Genres:"
_SPECIAL = re.compile(r"<\|[^|<>]*\|>")

# (text, change, answer): a strong change of genre, a change of place, a change of character, an added thread
SHOTS: tuple[tuple[str, str, str], ...] = (
    (
        "Genres: drama. Plot: A widowed baker in a small harbour town learns that her shop will be torn down. One old "
        "letter changes "
        "what she believes about her husband.",
        "Turn it into a horror film.",
        "Genres: horror. Plot: A widowed baker in a small harbour town hears her dead husband kneading dough at "
        "night. She must burn "
        "down the shop before morning.",
    ),
    (
        "Genres: crime, comedy. Plot: Two clumsy brothers plan to rob the bank where their mother cleans the floors. "
        "The manager "
        "mistakes them for the new guards.",
        "Set it in space.",
        "Genres: sci-fi, comedy. Plot: Two clumsy brothers plan to rob an orbiting station where their mother repairs "
        "the engines. "
        "The captain mistakes them for the new pilots.",
    ),
    (
        "Genres: action, war. Plot: A sergeant leads nine tired men behind enemy lines to blow up a bridge. He finds "
        "out that one of "
        "them is a traitor.",
        "Add a love story.",
        "Genres: war, romance. Plot: A sergeant behind enemy lines is hidden by a young nurse. They fall in love, and "
        "he must choose "
        "between his orders and her home.",
    ),
    (
        "Genres: romance, drama. Plot: A shy piano teacher falls for the divorced father of her best pupil. When he "
        "is offered work "
        "abroad, she has one concert left.",
        "Make the main character a detective.",
        "Genres: crime, mystery, drama. Plot: A shy detective takes piano lessons to watch the divorced father of a "
        "missing pupil. "
        "She has one concert left to prove it.",
    ),
)


def clean(text: str) -> str:
    """Return ``text`` on one line and without anything that a tokenizer would read as a special token."""
    return " ".join(_SPECIAL.sub(" ", text).split())


def rewrite_prompt(model: LanguageModel, text: str, action: str, noun: str) -> str:
    """Return the prompt that asks for ``text`` (``Genres: ... Plot: ...``) with ``action`` applied."""
    system = (
        f"You rewrite descriptions of a {noun}. Apply the change to the genres and to the plot. "
        "The new plot must clearly differ. Answer with one line, genres first."
    )
    messages = [("system", system)]
    for before, change, after in SHOTS:
        messages += [("user", _request(before, change)), ("assistant", after)]
    messages.append(("user", _request(clean(text), clean(action))))
    return model.chat(messages, prefill=PREFILL)


def _request(text: str, change: str) -> str:
    return f"{text}\nChange: {change}"


def describe_prompt(model: LanguageModel, title: str, year: int | None, genres: tuple[str, ...], noun: str) -> str:
    """Return the prompt that asks for a plot from title, year and genres; the assistant's turn opens with the genre
    line.
    """
    system = (
        f"You write the description of a {noun} in two short sentences: what happens, without naming the title. "
        f"Answer with one line."
    )
    messages = [("system", system)]
    for told, answer in DESCRIBE_SHOTS:
        messages += [("user", told), ("assistant", answer)]
    known = f"{clean(title)} ({year})" if year is not None else clean(title)
    messages.append(("user", f"{known}: {', '.join(genres)}"))
    return model.chat(messages, prefill=f"Genres: {', '.join(genres)}. Plot:")


DESCRIBE_SHOTS: tuple[tuple[str, str], ...] = (
    (
        "The Last Harbour (1987): drama",
        "Genres: drama. Plot: A widowed baker in a small harbour town learns that her shop will be torn down. With "
        "her teenage son she "
        "writes to everyone who ever bought bread there.",
    ),
    (
        "Wrong Keys (1994): crime, comedy",
        "Genres: crime, comedy. Plot: Two clumsy brothers plan to rob the bank where their mother cleans the floors. "
        "Everything goes wrong "
        "when the manager mistakes them for the new guards.",
    ),
    (
        "Nine Men North (1969): action, war",
        "Genres: action, war. Plot: A sergeant leads nine tired men behind enemy lines to blow up a bridge. As winter "
        "closes in, he finds "
        "out that one of them is a traitor.",
    ),
)
