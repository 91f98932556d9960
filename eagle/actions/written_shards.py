"""The written actions of all anchors, on workers: a shard holds all requests of its anchors, since these depend on each
other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

from eagle.actions.seeds import Seed
from eagle.actions.written import ATTEMPTS, Request, WrittenStatistics, write_actions
from eagle.compute.cutting import cut
from eagle.compute.sharding import ShardCache, answer_shards, open_workers
from eagle.compute.workers import Answerer
from eagle.config import Config
from eagle.core.project import Project
from eagle.domains.open import domain_of
from eagle.engine.identity import model_identity
from eagle.engine.open import open_language_model


@dataclass(frozen=True)
class OpenWriter:
    """Opens the model in a worker; a question is a list of requests, the answer [(action, category, origin) per
    request, statistics].
    """

    config: Config
    project: Project
    taken: tuple[str, ...]
    reserve: Mapping[str, Sequence[Seed]]

    def __call__(self) -> Answerer:
        config = self.config
        model = open_language_model(config.llm, self.project.llm, self.project.completions)

        def answer(question: Sequence[Mapping[str, Any]]) -> list[Any]:
            requests = [Request(**fields) for fields in question]
            settings = (domain_of(config), config.actions.temperature, config.seed)
            written, statistics = write_actions(model, requests, self.taken, self.reserve, *settings)
            return [written, asdict(statistics)]

        return answer


def write_on_workers(
    config: Config,
    project: Project,
    requests: Sequence[Request],
    taken: Sequence[str],
    reserve: Mapping[str, Sequence[Seed]],
) -> tuple[list[tuple[str, str, str]], WrittenStatistics]:
    """Return (action, category, origin) per request; see :func:`eagle.actions.written.write_actions`.

    Requests come anchor by anchor.
    """
    spare = {half: [asdict(seed) for seed in seeds] for half, seeds in reserve.items()}
    domain = domain_of(config)
    wording = [asdict(domain.suggesting), asdict(domain.fields)]
    settings = [ATTEMPTS, wording, config.seed, config.actions.temperature, list(taken), spare]
    cache = ShardCache(project.unfinished("actions"), [*settings, model_identity(config.llm, project.llm, __name__)])
    by_anchor = [list(own) for _, own in groupby(requests, key=lambda request: request.anchor)]
    shards = cut(by_anchor, config.llm.shard_rows, len)
    with open_workers(config.llm, OpenWriter(config, project.resolved(), tuple(taken), reserve)) as workers:
        answers = answer_shards(
            shards,
            workers,
            cache,
            question=lambda shard: [asdict(request) for own in shard for request in own],
            title="written actions",
            unit="action",
            count=lambda shard: sum(map(len, shard)),
        )
    written = [(action, category, origin) for found, _ in answers for action, category, origin in found]
    return written, WrittenStatistics.total(WrittenStatistics(**counted) for _, counted in answers)
