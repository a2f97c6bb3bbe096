"""Counting: parameters, floating-point operations, and what a chip could do at best."""

from fmkit.config import ModelConfig

# Dense bfloat16 (float16 where the chip has no bfloat16) tensor throughput in FLOP/s, from the makers' data
# sheets, without sparsity. The first name found in the device's own name counts, so longer names stand first.
PEAK_FLOPS = {
    "B200": 2250e12,
    "H200": 989e12,
    "H100 PCIe": 756e12,
    "H100 NVL": 835e12,
    "H100": 989e12,
    "A100": 312e12,
    "L40S": 362e12,
    "L4": 121e12,
    "A10G": 70e12,
    "A10": 125e12,
    "V100": 125e12,
    "T4": 65e12,
    "RTX 4090": 165e12,
    "RTX 3090": 71e12,
}


def num_parameters(config: ModelConfig, embeddings: bool = True) -> int:
    """Number of weights; without `embeddings`, only those in the blocks and the last norm."""
    d, kv = config.hidden_size, config.num_key_value_heads * config.head_dim  # type: ignore[operator]
    attention = 2 * d * d + 2 * d * kv
    mlp = 3 * d * config.intermediate_size  # type: ignore[operator]
    body = config.num_hidden_layers * (attention + mlp + 2 * d) + d
    tables = 1 if config.tie_word_embeddings else 2
    return body + (tables * config.vocab_size * d if embeddings else 0)


def flops_per_token(config: ModelConfig, context_length: int) -> float:
    """FLOPs to train on one token: forward, and twice as much backward.

    6 for every weight that multiplies (all but the input embedding and the norms) plus `12 * L * d * T` for
    the two attention products over a context of T tokens, unmasked (PaLM, arXiv:2204.02311, appendix B).
    """
    d = config.hidden_size
    norms = (2 * config.num_hidden_layers + 1) * d
    multiplying = num_parameters(config, embeddings=False) - norms + config.vocab_size * d
    return 6 * multiplying + 12 * config.num_hidden_layers * d * context_length


def peak_flops(device_name: str) -> float | None:
    """Dense peak in FLOP/s of the chip with this name, or None where it is not in the table."""
    return next((peak for name, peak in PEAK_FLOPS.items() if name in device_name), None)
