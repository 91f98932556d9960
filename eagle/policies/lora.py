"""The policy: a language model under LoRA that writes actions, scored over whole lists of actions at once.

1. Follows the paper: the policy is a language model that writes the action; it starts as a fine-tuned reference.
2. Differs: a low-rank adapter is trained instead of all weights, so that a 135M model learns on two cores and the agent
   is a few MB.
3. Differs: log-probabilities of the K listed actions come from one packed pass over their trie; the policy over the
   list is normalised at the trie's branching points, which is what decoding restricted to the list samples from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from cachetools import LRUCache
from peft import PeftModel

from eagle.core.seeding import derive_seed
from eagle.engine.base import SamplingSpec
from eagle.engine.torch.rows import DecodingRow
from eagle.engine.torch.sampling import uniforms
from eagle.policies.lora_model import LoraModel
from eagle.policies.prompt import ACTION_END, ACTION_PREFIX
from eagle.policies.trie import PackedBatch, Trie, among_siblings, build_trie, per_action, runs
from eagle.policies.vocabulary import spoken

#: Tokens, without padding, of one forward pass over listed actions.
TOKENS = 1024
#: Remembered prompts (some 9 kB each) and lists (of 100 actions some 18 kB, 560 kB where every token is scored): a pool
#: of training pairs and the states of an evaluation are fewer, and a served agent meets others without end.
PROMPTS, TRIES = 2**14, 2**11


@dataclass(frozen=True)
class Written:
    """A freely written action: its text, its tokens with what ended it, and whether it came to an end (of the line, or
    of the turn).
    """

    text: str
    tokens: tuple[int, ...]
    ended: bool


class Scored(NamedTuple):
    """Actions under the present policy, each (n,): log-probability as drawn, exact KL to the reference, entropy per
    token.

    The entropy has no gradient.
    """

    log_prob: torch.Tensor
    kl: torch.Tensor
    entropy: torch.Tensor


class LoraPolicy(LoraModel):
    """Scores actions after prompts, listed or written ones, and writes some."""

    def __init__(self, model: PeftModel, tokenizer: Any, base_hash: str) -> None:
        super().__init__(model, tokenizer, base_hash)
        self._tries: LRUCache[tuple[tuple[str, ...], bool], Trie] = LRUCache(TRIES)
        self._prompts: LRUCache[str, list[int]] = LRUCache(PROMPTS)

    # tokens --------------------------------------------------------------------------------------------------
    def tokens(self, prompt: str) -> list[int]:
        """Return the token ids of a prompt; the last ``PROMPTS`` are remembered."""
        if prompt not in self._prompts:
            self._prompts[prompt] = list(self.tokenizer(prompt).input_ids)
        return self._prompts[prompt]

    def action_tokens(self, action: str) -> list[int]:
        """Return the token ids that follow the prompt: the action and the line end."""
        parts = (
            self.tokenizer(part, add_special_tokens=False).input_ids for part in (ACTION_PREFIX + action, ACTION_END)
        )
        return [token for part in parts for token in part]

    def trie(self, actions: Sequence[str], *, full: bool) -> Trie:
        """Return the trie of a list of actions; the last ``TRIES`` are remembered."""
        key = (tuple(actions), full)
        if key not in self._tries:
            self._tries[key] = build_trie([self.action_tokens(action) for action in actions], full=full)
        return self._tries[key]

    # scoring -------------------------------------------------------------------------------------------------
    def score_lists(
        self, prompts: Sequence[str], lists: Sequence[Sequence[str]], *, full: bool = False
    ) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        """Return, per prompt, ``(log_policy, log_vocabulary)``, each ``(K,)``.

        ``log_policy`` is normalised over the list at the trie's branching points; ``log_vocabulary`` is over the whole
        vocabulary: of the complete action with ``full``, else of its tokens down to the last branching point.
        """
        policy: dict[int, torch.Tensor] = {}
        vocabulary: dict[int, torch.Tensor] = {}
        for part, batch in self._passes(prompts, [self.trie(actions, full=full) for actions in lists]):
            edge = spoken(self.hidden(batch), self.head, batch.edge_slot, batch.edge_token).log_probs
            policy |= dict(zip(part, per_action(among_siblings(edge, batch), batch), strict=True))
            vocabulary |= dict(zip(part, per_action(edge, batch), strict=True))
        return [policy[row] for row in range(len(prompts))], [vocabulary[row] for row in range(len(prompts))]

    def log_policies(self, prompts: Sequence[str], lists: Sequence[Sequence[str]]) -> list[torch.Tensor]:
        """Return ``log_policy`` of :meth:`score_lists` alone, which needs only the logits of the lists' own tokens."""
        policy: dict[int, torch.Tensor] = {}
        for part, batch in self._passes(prompts, [self.trie(actions, full=False) for actions in lists]):
            logits = self.head.chosen(self.hidden(batch)[batch.edge_slot], batch.edge_token)
            policy |= dict(zip(part, per_action(among_siblings(logits, batch), batch), strict=True))
        return [policy[row] for row in range(len(prompts))]

    def _passes(self, prompts: Sequence[str], tries: Sequence[Trie]) -> Iterator[tuple[list[int], PackedBatch]]:
        """Yield rows and their batch, at most ``TOKENS`` of them; rows of similar length stand together, so that little
        is padded.
        """
        rows = [self.tokens(prompt) for prompt in prompts]
        lengths = [len(row) + len(trie.tokens) for row, trie in zip(rows, tries, strict=True)]
        order = sorted(range(len(rows)), key=lengths.__getitem__)
        for part in runs(order, lambda row: lengths[row], TOKENS):
            yield part, self.packed([rows[row] for row in part], [tries[row] for row in part])

    def prompt_states(self, prompts: Sequence[str]) -> torch.Tensor:
        """Return the hidden state ``(n, width)`` at the last token of each prompt."""
        distinct = list(dict.fromkeys(prompts))
        states = self.hidden(
            self.packed([self.tokens(p) for p in distinct], [build_trie([[0]], full=True)] * len(distinct))
        )
        return states[[distinct.index(p) for p in prompts]]

    def score_texts(
        self, prompts: Sequence[str], sequences: Sequence[tuple[int, ...]], temperature: float = 1.0
    ) -> Scored:
        """Score each prompt's continuation, token by token.

        A prompt is read once, however many continuations it has.
        """
        texts: dict[str, list[tuple[int, ...]]] = {}
        for prompt, sequence in dict.fromkeys(zip(prompts, sequences, strict=True)):
            texts.setdefault(prompt, []).append(sequence)
        place = {pair: number for number, pair in enumerate((p, s) for p, distinct in texts.items() for s in distinct)}
        rows = [place[pair] for pair in zip(prompts, sequences, strict=True)]
        batch = self.packed(
            [self.tokens(p) for p in texts], [build_trie(distinct, full=True) for distinct in texts.values()]
        )
        with torch.no_grad(), self.as_reference():
            reference = self.hidden(batch)
        found = spoken(
            self.hidden(batch),
            self.head,
            batch.edge_slot,
            batch.edge_token,
            temperature=temperature,
            reference=reference,
        )
        edges = (found.log_probs, found.kl[batch.edge_slot], found.entropy[batch.edge_slot])
        log_prob, kl, entropy = (torch.cat(per_action(edge, batch))[rows] for edge in edges)
        return Scored(log_prob, kl, entropy / torch.tensor([len(s) for s in sequences], device=self.device))

    # writing -------------------------------------------------------------------------------------------------
    def write(self, prompts: Sequence[str], temperature: float, seed: int, max_new_tokens: int = 24) -> list[Written]:
        """Write one action per prompt, up to the line end, with the weights being trained (agents go through the
        language-model seam).
        """
        draws = uniforms([derive_seed(seed, row) for row in range(len(prompts))], max_new_tokens)
        rows = [DecodingRow(i, self.tokens(prompt), draws[i]) for i, prompt in enumerate(prompts)]
        self.decode(rows, SamplingSpec(max_new_tokens, temperature, stop=(ACTION_END,)))
        return [Written(row.text.strip(), tuple(row.tokens), row.finish == "stop") for row in rows]
