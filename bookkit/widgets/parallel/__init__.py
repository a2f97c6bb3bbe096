"""The `parallel` directive: four ways to share the training of a model among devices, side by side.

    ```{parallel}
    ```

Sliders choose the model, the number of devices and of micro-batches; buttons the way that is drawn and where
the devices are. What each device holds and sends comes from here: for data parallelism and FSDP from
`fmkit.cluster`, for the others by the formulas below. parallel.js adds the times and draws a step. On paper,
and with scripts off, the table of `START` is there.
"""

import json
from dataclasses import dataclass, replace
from typing import Any

from sphinx.application import Sphinx

from bookkit.site.page_widget import PageWidget
from fmkit.cluster import bytes_per_device, bytes_sent
from fmkit.config import ModelConfig, TrainConfig
from fmkit.flops import PEAK_FLOPS, flops_per_token, num_parameters

CONTEXT, ROWS = 4096, 64  # of a step
LLAMA: dict[str, Any] = {"vocab_size": 32_000, "max_position_embeddings": CONTEXT}
MODELS = {
    "1B": ModelConfig(
        hidden_size=2048, num_hidden_layers=24, num_attention_heads=16, intermediate_size=5632, **LLAMA
    ),
    "7B": ModelConfig(
        hidden_size=4096, num_hidden_layers=32, num_attention_heads=32, intermediate_size=11_008, **LLAMA
    ),
    "70B": ModelConfig(
        hidden_size=8192,
        num_hidden_layers=80,
        num_attention_heads=64,
        num_key_value_heads=8,
        intermediate_size=28_672,
        **LLAMA,
    ),
}
DEVICES, MICRO_BATCHES = (1, 2, 4, 8), (1, 2, 4, 8, 16, 32, 64)
WAYS = {
    "data": "each device has the whole model and reads its own rows",
    "sharded": "the same, but the weights are split, and gathered when they are needed",
    "tensor": "each device has a slice of each matrix, and computes with it for all rows",
    "pipeline": "each device has some of the blocks, and passes the rows on",
}
LINKS = {450: "in one machine", 50: "one in each machine"}  # gigabytes a second that a device sends
MEMORY, MFU, WIDTH = 80e9, 0.4, 2  # bytes of an H100; share of its peak while it computes; bytes in bfloat16
PEAK = PEAK_FLOPS["NVIDIA H100 80GB HBM3"]
START: dict[str, Any] = {"model": "7B", "devices": 8, "micro": 8, "link": 450, "way": "data"}


@dataclass(frozen=True)
class Share:
    """What a device holds at its peak and sends in a step, in bytes; of the former, what is always there."""

    always: float
    held: float
    sent: float


def share(model: ModelConfig, devices: int, way: str, micro_batches: int) -> Share:
    """The share of the device that has most."""
    if way in ("data", "sharded"):
        config = _config(devices, fsdp=way == "sharded")
        parts = devices if way == "sharded" else 1
        held, sent = _held(model, config, devices), bytes_sent(model, config, devices)
        return Share(_always(model) / parts, held, sent)
    if way == "tensor":
        slice_of = sliced(model, devices)
        return Share(_always(slice_of), _held(slice_of, _config(1), 1), sent_by_slices(model, devices))
    stage = replace(model, num_hidden_layers=model.num_hidden_layers // devices)
    rows = ROWS // micro_batches
    waiting = (ROWS - rows) * CONTEXT * WIDTH * model.hidden_size * stage.num_hidden_layers
    held = _held(stage, _config(rows), 1) + waiting
    return Share(_always(stage), held, sent_by_stages(model, devices))


def sliced(model: ModelConfig, devices: int) -> ModelConfig:
    """What a device computes in tensor parallelism: fewer heads, less of the MLP, fewer words; all the width
    (Shoeybi et al. 2019, arXiv:1909.08053, section 3)."""
    assert model.num_key_value_heads is not None
    assert model.intermediate_size is not None
    return replace(
        model,
        vocab_size=model.vocab_size // devices,
        num_attention_heads=model.num_attention_heads // devices,
        num_key_value_heads=model.num_key_value_heads // devices,
        intermediate_size=model.intermediate_size // devices,
        head_dim=int(model.head_dim or 0),
    )


def sent_by_slices(model: ModelConfig, devices: int) -> float:
    """Bytes of the sums over all slices: of every token's vector, two in a block forward and two backward.

    A block that is computed again in the backward pass makes its two sums again.
    """
    sums = 6 * model.num_hidden_layers * ROWS * CONTEXT * model.hidden_size * WIDTH
    return 2 * (devices - 1) / devices * sums


def sent_by_stages(model: ModelConfig, devices: int) -> float:
    """Bytes that a device in the middle sends: the vector of every token on, and its gradient back."""
    passed = ROWS * CONTEXT * model.hidden_size * WIDTH
    return min(devices - 1, 2) * passed


def computing_seconds(model: ModelConfig, devices: int) -> float:
    """The time that each device computes in a step, at 40% of its peak."""
    return ROWS * CONTEXT * flops_per_token(model, CONTEXT) / (devices * PEAK * MFU)


def step_seconds(way: str, computing: float, sending: float, devices: int, micro_batches: int) -> float:
    """The time of a step. Gradients and weights are sent while others are computed, sums of slices are waited
    for, and a stage waits for the first micro-batch and after the last (Huang et al. 2018, arXiv:1811.06965,
    section 2.3)."""
    if way == "tensor":
        return computing + sending
    stages = devices if way == "pipeline" else 1
    return max(computing * (micro_batches + stages - 1) / micro_batches, sending)


def row_of(
    way: str, model: str, devices: int, micro: int = START["micro"], link: int = START["link"]
) -> dict[str, str]:
    """The table's line of a way, in words."""
    mine, computing = share(MODELS[model], devices, way, micro), computing_seconds(MODELS[model], devices)
    seconds = step_seconds(way, computing, mine.sent / (link * 1e9), devices, micro)
    return {
        "held": f"{mine.held / 1e9:,.0f}",
        "sent": f"{mine.sent / 1e9:,.0f}",
        "seconds": f"{seconds:.1f}",
        "idle": f"{1 - computing / seconds:.0%}",
    }


class Parallel(PageWidget):
    """Four ways to share a model's training, and a step of one of them, drawn."""

    widget = "parallel"

    def values(self) -> dict[str, Any]:
        data = {
            "start": START,
            "memory": MEMORY / 1e9,
            "models": {
                name: {str(count): _numbers(model, count) for count in DEVICES}
                for name, model in MODELS.items()
            },
            "micro": MICRO_BATCHES,
        }
        rows = {way: row_of(way, START["model"], START["devices"]) for way in WAYS}
        return {
            "ways": WAYS,
            "links": LINKS,
            "start": START,
            "rows": rows,
            "memory": round(MEMORY / 1e9),
            "tokens": f"{ROWS * CONTEXT:,}",
            "data": json.dumps(data, separators=(",", ":")),
        }


def _numbers(model: ModelConfig, devices: int) -> dict[str, Any]:
    """Gigabytes of each way, of a pipeline for each number of micro-batches, and seconds of computing."""
    ways = {
        way: [
            [round(number / 1e9, 3) for number in (mine.always, mine.held, mine.sent)]
            for micro in (MICRO_BATCHES if way == "pipeline" else MICRO_BATCHES[:1])
            for mine in [share(model, devices, way, micro)]
        ]
        for way in WAYS
    }
    return {"computing": round(computing_seconds(model, devices), 4), "ways": ways}


def _config(rows: int, fsdp: bool = False) -> TrainConfig:
    """Training in bfloat16 with checkpointing of activations, `rows` at a time."""
    return TrainConfig(
        batch_size=rows,
        gradient_accumulation_steps=ROWS // rows,
        dtype="bfloat16",
        gradient_checkpointing=True,
        fsdp=fsdp,
    )


def _held(model: ModelConfig, config: TrainConfig, processes: int) -> float:
    return bytes_per_device(model, config, processes, most_logits=MEMORY / 64)


def _always(model: ModelConfig) -> float:
    """Bytes of weights and of AdamW's two means."""
    return 12 * num_parameters(model)


def setup(app: Sphinx) -> None:
    app.add_directive("parallel", Parallel)
