"""What only judges whether a text is whole. No search may see it, so that a search that fools the gates is found out.

1. Perplexity: how much a text surprises the base model, against the catalogue's real texts. Garbled words show here.
2. Following: whether the change of a text is nearer to its own action than to other actions. A text that drifts to
   what the utility likes, whatever was asked for, shows here. By chance half of all changes are off their action.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eagle.config import Config
from eagle.core.project import Project
from eagle.data.descriptions import Descriptions
from eagle.data.stored import items_of_split
from eagle.engine.base import LanguageModel
from eagle.latent.features import TextEmbedder
from eagle.quality.gates import FEWEST
from eagle.quality.measures import body
from eagle.quality.stored import own_texts


def surprise(model: LanguageModel, texts: Sequence[str]) -> np.ndarray:
    """Return the mean of -log p over the tokens of what each text says after its labels, (n,) in nats; equal texts are
    read once.

    NaN for a text of labels alone.
    """
    new = [text for text in dict.fromkeys(texts) if body(text)]
    said = [body(text) for text in new]
    heads = [text[: text.rfind(one)].rstrip() or ":" for text, one in zip(new, said, strict=True)]
    scores = model.score(heads, [f" {one}" for one in said])
    known = {text: -float(np.mean(score)) for text, score in zip(new, scores, strict=True) if len(score)}
    return np.array([known.get(text, np.nan) for text in texts])


@dataclass(frozen=True)
class Perplexity:
    """Texts that surprise a language model more than all but a share of real texts do."""

    model: LanguageModel
    most: float
    """Nats per token; NaN where there were too few real texts, and then no text is said to be odd."""

    @classmethod
    def fit(cls, model: LanguageModel, real: Sequence[str], percentile: float) -> Perplexity:
        """Calibrate on real texts, ``percentile`` of which may be odd."""
        found = surprise(model, real)
        found = found[~np.isnan(found)]
        enough = len(found) >= FEWEST
        return cls(model, float(np.quantile(found, 1 - percentile, method="higher")) if enough else np.nan)

    def high(self, texts: Sequence[str]) -> np.ndarray:
        """Whether each text is odd, (n,) bool."""
        odd: np.ndarray = surprise(self.model, texts) > self.most if not np.isnan(self.most) else np.zeros(len(texts))
        return odd.astype(bool)


@dataclass(frozen=True)
class Following:
    """How far changes of texts go where their actions say, against other actions."""

    embedder: TextEmbedder
    others: Sequence[str]
    """The actions to compare with."""

    def margins(self, before: Sequence[str], after: Sequence[str], actions: Sequence[str]) -> np.ndarray:
        """Return the cosine of each change, E(after) - E(before), with its own action less the mean over the others, in
        their SD, (n,).

        NaN where nothing changed, or there are fewer than two actions to compare with.
        """
        texts = list(dict.fromkeys([*before, *after, *actions, *self.others]))
        place = {text: row for row, text in enumerate(texts)}
        points = self.embedder.embed(texts).astype(np.float64)
        change = points[[place[text] for text in after]] - points[[place[text] for text in before]]
        own = (change * points[[place[action] for action in actions]]).sum(axis=1)
        compared = change @ points[[place[action] for action in dict.fromkeys(self.others)]].T
        if compared.shape[1] < 2:
            return np.full(len(actions), np.nan)
        spread = compared.std(axis=1)
        ahead = own - compared.mean(axis=1)
        return np.divide(ahead, spread, out=np.full(len(own), np.nan), where=spread > 1e-9)


def load_perplexity(project: Project, config: Config, model: LanguageModel) -> Perplexity:
    """Return the judge of odd texts, calibrated on training items' own texts by ``model``; reads section quality."""
    train = frozenset(items_of_split(project.split_files.items, "train"))
    return Perplexity.fit(model, own_texts(Descriptions.load(project.descriptions), train), config.quality.percentile)
