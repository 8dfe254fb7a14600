"""Several processes that train one network: `python -m torch.distributed.run --nproc-per-node 2 script.py`.

There is one code path. In a single process every function here does next to nothing. Under torchrun each process takes
its own part of the global batch, and the gradients are averaged over the processes after each backward pass, in one
flat all_reduce. There is no DistributedDataParallel around the networks: it averages within its own backward pass, past
which a gradient penalty may go (pytorch#47562). A plain average afterwards is exact for any loss that is a mean.

BatchNorm is the exception: each process normalises by the statistics of its own part.
"""

from __future__ import annotations

import os

import torch
import torch.distributed as dist
from torch import Tensor


def join() -> None:
    """Join the processes that torchrun started; nothing happens in a process that was started alone."""
    if int(os.environ.get("WORLD_SIZE", 1)) == 1 or dist.is_initialized():
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")


def leave() -> None:
    """Close the connections; the last line of a script that torchrun starts."""
    if dist.is_initialized():
        dist.destroy_process_group()


def size() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def is_first() -> bool:
    """Whether this is the process that reports and writes files."""
    return size() == 1 or dist.get_rank() == 0


def part(batch: Tensor) -> Tensor:
    """This process's rows of a global batch (N, ...): (N / processes, ...).

    Every process draws the same global batch from the same random numbers and keeps its part, so that the training is
    the same for any number of processes.

    Raises:
        ValueError: the batch cannot be divided evenly.
    """
    if size() == 1:
        return batch
    if len(batch) % size():
        raise ValueError(f"A batch of {len(batch)} cannot be divided among {size()} processes; choose a multiple.")
    return batch.chunk(size())[dist.get_rank()]


def average(tensors: list[Tensor]) -> None:
    """Replace each tensor by its mean over the processes, all in one all_reduce."""
    if size() == 1 or not tensors:
        return
    flat = torch.cat([tensor.flatten() for tensor in tensors])
    dist.all_reduce(flat)
    flat /= size()
    for tensor, mean in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
        tensor.copy_(mean.view(tensor.shape))


def average_gradients(optimizer: torch.optim.Optimizer) -> None:
    """Average the gradients of all that an optimizer trains."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    average([parameter.grad for parameter in parameters if parameter.grad is not None])


def agree(*values: float) -> tuple[float, ...]:
    """The largest of each number over the processes: of their clocks, and of their wishes to stop."""
    if size() == 1:
        return values
    largest = torch.tensor(values, dtype=torch.float64)  # on the CPU, so that no GPU has to be waited for
    dist.all_reduce(largest, dist.ReduceOp.MAX)
    return tuple(largest.tolist())
