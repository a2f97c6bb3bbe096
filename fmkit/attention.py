"""Attention: each token gathers information from the tokens that it may see.

One function for causal, bidirectional, document-masked and cached attention. Shapes: B sequences, T queries,
S keys, H query heads, K key/value heads (K divides H: grouped-query attention, arXiv:2305.13245), D numbers a
head.
"""

import math
from contextlib import nullcontext
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.attention.flex_attention import BlockMask, create_block_mask, flex_attention

# cuDNN plans its kernel anew for every number of keys, in 3 ms: too long where a cache grows token by token.
ANY_LENGTH = [SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]


class Mask(NamedTuple):
    """Which keys each query may see, in the form that is fastest where the model runs; see `make_mask`.

    With nothing said, all of them.
    """

    causal: bool = False  # none after its own
    lengths: list[int] | None = None  # only those of its document; documents follow each other, row after row
    blocks: BlockMask | None = None  # all that may be seen, as FlexAttention reads it
    allowed: Tensor | None = None  # all that may be seen, (B or 1, T, S)


def make_mask(
    causal: bool,
    head_dim: int,
    num_queries: int,
    num_keys: int,
    document_ids: Tensor | None,
    device: torch.device,
    dtype: torch.dtype,
) -> Mask:
    """Say which keys each query may see: with `document_ids` (B, S), only those of its own document.

    Queries are the last `num_queries` of the `num_keys` positions (the others are cached). A document is a
    run of equal ids in a row. A dense mask of documents costs the square of the row's length, so it is only
    made where no kernel takes less.
    """
    if num_queries == num_keys and not prefer_explicit(device, dtype, num_keys):
        if document_ids is None:
            return Mask(causal)
        if device.type == "cpu" and not torch.compiler.is_compiling():
            return Mask(causal, lengths=_document_lengths(document_ids))
        if device.type == "cuda" and torch.compiler.is_compiling() and head_dim >= 16:
            make = _block_mask if torch.is_grad_enabled() else _block_mask_apart
            return Mask(blocks=make(document_ids, causal))
    return Mask(allowed=allowed_positions(num_queries, num_keys, causal, document_ids, device))


def prefer_explicit(device: torch.device, dtype: torch.dtype, num_keys: int) -> bool:
    """Whether two plain matrix products beat the fused kernel: on a CPU, in bfloat16, over a short context.

    In float32 the fused kernel was 1.1 to 1.6 times faster at every size tried (64 to 256 keys).
    """
    return device.type == "cpu" and dtype == torch.bfloat16 and num_keys <= 256


def attention(q: Tensor, k: Tensor, v: Tensor, mask: Mask) -> Tensor:
    """Compute softmax(q kᵀ / √D) v (Vaswani et al. 2017, arXiv:1706.03762, section 3.2.1).

    q (B, T, H, D), k and v (B, S, K, D) → (B, T, H, D). `mask` says which keys a query may see.
    """
    if mask.lengths is not None:
        documents = zip(*(x.flatten(0, 1).split(mask.lengths) for x in (q, k, v)), strict=True)
        parts = [_fused(a[None], b[None], c[None], mask)[0] for a, b, c in documents]
        return torch.cat(parts).view(q.shape)
    if prefer_explicit(q.device, q.dtype, k.shape[1]):
        return _explicit(q, k, v, mask.allowed)
    return _fused(q, k, v, mask)


def _fused(q: Tensor, k: Tensor, v: Tensor, mask: Mask) -> Tensor:
    grouped = q.shape[2] != k.shape[2]
    q, k, v = (x.transpose(1, 2) for x in (q, k, v))
    if mask.blocks is not None:
        out = flex_attention(q, k, v, block_mask=mask.blocks, enable_gqa=grouped)
    else:
        allowed = None if mask.allowed is None else mask.allowed[:, None]
        cached = q.is_cuda and q.shape[2] != k.shape[2]
        with sdpa_kernel(ANY_LENGTH) if cached else nullcontext():
            out = F.scaled_dot_product_attention(
                q, k, v, attn_mask=allowed, is_causal=mask.causal, enable_gqa=grouped
            )
    return out.transpose(1, 2)


def _explicit(q: Tensor, k: Tensor, v: Tensor, allowed: Tensor | None) -> Tensor:
    (B, T, H, D), (_, S, K, _) = q.shape, k.shape
    # The H/K query heads that share a key head are stacked along the time axis.
    q = q.view(B, T, K, H // K, D).permute(0, 2, 3, 1, 4).reshape(B, K, H // K * T, D)
    # Of cached keys the product would make a transposed copy, which takes three times as long as this one.
    keys = k.permute(0, 2, 3, 1) if T > 1 else k.transpose(1, 2).contiguous().mT
    scores = (q / math.sqrt(D)) @ keys  # (B, K, H/K * T, S)
    if allowed is not None:
        bias = torch.zeros(allowed.shape, dtype=q.dtype).masked_fill_(~allowed, float("-inf"))
        scores = (scores.view(B, K, H // K, T, S) + bias[:, None, None]).view(B, K, H // K * T, S)
    out = scores.softmax(-1) @ v.transpose(1, 2)  # (B, K, H/K * T, D)
    return out.view(B, K, H // K, T, D).permute(0, 3, 1, 2, 4).reshape(B, T, H, D)


def _document_lengths(document_ids: Tensor) -> list[int]:
    """Count the tokens of each run of equal ids, row after row."""
    first = torch.ones_like(document_ids, dtype=torch.bool)
    first[:, 1:] = document_ids[:, 1:] != document_ids[:, :-1]
    starts = first.flatten().nonzero()[:, 0]
    return torch.diff(starts, append=starts.new_tensor([first.numel()])).tolist()


def _block_mask(document_ids: Tensor, causal: bool) -> BlockMask:
    """Say which blocks of keys a block of queries may see (Dong et al. 2024, arXiv:2412.05496)."""

    def allowed(b: Tensor, h: Tensor, query: Tensor, key: Tensor) -> Tensor:
        same = document_ids[b, query] == document_ids[b, key]
        return same & (query >= key) if causal else same

    B, T = document_ids.shape
    return create_block_mask(allowed, B, None, T, T, device=document_ids.device)


# Made inside a graph that takes no gradient, the mask let the compiled kernel (torch 2.11, H200) read memory
# that was not its own, and every validation on packed documents failed.
_block_mask_apart = torch.compiler.disable(_block_mask)


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


def _room(
    num_layers: int, shape: tuple[int, int, int, int], device: torch.device, dtype: torch.dtype
) -> list[Tensor]:
    """Make room for the keys or values of each layer, (B, length, K, D).

    In memory a head's tokens are side by side, so that the products of attention read them where they are. It
    begins as zeros, as what is masked counts 0 times its value, and so must be a number.
    """
    B, length, K, D = shape
    return [
        torch.zeros(B, K, length, D, device=device, dtype=dtype).transpose(1, 2) for _ in range(num_layers)
    ]


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
        self.keys, self.values = (_room(num_layers, shape, device, dtype) for _ in range(2))

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
        self.keys, self.values = (_room(num_layers, shape, device, dtype) for _ in range(2))

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
