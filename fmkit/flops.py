"""Counting: parameters, floating-point operations, and the peak of a chip."""

from typing import TYPE_CHECKING

from fmkit.config import ModelConfig

if TYPE_CHECKING:
    from torch import nn

# Dense bfloat16 tensor throughput in FLOP/s (float16 where the chip has no bfloat16), accumulated in float32,
# from the makers' data sheets, without sparsity. The names are exactly those of torch.cuda.get_device_name.
PEAK_FLOPS = {
    "NVIDIA B200": 2250e12,
    "NVIDIA GH200 480GB": 989e12,
    "NVIDIA H200": 989e12,
    "NVIDIA H200 NVL": 835e12,
    "NVIDIA H100 80GB HBM3": 989e12,
    "NVIDIA H100 NVL": 835e12,
    "NVIDIA H100 PCIe": 756e12,
    "NVIDIA A100-SXM4-40GB": 312e12,
    "NVIDIA A100-SXM4-80GB": 312e12,
    "NVIDIA A100-PCIE-40GB": 312e12,
    "NVIDIA A100 80GB PCIe": 312e12,
    "NVIDIA A40": 150e12,
    "NVIDIA A30": 165e12,
    "NVIDIA A10": 125e12,
    "NVIDIA A10G": 70e12,
    "NVIDIA L40S": 362e12,
    "NVIDIA L40": 181e12,
    "NVIDIA L4": 121e12,
    "NVIDIA GeForce RTX 4090": 165e12,
    "NVIDIA GeForce RTX 3090": 71e12,
    "Tesla V100-SXM2-16GB": 125e12,
    "Tesla V100-SXM2-32GB": 125e12,
    "Tesla V100-PCIE-16GB": 112e12,
    "Tesla V100-PCIE-32GB": 112e12,
    "Tesla T4": 65e12,
}

SAME_INPUT = ("k_proj", "v_proj", "up_proj")  # matrices that read what the matrix before them reads


def num_parameters(config: ModelConfig, embeddings: bool = True) -> int:
    """Count the weights; without `embeddings`, only those in the blocks and the last norm."""
    d, (q, kv) = config.hidden_size, _widths(config)
    biases = (q + 2 * kv) * config.qkv_bias + d * config.attention_bias
    norms = 2 * d + 2 * config.head_dim * config.normalizes_heads  # type: ignore[operator]
    body = config.num_hidden_layers * (_matrices(config) + biases + norms) + d
    tables = 1 if config.tie_word_embeddings else 2
    return body + (tables * config.vocab_size * d if embeddings else 0)


def flops_per_token(config: ModelConfig, context_length: int) -> float:
    """Count the FLOPs to train all of a model on one token: forward, and twice as much backward.

    6 for every number of a matrix (the head's, too, but not the input embedding's) plus `12 * L * H * D * T`
    for the two attention products over a context of T tokens, unmasked (PaLM, arXiv:2204.02311, appendix B).
    """
    layers, (q, _) = config.num_hidden_layers, _widths(config)
    multiplying = layers * _matrices(config) + config.vocab_size * config.hidden_size
    return 6 * multiplying + 12 * layers * q * context_length


def _widths(config: ModelConfig) -> tuple[int, int]:
    """The numbers of a block's queries, H * D, and of its keys, K * D."""
    heads = (config.num_attention_heads, config.num_key_value_heads)
    q, kv = (each * config.head_dim for each in heads)  # type: ignore[operator]
    return q, kv


def _matrices(config: ModelConfig) -> int:
    """The numbers of a block's matrices."""
    q, kv = _widths(config)
    return config.hidden_size * (2 * q + 2 * kv + 3 * config.intermediate_size)  # type: ignore[operator]


def trained_flops_per_token(model: "nn.Module", context_length: int) -> float:
    """Count the FLOPs to train a model on one token, without the work that frozen weights save.

    For each matrix of n weights 2n forward, 2n for its gradient if it is trained, and 2n for the gradient of
    its input if trained weights come before it; for the attention of each block 4HDT forward and, in the same
    case, 8HDT backward. Where all is trained, this is `flops_per_token`, with the head that the model has.
    """
    flops, flows, waiting = 0, False, False  # whether a gradient flows into this input, into later ones
    for name, weight in model.named_parameters(remove_duplicate=False):
        *_, module, kind = name.split(".")
        if kind == "weight" and module not in SAME_INPUT:
            flows |= waiting
        if module == "o_proj" and kind == "weight":
            flops += 4 * weight.shape[1] * context_length * (3 if flows else 1)
        if weight.dim() == 2 and module != "embed_tokens":
            flops += 2 * weight.numel() * (1 + weight.requires_grad + (flows or kind == "lora_B"))
        waiting |= weight.requires_grad
    return flops


def peak_flops(device_name: str) -> float | None:
    """Return the dense peak in FLOP/s of the chip with exactly this name, or None where it isn't known."""
    return PEAK_FLOPS.get(device_name)
