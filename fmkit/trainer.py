"""The training loop: one step for every objective, and everything a step needs to be repeated exactly."""

import math
import time
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.distributed.fsdp import FSDPModule
from torch.distributed.tensor import DTensor
from torch.nn import Parameter

from fmkit.config import TrainConfig, choose_device, choose_dtype
from fmkit.data.batches import Batch, Loader, to_device
from fmkit.errors import FmkitError
from fmkit.flops import peak_flops, trained_flops_per_token
from fmkit.model import Classifier, Model, Transformer, require_kind
from fmkit.objectives import Objective
from fmkit.optim import learning_rate, make_optimizer, step_where
from fmkit.parallel import Shared, any_of, join, local, own_rows, size, total, whole

Record = dict[str, Any]  # what one step reports


def train_step(
    model: Model,
    objective: Objective,
    batches: list[Batch],
    optimizer: torch.optim.Optimizer,
    max_grad_norm: float,
) -> tuple[Tensor, Tensor]:
    """One optimizer step on the mean loss over all items of all `batches`; returns (loss, gradient norm).

    The items are counted before the first forward pass, and are those of all processes, so splitting a step
    into micro-batches or among processes changes nothing. A loss or gradient that is not finite leaves
    weights and optimizer as they were.
    """
    num_items = sum(batch["num_items"] for batch in batches)
    loss = torch.zeros((), device=batches[0]["input_ids"].device)
    for batch in batches:
        if isinstance(objective, Shared):
            objective.exchange(is_last=batch is batches[-1])
        part = objective(model, batch) / num_items
        part.backward()
        loss += part.detach()
    loss = total(loss)
    grad_norm = whole(torch.nn.utils.clip_grad_norm_(model.parameters(), max_grad_norm))
    step_where(torch.isfinite(loss) & torch.isfinite(grad_norm), optimizer)
    optimizer.zero_grad(set_to_none=True)
    return loss, grad_norm


class Trainer:
    """A model, an objective, data and an optimizer, and their progress.

    Iterating over `run()` trains and yields a record for each step; the consumer may stop at any point, of
    several processes (`fmkit.parallel`) at the same one. With `fsdp`, `model` is a copy, which the processes
    share, and `collect()` puts its weights into the model that was given. Raises `FmkitError` for a device
    that is not there, and for processes that are not connected.
    """

    def __init__(self, model: Model, objective: Objective, loader: Loader, config: TrainConfig) -> None:
        if not isinstance(model, Model):
            require_kind(model, Transformer, Classifier)
        torch.manual_seed(config.seed)
        self.config, self.loader = config, loader
        self.device = choose_device(config.device)
        join(self.device)
        model.dtype = choose_dtype(self.device, model.config.hidden_size, config.dtype)
        self.compiled = self.device.type == "cuda" if config.compile is None else config.compile
        if self.compiled:
            torch.compiler.reset()  # past a number of models and shapes, those of all runs, PyTorch gives up
        model.model.gradient_checkpointing = config.gradient_checkpointing
        self.shared = None
        if size() > 1:
            self.shared = Shared(model, objective, config, self.device, self.compiled)
        self.model: Any = self.shared.model if self.shared else model.to(self.device)
        self.objective = self.shared or (torch.compile(objective) if self.compiled else objective)
        self.optimizer = make_optimizer(self.model, config)
        self.step, self.tokens = 0, 0
        self.data_state = loader.state_dict()
        context = config.context_length or model.config.max_position_embeddings
        self.flops_per_token = trained_flops_per_token(model, context)
        chip = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else self.device.type
        self.peak = peak_flops(chip)

    def run(self) -> Iterator[Record]:
        """Train up to `config.steps`, yielding a record of each step.

        Raises `FmkitError` if the loss or gradient is not finite; the weights are then those before it. Also
        raises it if a step has nothing to predict, and if the last one makes weights that are not finite.
        """
        batches = self._next_batches() if self.step < self.config.steps else []
        while self.step < self.config.steps:
            start = time.perf_counter()
            rate = learning_rate(self.step + 1, self.config)
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            self.model.train()
            loss, grad_norm = train_step(
                self.model, self.objective, batches, self.optimizer, self.config.max_grad_norm
            )
            num_tokens = sum(batch["num_tokens"] for batch in batches)
            # A GPU is still computing: prepare the next batches before asking it for the loss.
            data_state = self.loader.state_dict()
            if self.step + 1 < self.config.steps:
                batches = self._next_batches()
            self._require_finite(loss, grad_norm)
            self.step, self.tokens, self.data_state = self.step + 1, self.tokens + num_tokens, data_state
            if self.step == self.config.steps:
                self._require_finite_weights()
            yield self._record(loss, grad_norm, rate, num_tokens / (time.perf_counter() - start))

    @torch.no_grad()
    def evaluate(self, batches: list[Batch], objective: Objective | None = None) -> float:
        """Compute the mean loss over all items of `batches`, in nats, by this objective or another."""
        self.model.eval()
        measure = objective or self.objective
        total = sum(measure(self.model, to_device(batch, self.device)).item() for batch in batches)
        return total / sum(batch["num_items"] for batch in batches)

    def collect(self) -> Model:
        """Return the model that was given, whole and with the weights of now."""
        model: Model = self.shared.collect() if self.shared else self.model
        return model

    def _next_batches(self) -> list[Batch]:
        count = self.config.gradient_accumulation_steps
        batches = [self._share(next(self.loader)) for _ in range(count)]
        if not any(batch["num_items"] for batch in batches):
            raise FmkitError("the batches of a step have nothing to predict: look at the data")
        return batches

    def _share(self, batch: Batch) -> Batch:
        return to_device(own_rows(batch, self.config.batch_size), self.device)

    def _require_finite(self, loss: Tensor, grad_norm: Tensor) -> None:
        if not math.isfinite(loss.item()) or not math.isfinite(grad_norm.item()):
            raise FmkitError(
                f"step {self.step + 1}: loss {loss.item()}, gradient norm {grad_norm.item()}: not finite; "
                f"the weights of step {self.step} are kept: lower learning_rate or look at the data"
            )

    def _require_finite_weights(self) -> None:
        """Raise `FmkitError` if an update made weights that are not finite."""
        trained = (local(p) for p in self.model.parameters() if p.requires_grad)
        if any_of(not all(torch.isfinite(p).all() for p in trained)):
            raise FmkitError(
                f"step {self.step}: its update made weights that are not finite, and they are not saved: "
                "lower learning_rate"
            )

    def _record(self, loss: Tensor, grad_norm: Tensor, rate: float, tokens_per_second: float) -> Record:
        flops = tokens_per_second * self.flops_per_token
        return {
            "step": self.step,
            "tokens": self.tokens,
            "loss": loss.item(),
            "learning_rate": rate,
            "grad_norm": grad_norm.item(),
            "tokens_per_second": round(tokens_per_second, 1),
            "mfu": None if self.peak is None else flops / (self.peak * size()),
        }

    # --- everything that the next step depends on, as tensors and as JSON ---

    def state_dict(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return optimizer, random state and position in the data, to be saved with the weights.

        Raises `FmkitError` where the weights are not finite.
        """
        if isinstance(self.model, FSDPModule):
            self.model.reshard()  # after a validation
        self._require_finite_weights()
        names: dict[Tensor, str] = {p: name for name, p in self.model.named_parameters()}
        tensors = {
            f"optimizer.{names[parameter]}.{key}": value
            for parameter, state in self.optimizer.state.items()
            for key, value in state.items()
        }
        # The saved weights have adapters added in, so trained weights are also saved apart from frozen ones.
        tensors |= {f"trained.{name}": p for name, p in self._trained_apart()}
        tensors["rng.cpu"] = torch.get_rng_state()
        if self.device.type == "cuda":
            tensors["rng.cuda"] = torch.cuda.get_rng_state(self.device)
        stored = {name: value for name, value in self.data_state.items() if isinstance(value, Tensor)}
        tensors |= {f"data.{name}": value for name, value in stored.items()}
        data = {name: value for name, value in self.data_state.items() if name not in stored}
        return tensors, {"step": self.step, "tokens": self.tokens, "data": data}

    def shards(self) -> dict[str, Tensor]:
        """Return tensors to read those of the state into that the processes share; none if all is whole."""
        shared = {name: p for name, p in self.model.named_parameters() if isinstance(p, DTensor)}
        kinds = ("optimizer.{}.exp_avg", "optimizer.{}.exp_avg_sq", "trained.{}")
        return {kind.format(name): torch.empty_like(p) for kind in kinds for name, p in shared.items()}

    def _trained_apart(self) -> list[tuple[str, Parameter]]:
        """The trained parameters of a model that is partly frozen."""
        trained = [(name, p) for name, p in self.model.named_parameters() if p.requires_grad]
        return trained if len(trained) < len(list(self.model.parameters())) else []

    def load_state_dict(self, tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
        """Continue where `state_dict` was taken. The caller loads the saved weights."""
        self.step, self.tokens = state["step"], state["tokens"]
        with torch.no_grad():
            for name, parameter in self._trained_apart():
                parameter.copy_(tensors[f"trained.{name}"])
        for name, parameter in self.model.named_parameters():
            prefix = f"optimizer.{name}."
            found = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
            self.optimizer.state[parameter] = {
                key: value if key == "step" and self.device.type == "cpu" else value.to(self.device)
                for key, value in found.items()
            }
        torch.set_rng_state(tensors["rng.cpu"])
        if "rng.cuda" in tensors and self.device.type == "cuda":
            torch.cuda.set_rng_state(tensors["rng.cuda"], self.device)
        data = {k.removeprefix("data."): v for k, v in tensors.items() if k.startswith("data.")}
        self.data_state = {**state["data"], **data}
        self.loader.load_state_dict(self.data_state)
