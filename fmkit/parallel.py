"""Many processes that train one model, on PyTorch's own engine: `torchrun` starts them, `Trainer` joins them.

Every process reads the same batches and takes its rows of each, so what a step learns from, and what a loader
has to remember, do not depend on the number of processes. Gradients are sums over all of them. Weights are
whole in each process (DDP: Li et al. 2020, arXiv:2006.15704) or shared among them (FSDP2, `fully_shard`: Zhao
et al. 2023, arXiv:2304.11277).
"""

import atexit
import copy
import gc
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor
from torch.nn.parallel import DistributedDataParallel

from fmkit.config import TrainConfig
from fmkit.errors import FmkitError
from fmkit.processes import count_processes

Result = TypeVar("Result")


def join(device: torch.device) -> None:
    """Connect this process with those that torchrun started beside it, if any, each with its own device.

    Raises `FmkitError` as `count_processes` does, and for a device that several processes cannot train on.
    """
    count = count_processes()
    if count == 1 or dist.is_initialized():
        return
    if device.type == "mps" or device.index not in (None, int(os.environ["LOCAL_RANK"])):
        raise FmkitError(f"device={str(device)!r} is one for {count} processes: give cuda or cpu")
    if device.type == "cuda":
        torch.cuda.set_device(device)
    store, number, _ = next(dist.rendezvous("env://"))
    # Where torchrun starts the processes again, the store still has the addresses of those before.
    store = dist.PrefixStore(f"start {os.environ.get('TORCHELASTIC_RESTART_COUNT')}", store)
    dist.init_process_group(store=store, rank=number, world_size=count)  # NCCL for GPUs, gloo for CPUs
    atexit.register(dist.destroy_process_group)


def rank() -> int:
    """Return the number of this process, from 0 on."""
    return dist.get_rank() if dist.is_initialized() else 0


def size() -> int:
    """Return how many processes train the model."""
    return dist.get_world_size() if dist.is_initialized() else 1


def by_first(function: Callable[[], Result]) -> Result:
    """Call a function in the first process alone; all get what it returns, or the `FmkitError` it raises."""
    if size() == 1:
        return function()
    said: list[Any] = [None, None]
    if rank() == 0:
        try:
            said[0] = function()
        except FmkitError as error:
            said[1] = error
    dist.broadcast_object_list(said)
    if said[1] is not None:
        raise said[1]
    return said[0]


@contextmanager
def held_by_first(context: AbstractContextManager[Any]) -> Iterator[None]:
    """Enter a context in the first process alone, as `by_first` does."""
    with ExitStack() as stack:
        by_first(lambda: (stack.enter_context(context), None)[1])
        yield


def any_of(is_so: bool) -> bool:
    """Return whether it is so in any process."""
    return bool(total(torch.tensor(int(is_so))))


def gather(value: Result) -> list[Result]:
    """Return the value of every process."""
    if size() == 1:
        return [value]
    values: list[Any] = [None] * size()
    dist.all_gather_object(values, value)
    return values


def total(tensor: Tensor) -> Tensor:
    """Return the sum of the tensors that the processes have."""
    if size() > 1:
        dist.all_reduce(tensor)
    return tensor


def whole(tensor: Tensor) -> Tensor:
    """Return a tensor whose rows the processes share as a whole; any other as it is."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def local(tensor: Tensor) -> Tensor:
    """Return this process's rows of a tensor that is shared; any other as it is."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def own_rows(batch: dict[str, Any], batch_size: int) -> dict[str, Any]:
    """Return this process's rows of a batch: every `size()`-th, counts being those of the whole batch.

    A batch may have several rows an example, `batch_size` apart, as pairs have: they stay together. Raises
    `FmkitError` for tensors of other lengths.
    """
    if size() == 1:
        return batch
    tensors = {name: value for name, value in batch.items() if isinstance(value, Tensor)}
    if any(len(tensor) % batch_size for tensor in tensors.values()):
        raise FmkitError(f"the tensors of a batch must have batch_size={batch_size} rows, or a multiple")
    return batch | {name: tensor[rank() :: size()] for name, tensor in tensors.items()}


# --- one model --------------------------------------------------------------------------------------------


class Shared:
    """A model and an objective that the processes compute together: called as the objective is.

    With `fsdp` they share a copy of the model, as the given one stays whole. Each block is compiled by
    itself, so that gradients are exchanged while others are computed. Raises `FmkitError` for a batch whose
    rows cannot be shared evenly.
    """

    def __init__(
        self,
        model: Any,
        objective: Callable[..., Tensor],
        config: TrainConfig,
        device: torch.device,
        compiled: bool,
    ) -> None:
        if config.batch_size % size():
            raise FmkitError(
                f"batch_size={config.batch_size}, of all processes together, cannot be shared by {size()}: "
                "give a multiple"
            )
        gc.collect()  # an earlier run's hooks on the gradients go with it
        self.given, self.objective = model, objective
        self.model = copy.deepcopy(model) if config.fsdp else model.to(device)
        if compiled:
            for block in self.model.model.layers:
                block.compile()
        if config.fsdp:
            _shard(self.model, device)
        else:
            step = _Step(self.model, objective)
            self.replica = DistributedDataParallel(
                step, forward_sync_buffers=False, gradient_as_bucket_view=True
            )
            self.replica.register_comm_hook(None, _sum)

    def __call__(self, model: Any, batch: dict[str, Any]) -> Tensor:
        if isinstance(model, FSDPModule):
            return self.objective(model, batch)
        return self.replica(batch)

    def exchange(self, is_last: bool) -> None:
        """Have the next backward pass sum gradients over the processes, or keep them for the last one."""
        if isinstance(self.model, FSDPModule):
            self.model.set_requires_gradient_sync(is_last)
        else:
            self.replica.require_backward_grad_sync = is_last

    @torch.no_grad()
    def collect(self) -> Any:
        """Return the given model, whole, with the weights of now."""
        for block in self.model.model.layers:
            block._compiled_call_impl = None
        if self.model is not self.given:
            self.model.reshard()
            for ours, theirs in zip(self.given.parameters(), self.model.parameters(), strict=True):
                ours.copy_(whole(theirs))
        return self.given


class _Step(nn.Module):
    """A forward pass up to the loss, which is what DDP can wrap."""

    def __init__(self, model: nn.Module, objective: Callable[..., Tensor]) -> None:
        super().__init__()
        self.model, self.objective = model, objective

    def forward(self, batch: dict[str, Any]) -> Tensor:
        return self.objective(self.model, batch)


def _sum(_: Any, bucket: dist.GradBucket) -> torch.futures.Future[Tensor]:
    """Sum gradients, where DDP would average them: the loss is over the items of all processes already."""
    work = dist.all_reduce(bucket.buffer(), async_op=True)
    return work.get_future().then(lambda future: future.value()[0])


def _shard(model: Any, device: torch.device) -> None:
    """Share the rows of every matrix among the processes, block by block; the first one's weights are used.

    A block's weights are gathered in the format of the arithmetic; the gradients are summed in float32.
    """
    for tensor in (*model.parameters(), *model.buffers()):
        dist.broadcast(tensor.detach(), 0)
    mesh = init_device_mesh(device.type, (size(),))
    narrow = MixedPrecisionPolicy(None if model.dtype == torch.float32 else model.dtype, torch.float32)
    for block in model.model.layers:
        fully_shard(block, mesh=mesh, mp_policy=narrow)
    fully_shard(model, mesh=mesh)
    register_fsdp_forward_method(model, "hidden_states")
    for module in model.modules():
        if isinstance(module, FSDPModule):
            module.set_gradient_divide_factor(1.0)
            module.set_force_sum_reduction_for_comms(True)
