"""What `torch.compile` makes of a run: whole graphs, few of them, and the same numbers. No GPU is needed."""

import copy
from functools import partial
from itertools import cycle

import pytest
import torch
from torch._dynamo.testing import CompileCounter
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from fmkit import Classifier, ModelConfig, TrainConfig, Transformer
from fmkit.losses import token_loss
from fmkit.objectives import classification, distillation, dpo, grpo, language_modeling, reward_ranking
from fmkit.trainer import Trainer

CONFIG = ModelConfig(vocab_size=97, hidden_size=32, num_hidden_layers=2, num_attention_heads=2)


def batch_of(B: int, T: int, packed: bool = False) -> dict:
    ids = torch.randint(0, 97, (B, T))
    documents = (torch.arange(T).expand(B, -1) // 7).int() if packed else None
    return {
        "input_ids": ids,
        "labels": ids,
        "document_ids": documents,
        "num_items": B * T,
        "num_tokens": B * T,
    }


class Batches:
    """A loader of these batches, again and again."""

    def __init__(self, *batches: dict) -> None:
        self.batches = cycle(batches)

    def __next__(self) -> dict:
        return next(self.batches)

    def state_dict(self) -> dict:
        return {}


def train(model: Transformer, *batches: dict, steps: int, **settings) -> list[float]:
    config = TrainConfig(steps=steps, dtype="float32", device="cpu", **settings)
    return [record["loss"] for record in Trainer(model, language_modeling, Batches(*batches), config).run()]


@pytest.fixture
def counter(monkeypatch) -> CompileCounter:
    """Counts the graphs of all that is compiled, which then run eagerly; a break in a graph is an error."""
    counting = CompileCounter()
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=counting, fullgraph=True))
    torch.compiler.reset()
    return counting


def reference() -> Transformer:
    return Transformer(CONFIG).requires_grad_(False)


ANSWERS = {"advantages": torch.randn(4), "old_log_probs": -torch.rand(4, 20)}
OBJECTIVES = {
    "language_modeling": (language_modeling, batch_of(4, 20)),
    "packed": (language_modeling, batch_of(4, 20, packed=True)),
    "distillation": (distillation(reference()), batch_of(4, 20)),
    "dpo": (dpo(reference()), batch_of(4, 20)),
    "grpo": (grpo(reference()), batch_of(4, 20) | ANSWERS),
    "classification": (
        classification,
        batch_of(4, 20) | {"last": torch.arange(4), "labels": torch.arange(4) % 2},
    ),
    "ranking": (reward_ranking, batch_of(4, 20) | {"last": torch.arange(4)}),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", OBJECTIVES)
def test_objective_is_one_graph(name, counter):
    objective, batch = OBJECTIVES[name]
    model = Classifier(CONFIG, ["no", "yes"]) if "last" in batch else Transformer(CONFIG)
    torch.compile(objective)(model, batch).backward()
    assert counter.frame_count == 1


def test_traced_numbers_are_plain():
    """torch 2.11 breaks its graphs at a number of a class of our own, here one that was derived."""
    for module in Transformer(CONFIG).modules():
        for name, value in vars(module).items():
            if not name.endswith("_features"):  # with which nothing computes
                assert not isinstance(value, int) or type(value) in (int, bool), f"{type(module)}.{name}"


@pytest.mark.slow
def test_lengths_compile_twice(counter):
    """Examples are as long as the longest of their batch."""
    lengths = (40, 33, 21, 57, 40, 18, 64, 2)
    train(Transformer(CONFIG), *(batch_of(8, T) for T in lengths), steps=len(lengths), compile=True)
    assert counter.frame_count == 2


@pytest.mark.slow
def test_many_models_stay_compiled(counter):
    for run in range(12):
        train(Transformer(CONFIG), batch_of(4, 20), batch_of(4, 23), steps=2, compile=True)
        assert counter.frame_count == 2 * (run + 1)


@pytest.mark.slow
def test_compiled_is_eager(monkeypatch):
    """By the code that PyTorch's own compiler makes for this machine."""
    batches, model = [batch_of(4, 24, packed=True), batch_of(4, 24)], Transformer(CONFIG)
    eager = train(copy.deepcopy(model), *batches, steps=4)
    assert train(model, *batches, steps=4, compile=True) == pytest.approx(eager, abs=1e-5)


class Products(TorchDispatchMode):
    """Counts matrix products."""

    count = 0

    def __torch_dispatch__(self, function, types, given=(), named=None):
        self.count += function is torch.ops.aten.mm.default
        return function(*given, **(named or {}))


@pytest.mark.parametrize(("memory", "products"), [(80, 1), (16, 4), (8, 7)])
def test_head_uses_the_memory_of_a_gpu(memory, products, monkeypatch):
    """16,384 tokens of a vocabulary of 50,304, without a GPU: tensors that have only a shape and a place."""
    properties = type("Properties", (), {"total_memory": memory * 2**30})
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: properties)
    with FakeTensorMode(), Products() as counted:
        hidden = torch.empty(16, 1024, 64, device="cuda", dtype=torch.bfloat16)
        head, labels = torch.empty(50_304, 64, device="cuda"), torch.empty(16, 1024, device="cuda").long()
        token_loss(hidden, head, labels)
    assert counted.count == products
