"""Work cut into shards: one mapping interface, in this process or on a cluster, and answers that are kept until they
are used.

A question (JSON-able) is answered by what a worker opened once: a language model, an environment. Two rules make the
result the same for any number of workers, and for a run that was killed on the way: questions are cut by their content
and ``llm.shard_rows``, never by the number of workers (in bfloat16 a text may depend on the rows that it is generated
beside), and an answer is written whole, once, under the hash of its question and of everything else that decides it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import shutil
from collections.abc import Callable, Iterator, Sequence, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from eagle.compute.workers import InProcess, WorkerFactory, Workers
from eagle.config import LLMConfig
from eagle.core import live
from eagle.core.artifacts import hash_of, read_json, write_json
from eagle.core.progress import Pieces, bar

_log = logging.getLogger(__name__)
Shard = TypeVar("Shard", bound=Sized)


@contextlib.contextmanager
def open_workers(llm: LLMConfig, factory: WorkerFactory) -> Iterator[Workers]:
    """Yield the workers that ``llm.cluster`` and ``llm.workers`` name; they are closed behind the block."""
    if llm.cluster is None:
        yield InProcess(factory)
        return
    from eagle.compute.ray_workers import on_ray

    with on_ray(llm, factory) as workers:
        yield workers


def in_order(workers: Workers, questions: Sequence[Any]) -> list[Any]:
    """Return all answers in the order of their questions."""
    return [answer for _, answer in sorted(workers.map(questions), key=lambda pair: pair[0])]


@dataclass(frozen=True)
class ShardCache:
    """Answers on disk, by what was asked: a changed question never finds an old answer.

    ``surroundings`` (JSON-able) stands for everything that decides the answers beside the question: models, parameters,
    prompts.
    """

    folder: Path
    surroundings: Any

    def answers(
        self, workers: Workers, questions: Sequence[Any], done: Callable[[int], None] = lambda _: None
    ) -> list[Any]:
        """Return the answers in order; what is missing is asked and written as it comes.

        ``done`` is told the place of each.
        """
        paths = [self._path(question) for question in questions]
        found = {place: kept for place, path in enumerate(paths) if (kept := _kept(path))}
        for place in found:
            done(place)
        missing = [place for place in range(len(paths)) if place not in found]
        for number, answer in workers.map([questions[place] for place in missing]):
            place = missing[number]
            write_json(paths[place], {"answer": answer, "checksum": hash_of(answer)})
            found[place] = read_json(paths[place])  # as a later run finds it
            done(place)
        return [found[place]["answer"] for place in range(len(paths))]

    def clear(self) -> None:
        """Forget everything: the finished tables replace it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, question: Any) -> Path:
        digest = hashlib.sha256(json.dumps([self.surroundings, question], sort_keys=True).encode()).hexdigest()[:32]
        return self.folder / f"{digest}.json"


def _kept(path: Path) -> dict[str, Any] | None:
    """Return an answer that is there as it was written; None for one that a disk has damaged: it is asked for again."""
    if not path.exists():
        return None
    with contextlib.suppress(ValueError, TypeError, KeyError):
        kept: dict[str, Any] = json.loads(path.read_bytes())
        if kept["checksum"] == hash_of(kept["answer"]):
            return kept
    _log.warning("%s is damaged: its texts are made anew", path)
    return None


def answer_shards(
    shards: Sequence[Shard],
    workers: Workers,
    cache: ShardCache | None,
    *,
    question: Callable[[Shard], Any] = lambda shard: shard,
    title: str,
    unit: str,
    count: Callable[[Shard], int] = len,
) -> list[Any]:
    """Return the answer to every shard that :func:`eagle.compute.cutting.cut` made, in order.

    ``question`` makes the JSON-able question of a shard. With a cache, an answer that is there is not asked for again,
    and a bar (``title``) shows how many of ``unit`` are done, as ``count`` counts them; without one there is neither.
    In this process the bar moves with every row that an engine writes, else with every shard.
    """
    questions = [question(shard) for shard in shards]
    if cache is None or not questions:
        return in_order(workers, questions)
    counts = [count(shard) for shard in shards]
    with bar(sum(counts), title, unit) as progress:
        pieces = Pieces(progress, counts)

        def finished(place: int) -> None:
            pieces.finish(place)
            live.done(title, counts[place])

        with pieces.listening():
            return cache.answers(workers, questions, finished)
