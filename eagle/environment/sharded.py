"""The environment on workers: rewrites in shards, each request asked once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from eagle.compute.cutting import cut
from eagle.compute.sharding import ShardCache, answer_shards
from eagle.compute.workers import Answerer, Workers
from eagle.config import Config, LLMConfig
from eagle.core.artifacts import content_hash
from eagle.core.project import Project
from eagle.domains.base import Domain, rewriting_identity
from eagle.engine.identity import model_identity
from eagle.environment.adapted import kept_adapter
from eagle.environment.rewrite import Request, Rewrite, Rewriter

REWRITE = "rewrite"


def environment_identity(llm: LLMConfig, domain: Domain, project: Project, asking: str) -> dict[str, Any]:
    """Return what decides a next text beside the request, without opening the model: the model, the domain's words,
    the genres that exist, and the code that the module ``asking`` reaches, prompts and checks included.
    """
    adapter = kept_adapter(project.environment)
    return {
        **model_identity(llm, project.llm, asking),
        "domain": rewriting_identity(domain),
        "descriptions": content_hash(project.descriptions),
        **({"adapter": content_hash(adapter)} if adapter else {}),
    }


def rewritten(writer: Rewriter, requests: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
    """Answer one shard of requests [text, action, seed] with the fields of :class:`Rewrite`."""
    texts, actions, seeds = zip(*requests, strict=True)
    return [asdict(rewrite) for rewrite in writer.rewrite(texts, actions, seeds)]


@dataclass(frozen=True)
class OpenRewriter:
    """Opens the environment in a worker; its questions are [REWRITE, requests]."""

    config: Config
    project: Project

    def __call__(self) -> Answerer:
        writer = Rewriter.open(self.config, self.project, remember=False)
        return lambda question: rewritten(writer, question[1])


@dataclass
class ShardedRewriter:
    """A rewriter over workers, with ``rows`` requests to a shard; ``kind`` says which environment of a worker is asked.

    With ``cache``, answers are kept on disk, and equal requests of later calls get the same answer: here and not in a
    worker, so that a text does not depend on which worker wrote it.
    """

    workers: Workers
    rows: int
    cache: ShardCache | None = None
    kind: str = REWRITE
    known: dict[Request, Rewrite] = field(default_factory=dict)

    def rewrite(self, texts: Sequence[str], actions: Sequence[str], seeds: Sequence[int]) -> list[Rewrite]:
        """Rewrite every text by its action; see :class:`eagle.environment.rewrite.Rewriter`."""
        requests = list(zip(texts, actions, seeds, strict=True))
        known = self.known if self.cache else {}
        shards = cut((request for request in dict.fromkeys(requests) if request not in known), self.rows)
        for shard, answer in zip(shards, self._answers(shards), strict=True):
            known |= {request: Rewrite(**fields) for request, fields in zip(shard, answer, strict=True)}
        return [known[request] for request in requests]

    def _answers(self, shards: list[list[Request]]) -> list[Any]:
        return answer_shards(
            shards,
            self.workers,
            self.cache,
            question=lambda shard: [self.kind, shard],
            title="environment texts",
            unit="text",
        )
