"""The environment's transition: one place that applies an action to a text.

1. Paper, Sec. 4.2: a frozen language model applies the action and writes the next description. Followed.
2. Paper: the model rewrites plot, likes and dislikes. Here one line of genres and plot (two fields, whatever the domain
   calls them): a small model holds to that.
3. Ours: defective texts and unchanged copies are drawn again, at most `attempts` times in all, from further seeds of
   the same row. What is still defective is data with a cause; what is still a copy is marked so.
4. Differs where `environment.adapt` found a better one: an adapter over the model, asked without examples.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from eagle.config import Config
from eagle.core.project import Project
from eagle.core.seeding import derive_seed
from eagle.data.descriptions import Descriptions
from eagle.domains.base import Domain
from eagle.domains.open import default_domain, domain_of
from eagle.domains.text import Description
from eagle.engine.base import Completion, LanguageModel, SamplingSpec
from eagle.engine.open import open_language_model
from eagle.environment.adapted import kept_adapter
from eagle.environment.checks import EXAMPLE_AT, check_text, is_copy, sentences, similarity
from eagle.environment.prompts import clean, opening, rewrite_prompt

Request = tuple[str, str, int]


@dataclass(frozen=True)
class Rewrite:
    """The next text, or None with its cause. A copy is the text as it was.

    ``tokens``: new tokens of all attempts; ``dropped``: unknown genre words.
    """

    text: str | None
    cause: str | None = None
    copied: bool = False
    tokens: int = 0
    attempts: int = 1
    dropped: int = 0


class Rewriter:
    """Applies actions to texts with a language model.

    ``vocabulary``: genre words that a text may name (lower case); None allows all. ``domain``: what the texts are
    about, that of the default parameters where none is given. ``remember``: keep answers for the life of this object,
    so that a request (text, action, seed) is generated once. ``counts`` tells how often each
    cause, "copied", "fine" and "dropped genre" occurred in the answers, by attempt result. ``adapter``: folder of the
    LoRA adapter that writes, over the model; it was trained without the prompt's examples and is shown none.
    """

    def __init__(
        self,
        model: LanguageModel,
        vocabulary: Iterable[str] | None = None,
        *,
        domain: Domain | None = None,
        spec: SamplingSpec | None = None,
        attempts: int = 3,
        remember: bool = True,
        adapter: Path | None = None,
    ) -> None:
        self.model = model
        self.adapter = adapter
        self.domain = domain or default_domain()
        self.attempts = attempts
        self.counts: Counter[str] = Counter()
        self._spec = spec or SamplingSpec(max_new_tokens=90, temperature=0.7, top_p=0.95)
        self._vocabulary = None if vocabulary is None else frozenset(vocabulary)
        self._remember = remember
        self._known: dict[Request, Rewrite] = {}
        self._shown = () if adapter else _shown(self.domain)

    @classmethod
    def open(
        cls,
        config: Config,
        project: Project,
        *,
        model: LanguageModel | None = None,
        remember: bool = True,
        plain: bool = False,
    ) -> Rewriter:
        """Build the environment of a project: its language model, and the genres of its descriptions.

        Reads the parameter sections llm, data and domain. The adapter is that of stage environment, if it kept one
        and ``plain`` is False: it fits no other model than the project's.
        """
        spec = SamplingSpec(config.llm.max_new_tokens, config.llm.temperature, config.llm.top_p)
        return cls(
            model or open_language_model(config.llm, project.llm, project.completions),
            Descriptions.load(project.descriptions).genres,
            domain=domain_of(config),
            spec=spec,
            remember=remember,
            adapter=None if plain else kept_adapter(project.environment),
        )

    def rewrite(self, texts: Sequence[str], actions: Sequence[str], seeds: Sequence[int]) -> list[Rewrite]:
        """Return one answer per (text, action, seed); equal requests get the same answer and are generated once."""
        requests = [(clean(t), clean(a), s) for t, a, s in zip(texts, actions, seeds, strict=True)]
        answers = {request: self._known[request] for request in requests if request in self._known}
        new = list(dict.fromkeys(request for request in requests if request not in answers))
        answers |= self._generate(new)
        if self._remember:
            self._known |= answers
        return [answers[request] for request in requests]

    def _generate(self, requests: Sequence[Request]) -> dict[Request, Rewrite]:
        done = {request: Rewrite(None, "empty action", attempts=0) for request in requests if not request[1]}
        open_ones = [request for request in requests if request[1]]
        for attempt in range(self.attempts):
            if not open_ones:
                break
            for request, completion in zip(open_ones, self._ask(open_ones, attempt), strict=True):
                done[request] = _better(done.get(request), self._judge(request, completion))
            open_ones = [r for r in open_ones if done[r].text is None or done[r].copied]
        return done

    def _ask(self, requests: Sequence[Request], attempt: int) -> list[Completion]:
        examples = self.adapter is None
        prompts = [
            rewrite_prompt(self.model, text, action, self.domain, examples=examples) for text, action, _ in requests
        ]
        seeds = [derive_seed(seed, "attempt", attempt) for _, _, seed in requests]
        if self.adapter is None:
            return self.model.generate(prompts, self._spec, seeds)
        self.model.load_adapter(self.adapter)
        try:
            return self.model.generate(prompts, self._spec, seeds)
        finally:
            self.model.load_adapter(None)

    def _judge(self, request: Request, completion: Completion) -> Rewrite:
        tokens = len(completion.token_ids)
        if completion.finish == "error":
            self.counts["error"] += 1
            return Rewrite(None, completion.cause or "error", tokens=tokens)
        line = clean(opening(self.domain) + completion.text)
        checked = check_text(
            line,
            finished=completion.finish == "stop",
            vocabulary=self._vocabulary,
            fields=self.domain.fields,
            least_words=self.domain.least_words,
        )
        cause = checked.cause
        if checked.description is not None and self._is_example(checked.description, request[0]):
            cause = "example"
        copied = cause is None and checked.description is not None and is_copy(checked.description, request[0])
        self.counts[cause or ("copied" if copied else "fine")] += 1
        self.counts["dropped genre"] += checked.dropped
        if cause is not None or checked.description is None:
            return Rewrite(None, cause, tokens=tokens, dropped=checked.dropped)
        text = request[0] if copied else checked.description.render()  # a copy under other genres would win by these
        return Rewrite(text, None, copied, tokens, dropped=checked.dropped)

    def _is_example(self, new: Description, old_text: str) -> bool:
        """Whether the model repeated a text of the prompt's examples, or a sentence of one, that is not in the text it
        was given.
        """
        marker = f"{new.fields.body}:"
        written, given = _said(new.plot), _said(old_text.partition(marker)[2] or old_text)
        repeated = [shown for shown in self._shown if any(similarity(said, shown) >= EXAMPLE_AT for said in written)]
        return any(all(similarity(said, shown) < EXAMPLE_AT for said in given) for shown in repeated)


def _better(before: Rewrite | None, now: Rewrite) -> Rewrite:
    """Keep the more useful of two attempts (changed text, then copy, then cause), and the sum of their tokens."""
    if before is None:
        return now
    best = before if before.text is not None and (now.text is None or now.copied) else now
    return replace(best, tokens=before.tokens + now.tokens, attempts=before.attempts + 1)


def _shown(domain: Domain) -> tuple[str, ...]:
    """The texts of the prompt's examples and their sentences."""
    texts = [text for before, _, after in domain.rewriting.examples for text in (before, after)]
    return tuple(said for text in texts for said in _said(Description.parse(text, domain.fields).plot))


def _said(plot: str) -> list[str]:
    return [plot, *sentences(plot)]
