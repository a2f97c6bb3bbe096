"""What the recipes share: sizes that fit, tokens to predict, and what a resumed run must find unchanged."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict
from functools import partial
from typing import Any

from datasets import Dataset, DatasetDict
from tokenizers import Tokenizer
from torch import Tensor

from fmkit.config import TrainConfig, choose_device, choose_dtype
from fmkit.data.batches import Batch, Loader, Mixed, PackedLoader, make_loader, tokenize, validation_batches
from fmkit.data.corpora import content_hash
from fmkit.data.examples import (
    ExampleLoader,
    collate_completions,
    example_batches,
    has_completions,
    tokenize_completions,
)
from fmkit.data.masking import MaskedLoader, mask_batches
from fmkit.data.splits import SPLITS, Corpus
from fmkit.data.tokenizer import PAD, special_id
from fmkit.errors import FmkitError
from fmkit.lora import find_lora
from fmkit.model import Model, Transformer

COLUMNS = ("text", "label", "prompt", "completion", "messages", "chosen", "rejected")  # that are read

Data = tuple[Loader, list[Batch]]  # training batches without end, and those that are held out


def fit_together(
    model: Model,
    tokenizer: Tokenizer,
    corpus: Corpus,
    config: TrainConfig,
    kinds: tuple[type[Model], ...] = (Transformer,),
) -> int:
    """Give the model its tokenizer; the context length to train with.

    Raises `FmkitError` for a model of none of the `kinds`, a tokenizer that is not the model's, a missing
    split, and sizes that do not fit.
    """
    require_kind(model, *kinds)
    require_splits(corpus)
    longest = model.config.max_position_embeddings
    context = config.context_length or longest
    if context > longest:
        raise FmkitError(
            f"context_length={context} is more than the model's max_position_embeddings={longest}"
        )
    if tokenizer.get_vocab_size() > model.config.vocab_size:
        raise FmkitError(
            f"the tokenizer has {tokenizer.get_vocab_size()} tokens and the model "
            f"vocab_size={model.config.vocab_size}: make them equal"
        )
    require_tokens(model, tokenizer)
    model.tokenizer = tokenizer
    return context


def require_kind(model: Model, *kinds: type[Model]) -> None:
    """Raise `FmkitError` for another class of model."""
    if not isinstance(model, kinds):
        names = " or ".join(kind.__name__ for kind in kinds)
        raise FmkitError(f"a {type(model).__name__} does not learn or teach this way: give a {names}")


def require_splits(corpus: Corpus) -> None:
    """Raise `FmkitError` for data without what is learned from and what is measured on."""
    there = list(corpus) if isinstance(corpus, dict) else []
    for split in SPLITS:
        if split not in there:
            have = ", ".join(map(str, there)) or "no splits"
            raise FmkitError(f"the data has {have}: give a DatasetDict with train and validation")


def require_tokens(model: Model, tokenizer: Tokenizer, whose: str = "model") -> None:
    """Raise `FmkitError` where the model knows its tokens by other ids; new ones may have been added."""
    if model.tokenizer and not model.tokenizer.get_vocab().items() <= tokenizer.get_vocab().items():
        raise FmkitError(
            f"the {whose} was trained with another tokenizer: take its own, {whose}.tokenizer, or one that "
            "adds tokens to it"
        )


def token_data(
    model: Transformer,
    tokenizer: Tokenizer,
    corpus: Corpus,
    config: TrainConfig,
    context: int,
) -> Data:
    """Batches with tokens to predict: packed texts, or padded completions where the data has such columns."""
    if has_completions(corpus["train"]):
        return completion_data(tokenizer, corpus, config, context)
    return text_data(model, tokenizer, corpus, config, context)


def text_data(
    model: Transformer,
    tokenizer: Tokenizer,
    corpus: Corpus,
    config: TrainConfig,
    context: int,
    replay: Corpus | None = None,
    replay_share: float = 0.0,
) -> Data:
    """Packed texts, of which `replay_share` of the tokens may be of another corpus; masked if not causal."""
    shape = (config.batch_size, context)
    if replay is None:
        packed = make_loader(corpus["train"], tokenizer, *shape, config.seed)
    else:
        parts = [(corpus["train"], 1 - replay_share), (replay["train"], replay_share)]
        mixed = Mixed([(tokenize(part, tokenizer, context), share) for part, share in parts], config.seed)
        packed = PackedLoader(mixed, *shape, special_id(tokenizer, PAD), config.seed)
    held_out = held_out_texts(model, tokenizer, corpus, config, context)
    return packed if model.config.is_causal else MaskedLoader(packed, tokenizer, config.seed), held_out


def held_out_texts(
    model: Transformer, tokenizer: Tokenizer, corpus: Corpus, config: TrainConfig, context: int
) -> list[Batch]:
    """Batches of the validation split; masked if the model is not causal."""
    batches = validation_batches(
        corpus["validation"], tokenizer, config.batch_size, context, config.eval_batches
    )
    return batches if model.config.is_causal else mask_batches(batches, tokenizer)


def completion_data(
    tokenizer: Tokenizer, corpus: DatasetDict, config: TrainConfig, context: int, mask_prompt: bool = True
) -> Data:
    """Prompts with completions, or conversations; see `fmkit.data.examples.tokenize_completions`."""
    train, validation = (
        tokenize_completions(corpus[split], tokenizer, context, mask_prompt)
        for split in ("train", "validation")
    )
    collate = partial(collate_completions, pad_id=special_id(tokenizer, PAD))
    held_out = validation.select(range(min(len(validation), config.batch_size * config.eval_batches)))
    loader = ExampleLoader(train, config.batch_size, collate, config.seed)
    return loader, example_batches(held_out, config.batch_size, collate)


def consult(model: Transformer, config: TrainConfig) -> Transformer:
    """The model, ready to be read beside one that is trained: on the same device, in the same arithmetic."""
    device = choose_device(config.device)
    model.dtype = choose_dtype(device, model.config.hidden_size, config.dtype)
    return model.to(device).eval()


# --- what must be equal for a resumed run to be the same run ----------------------------------------------


def identity(model: Model, corpora: dict[str, Corpus], tokenizer: Tokenizer, **more: Any) -> dict[str, Any]:
    """Data, tokenizer, adapter, frozen weights, and what `more` a recipe names. A stream is trusted."""
    frozen = [(name, p) for name, p in model.named_parameters() if not p.requires_grad]
    lora = find_lora(model)
    return {
        **{name: _hash_of(corpus) for name, corpus in corpora.items()},
        "tokenizer": hashlib.sha256(tokenizer.to_str().encode()).hexdigest(),
        **({"lora": asdict(lora)} if lora else {}),
        **({"frozen weights": fingerprint(frozen)} if frozen else {}),
        **more,
    }


def fingerprint(tensors: Iterable[tuple[str, Tensor]]) -> str:
    """A hash of named tensors."""
    digest = hashlib.sha256()
    for name, tensor in tensors:
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().data)
    return digest.hexdigest()


def _hash_of(corpus: Corpus) -> str:
    if not isinstance(corpus["train"], Dataset):
        return "streamed"
    columns = [name for name in corpus["train"].column_names if name in COLUMNS]
    if columns == ["text"]:
        return content_hash(corpus)
    digest = hashlib.sha256()
    for split in sorted(corpus):
        for row in corpus[split].select_columns(columns):
            digest.update(json.dumps([split, row], sort_keys=True).encode())
    return digest.hexdigest()
