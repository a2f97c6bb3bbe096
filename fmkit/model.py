"""The transformer: a Llama-style decoder, small enough to read, with Hugging Face's parameter names.

Saving is therefore the identity: the weights that are trained here are those that transformers, vLLM or peft
open. Shapes: B sequences of T tokens, H heads of D numbers, hidden size d, vocabulary V.
"""

import copy
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint as recompute

from fmkit import checkpoint
from fmkit.attention import Cache, KVCache, Mask, RowCache, attention, make_mask
from fmkit.config import ModelConfig, RopeScaling, choose_device, choose_dtype, read_field
from fmkit.data.tokenizer import as_tokenizer, load_tokenizer, require_tokens
from fmkit.errors import FmkitError
from fmkit.hub import find_model
from fmkit.settings import as_path, require_names, spell


class Linear(nn.Linear):
    """A matrix kept in float32 and multiplied in the number format of its input."""

    def __init__(self, in_features: int, out_features: int, bias: bool = False) -> None:
        super().__init__(in_features, out_features, bias)

    def forward(self, x: Tensor) -> Tensor:
        bias = None if self.bias is None else self.bias.to(x.dtype)
        return F.linear(x, self.weight.to(x.dtype), bias)


class RMSNorm(nn.Module):
    """x / rms(x) * weight (Zhang and Sennrich 2019, arXiv:1910.07467)."""

    def __init__(self, size: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight.to(x.dtype)
        native = x.device.type == "cpu" and x.dtype == torch.bfloat16
        if native and torch.is_grad_enabled() and not torch.compiler.is_compiling():
            return _Normalize.apply(x, weight, self.eps)
        return F.rms_norm(x, weight.shape, weight, self.eps)


class _Normalize(torch.autograd.Function):
    """RMSNorm for training in bfloat16 on a CPU: torch takes twice the time, by passes in float32."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, eps: float) -> Tensor:
        norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=torch.float32)
        scale = (norm.square() / x.shape[-1] + eps).rsqrt().to(x.dtype)
        unit = x * scale
        ctx.save_for_backward(unit, scale, weight)
        return unit * weight

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None]:
        unit, scale, weight = ctx.saved_tensors
        each = grads[0] * unit
        along = (each @ weight)[..., None] / -unit.shape[-1]
        return (grads[0] * weight).addcmul_(unit, along).mul_(scale), each.flatten(0, -2).sum(0), None


def rotary_table(config: ModelConfig) -> tuple[Tensor, Tensor]:
    """cos and sin (max_position_embeddings, D/2) of rotary encoding (Su et al. 2021, arXiv:2104.09864)."""
    assert config.head_dim is not None
    exponents = torch.arange(0, config.head_dim, 2, dtype=torch.float32) / config.head_dim
    frequencies = config.rope_theta**-exponents
    if config.rope_scaling is not None:
        frequencies = slow_down(frequencies, config.rope_scaling)
    angles = torch.outer(torch.arange(config.max_position_embeddings).float(), frequencies)
    return angles.cos(), angles.sin()


def slow_down(frequencies: Tensor, scaling: RopeScaling) -> Tensor:
    """Compute the angles per position (D/2,) of a model whose context was lengthened; see `RopeScaling`."""
    slowed = frequencies / scaling.factor
    if scaling.rope_type == "linear":
        return slowed
    low, high = scaling.low_freq_factor, scaling.high_freq_factor
    turns = scaling.original_max_position_embeddings * frequencies / (2 * math.pi)
    kept = ((turns - low) / (high - low)).clamp(0, 1)
    return kept * frequencies + (1 - kept) * slowed


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn the pairs (i, i + D/2) of each head of x (B, T, H, D) by their position's angles (…, T, D/2)."""
    a, b = x.chunk(2, dim=-1)
    cos, sin = cos[..., None, :], sin[..., None, :]  # the same angle for every head
    return torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1)


def plain_head_dim(config: ModelConfig) -> int:
    """Return D as a plain integer: older versions of torch cannot trace one that says it was derived."""
    assert config.head_dim is not None
    return int(config.head_dim)


class Attention(nn.Module):
    def __init__(self, config: ModelConfig, layer: int) -> None:
        super().__init__()
        d, D = config.hidden_size, plain_head_dim(config)
        H, K = config.num_attention_heads, config.num_key_value_heads
        assert K is not None
        self.D, self.layer = D, layer
        self.q_proj = Linear(d, H * D, config.qkv_bias)
        self.k_proj = Linear(d, K * D, config.qkv_bias)
        self.v_proj = Linear(d, K * D, config.qkv_bias)
        self.o_proj = Linear(H * D, d, config.attention_bias)
        self.q_norm, self.k_norm = (
            RMSNorm(D, config.rms_norm_eps) if config.normalizes_heads else nn.Identity() for _ in "qk"
        )

    def forward(self, x: Tensor, view: "View") -> Tensor:
        B, T, _ = x.shape
        q = rotate(self.q_norm(self.q_proj(x).view(B, T, -1, self.D)), view.cos, view.sin)
        k = rotate(self.k_norm(self.k_proj(x).view(B, T, -1, self.D)), view.cos, view.sin)
        v = self.v_proj(x).view(B, T, -1, self.D)
        if view.cache is not None:
            k, v = view.cache.update(self.layer, k, v)
        return self.o_proj(attention(q, k, v, view.mask).reshape(B, T, -1))


class MLP(nn.Module):
    """SwiGLU (Shazeer 2020, arXiv:2002.05202)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        d, width = config.hidden_size, config.intermediate_size
        assert width is not None
        self.gate_proj = Linear(d, width)
        self.up_proj = Linear(d, width)
        self.down_proj = Linear(width, d)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Block(nn.Module):
    def __init__(self, config: ModelConfig, layer: int) -> None:
        super().__init__()
        self.input_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.self_attn = Attention(config, layer)
        self.post_attention_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.mlp = MLP(config)

    def forward(self, x: Tensor, view: "View") -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), view)
        return x + self.mlp(self.post_attention_layernorm(x))


class View:
    """What one forward pass may look at: positions, mask and cache, the same for every layer."""

    def __init__(
        self,
        decoder: "Decoder",
        input_ids: Tensor,
        document_ids: Tensor | None,
        cache: Cache | None,
        dtype: torch.dtype,
    ) -> None:
        T, start = input_ids.shape[1], cache.length if cache is not None else 0
        self.cache = cache
        if isinstance(cache, RowCache):
            rows, allowed = cache.look()
            self.cos, self.sin = decoder.cos[rows].to(dtype), decoder.sin[rows].to(dtype)
            self.mask = Mask(allowed=allowed)
            return
        where: slice | Tensor = slice(start, start + T)
        if cache is not None and cache.padding is not None:
            positions = torch.arange(start + T, device=input_ids.device) - cache.padding[:, None]  # (B, S)
            document_ids = positions >= 0  # padding is a document of its own
            where = positions[:, start:].clamp(0, len(decoder.cos) - 1)
        self.cos, self.sin = decoder.cos[where].to(dtype), decoder.sin[where].to(dtype)
        self.mask = make_mask(
            decoder.config.is_causal, decoder.D, T, start + T, document_ids, input_ids.device, dtype
        )


class Decoder(nn.Module):
    """Embedding, blocks, last norm: token ids (B, T) → hidden states (B, T, d)."""

    cos: Tensor
    sin: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config, self.D = config, plain_head_dim(config)
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(Block(config, layer) for layer in range(config.num_hidden_layers))
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.gradient_checkpointing = False  # computes blocks again in the backward pass, to hold less
        cos, sin = rotary_table(config)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)

    def forward(
        self, input_ids: Tensor, document_ids: Tensor | None, cache: Cache | None, dtype: torch.dtype
    ) -> Tensor:
        view = View(self, input_ids, document_ids, cache, dtype)
        x = self.embed_tokens(input_ids).to(dtype)
        for block in self.layers:
            if self.gradient_checkpointing and self.training:
                x = recompute(block, x, view, use_reentrant=False, preserve_rng_state=False)
            else:
                x = block(x, view)
        if cache is not None:
            cache.advance(input_ids.shape[1])
        return self.norm(x)


class Model(nn.Module):
    """A decoder with a head on it: what is trained, saved and opened.

    Weights are float32; `dtype` is the format of the arithmetic.
    """

    task = ""  # how the class of transformers that opens it ends

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        if not isinstance(config, ModelConfig):
            raise FmkitError(
                f"a new model is made from a ModelConfig, not a {type(config).__name__}: a saved one is "
                f"opened by {type(self).__name__}.from_pretrained(directory)"
            )
        self.config = config
        self.dtype = torch.float32
        self.tokenizer: Tokenizer | None = None  # the one it was trained with; saved with it
        self.directory: Path | None = None  # that it was opened from
        self.model = Decoder(config)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Copy all but the tokenizer, of which a copy is pickled and so loses what is known beside it."""
        memo[id(self.tokenizer)] = self.tokenizer
        copied = memo[id(self)] = type(self).__new__(type(self))
        copied.__dict__ |= copy.deepcopy(self.__dict__, memo)
        return copied

    @property
    def device(self) -> torch.device:
        return self.model.embed_tokens.weight.device

    @torch.no_grad()
    def _initialize(self, seed: int) -> None:
        """Normal weights; those that write into the residual stream are smaller the more blocks add up
        (GPT-2, Radford et al. 2019, section 2.3)."""
        generator = torch.Generator().manual_seed(seed)
        residual = (2 * self.config.num_hidden_layers) ** -0.5
        for name, weight in self.named_parameters():
            if weight.dim() == 2:
                scale = residual if name.endswith(("o_proj.weight", "down_proj.weight")) else 1.0
                weight.normal_(0.0, self.config.initializer_range * scale, generator=generator)
            elif name.endswith("bias"):
                weight.zero_()

    def hidden_states(
        self, input_ids: Tensor, document_ids: Tensor | None = None, cache: Cache | None = None
    ) -> Tensor:
        """Compute the vectors (B, T, d) that the head reads, from token ids (B, T)."""
        return self.model(input_ids, document_ids, cache, self.dtype)

    def weights(self) -> dict[str, Tensor]:
        """Return the tensors that are saved, by Hugging Face's names."""
        return self.state_dict()

    def to_hugging_face(self) -> dict[str, Any]:
        """Return the model's `config.json`."""
        family = self.config.model_type.capitalize()  # Llama, Qwen2
        return {"architectures": [family + self.task], **self.config.to_hugging_face()}

    def save_pretrained(self, directory: str | Path, *, dtype: "str | torch.dtype" = "float32") -> None:
        """Write `directory` in Hugging Face's layout; the Auto classes of transformers open it.

        In `dtype` "bfloat16", weights are rounded to half of their bytes, as most models are published. The
        tokenizer is saved, too, if the model was trained with one. Raises `FmkitError` for another `dtype`,
        and if the disk is full; earlier files are then still whole.
        """
        tokenizer = None if self.tokenizer is None else as_tokenizer(self.tokenizer)  # as one may set it
        rounded = choose_dtype(self.device, self.config.hidden_size, dtype)
        weights = {name: weight.to(rounded) for name, weight in self.weights().items()}
        config = self.to_hugging_face() | {"dtype": spell(rounded)}
        checkpoint.save_model(as_path(directory), config, weights, tokenizer)

    @classmethod
    def from_pretrained(
        cls,
        directory: str | Path,
        *,
        device: "str | torch.device | None" = "cpu",
        dtype: "str | torch.dtype | None" = "float32",
        **others: Any,
    ) -> Self:
        """Open a checkpoint that fmkit or transformers wrote, on `device`, to compute in `dtype`.

        `directory` may be the id of a model on the Hugging Face Hub, `org/name`; see `fmkit.hub.find_model`.
        "auto" (or None) is the best there is, as in training. Raises `FmkitError` if there is no checkpoint,
        for a device or number format that cannot be had, and for `others`, settings of other libraries.
        """
        require_names(others, ("device", "dtype"), f"{cls.__name__}.from_pretrained")
        place, directory = choose_device(device), find_model(directory)
        with checkpoint.reading(directory):
            model = cls._read(directory)
        model.dtype = choose_dtype(place, model.config.hidden_size, dtype)
        return model.to(place)

    @classmethod
    def _read(cls, directory: str | Path) -> Self:
        where = f"{directory}/config.json"
        try:
            model = cls._from_hugging_face(checkpoint.load_config(directory), where)
        except (RuntimeError, MemoryError, OverflowError):
            raise FmkitError(f"{where}: a model of these sizes does not fit into memory") from None
        weights = checkpoint.load_weights(directory)
        checkpoint.assign_weights(model.weights(), model._without_copies(weights, where), str(directory))
        if (Path(directory) / "tokenizer.json").is_file():
            model.tokenizer = load_tokenizer(directory, classifies=isinstance(model, Classifier))
            require_tokens(model.tokenizer, model.config.vocab_size, f"{directory}/tokenizer.json")
        model.directory = Path(directory)
        return model

    @classmethod
    def _from_hugging_face(cls, data: dict[str, Any], where: str) -> Self:
        return cls(ModelConfig.from_hugging_face(data, where))

    def _without_copies(self, weights: dict[str, Tensor], where: str) -> dict[str, Tensor]:
        """Leave out what says again what others say: angles of old versions, and the head of a tied model."""
        kept = {name: t for name, t in weights.items() if not name.endswith("rotary_emb.inv_freq")}
        head, embeddings = kept.get("lm_head.weight"), kept.get("model.embed_tokens.weight")
        if self.config.tie_word_embeddings and head is not None and embeddings is not None:
            if not torch.equal(head, embeddings):
                raise FmkitError(
                    f"{where}: tie_word_embeddings is on, and lm_head.weight is not "
                    "model.embed_tokens.weight: set it to false"
                )
            del kept["lm_head.weight"]
        return kept


class Transformer(Model):
    """A decoder that predicts tokens."""

    task = "ForCausalLM"

    def __init__(self, config: ModelConfig, seed: int = 0) -> None:
        super().__init__(config)
        self.lm_head = Linear(config.hidden_size, config.vocab_size)
        if config.tie_word_embeddings:
            self.lm_head.weight = self.model.embed_tokens.weight
        self._initialize(seed)

    def forward(
        self, input_ids: Tensor, document_ids: Tensor | None = None, cache: Cache | None = None
    ) -> Tensor:
        """Compute logits (B, T, V), unnormalized log-probabilities of the next token, from token ids (B, T).

        `document_ids` (B, T) keeps packed documents apart; `cache` holds earlier tokens.
        """
        return self.lm_head(self.hidden_states(input_ids, document_ids, cache))

    def new_cache(self, batch_size: int, max_length: int, padding: Tensor | None = None) -> KVCache:
        """Make an empty cache for `max_length` tokens of `batch_size` sequences.

        `padding` (B,) says how many tokens of padding come before each sequence.
        """
        layers, shape = self._cache_shape(batch_size, max_length)
        return KVCache(layers, shape, self.device, self.dtype, padding)

    def new_rows(self, batch_size: int, max_length: int) -> RowCache:
        """Make a cache for up to `batch_size` sequences that come and go, each of its own length."""
        layers, shape = self._cache_shape(batch_size, max_length)
        return RowCache(layers, shape, self.device, self.dtype)

    def _cache_shape(self, batch_size: int, max_length: int) -> tuple[int, tuple[int, int, int, int]]:
        config = self.config
        assert config.num_key_value_heads is not None
        assert config.head_dim is not None
        shape = (batch_size, max_length, config.num_key_value_heads, config.head_dim)
        return config.num_hidden_layers, shape

    def require_causal(self) -> None:
        """Raise `FmkitError` for a model of masked tokens: it would see the tokens that it should predict."""
        if not self.config.is_causal:
            raise FmkitError(
                "this model was trained on masked tokens (is_causal off) and cannot predict what comes next: "
                "use a causal one"
            )

    @classmethod
    def _from_hugging_face(cls, data: dict[str, Any], where: str) -> Self:
        if _classifies(data, where):
            raise FmkitError(
                f"{where}: a classifier or reward model, which writes no text: use a language model"
            )
        return super()._from_hugging_face(data, where)

    @torch.no_grad()
    def resize_vocab(self, vocab_size: int, seed: int = 0) -> None:
        """Make room for new tokens, whose vectors begin near the mean of the existing ones.

        So a new token is at first about as likely as the average token and displaces none (Hewitt
        2021, "Initializing New Word Embeddings for Pretrained Language Models"). Raises `FmkitError` for a
        vocabulary smaller than before.
        """
        old = self.config.vocab_size
        if vocab_size < old:
            raise FmkitError(
                f"vocab_size={vocab_size} is less than the model's {old}: no token can be dropped"
            )
        generator = torch.Generator().manual_seed(seed)

        def grown(weight: Tensor) -> nn.Parameter:
            noise = torch.randn(vocab_size - old, weight.shape[1], generator=generator).to(weight.device)
            rows = weight.mean(0) + 0.1 * weight.std(0) * noise
            return nn.Parameter(torch.cat((weight, rows)), requires_grad=weight.requires_grad)

        embeddings, head = self.model.embed_tokens, self.lm_head
        tied = head.weight is embeddings.weight
        embeddings.weight = grown(embeddings.weight)
        head.weight = embeddings.weight if tied else grown(head.weight)
        embeddings.num_embeddings = head.out_features = vocab_size
        self.config = self.model.config = replace(self.config, vocab_size=vocab_size)

    def weights(self) -> dict[str, Tensor]:
        """Return the tensors that are saved, by Hugging Face's names; a tied head is saved once."""
        state: dict[str, Any] = self.state_dict()
        if self.config.tie_word_embeddings:
            del state["lm_head.weight"]
        return state


class Classifier(Model):
    """A decoder that reads a whole text and chooses one of `labels`."""

    task = "ForSequenceClassification"

    def __init__(self, config: ModelConfig, labels: Sequence[str], seed: int = 0) -> None:
        super().__init__(config)
        is_list = isinstance(labels, Sequence) and not isinstance(labels, str)
        if not is_list or not labels or len({*map(str, labels)}) < len(labels):
            raise FmkitError(f"labels={labels!r:.60} must be a list of names, each of them once")
        self.labels = tuple(map(str, labels))
        self.score = Linear(config.hidden_size, len(self.labels))
        self._initialize(seed)

    @classmethod
    def from_base(cls, base: Transformer, labels: Sequence[str], seed: int = 0) -> "Classifier":
        """Make a classifier that starts from what `base` has learned; only its head is new."""
        require_kind(base, Transformer)
        classifier = cls(base.config, labels, seed)
        classifier.model.load_state_dict(base.model.state_dict())
        classifier.tokenizer, classifier.directory = base.tokenizer, base.directory
        return classifier

    def forward(self, input_ids: Tensor, last: Tensor) -> Tensor:
        """Compute logits (B, C) of the labels from token ids (B, T) and where each text ends (B,).

        The last token alone is read: it has seen all of the text, and nothing of the padding after it.
        """
        hidden = self.hidden_states(input_ids, None if self.config.is_causal else _parts(input_ids, last))
        return self.score(hidden[torch.arange(len(hidden), device=hidden.device), last])

    def to_hugging_face(self) -> dict[str, Any]:
        names = {str(i): label for i, label in enumerate(self.labels)}
        ids = {label: i for i, label in enumerate(self.labels)}
        return {**super().to_hugging_face(), "id2label": names, "label2id": ids}

    @classmethod
    def _from_hugging_face(cls, data: dict[str, Any], where: str) -> Self:
        if not _classifies(data, where) and not data.get("id2label"):
            raise FmkitError(f"{where}: no id2label: this model does not classify")
        labels = _labels(data, where)
        if (problem := data.get("problem_type")) == "multi_label_classification" or (
            problem == "regression" and len(labels) > 1
        ):
            raise FmkitError(f"{where}: problem_type is {problem!r}; fmkit's classifier chooses one label")
        return cls(ModelConfig.from_hugging_face(data, where), labels)


def _labels(data: dict[str, Any], where: str) -> list[str]:
    """Read the labels of a classifier's config.json; transformers leaves out its own names for two."""
    count = read_field(data, "num_labels", int, where, 2)
    if not 0 < count < 2**16:
        raise FmkitError(f"{where}: num_labels is {count}: it must be the number of labels")
    names: dict[str, Any] = read_field(data, "id2label", dict, where, {})
    names = names or {str(i): f"LABEL_{i}" for i in range(count)}
    try:
        labels = [str(names[key]) for key in sorted(names, key=int)]
    except ValueError:
        raise FmkitError(f"{where}: the keys of id2label must be whole numbers") from None
    if sorted(map(int, names)) != list(range(len(names))) or len({*labels}) < len(labels):
        raise FmkitError(f"{where}: id2label must have the numbers from 0 on, each with a name of its own")
    return labels


def _parts(input_ids: Tensor, last: Tensor) -> Tensor:
    """Number texts and their padding as documents (B, T) of their own: a text must not see its padding."""
    return (torch.arange(input_ids.shape[1], device=input_ids.device) > last[:, None]).int()


def require_kind(model: Any, *kinds: type[Model]) -> None:
    """Raise `FmkitError`, with what to give instead, for anything but a model of these kinds."""
    names = " or ".join(kind.__name__ for kind in kinds)
    if isinstance(model, Model) and not isinstance(model, kinds):
        raise FmkitError(f"a {type(model).__name__} does not learn or teach this way: give a {names}")
    if isinstance(model, str | Path):
        raise FmkitError(f"the model is a path: open it, {kinds[0].__name__}.from_pretrained({str(model)!r})")
    if hasattr(model, "save_pretrained") and not isinstance(model, Model):
        raise FmkitError(
            f"the model is a {type(model).__name__} of another library: give what "
            f"{kinds[0].__name__}.from_pretrained(directory) makes of what its save_pretrained wrote"
        )
    if not isinstance(model, kinds):
        raise FmkitError(f"a {type(model).__name__} is not a model: give a {names}, and then its tokenizer")


def open_model(directory: str | Path) -> "Transformer | Classifier":
    """Open a model, of either kind, in a directory or of the Hub. Raises `FmkitError` if there is none."""
    directory = find_model(directory)
    classifies = _classifies(checkpoint.load_config(directory), f"{directory}/config.json")
    return (Classifier if classifies else Transformer).from_pretrained(directory)


def _classifies(data: dict[str, Any], where: str) -> bool:
    """Whether a config.json is that of a classifier. Raises `FmkitError` if it is of neither kind."""
    architectures: list[Any] = read_field(data, "architectures", list, where, [])
    for name in map(str, architectures):
        if name.endswith(Classifier.task):
            return True
        if not name.endswith(Transformer.task):
            raise FmkitError(
                f"{where}: architectures names {name:.60}; fmkit opens …{Transformer.task} and "
                f"…{Classifier.task}"
            )
    return False
