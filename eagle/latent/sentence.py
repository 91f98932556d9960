"""Sentence embeddings: mean-pooled, normalised token states of a small frozen transformer (MiniLM)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Event, Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from eagle.core.errors import user_error
from eagle.core.progress import track
from eagle.latent.features import TextEmbedder

if TYPE_CHECKING:
    import torch

TOKENS_PER_BATCH = 1024  # what a layer makes of them stays in the cache of one core [M: 4096 takes 10% longer]
MAX_TOKENS = 128  # state texts are one line; longer input is cut
# batches side by side [M: two on a thread each take .8 of the time of one after the other on both, and give the same
# numbers]
PARTS = 2
MANY_BATCHES = 80  # some ten seconds on two cores: from here on a bar is shown
MOST_REMEMBERED = 50_000  # vectors of 1.5 KiB each


class SentenceModel:
    """Texts in, unit vectors out; equal texts are computed once, rows of similar length together.

    Computes in float32 unless ``dtype`` says otherwise.
    """

    def __init__(self, folder: Path, dtype: torch.dtype | None = None) -> None:
        import torch
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging

        from eagle.latent.packed import pack

        logging.disable_progress_bar()
        folder = Path(folder)
        if not list(folder.glob("*.safetensors")) or not (folder / "config.json").exists():
            raise user_error(
                f"{folder} is not a sentence model",
                found="no config.json with *.safetensors" if folder.exists() else "no such folder",
                mend="run `dvc repro models`, which fetches it",
            )
        self._tokenizer: Any = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
        model: Any = AutoModel.from_pretrained(
            str(folder), local_files_only=True, use_safetensors=True, dtype=dtype or torch.float32
        )
        self._model = model.eval()
        pack(self._model, TOKENS_PER_BATCH)
        self.dimension = int(self._model.config.hidden_size)

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Return (n, dimension) float32 unit vectors."""
        from eagle.compute.threads import side_by_side  # which imports torch

        distinct = sorted(set(texts))
        if not distinct:
            return np.zeros((0, self.dimension), np.float32)
        rows = self._tokenizer(distinct, truncation=True, max_length=MAX_TOKENS)["input_ids"]
        order = sorted(range(len(rows)), key=lambda i: (len(rows[i]), distinct[i]))
        vectors = np.empty((len(rows), self.dimension), np.float32)
        batches = _batches(order, rows)
        left = iter(track(batches, "embedding texts", unit="batch") if len(batches) > MANY_BATCHES else batches)
        taking = Lock()

        def work(stopped: Event) -> None:
            while not stopped.is_set():
                with taking:
                    batch = next(left, None)
                if batch is None:
                    return
                vectors[batch] = self._pooled([rows[i] for i in batch])

        side_by_side([work] * min(PARTS, len(batches)))
        place = {text: i for i, text in enumerate(distinct)}
        return vectors[[place[text] for text in texts]]

    def _pooled(self, rows: list[list[int]]) -> np.ndarray:
        import torch

        width = max(len(row) for row in rows)
        ids = torch.zeros((len(rows), width), dtype=torch.long)
        mask = torch.zeros((len(rows), width), dtype=torch.long)
        for i, row in enumerate(rows):
            ids[i, : len(row)] = torch.tensor(row)
            mask[i, : len(row)] = 1
        with torch.inference_mode():
            states = self._model(input_ids=ids, attention_mask=mask).last_hidden_state.float()  # (b, t, dimension)
        weight = mask[:, :, None].to(states.dtype)
        pooled = (states * weight).sum(dim=1) / weight.sum(dim=1)
        unit: np.ndarray = torch.nn.functional.normalize(pooled, dim=1).numpy()
        return unit


def _batches(order: list[int], rows: list[list[int]]) -> list[list[int]]:
    """Cut rows, already sorted by length, so that no padded batch holds more than TOKENS_PER_BATCH tokens."""
    batches: list[list[int]] = []
    for i in order:
        if not batches or (len(batches[-1]) + 1) * len(rows[i]) > TOKENS_PER_BATCH:
            batches.append([])
        batches[-1].append(i)
    return batches


class Remembered:
    """An embedder that computes each distinct text once: a stage sees the catalogue, and arms see each other's texts,
    several times.

    It forgets everything once it knows ``MOST_REMEMBERED`` texts.
    """

    def __init__(self, embedder: TextEmbedder) -> None:
        self._embedder = embedder
        self._known: dict[str, np.ndarray] = {}

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Return (n, dimension) float32, as the embedder behind it would."""
        if len(self._known) > MOST_REMEMBERED:
            self._known.clear()
        new = sorted(set(texts) - set(self._known))
        vectors = self._embedder.embed(new)  # (0, dimension) where nothing is new
        self._known.update(zip(new, vectors, strict=True))
        return np.array([self._known[text] for text in texts], np.float32).reshape(len(texts), vectors.shape[1])
