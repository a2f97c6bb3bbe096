"""What a run would take on many devices: memory of each, tokens per second, hours. Plain formulas."""

from dataclasses import dataclass

from fmkit.config import ModelConfig, TrainConfig
from fmkit.errors import FmkitError
from fmkit.flops import flops_per_token, num_parameters, peak_flops

CHUNK = 2**23  # logits that exist at a time on a CPU; on a GPU, a sixteenth of its memory (fmkit.losses)


@dataclass(frozen=True)
class Plan:
    """What a run would take: `bytes_per_device` at its peak, tokens per second of all devices, and hours."""

    bytes_per_device: float
    tokens_per_second: float
    hours: float


def plan_run(
    model: ModelConfig,
    config: TrainConfig,
    processes: int,
    device: str | float,
    *,
    mfu: float = 0.4,
    bandwidth: float = float("inf"),
    memory: float = 80e9,
) -> Plan:
    """Predict a run of `config` by `processes` devices of a name of `fmkit.flops.PEAK_FLOPS`, or of so many
    FLOP/s at their peak.

    `mfu` is the share of the peak that is used: measure it on one. `bandwidth` is what each device sends in
    bytes per second; sending goes on during computing, so a step takes the longer of both. `memory` is what a
    device has in bytes, which says how many logits are made at once. Padding and validation are left out.
    On CPUs, tokens per second were within 5% of what was measured (benchmarks/plan.py), and 18% too many with
    one row for each process: AdamW's step is left out, too, and a core that sends does not compute.
    Raises `FmkitError` for a device whose peak isn't known, and for rows that cannot be shared evenly.
    """
    if config.batch_size % processes:
        raise FmkitError(
            f"batch_size={config.batch_size}, of all devices together, cannot be shared by {processes}: "
            "give a multiple"
        )
    peak = peak_flops(device) if isinstance(device, str) else device
    if peak is None:
        raise FmkitError(
            f"device={device!r} has no known peak: name one of fmkit.flops.PEAK_FLOPS, or give FLOP/s"
        )
    context = config.context_length or model.max_position_embeddings
    tokens = config.batch_size * config.gradient_accumulation_steps * context
    computing = tokens * flops_per_token(model, context) / (processes * peak * mfu)
    seconds = max(computing, bytes_sent(model, config, processes) / bandwidth)
    held = bytes_per_device(model, config, processes, most_logits=memory / 64)
    return Plan(held, tokens / seconds, config.steps * seconds / 3600)


def bytes_sent(model: ModelConfig, config: TrainConfig, processes: int) -> float:
    """Count what each process sends in a step.

    Of gradients, in float32, it is 2 (P - 1) / P of them by an all-reduce, and half of it by the
    reduce-scatter of FSDP, which also gathers the weights forward and backward, in each forward pass.
    """
    part, weights = (processes - 1) / processes, num_parameters(model)
    if not config.fsdp:
        return 2 * 4 * weights * part
    return part * weights * (4 + 2 * _width(config) * config.gradient_accumulation_steps)


def bytes_per_device(
    model: ModelConfig, config: TrainConfig, processes: int, most_logits: float = CHUNK
) -> float:
    """Estimate the memory of a process at its peak, where `most_logits` exist at a time.

    Weights and AdamW's two means take 12 bytes a parameter, a share of them with FSDP, which also gathers the
    embeddings, and two blocks. On top comes the most of two moments: at the head, what every block keeps for
    its gradients, by `kept_per_token`, and the logits; and in the first block, all the gradients, 4 bytes a
    parameter, and what this block keeps. In two processes on a CPU, it was within 5% of what was measured.
    """
    context = config.context_length or model.max_position_embeddings
    tokens, width, layers = config.batch_size * context / processes, _width(config), model.num_hidden_layers
    weights, d = num_parameters(model), model.hidden_size
    block = (num_parameters(model, embeddings=False) - d) / layers
    table = model.vocab_size * d
    share, gathered = 1, 0.0
    if processes > 1 and config.fsdp:
        share, gathered = processes, 4 * (weights - layers * block) + 2 * width * block
    elif width < 4:  # a copy of each matrix that is multiplied, for its gradient
        gathered = width * (block if config.gradient_checkpointing else weights)
    inputs, kept = tokens * width * layers * d, tokens * width * kept_per_token(model)
    at_head = inputs + kept * (0 if config.gradient_checkpointing else layers)
    at_head += 4 * table + 3 * 4 * min(most_logits, tokens * model.vocab_size)
    at_first = 4 * weights / share + (4 * (table + block) if share > 1 else 0) + kept + inputs / layers
    if config.gradient_checkpointing:
        at_first += inputs * (1 - 1 / layers)
    return 12 * weights / share + gathered + max(at_head, at_first)


def kept_per_token(model: ModelConfig) -> float:
    """Count the numbers that a block keeps for its gradients, for each token.

    Its input comes on top: the two normalized inputs, the middle of the stream, queries before and after
    their rotation and what attention gives them, keys likewise, values, and four of the MLP.
    """
    assert model.num_key_value_heads is not None
    assert model.intermediate_size is not None
    assert model.head_dim is not None
    queries = model.num_attention_heads * model.head_dim
    keys = model.num_key_value_heads * model.head_dim
    return 3 * model.hidden_size + 3 * queries + 3 * keys + 4 * model.intermediate_size


def _width(config: TrainConfig) -> int:
    return 4 if config.dtype == "float32" else 2
