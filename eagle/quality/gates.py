"""Gates: whether a text is whole, read off the text alone.

1. A gate is a measure of a text and the limit that at most ``quality.percentile`` of the catalogue's real texts exceed;
   nothing in it is learned from a utility, a rating or a generated text.
2. Where there are fewer than FEWEST real texts there is nothing to calibrate on: then no text is broken.
3. A text is compared with all items of the catalogue, real texts with all but themselves. The item that a text was made
   from does not count where it is named.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd

from eagle.config import GateName
from eagle.core.artifacts import read_json, write_json
from eagle.core.errors import user_error
from eagle.quality.measures import body, length, names_in, repeated_openings, repeated_triples, said_names, unended
from eagle.quality.runs import CommonRuns

FEWEST = 50  # real texts; below, the limit of one in a hundred is no more than the most odd of them [O]
ALL: tuple[GateName, ...] = get_args(GateName)
VERSION = 1  # of models/quality.json
COUNTED: Mapping[GateName, Callable[[str], float]] = {
    "repeated_triple": repeated_triples,
    "repeated_opening": repeated_openings,
    "too_long": length,
    "too_short": lambda said: -length(said),
    "unended": unended,
}
"""Gates that need no other text; more is worse."""


@dataclass(frozen=True)
class Limits:
    """What the gates were calibrated to."""

    texts: int
    """Real texts that they were calibrated on."""
    percentile: float
    """Share of these that may exceed each limit."""
    most: Mapping[str, float]
    """Gate -> the measure that a whole text does not exceed; empty where there were too few texts."""
    excluded: Mapping[str, float]
    """Gate -> share of the real texts that exceed it."""

    def save(self, path: Path) -> None:
        """Write models/quality.json."""
        write_json(path, {"version": VERSION, **asdict(self)})

    @classmethod
    def load(cls, path: Path) -> Limits:
        """Read it; EagleError where it is not there or of another form."""
        found = read_json(path)
        if found.pop("version", None) != VERSION:
            raise user_error(f"{path} is not what this step reads", mend="run `dvc repro quality` to make it anew")
        return cls(**found)


class TextGates:
    """The gates over a catalogue. Texts are lines of any domain, and plain sentences.

    ``catalogue``: texts of existing items. ``examples``: texts that the language model is shown. ``names``: further
    names of such texts. ``select``: gates that make a text broken; the others are measured only.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        catalogue: Iterable[str] = (),
        examples: Iterable[str] = (),
        names: Iterable[str] = (),
        select: Iterable[GateName] = ALL,
    ) -> None:
        shown = [body(text) for text in examples]
        self.limits = limits
        self.select = tuple(gate for gate in dict.fromkeys(select) if gate in limits.most)
        self._items = CommonRuns(filter(None, map(body, catalogue)))
        self._examples = CommonRuns(shown)
        self._names = names_in(shown) | set(names)
        self._known: dict[tuple[str, str | None], bool] = {}

    @classmethod
    def fit(
        cls,
        texts: Sequence[str],
        *,
        percentile: float = 0.01,
        catalogue: Iterable[str] = (),
        examples: Iterable[str] = (),
        names: Iterable[str] = (),
        select: Iterable[GateName] = ALL,
    ) -> TextGates:
        """Calibrate on ``texts``, real ones of items that may be learned from; lines of labels alone are left out.

        ``catalogue``: texts of further items, which are compared with only.
        """
        real = [text for text in texts if body(text)]
        everything, shown, said = [*real, *catalogue], list(examples), list(names)
        most: dict[str, float] = {}
        excluded: dict[str, float] = {}
        if len(real) >= FEWEST:
            bare = cls(Limits(len(real), percentile, {}, {}), catalogue=everything, examples=shown, names=said)
            measured = bare.measures(real, real)
            most = {gate: float(np.quantile(measured[gate], 1 - percentile, method="higher")) for gate in ALL}
            excluded = {gate: float(np.mean(measured[gate] > most[gate])) for gate in ALL}
        limits = Limits(len(real), percentile, most, excluded)
        return cls(limits, catalogue=everything, examples=shown, names=said, select=select)

    def fresh(self) -> TextGates:
        """Return the same gates with a memory of their own, for who asks about texts that nobody asks about again."""
        found = copy.copy(self)
        found._known = {}
        return found

    @property
    def note(self) -> str | None:
        """What has to be said where there is nothing to calibrate on, else None."""
        if self.limits.most:
            return None
        return f"no text is held to be broken: {self.limits.texts} items have a text of their own, {FEWEST} are needed"

    def measures(self, texts: Sequence[str], made_from: Sequence[str] | None = None) -> pd.DataFrame:
        """Return a column for each gate, whatever selects: the higher, the worse.

        repeated_triple: triples. repeated_opening: share of words. too_long, too_short: words, the latter below 0.
        unended: 0 or 1. example, copied_item: words of the longest run shared with an example of the prompt, or with an
        item other than the one that the text was made from. example_name: names.
        """
        said, besides = _said(texts, made_from)
        found = {gate: [measure(text) for text in said] for gate, measure in COUNTED.items()}
        return pd.DataFrame(
            {
                **found,
                "example": self._examples.longest(said),
                "example_name": [said_names(text, self._names) for text in said],
                "copied_item": self._items.longest(said, besides),
            },
            columns=list(ALL),
        )

    def exceeded(self, texts: Sequence[str], made_from: Sequence[str] | None = None) -> pd.DataFrame:
        """Return a bool column for each gate that was calibrated: measures beyond its limit."""
        most = self.limits.most
        said, besides = _said(texts, made_from)
        found: dict[str, object] = {
            gate: [measure(text) > most[gate] for text in said] for gate, measure in COUNTED.items() if gate in most
        }
        if most:
            found["example"] = self._examples.has(said, int(most["example"]) + 1)
            found["example_name"] = [said_names(text, self._names) > most["example_name"] for text in said]
            found["copied_item"] = self._items.has(said, int(most["copied_item"]) + 1, besides)
        return pd.DataFrame(found, index=range(len(said)), columns=[gate for gate in ALL if gate in most], dtype=bool)

    def broken(self, texts: Sequence[str], made_from: Sequence[str] | None = None) -> np.ndarray:
        """Whether each text is beyond a selecting gate, (n,) bool; equal questions are answered once.

        ``made_from``: the item's text that each was made from, whose words it may keep.
        """
        asked = list(zip(texts, made_from if made_from is not None else [None] * len(texts), strict=True))
        new = [one for one in dict.fromkeys(asked) if one not in self._known]
        if new:
            items = None if made_from is None else [item or "" for _, item in new]
            beyond = self.exceeded([text for text, _ in new], items)[list(self.select)]
            self._known |= dict(zip(new, beyond.any(axis=1).tolist(), strict=True))
        return np.array([self._known[one] for one in asked], bool)

    def causes(self, texts: Sequence[str], made_from: Sequence[str] | None = None) -> list[tuple[GateName, ...]]:
        """Return for each text the selecting gates that it is beyond; none for a whole text."""
        beyond = self.exceeded(texts, made_from)[list(self.select)].to_numpy()
        return [tuple(gate for gate, is_beyond in zip(self.select, row, strict=True) if is_beyond) for row in beyond]


def _said(texts: Sequence[str], made_from: Sequence[str] | None) -> tuple[list[str], list[str] | None]:
    return [body(text) for text in texts], None if made_from is None else [body(text) for text in made_from]
