"""Start the processes that train together on this machine (``train.processes``), wait for them, and pass on what they
say.

accelerate connects them, over NCCL with a GPU each or over gloo on the processor, on the loopback interface. This
process only waits: what it learns of them are their costs, a mistake that the user can mend, or that one has died, upon
which all others are ended.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import timedelta
from multiprocessing.process import BaseProcess, parent_process
from pathlib import Path

import torch

from eagle.compute.parallel import ALONE, Parallel, ProcessGroup
from eagle.core import costs
from eagle.core.artifacts import read_json, write_json
from eagle.core.errors import EagleError, Problem, user_error

Work = Callable[[Parallel], None]
"""What every process does. For several it must be picklable: a partial of a module's function, parameters and paths."""
#: How long a process waits for the others: the main one may play or write for hours, and one that died is noticed by
#: its end.
PATIENCE = timedelta(weeks=4)
#: Seconds for the processes to end by themselves when one of them has failed, or after Ctrl-C.
GRACE = 5
_MISTAKE = "mistake.json"


def launch(work: Work, processes: int, device: str) -> None:
    """Do ``work`` in so many processes, a single one being this process itself; ``device`` is ``llm.device``."""
    if processes == 1:
        work(ALONE)
        return
    gpus = gpus_for(processes, device)
    with tempfile.TemporaryDirectory(prefix="eagle-") as folder:
        _run(work, processes, gpus > 0, Path(folder))
        for report in (read_json(file) for file in sorted(Path(folder).glob("process_*.json"))):
            costs.add_worker(report["spent"])
            costs.add_updates(report["updates"])


def gpus_for(processes: int, device: str) -> int:
    """Return how many GPUs there are to compute on, 0 for the processor.

    EagleError where the processes have no place.
    """
    if device not in ("auto", "cpu", "cuda"):
        raise user_error(
            f"train.processes: {processes} processes cannot share llm.device {device!r}",
            expected="llm.device auto, cuda (a GPU for each process) or cpu",
            mend="set llm.device to auto, or train.processes to 1",
        )
    gpus = 0 if device == "cpu" else torch.cuda.device_count()
    if 0 < gpus < processes:
        raise user_error(
            "train.processes: more processes than GPUs",
            found=f"{processes} processes, GPUs: {gpus}",
            expected="a GPU for each process",
            mend=f"set train.processes to {gpus} or less",
        )
    return gpus


def _run(work: Work, processes: int, on_gpus: bool, folder: Path) -> None:
    from accelerate.utils import PrepareForLaunch, patch_environment
    from torch.multiprocessing.spawn import ProcessException, start_processes

    entry = PrepareForLaunch(_process, distributed_type="MULTI_GPU" if on_gpus else "MULTI_CPU")
    counts = {"world_size": processes, "local_world_size": processes, "nproc": processes, "node_rank": 0}
    loopback = dict.fromkeys(("gloo_socket_ifname", "nccl_socket_ifname"), "lo0" if sys.platform == "darwin" else "lo")
    with patch_environment(**counts, **loopback, omp_num_threads=max(1, torch.get_num_threads() // processes)):
        context = start_processes(entry, (work, on_gpus, folder), processes, join=False, start_method="spawn")
        try:
            while not context.join(grace_period=GRACE):
                pass
        except ProcessException as error:
            raise _cause(error, folder, context.processes) from None
        finally:
            _end(context.processes)


def _process(work: Work, on_gpus: bool, folder: Path) -> None:
    """Do ``work`` as one of several processes; leave in ``folder`` what it cost, or the user's mistake."""
    from accelerate import PartialState
    from torch.distributed import FileStore, destroy_process_group

    threading.Thread(target=_end_with_parent, daemon=True).start()
    meter = costs.Meter()
    rank, processes = (int(os.environ[name]) for name in ("RANK", "WORLD_SIZE"))
    store = FileStore(str(folder / "meeting"), processes)  # a file, so that no port need be free
    state = PartialState(cpu=not on_gpus, store=store, rank=rank, world_size=processes, timeout=PATIENCE)
    with _only_main_speaks(rank):
        try:
            work(ProcessGroup(state))
        except EagleError as error:
            write_json(folder / _MISTAKE, {"problems": [asdict(problem) for problem in error.problems]})
            raise
    destroy_process_group()
    write_json(
        folder / f"process_{rank:04d}.json", {"spent": meter.spent(), "updates": meter.updates if rank == 0 else []}
    )


def _end_with_parent() -> None:
    """End this process once the one that started it is gone, however it went."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


@contextlib.contextmanager
def _only_main_speaks(rank: int) -> Iterator[None]:
    """Drop what other processes print: bars, notes and warnings, which all have alike."""
    if rank == 0:
        yield
        return
    with (
        open(os.devnull, "w", encoding="utf-8") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
    ):
        yield


def _cause(error: Exception, folder: Path, processes: Sequence[BaseProcess]) -> Exception:
    """Return what to raise: the mistake, the death (which makes the others fail too), or else the error as it is."""
    if (folder / _MISTAKE).exists():
        return EagleError(Problem(**problem) for problem in read_json(folder / _MISTAKE)["problems"])
    # SIGTERM is what those get that do not end by themselves.
    deaths = {signal.Signals(-p.exitcode).name for p in processes if p.exitcode is not None and p.exitcode < 0} - {
        "SIGTERM"
    }
    if not deaths:
        return error
    return user_error(
        "a training process died; the last checkpoint is kept",
        found=", ".join(sorted(deaths)),
        mend="if memory ran out, lower train.processes; the same command goes on from the checkpoint",
    )


def _end(processes: Sequence[BaseProcess]) -> None:
    """End what still runs, so that nothing outlives the stage."""
    for process in processes:
        process.join(GRACE)
        process.kill()
        process.join()
