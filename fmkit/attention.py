"""Attention: each token gathers information from the tokens that it may see.

One function for causal, bidirectional, document-masked and cached attention. Shapes: B sequences, T queries,
S keys, H query heads, K key/value heads (K divides H: grouped-query attention, arXiv:2305.13245), D numbers a
head.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def prefer_explicit(q: Tensor, k: Tensor) -> bool:
    """Whether two plain matrix products beat the fused kernel: on a CPU, in bfloat16, over a short context.

    In float32 the fused kernel was 1.1 to 1.6 times faster at every size tried (64 to 256 keys).
    """
    return q.device.type == "cpu" and q.dtype == torch.bfloat16 and k.shape[1] <= 256


def attention(q: Tensor, k: Tensor, v: Tensor, allowed: Tensor | None, causal: bool = False) -> Tensor:
    """Compute softmax(q kᵀ / √D) v (Vaswani et al. 2017, arXiv:1706.03762, section 3.2.1).

    q (B, T, H, D), k and v (B, S, K, D) → (B, T, H, D). `allowed` (B or 1, T, S), True where a query may
    look, None for no limit; `causal` says that `allowed` is the plain triangle, which the fused kernels need
    not be given.
    """
    if prefer_explicit(q, k):
        return _explicit(q, k, v, allowed)
    mask = None if allowed is None or causal else allowed[:, None]
    q, k, v = (x.transpose(1, 2) for x in (q, k, v))
    out = F.scaled_dot_product_attention(
        q, k, v, attn_mask=mask, is_causal=causal, enable_gqa=q.shape[1] != k.shape[1]
    )
    return out.transpose(1, 2)


def _explicit(q: Tensor, k: Tensor, v: Tensor, allowed: Tensor | None) -> Tensor:
    (B, T, H, D), (_, S, K, _) = q.shape, k.shape
    # The H/K query heads that share a key head are stacked along the time axis.
    q = q.view(B, T, K, H // K, D).permute(0, 2, 3, 1, 4).reshape(B, K, H // K * T, D)
    scores = (q / math.sqrt(D)) @ k.permute(0, 2, 3, 1)  # (B, K, H/K * T, S)
    if allowed is not None:
        bias = torch.zeros(allowed.shape, dtype=q.dtype).masked_fill_(~allowed, float("-inf"))
        scores = (scores.view(B, K, H // K, T, S) + bias[:, None, None]).view(B, K, H // K * T, S)
    out = scores.softmax(-1) @ v.transpose(1, 2)  # (B, K, H/K * T, D)
    return out.view(B, K, H // K, T, D).permute(0, 3, 1, 2, 4).reshape(B, T, H, D)


def allowed_positions(
    num_queries: int, num_keys: int, causal: bool, document_ids: Tensor | None, device: torch.device
) -> Tensor | None:
    """Return which keys each query may see: (B or 1, T, S), or None for all.

    Queries are the last `num_queries` of the `num_keys` positions (the others are cached). With
    `document_ids` (B, S), tokens see only their own document.
    """
    allowed = None
    if causal and num_queries > 1:
        square = torch.ones(num_queries, num_keys, dtype=torch.bool, device=device)
        allowed = square.tril(num_keys - num_queries)[None]
    if document_ids is not None:
        same = document_ids[:, -num_queries:, None] == document_ids[:, None, :]
        allowed = same if allowed is None else same & allowed
    return allowed


class KVCache:
    """Keys and values of the tokens seen so far: (B, length, K, D) a layer, in room for `max_length`.

    `padding` (B,) counts the tokens of padding before each sequence; None if there are none.
    """

    def __init__(
        self,
        num_layers: int,
        shape: tuple[int, int, int, int],
        device: torch.device,
        dtype: torch.dtype,
        padding: Tensor | None = None,
    ) -> None:
        self.length, self.padding = 0, padding
        self.keys = [torch.empty(shape, device=device, dtype=dtype) for _ in range(num_layers)]
        self.values = [torch.empty(shape, device=device, dtype=dtype) for _ in range(num_layers)]

    def update(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Append k and v (B, T, K, D) of new tokens to `layer`; return all of its keys and values."""
        end = self.length + k.shape[1]
        self.keys[layer][:, self.length : end] = k
        self.values[layer][:, self.length : end] = v
        return self.keys[layer][:, :end], self.values[layer][:, :end]

    def advance(self, count: int) -> None:
        """Count the tokens that every layer has appended."""
        self.length += count


class RowCache:
    """Keys and values of sequences that come and go, each of its own length: (rows, length, K, D) a layer.

    Those in use are the first rows, in the order of `lengths`; each step appends one token to each of them.
    This is continuous batching (Yu et al. 2022, "Orca: A Distributed Serving System for Transformer-Based
    Generative Models", section 4), with a fixed room for each row.
    """

    def __init__(
        self, num_layers: int, shape: tuple[int, int, int, int], device: torch.device, dtype: torch.dtype
    ) -> None:
        self.lengths: list[int] = []
        # Zeros, as what is masked counts 0 times its value, and so must be a number.
        self.keys = [torch.zeros(shape, device=device, dtype=dtype) for _ in range(num_layers)]
        self.values = [torch.zeros(shape, device=device, dtype=dtype) for _ in range(num_layers)]

    @property
    def length(self) -> int:
        """The length of the longest sequence."""
        return max(self.lengths, default=0)

    def join(self, prompt: KVCache) -> None:
        """Take in the one sequence that another cache holds, as the last row."""
        row, end = len(self.lengths), prompt.length
        for ours, theirs in zip((*self.keys, *self.values), (*prompt.keys, *prompt.values), strict=True):
            ours[row, :end] = theirs[0, :end]
        self.lengths.append(end)

    def leave(self, row: int) -> None:
        """Drop a sequence; the last one takes its row."""
        last = self.lengths.pop()
        if row < len(self.lengths):
            for each in (*self.keys, *self.values):
                each[row, :last] = each[len(self.lengths), :last]
            self.lengths[row] = last

    def look(self) -> tuple[Tensor, Tensor | None]:
        """Return the position of each row's next token, (B, 1), and the keys that it may see, (B, 1, S)."""
        self.ends = torch.tensor(self.lengths, device=self.keys[0].device)
        self.rows = torch.arange(len(self.lengths), device=self.ends.device)
        equal = min(self.lengths) == self.length
        keys = torch.arange(self.length + 1, device=self.ends.device)
        return self.ends[:, None], None if equal else (keys <= self.ends[:, None])[:, None]

    def update(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Append k and v (B, 1, K, D) to `layer`; return all of its keys and values, (B, S, K, D)."""
        count, end = len(self.lengths), self.length + 1
        self.keys[layer][self.rows, self.ends] = k[:, 0]
        self.values[layer][self.rows, self.ends] = v[:, 0]
        return self.keys[layer][:count, :end], self.values[layer][:count, :end]

    def advance(self, count: int) -> None:
        """Count the token that every layer has appended to each row."""
        self.lengths = [length + count for length in self.lengths]


Cache = KVCache | RowCache
