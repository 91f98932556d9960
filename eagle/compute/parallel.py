"""One update shared by several processes: each takes its share of the decisions, and all hold the same weights.

Every process draws the same decisions from the same seed and computes its share's part of the one mean loss over all of
them. The sum of the gradients is then that of a single process, whatever the shares, but for the rounding of sums. The
main process alone plays episodes and writes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

import torch
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from eagle.core.seeding import derive_seed

if TYPE_CHECKING:
    from accelerate import PartialState

T = TypeVar("T")


class Parallel(Protocol):
    """This process among those that train together. Whatever all must do at once, they do in the same order."""

    @property
    def main(self) -> bool:
        """Does this process play, write and report for all?"""
        ...

    def share(self, items: Sequence[T]) -> Sequence[T]:
        """Return this process's part (it may be empty); the parts stand in the order of the items."""
        ...

    def gather(self, own: Sequence[T]) -> list[T]:
        """Return everybody's parts as one list in that order, in every process."""
        ...

    def from_main(self, make: Callable[[], T]) -> T:
        """Return what the main process makes, in every process."""
        ...

    def own_seed(self, seed: int) -> int:
        """Return a seed for what is drawn row by row, such as dropout masks."""
        ...

    def sum_gradients(self, parameters: Sequence[torch.Tensor]) -> None:
        """Put the sum over all processes in the place of each gradient."""
        ...

    def wait(self) -> None:
        """Return when every process has come so far."""
        ...


class Alone:
    """A single process."""

    main = True

    def share(self, items: Sequence[T]) -> Sequence[T]:
        return items

    def gather(self, own: Sequence[T]) -> list[T]:
        return list(own)

    def from_main(self, make: Callable[[], T]) -> T:
        return make()

    def own_seed(self, seed: int) -> int:
        return seed

    def sum_gradients(self, parameters: Sequence[torch.Tensor]) -> None:
        pass

    def wait(self) -> None:
        pass


ALONE = Alone()


class ProcessGroup:
    """One of several processes that accelerate has connected (:mod:`eagle.compute.processes`)."""

    def __init__(self, state: PartialState) -> None:
        self._state = state
        self.main = bool(state.is_main_process)

    def share(self, items: Sequence[T]) -> Sequence[T]:
        with self._state.split_between_processes(list(items)) as own:
            return own

    def gather(self, own: Sequence[T]) -> list[T]:
        from accelerate.utils import gather_object, send_to_device

        # A tensor comes out of another process on the device that it was on there.
        found: list[T] = send_to_device(gather_object(send_to_device(list(own), "cpu")), self._state.device)
        return found

    def from_main(self, make: Callable[[], T]) -> T:
        from accelerate.utils import broadcast_object_list

        made: list[T] = broadcast_object_list([make() if self.main else None])
        return made[0]

    def own_seed(self, seed: int) -> int:
        return derive_seed(seed, "process", self._state.process_index)

    def sum_gradients(self, parameters: Sequence[torch.Tensor]) -> None:
        from accelerate.utils import reduce

        found = [
            torch.zeros_like(p) if p.grad is None else p.grad for p in parameters
        ]  # none: this process's share is empty
        vector_to_parameters(reduce(parameters_to_vector(found), "sum"), found)
        for parameter, gradient in zip(parameters, found, strict=True):
            parameter.grad = gradient

    def wait(self) -> None:
        self._state.wait_for_everyone()


def total(parallel: Parallel, own: torch.Tensor | float) -> float:
    """Return the sum of one number of every process."""
    return sum(parallel.gather([float(own)]))


def share_of_mean(losses: Sequence[torch.Tensor], count: int) -> torch.Tensor:
    """Return what the losses of one share add to the mean of ``count`` losses; without any it is a zero that moves
    nothing.
    """
    return torch.stack(list(losses)).sum() / count if losses else torch.zeros((), requires_grad=True)
