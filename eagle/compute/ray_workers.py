"""Workers on a Ray cluster: processes that open their work once and answer one question after the other.

Ray starts a killed worker anew and asks it again; answers come back to this process, which alone writes them. The
project folder must have the same path on every node (a shared file system), and the project be installed there.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from eagle.compute.workers import Answerer, WorkerFactory
from eagle.config import LOCAL, LLMConfig
from eagle.core import costs, telemetry
from eagle.core.errors import EagleError, user_error

RETRIES = 3  # further tries of a question whose worker died: what kills its worker every time must come to an end
_STORE_BYTES = 128 * 2**20  # answers are small: no need for Ray's default of 30% of the memory


def _import_ray() -> Any:
    telemetry.switch_off()
    try:
        import ray
    except ImportError:
        raise user_error(
            "llm.cluster needs Ray, which is not installed",
            mend="pip install ray (the extra 'ray'), or set llm.cluster to null",
        ) from None
    return ray


@contextlib.contextmanager
def connected(cluster: str, workers: int) -> Iterator[Any]:
    """Yield Ray, joined to a cluster or with one of its own on this machine; one that is joined already is left as it
    is.
    """
    if cluster == LOCAL:
        # Before Ray is imported: listen on the loopback address only, with a token that nobody else has and that is
        # written nowhere; workers do the run's own work, so they don't stand back behind everything else.
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
        os.environ.setdefault("RAY_worker_niceness", "0")
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    ray = _import_ray()
    if ray.is_initialized():
        yield ray
        return
    own: dict[str, Any] = {
        "num_cpus": max(os.cpu_count() or 1, workers),
        "include_dashboard": False,
        "object_store_memory": _STORE_BYTES,
    }
    try:
        _knock(cluster)
        ray.init(address=cluster, log_to_driver=False, logging_level="ERROR", **(own if cluster == LOCAL else {}))
    except (OSError, ValueError, RuntimeError) as error:
        raise user_error(
            f"no Ray cluster answers at llm.cluster {cluster!r}",
            found=str(error).split("\n")[0],
            expected="'local', or host:port of a head node (`ray start --head` prints it)",
            mend="start the cluster, or set llm.cluster to null",
        ) from None
    try:
        yield ray
    finally:
        ray.shutdown()


def _knock(cluster: str) -> None:
    """Raise OSError where nothing listens at host:port: Ray itself would try for minutes."""
    host, _, port = cluster.rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), timeout=10).close()


def shares(nodes: Sequence[Mapping[str, float]], workers: int, *, gpus: bool) -> dict[str, float]:
    """Return what one worker takes of a node ({"CPU": 4.0, "GPU": 1.0}): as many cores as let all workers run at once.

    EagleError where they don't fit.
    """
    takes_gpu = gpus and any(node.get("GPU", 0) for node in nodes)
    room = 0
    for cores in range(int(max((node.get("CPU", 0) for node in nodes), default=0)), 0, -1):
        fits = [int(node.get("CPU", 0) // cores) for node in nodes]
        room = (
            sum(min(n, int(node.get("GPU", 0))) for n, node in zip(fits, nodes, strict=True))
            if takes_gpu
            else sum(fits)
        )
        if room >= workers:
            return {"num_cpus": float(cores), "num_gpus": 1.0 if takes_gpu else 0.0}
    raise user_error(
        "the cluster has not enough room for llm.workers",
        found=f"{workers} workers",
        expected=f"at most {room} ({'one GPU and a core' if takes_gpu else 'a core'} for each)",
        mend="lower llm.workers, or add nodes",
    )


class _Worker:
    """Lives in a process of the cluster."""

    def __init__(self, factory: WorkerFactory) -> None:
        telemetry.switch_off()
        self._opener, self._meter = factory, costs.Meter()
        self._answer: Answerer | None = None

    def answer(self, place: int, question: Any) -> tuple[int, Any, Mapping[str, int | float]]:
        if self._answer is None:  # here and not in __init__, so that an error reaches whoever asked
            self._answer = self._opener()
        return place, self._answer(question), self._meter.spent()


class RayWorkers:
    """A pool of workers; see :class:`eagle.compute.workers.Workers`."""

    def __init__(self, ray: Any, actors: Sequence[Any]) -> None:
        from ray.util import ActorPool

        self._ray, self.actors = ray, list(actors)
        self._pool = ActorPool(self.actors)

    def map(self, questions: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        """Hand questions to whoever is free and yield answers as they come; what the workers spend counts towards the
        open account.
        """
        answers = self._pool.map_unordered(lambda actor, asked: actor.answer.remote(*asked), list(enumerate(questions)))
        try:
            for place, answer, spent in answers:
                costs.add_worker(spent)
                yield place, answer
        except self._ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, EagleError):
                raise error.cause from None
            raise
        except self._ray.exceptions.RayActorError as error:
            raise user_error(
                f"a worker died {RETRIES + 1} times on the same shard; finished shards are kept",
                found=str(error).strip().split("\n")[0],
                mend="if memory ran out, lower llm.batch_rows or llm.workers; Ray's logs have more",
            ) from None


@contextlib.contextmanager
def on_ray(llm: LLMConfig, factory: WorkerFactory) -> Iterator[RayWorkers]:
    """Yield ``llm.workers`` workers on ``llm.cluster`` that answer with what ``opener`` opens."""
    assert llm.cluster is not None
    with connected(llm.cluster, llm.workers) as ray:
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        share = shares(nodes, llm.workers, gpus=llm.device == "auto" or llm.device.startswith("cuda"))
        kind = ray.remote(_Worker).options(**share, max_restarts=-1, max_task_retries=RETRIES)
        actors = [kind.remote(factory) for _ in range(llm.workers)]
        try:
            yield RayWorkers(ray, actors)
        finally:
            for actor in actors:
                ray.kill(actor)
