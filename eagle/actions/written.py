"""Actions that the language model writes for one anchor.

1. Follows the paper (Sec. 5.1, App. C): a request is of one of five categories; the personalised half shows a user's
   profile too.
2. Differs: one action per request with worked examples before it, since a small model loses count of a list of 100; the
   answer is opened with an order of the category ("Set it in"), since it else tells the story on. What is not one short
   imperative sentence, or nearly repeats an action that the anchor already has, is drawn again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from eagle.actions.candidate_list import is_valid_action
from eagle.actions.duplicates import repeats_any
from eagle.actions.seeds import Seed
from eagle.core.seeding import derive_seed
from eagle.domains.base import Domain
from eagle.engine.base import Completion, LanguageModel, SamplingSpec

ATTEMPTS = 5
MAX_TOKENS = 20
MOST_WORDS = 16


@dataclass(frozen=True)
class Request:
    """One action wanted: for which anchor, in which slot, category and half.

    ``profile`` is empty for the generic half.
    """

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

    @classmethod
    def total(cls, parts: Iterable[WrittenStatistics]) -> WrittenStatistics:
        """Return the sum over parts, in their order."""
        whole = cls()
        for part in parts:
            whole.drawn += part.drawn
            whole.invalid += part.invalid
            whole.repeated += part.repeated
            whole.reserve += part.reserve
            whole.samples += part.samples
        return whole


def opening_of(request: Request, domain: Domain) -> str:
    """Return the words that a request's answer begins with: an order of its category, in turn over the slots."""
    choices = domain.suggesting.openings[domain.categories.index(request.category)]
    return choices[request.slot % len(choices)]


def request_prompt(model: LanguageModel, request: Request, domain: Domain) -> str:
    """Return the few-shot chat prompt of a request; the assistant's turn is opened with an order."""
    messages = [("system", domain.suggesting.task)]
    for text, opening, answer in domain.suggesting.examples:
        messages += [("user", f"{text}\n{opening} ..."), ("assistant", answer)]
    opening = opening_of(request, domain)
    shown = request.text
    for name in domain.fields.names:
        shown = shown.replace(f"{name}: ", "")
    reader = f"{request.profile}\n" if request.profile else ""
    return model.chat([*messages, ("user", f"{reader}{shown}\n{opening} ...")], opening)


def clean_action(text: str) -> str | None:
    """Return one short imperative sentence with a capital and a full stop, or None where the text holds none, or one
    that stammers.
    """
    line = re.sub(r"^[\s\d.)*#\-\"'“”]+", "", text.strip().split("\n")[0])
    sentence = re.split(r"(?<=[.!?])\s", line, maxsplit=1)[0].strip(" \"'“”*")
    sentence = re.sub(r"\s+", " ", sentence).rstrip(".!;, ")
    if not sentence:
        return None
    action = f"{sentence[0].upper()}{sentence[1:]}."
    words = re.findall(r"[^\W_]+", action.lower())
    pairs = list(pairwise(words))
    stammers = len(set(pairs)) < len(pairs) or any(first == second for first, second in pairs)
    fine = is_valid_action(action) and len(words) <= MOST_WORDS and not stammers and words[:2] != ["let", "s"]
    return action if fine else None


def _read(opening: str, completion: Completion) -> str | None:
    """Return the action of a completion; None where it failed or its first sentence has no end."""
    ended = completion.finish == "stop" or re.search(r"[.!]\s", completion.text)
    return clean_action(opening + completion.text) if completion.finish != "error" and ended else None


def write_actions(
    model: LanguageModel,
    requests: Sequence[Request],
    taken: Sequence[str],
    reserve: Mapping[str, Sequence[Seed]],
    domain: Domain,
    temperature: float,
    seed: int,
) -> tuple[list[tuple[str, str, str]], WrittenStatistics]:
    """Return (action, category, origin) per request, distinct within an anchor and from the ``taken`` seed actions.

    What fails ``ATTEMPTS`` times is filled from the ``reserve`` seeds of the same half (origin "reserve"). Rows are
    drawn with their own seeds, so a request's answer depends on its own anchor's other requests only.
    """
    found: dict[int, tuple[str, str, str]] = {}
    statistics = WrittenStatistics()
    by_anchor: dict[str, list[str]] = {request.anchor: [] for request in requests}
    spec = SamplingSpec(max_new_tokens=MAX_TOKENS, temperature=temperature, top_p=0.95, stop=("\n",))
    for attempt in range(ATTEMPTS):
        open_ids = [i for i in range(len(requests)) if i not in found]
        if not open_ids:
            break
        prompts = [request_prompt(model, requests[i], domain) for i in open_ids]
        seeds = [derive_seed(seed, "actions", requests[i].anchor, requests[i].slot, attempt) for i in open_ids]
        for i, completion in zip(open_ids, model.generate(prompts, spec, seeds), strict=True):
            action = _read(opening_of(requests[i], domain), completion)
            statistics.drawn += 1
            siblings = by_anchor[requests[i].anchor]
            if action is None:
                statistics.invalid += 1
            elif repeats_any(action, [*taken, *siblings]):
                statistics.repeated += 1
            else:
                siblings.append(action)
                found[i] = (action, requests[i].category, "llm")
    for i, request in enumerate(requests):
        if i not in found:
            siblings = by_anchor[request.anchor]
            spare = next(s for s in reserve[request.kind] if not repeats_any(s.action, [*taken, *siblings]))
            siblings.append(spare.action)
            found[i] = (spare.action, spare.category, "reserve")
            statistics.reserve += 1
    statistics.samples = [found[i][0] for i in range(len(requests))]
    return [found[i] for i in range(len(requests))], statistics
