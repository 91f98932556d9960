"""Soft tokens: embeddings that stand in a prompt beside words.

An id beyond the vocabulary, ``vocabulary + k``, stands for row k of a table of soft tokens, so that whatever works on
token ids (batches, shared beginnings, the decode loop) works on such prompts too.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F


def embedded(ids: torch.Tensor, weight: torch.Tensor, soft: torch.Tensor | None) -> torch.Tensor:
    """Return embeddings (..., width) of ``ids`` (...) from ``weight`` (vocabulary, width) and ``soft`` (m, width).

    The gradient goes to ``soft``; ``weight`` stands still.
    """
    if soft is None:
        return F.embedding(ids, weight)
    return _spliced(ids, len(weight), soft, F.embedding(_words(ids, len(weight)), weight))


def read_as(ids: torch.Tensor, model: Any, soft: torch.Tensor | None) -> dict[str, torch.Tensor]:
    """Return how a model of transformers is given ``ids``: as they are or, where there are soft tokens, embedded."""
    if soft is None:
        return {"input_ids": ids}
    table = model.get_input_embeddings()
    vocabulary = len(table.weight)
    return {"inputs_embeds": _spliced(ids, vocabulary, soft, table(_words(ids, vocabulary)))}


def _words(ids: torch.Tensor, vocabulary: int) -> torch.Tensor:
    """Put some word in the place of soft tokens."""
    return ids.where(ids < vocabulary, 0)


def _spliced(ids: torch.Tensor, vocabulary: int, soft: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
    """Put soft tokens in their places among the embeddings of words."""
    places = torch.nonzero(ids >= vocabulary, as_tuple=True)
    return words.index_put(places, soft.to(words.dtype)[ids[places] - vocabulary])
