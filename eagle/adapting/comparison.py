"""Both environments on the same validation items and actions, first answers only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eagle.adapting.changes import NamedChange
from eagle.adapting.figures import EnvironmentFigures, figures_of
from eagle.core.progress import rows_shown
from eagle.core.seeding import derive_seed, stream
from eagle.environment.steering import Writer


@dataclass(frozen=True)
class EnvironmentComparison:
    """Texts of validation items under actions, one request for each pair; ``corpus``: plots that were learned from."""

    texts: tuple[str, ...]
    changes: tuple[NamedChange, ...]
    corpus: tuple[str, ...]
    seed: int

    @classmethod
    def draw(
        cls,
        items: Mapping[str, str],
        changes: Sequence[NamedChange],
        corpus: Sequence[str],
        anchors: int,
        actions: int,
        seed: int,
    ) -> EnvironmentComparison:
        """Draw the items, and the actions that all of them meet: half of them name a label, where there are so many.

        ``items``: validation item -> its line.
        """
        names = sorted(items)
        chosen = [names[place] for place in stream(seed, "compared items").permutation(len(names))[:anchors]]
        named = _some([change for change in changes if change.label is not None], actions // 2, seed, "named")
        others = _some([change for change in changes if change.label is None], actions - len(named), seed, "others")
        pairs = [(items[name], change) for name in chosen for change in [*named, *others]]
        return cls(tuple(text for text, _ in pairs), tuple(change for _, change in pairs), tuple(corpus), seed)

    def figures(self, writer: Writer) -> EnvironmentFigures:
        """Let an environment answer all requests; it should try each once."""
        seeds = [
            derive_seed(self.seed, "compared", text, change.action)
            for text, change in zip(self.texts, self.changes, strict=True)
        ]
        with rows_shown(len(seeds), "validation items", "text"):
            answers = writer.rewrite(self.texts, [change.action for change in self.changes], seeds)
        return figures_of(self.texts, self.changes, answers, self.corpus)


def _some(changes: Sequence[NamedChange], wanted: int, seed: int, name: str) -> list[NamedChange]:
    return [changes[place] for place in stream(seed, "compared", name).permutation(len(changes))[:wanted]]
