"""A list of actions as a token trie, and batches that score every action of every prompt in one forward pass.

The tokens of the trie stand behind the prompt; each attends to the prompt, to its ancestors and to itself, and has the
position it would have in its own sequence. One pass then gives the same log-probabilities as scoring the actions one by
one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from eagle.core.errors import user_error

ROOT = -1


@dataclass(frozen=True)
class Trie:
    """Tokens of K actions with shared beginnings. Edges are (slot, token): the token predicted after a slot.

    Slots are the inputs that predict something: slot 0 is the last prompt token, slot i > 0 is ``tokens[i - 1]``.
    """

    tokens: np.ndarray  # (n_nodes,) token ids of the slots behind the prompt
    depth: np.ndarray  # (n_nodes,) 0 for the first action token
    ancestors: np.ndarray  # (n_nodes, n_nodes) bool: row attends column, itself included
    edge_slot: np.ndarray  # (n_edges,) slot that predicts the edge
    edge_token: np.ndarray  # (n_edges,) predicted token
    path: np.ndarray  # (n_actions, n_edges) bool: edges of each action


def _children(sequences: Sequence[Sequence[int]]) -> tuple[dict[tuple[int, int], int], list[int], list[int]]:
    """Insert the sequences; return edges (parent, token) -> node, each node's parent, and each action's leaf."""
    edges: dict[tuple[int, int], int] = {}
    parents: list[int] = []
    leaves = []
    for sequence in sequences:
        node = ROOT
        for token in sequence:
            if (node, token) not in edges:
                edges[node, token] = len(parents)
                parents.append(node)
            node = edges[node, token]
        leaves.append(node)
    return edges, parents, leaves


def build_trie(sequences: Sequence[Sequence[int]], *, full: bool) -> Trie:
    """Build the trie of token sequences that all end with the same terminator.

    With ``full`` every token is scored; without it only what lies at or above a branching point, which is all that the
    policy normalised over the list needs (the single-child tails have probability one).
    """
    if not sequences or len({tuple(s) for s in sequences}) < len(sequences):
        raise user_error("the list of actions is empty or names one action twice", found=f"{len(sequences)} actions")
    edges, parents, leaves = _children(sequences)
    below = np.zeros(len(parents) + 1, int)  # leaves under each node; the last entry is the root
    for leaf in leaves:
        node = leaf
        while node != ROOT:
            below[node] += 1
            node = parents[node]
    below[ROOT] = len(leaves)
    kept = [(parent, token, node) for (parent, token), node in edges.items() if full or below[parent] > 1]
    inner = {parent for parent, _, _ in kept} - {ROOT}
    token_of = {node: token for (_, token), node in edges.items()}
    slots = sorted(inner)
    slot_of = {ROOT: 0} | {node: i + 1 for i, node in enumerate(slots)}
    depth = np.zeros(len(slots), int)
    ancestors = np.eye(len(slots), dtype=bool)
    for i, node in enumerate(slots):  # parents come before their children
        if parents[node] != ROOT:
            above = slot_of[parents[node]] - 1
            depth[i] = depth[above] + 1
            ancestors[i] |= ancestors[above]
    edge_of = {node: i for i, (_, _, node) in enumerate(kept)}
    path = np.zeros((len(leaves), len(kept)), bool)
    for row, leaf in enumerate(leaves):
        node = leaf
        while node != ROOT:
            if node in edge_of:
                path[row, edge_of[node]] = True
            node = parents[node]
    return Trie(
        np.array([token_of[node] for node in slots], int),
        depth,
        ancestors,
        np.array([slot_of[parent] for parent, _, _ in kept], int),
        np.array([token for _, token, _ in kept], int),
        path,
    )


@dataclass(frozen=True)
class PackedBatch:
    """Prompts with their tries, padded on the right; who attends to what is explicit, padding is never inferred from
    ids.
    """

    input_ids: torch.Tensor  # (b, length)
    position_ids: torch.Tensor  # (b, length)
    attention: torch.Tensor  # (b, 1, length, length) bool
    number: torch.Tensor  # (b, length) token of the batch that stands there: a common beginning has one; 0 for padding
    first: torch.Tensor  # (n_tokens,) place, in the flattened rows, where each token stands first
    again: torch.Tensor  # (n_again,) places where one stands again
    slot_row: torch.Tensor  # (n_slots,) batch row of each predicting position
    slot_column: torch.Tensor  # (n_slots,)
    edge_slot: torch.Tensor  # (n_edges,) index into the slots
    edge_token: torch.Tensor  # (n_edges,)
    step_action: torch.Tensor  # (n_steps,) action, counted through the batch, of each edge on a path
    step_edge: torch.Tensor  # (n_steps,)
    counts: tuple[int, ...]  # actions of each row

    @property
    def read(self) -> int:
        """Tokens, without padding; what prompts share counts once per prompt."""
        return len(self.first) + len(self.again)

    def to(self, device: torch.device) -> PackedBatch:
        """Return the batch on a device."""
        moved: dict[str, Any] = {name: x.to(device) for name, x in vars(self).items() if isinstance(x, torch.Tensor)}
        return replace(self, **moved)


def pack(prompts: Sequence[Sequence[int]], tries: Sequence[Trie]) -> PackedBatch:
    """Lay out prompts and tries for one forward pass."""
    lengths = [len(p) + len(t.tokens) for p, t in zip(prompts, tries, strict=True)]
    rows, width = len(prompts), max(lengths)
    ids, positions = np.zeros((rows, width), np.int64), np.zeros((rows, width), np.int64)
    attention = np.zeros((rows, 1, width, width), bool)
    attention[:, 0, np.arange(width), np.arange(width)] = True  # padding attends itself, so that no softmax is empty
    slot_row, slot_column, edge_slot, edge_token, step_action, step_edge = [], [], [], [], [], []
    slots = edges = actions = 0
    for row, (prompt, trie) in enumerate(zip(prompts, tries, strict=True)):
        start, nodes = len(prompt), len(trie.tokens)
        ids[row, :start], ids[row, start : start + nodes] = prompt, trie.tokens
        positions[row, :start], positions[row, start : start + nodes] = np.arange(start), start + trie.depth
        attention[row, 0, :start, :start] = np.tri(start, dtype=bool)
        attention[row, 0, start : start + nodes, :start] = True
        attention[row, 0, start : start + nodes, start : start + nodes] = trie.ancestors
        slot_row.append(np.full(nodes + 1, row))
        slot_column.append(start - 1 + np.arange(nodes + 1))
        edge_slot.append(trie.edge_slot + slots)
        edge_token.append(trie.edge_token)
        action, edge = np.nonzero(trie.path)
        step_action.append(action + actions)
        step_edge.append(edge + edges)
        slots, edges, actions = slots + nodes + 1, edges + len(trie.edge_token), actions + len(trie.path)
    columns = (slot_row, slot_column, edge_slot, edge_token, step_action, step_edge)
    rows_, columns_, slots_, tokens_, actions_, edges_ = (torch.from_numpy(np.concatenate(part)) for part in columns)
    counts = tuple(len(t.path) for t in tries)
    layout = (torch.from_numpy(part) for part in (ids, positions, attention, *_numbered(prompts, tries, width)))
    ids_, positions_, attention_, number, first, again = layout
    return PackedBatch(
        ids_, positions_, attention_, number, first, again, rows_, columns_, slots_, tokens_, actions_, edges_, counts
    )


def _numbered(
    prompts: Sequence[Sequence[int]], tries: Sequence[Trie], width: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Number the tokens of a batch, those that several prompts begin with once; see :class:`PackedBatch`."""
    number = np.zeros((len(prompts), width), np.int64)
    known: dict[tuple[int, int], int] = {}  # (number of the token before, token) -> number
    first: list[int] = []
    again: list[int] = []
    for row, (prompt, trie) in enumerate(zip(prompts, tries, strict=True)):
        at = ROOT
        for column, token in enumerate(prompt):
            places = again if (at, token) in known else first
            at = known.setdefault((at, token), len(first))
            places.append(row * width + column)
            number[row, column] = at
        own = len(prompt) + np.arange(len(trie.tokens))
        number[row, own] = len(first) + np.arange(len(own))
        first.extend((row * width + own).tolist())
    return number, np.array(first, np.int64), np.array(again, np.int64)


def runs(rows: Sequence[int], cost: Callable[[int], int], most: int) -> Iterator[list[int]]:
    """Cut rows, in order, into runs that cost at most so much; one row alone is never too dear."""
    run: list[int] = []
    spent = 0
    for row in rows:
        if run and spent + cost(row) > most:
            yield run
            run, spent = [], 0
        run.append(row)
        spent += cost(row)
    if run:
        yield run


def among_siblings(edge: torch.Tensor, batch: PackedBatch) -> torch.Tensor:
    """Return log-probabilities (n_edges,) among the edges of the same slot, from logits or log-probabilities."""
    slot, slots = batch.edge_slot, len(batch.slot_row)
    top = torch.full((slots,), -torch.inf, device=edge.device).scatter_reduce(0, slot, edge.detach(), "amax")
    mass = torch.zeros(slots, device=edge.device).index_add(0, slot, (edge - top[slot]).exp())
    return edge - top[slot] - mass.clamp_min(1e-30).log()[slot]


def per_action(edge: torch.Tensor, batch: PackedBatch) -> list[torch.Tensor]:
    """Sum what edges are worth (n_edges,) over the path of each action; one tensor (K,) a row."""
    empty = torch.zeros(sum(batch.counts), device=edge.device)
    return list(empty.index_add(0, batch.step_action, edge[batch.step_edge]).split(batch.counts))
