"""Actions that the language model writes for one anchor.

1. Follows the paper (Sec. 5.1, App. C): one request names a category; the personalised half shows a user's profile too.
2. Differs: one action per request with worked examples before it, since a small model loses count of a list of 100; what is not one
   short imperative sentence, or nearly repeats an action that the anchor already has, is drawn again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from eagle.actions.duplicates import repeats_any
from eagle.actions.seeds import Seed
from eagle.llm.base import LanguageModel, SamplingSpec
from eagle.policies.listed import is_valid_action
from eagle.progress import bar
from eagle.seeding import derive_seed

ATTEMPTS = 6
_EXAMPLES = (
    (
        "Genres: drama, romance. Plot: A young nurse in Boston falls for a married doctor and must choose.",
        "Let the nurse discover that the doctor is a spy.",
    ),
    ("Genres: comedy. Plot: Two brothers inherit a failing hotel by the sea and quarrel over it.", "Fill the hotel with hungry vampires."),
    (
        "Genres: action, thriller. Plot: A driver has one night to bring a witness across the city.",
        "Replace the car chases with a slow train journey.",
    ),
)


@dataclass(frozen=True)
class Request:
    """One action wanted: for which anchor, in which slot, category and half; ``profile`` is empty for the generic half."""

    anchor: str
    slot: int
    text: str
    category: str
    kind: str
    profile: str = ""


@dataclass
class WrittenStatistics:
    """What came back, over all attempts."""

    drawn: int = 0
    invalid: int = 0
    repeated: int = 0
    reserve: int = 0
    samples: list[str] = field(default_factory=list)


def request_prompt(model: LanguageModel, request: Request, noun: str) -> str:
    """Return the few-shot chat prompt of a request."""
    ask = f"Suggest one bold change to this {noun} as a short command."
    messages = [("system", f"You help to invent new {noun}s. Answer with one short command that changes the {noun}.")]
    for text, action in _EXAMPLES:
        messages += [("user", f"{text}\n{ask}"), ("assistant", action)]
    reader = f"{request.profile}\n" if request.profile else ""
    return model.chat([*messages, ("user", f"{request.text}\n{reader}{ask} Kind of change: {request.category}.")])


def clean_action(text: str) -> str | None:
    """Return one imperative sentence with a capital and a full stop, or None where the text holds none."""
    line = re.sub(r"^[\s\d.)*#\-\"'“”]+", "", text.strip().split("\n")[0])
    sentence = re.split(r"(?<=[.!?])\s", line, maxsplit=1)[0].strip(" \"'“”*")
    sentence = re.sub(r"\s+", " ", sentence).rstrip(".!;, ")
    if not sentence:
        return None
    action = f"{sentence[0].upper()}{sentence[1:]}."
    return action if is_valid_action(action) else None


def write_actions(
    model: LanguageModel,
    requests: Sequence[Request],
    taken: Sequence[str],
    reserve: Mapping[str, Sequence[Seed]],
    noun: str,
    temperature: float,
    seed: int,
) -> tuple[list[tuple[str, str, str]], WrittenStatistics]:
    """Return (action, category, origin) per request, distinct within an anchor and from the ``taken`` seed actions.

    What fails ``ATTEMPTS`` times is filled from the ``reserve`` seeds of the same half (origin "reserve"). Rows are drawn with
    their own seeds, so a request's answer depends on its own anchor's other requests only.
    """
    found: dict[int, tuple[str, str, str]] = {}
    statistics = WrittenStatistics()
    by_anchor: dict[str, list[str]] = {request.anchor: [] for request in requests}
    spec = SamplingSpec(max_new_tokens=28, temperature=temperature, top_p=0.95, stop=("\n",))
    with bar(len(requests), "actions written", "action") as progress:
        for attempt in range(ATTEMPTS):
            open_ids = [i for i in range(len(requests)) if i not in found]
            if not open_ids:
                break
            prompts = [request_prompt(model, requests[i], noun) for i in open_ids]
            seeds = [derive_seed(seed, "actions", requests[i].anchor, requests[i].slot, attempt) for i in open_ids]
            for i, completion in zip(open_ids, model.generate(prompts, spec, seeds), strict=True):
                action = clean_action(completion.text) if completion.finish == "stop" else None
                statistics.drawn += 1
                siblings = by_anchor[requests[i].anchor]
                if action is None:
                    statistics.invalid += 1
                elif repeats_any(action, [*taken, *siblings]):
                    statistics.repeated += 1
                else:
                    siblings.append(action)
                    found[i] = (action, requests[i].category, "llm")
                    progress.update()
    for i, request in enumerate(requests):
        if i not in found:
            siblings = by_anchor[request.anchor]
            spare = next(s for s in reserve[request.kind] if not repeats_any(s.action, [*taken, *siblings]))
            siblings.append(spare.action)
            found[i] = (spare.action, spare.category, "reserve")
            statistics.reserve += 1
    statistics.samples = [found[i][0] for i in range(len(requests))]
    return [found[i] for i in range(len(requests))], statistics
