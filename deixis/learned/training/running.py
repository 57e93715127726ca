"""What differs between one process and several: accelerate's part of the loop."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from torch import nn

from deixis.errors import InputFault, MissingExtra
from deixis.learned.training.plan import Plan


class Runner:
    """A model where accelerate puts it.

    Attributes:
        model: as it is to be called; wrapped where there are several processes.
        device: where batches go.
        rank: the number of this process, and
        count: how many there are.
        main: whether this is the one that writes.
        sharded: whether each process holds a part of the weights only (FSDP).

    Raises:
        MissingExtra: accelerate is not installed.
        InputFault: the plan cannot be followed with sharded weights.
    """

    def __init__(self, model: nn.Module, plan: Plan, unused: bool = False) -> None:
        try:
            from accelerate import Accelerator
            from accelerate.utils import DistributedDataParallelKwargs, DistributedType
        except ImportError as error:
            raise MissingExtra("learned", "accelerate", "Training") from error
        several = DistributedDataParallelKwargs(find_unused_parameters=unused)
        self.accelerator: Any = Accelerator(cpu=plan.cpu, kwargs_handlers=[several])
        self.bare = model
        self.plan = plan
        self.sharded = self.accelerator.distributed_type == DistributedType.FSDP
        if self.sharded and plan.optimizer != "adamw":
            raise InputFault(
                "train.fsdp.optimizer",
                "Muon needs whole matrices, and FSDP gives every process a part of them.",
                "Use --optimizer adamw, or plain data-parallel processes.",
            )
        if self.sharded and self.accelerator.is_fsdp2:
            raise InputFault(
                "train.fsdp.version",
                "FSDP 2 wants the optimizer before the weights are shared out.",
                "Set FSDP's version to 1 (accelerate config), or use plain data-parallel processes.",
            )
        if plan.checkpointing:
            _checkpointing(model, "enable")({"use_reentrant": False})
        self.model: nn.Module = self.accelerator.prepare_model(model)
        self.device: torch.device = self.accelerator.device
        self.rank: int = self.accelerator.process_index
        self.count: int = self.accelerator.num_processes
        self.main: bool = self.accelerator.is_main_process

    def leave(self) -> None:
        """Gives the bare model back."""
        if self.plan.checkpointing:
            _checkpointing(self.bare, "disable")()
        self.accelerator.unwrap_model(self.model)
        self.accelerator.free_memory()

    def autocast(self) -> AbstractContextManager[Any]:
        """Returns the context in which maps are computed in 16 bits, where the plan says so."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.plan.bfloat16)

    @contextmanager
    def synchronized(self, wanted: bool) -> Iterator[None]:
        """Holds a block whose backward pass exchanges gradients only where that is wanted."""
        if wanted or self.count == 1:
            yield
            return
        with self.accelerator.no_sync(self.model):
            yield

    def backward(self, loss: torch.Tensor) -> None:
        """Computes the gradients."""
        self.accelerator.backward(loss)

    def clipped(self, most: float) -> float:
        """Returns the norm of the gradients, which are scaled down to `most`; 0 leaves them."""
        norm = self.accelerator.clip_grad_norm_(self.model.parameters(), most or float("inf"))
        return float(norm)

    def reduced(self, value: torch.Tensor) -> torch.Tensor:
        """Returns the sum over all processes."""
        if self.count == 1:
            return value.clone()
        total: torch.Tensor = self.accelerator.reduce(value.clone(), "sum")
        return total

    def summed(self, value: int) -> int:
        """Returns the sum of a number over all processes."""
        return int(self.reduced(torch.tensor(value, device=self.device, dtype=torch.int64)))

    def told(self, value: int) -> int:
        """Returns what the main process says."""
        return self.summed(value if self.main else 0)

    def wait(self) -> None:
        """Returns when all processes have come here."""
        self.accelerator.wait_for_everyone()

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Holds a block in which the model's weights are whole in every process."""
        if not self.sharded:
            yield
            return
        from torch.distributed.fsdp import FullyShardedDataParallel

        with FullyShardedDataParallel.summon_full_params(self.model, writeback=False):
            yield

    def local(self, value: torch.Tensor) -> torch.Tensor:
        """Returns the part of a weight that this process holds."""
        part = value.to_local() if hasattr(value, "to_local") else value
        return part.detach()


@contextmanager
def main_first(cpu: bool = False) -> Iterator[None]:
    """Holds a block that the main process goes through before the others, for files that one writes."""
    from accelerate import PartialState

    with PartialState(cpu=cpu).main_process_first():
        yield


def _checkpointing(model: nn.Module, what: str) -> Any:
    """Returns the model's method to switch checkpointing; transformers renamed it."""
    return getattr(model, f"activation_checkpointing_{what}", None) or getattr(
        model, f"gradient_checkpointing_{what}"
    )
