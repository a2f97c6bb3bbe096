"""From text to a run: the one place that prepares training batches, held-out batches and the run's identity.

Each `prepare_…` makes the splits of the data, checks that model, tokenizer and data fit together and gives
the model its tokenizer. They raise `FmkitError` for a tokenizer that is not the model's, for data without
what is read, and for sizes that do not fit.
"""

import hashlib
import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from datasets import Dataset, DatasetDict
from tokenizers import Tokenizer
from torch import Tensor

from fmkit import checkpoint
from fmkit.config import TrainConfig, choose_device, choose_dtype
from fmkit.data.batches import Batch, Loader, Mixed, PackedLoader, make_loader, tokenize, validation_batches
from fmkit.data.cache import remembered
from fmkit.data.corpora import content_hash
from fmkit.data.example_batches import (
    ExampleLoader,
    collate_completions,
    collate_labeled,
    collate_pairs,
    example_batches,
    has_completions,
    tokenize_completions,
    tokenize_labeled,
    tokenize_pairs,
    tokenize_prompts,
)
from fmkit.data.examples import prompts_of, with_label_names
from fmkit.data.given import COMPLETIONS, LABELED, PAIRS, PROMPTS, TEXTS, as_splits
from fmkit.data.marks import tell_marks
from fmkit.data.masking import MaskedLoader, mask_batches
from fmkit.data.pairs import Placed, advise_labels, advise_pairs
from fmkit.data.splits import SPLITS, Corpus
from fmkit.data.tokenizer import PAD, as_tokenizer, conventions, special_id
from fmkit.errors import FmkitError
from fmkit.lora import find_lora
from fmkit.model import Classifier, Model, Transformer, require_kind

AnyModel = TypeVar("AnyModel", bound=Model)

BEGINNING = 100  # documents of a stream that must be the same in a resumed run
COLUMNS = ("text", "label", "prompt", "completion", "messages", "chosen", "rejected")  # that are read


class Prepared(NamedTuple):
    """What a recipe trains on and validates on, and what must be equal for a resumed run to be the same."""

    loader: Loader
    held_out: list[Batch]
    identity: dict[str, Any]


def accept(
    model: Model, tokenizer: Any, config: Any, defaults: dict[str, Any], *kinds: type[Model]
) -> tuple[Tokenizer, TrainConfig]:
    """Return the tokenizer as fmkit reads it, and the configuration, by default that of `defaults`.

    Raises `FmkitError` for a model that is not of `kinds`, and for another tokenizer or configuration.
    """
    require_kind(model, *kinds)
    tokenizer = as_tokenizer(tokenizer)
    if config is not None and not isinstance(config, TrainConfig):
        raise FmkitError(f"config is a {type(config).__name__}: give TrainConfig(steps=…, learning_rate=…)")
    return tokenizer, config or TrainConfig(**defaults)


# --- texts ------------------------------------------------------------------------------------------------


def prepare_texts(
    model: Transformer,
    tokenizer: Tokenizer,
    data: Any,
    config: TrainConfig,
    replay: Corpus | None = None,
    replay_share: float = 0.0,
) -> Prepared:
    """Packed texts, `replay_share` of the tokens from `replay`; masked if the model isn't causal."""
    corpus = as_splits(data, TEXTS)
    shape = config.batch_size, _fit_together(model, tokenizer, config)
    packed = _pack(tokenizer, corpus, config, *shape, replay if replay_share else None, replay_share)
    loader = packed if model.config.is_causal else MaskedLoader(packed, tokenizer, config.seed)
    corpora = {"corpus": corpus} | ({"replay": replay} if replay else {})
    for each in corpora.values():
        tell_marks(each["train"])
    return Prepared(loader, held_out_texts(model, corpus, config), _identity(model, **corpora))


def _pack(
    tokenizer: Tokenizer,
    corpus: Corpus,
    config: TrainConfig,
    batch_size: int,
    context: int,
    replay: Corpus | None,
    replay_share: float,
) -> PackedLoader:
    if replay is None:
        return make_loader(corpus["train"], tokenizer, batch_size, context, config.seed)
    parts = [(corpus["train"], 1 - replay_share), (replay["train"], replay_share)]
    mixed = Mixed([(tokenize(part, tokenizer, context), share) for part, share in parts], config.seed)
    return PackedLoader(mixed, batch_size, context, special_id(tokenizer, PAD), config.seed)


def held_out_texts(model: Transformer, corpus: Corpus, config: TrainConfig) -> list[Batch]:
    """Batches of the validation split for a prepared model; masked if it isn't causal."""
    assert model.tokenizer is not None
    shape = config.batch_size, _context_length(model, config)
    batches = validation_batches(corpus["validation"], model.tokenizer, *shape, config.eval_rows)
    return batches if model.config.is_causal else mask_batches(batches, model.tokenizer)


def prepare_tokens(model: Transformer, tokenizer: Tokenizer, data: Any, config: TrainConfig) -> Prepared:
    """Completions or conversations where the data has such columns, else texts."""
    data = as_splits(data, (*COMPLETIONS, *TEXTS))
    prepare = prepare_completions if has_completions(data["train"]) else prepare_texts
    return prepare(model, tokenizer, data, config)


# --- examples ---------------------------------------------------------------------------------------------


def prepare_completions(
    model: Transformer, tokenizer: Tokenizer, data: Any, config: TrainConfig, mask_prompt: bool = True
) -> Prepared:
    """Prompts with completions, or conversations; see `fmkit.data.example_batches.tokenize_completions`."""
    model.require_causal()
    read = partial(tokenize_completions, mask_prompt=mask_prompt)
    data = as_splits(data, COMPLETIONS)
    return _prepare_examples(model, tokenizer, data, config, read, collate_completions)


def prepare_pairs(model: Model, tokenizer: Tokenizer, data: Any, config: TrainConfig) -> Prepared:
    """Pairs of answers, of which people preferred one; see `fmkit.data.example_batches.tokenize_pairs`.

    Standard error says which pairs teach nothing (`fmkit.data.pairs`).
    """
    data = as_splits(data, PAIRS)
    prepared = _prepare_examples(model, tokenizer, data, config, tokenize_pairs, collate_pairs)
    _tell(advise_pairs, data)
    return prepared


def prepare_labeled(model: Classifier, tokenizer: Tokenizer, data: Any, config: TrainConfig) -> Prepared:
    """Labeled texts; the whole validation split is held out, as accuracy needs many.

    Standard error says which texts have two labels (`fmkit.data.pairs`).
    """
    read = partial(tokenize_labeled, labels=model.labels)
    data = as_splits(data, LABELED)
    prepared = _prepare_examples(model, tokenizer, data, config, read, collate_labeled, all_held_out=True)
    _tell(advise_labels, data)
    return prepared


def _tell(advise: Callable[[Iterable[Placed]], list[str]], data: Corpus) -> None:
    """Say on standard error which examples teach nothing."""
    rows = ((split, each) for split in SPLITS for each in enumerate(with_label_names(data[split]), 1))
    for line in advise((f"{split} row {number}", row) for split, (number, row) in rows):
        print(f"fmkit: {line}", file=sys.stderr)


def prepare_prompts(
    model: Transformer, tokenizer: Tokenizer, data: Any, config: TrainConfig
) -> tuple[Dataset, Dataset, dict[str, Any]]:
    """Prompts to answer, those that are held out, and the run's identity; the data may have answers, too."""
    model.require_causal()
    data = as_splits(data, PROMPTS)
    context = _fit_together(model, tokenizer, config)
    prompts = DatasetDict({split: prompts_of(data[split]) for split in SPLITS})
    train, held_out = _read_splits(tokenize_prompts, prompts, tokenizer, context)
    return train, held_out.take(min(len(held_out), config.eval_rows)), _identity(model, corpus=prompts)


def _prepare_examples(
    model: Model,
    tokenizer: Tokenizer,
    data: Corpus,
    config: TrainConfig,
    read: Callable[..., Dataset],
    collate: Callable[..., Batch],
    all_held_out: bool = False,
) -> Prepared:
    context = _fit_together(model, tokenizer, config)
    train, held_out = _read_splits(read, data, tokenizer, context)
    if not all_held_out:
        held_out = held_out.take(min(len(held_out), config.eval_rows))
    collate = partial(collate, pad_id=special_id(tokenizer, PAD))
    loader = ExampleLoader(train, config.batch_size, collate, config.seed)
    return Prepared(
        loader, example_batches(held_out, config.batch_size, collate), _identity(model, corpus=data)
    )


def _read_splits(
    read: Callable[..., Dataset], data: Corpus, tokenizer: Tokenizer, context: int
) -> list[Dataset]:
    """Read train and validation; an error says which. Standard error has what is unusual about the texts."""
    tell_marks(data["train"])
    found = []
    for split in SPLITS:
        try:
            found.append(read(data[split], tokenizer, context))
        except FmkitError as error:
            raise FmkitError(f"{split}: {error}") from None
    return found


# --- models -----------------------------------------------------------------------------------------------


def require_tokens(model: Model, tokenizer: Tokenizer, whose: str = "model") -> None:
    """Raise `FmkitError` where the model knows its tokens by other ids; new ones may have been added."""
    if model.tokenizer and not model.tokenizer.get_vocab().items() <= tokenizer.get_vocab().items():
        raise FmkitError(
            f"the {whose} was trained with another tokenizer: use its own, {whose}.tokenizer, or one that "
            "adds tokens to it"
        )


def freeze(model: AnyModel, config: TrainConfig) -> AnyModel:
    """Put a model that is only read on the device and in the number format of the one that is trained."""
    device = choose_device(config.device)
    model.dtype = choose_dtype(device, model.config.hidden_size, config.dtype)
    return model.to(device).eval()


def fingerprint(tensors: Iterable[tuple[str, Tensor]]) -> str:
    """A hash of named tensors."""
    digest = hashlib.sha256()
    for name, tensor in tensors:
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().data)
    return digest.hexdigest()


def _fit_together(model: Model, tokenizer: Tokenizer, config: TrainConfig) -> int:
    """Give the model its tokenizer, once all fits; returns the context length to train with."""
    context, longest = _context_length(model, config), model.config.max_position_embeddings
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


def _context_length(model: Model, config: TrainConfig) -> int:
    return config.context_length or model.config.max_position_embeddings


# --- what must be equal for a resumed run to be the same run ----------------------------------------------


def _identity(model: Model, **corpora: Corpus) -> dict[str, Any]:
    """Data, tokenizer, labels, adapter, and weights: the frozen ones, and those of the directory opened."""
    assert model.tokenizer is not None
    frozen = [(name, p) for name, p in model.named_parameters() if not p.requires_grad]
    base = checkpoint.hash_weights(model.directory) if model.directory else None
    lora, template = find_lora(model), conventions(model.tokenizer).chat_template
    return {
        **{name: _hash_of(corpus) for name, corpus in corpora.items()},
        "tokenizer": hashlib.sha256(model.tokenizer.to_str().encode()).hexdigest(),
        **({"chat template": hashlib.sha256(json.dumps(template).encode()).hexdigest()} if template else {}),
        **({"labels": model.labels} if isinstance(model, Classifier) else {}),
        **({"lora": asdict(lora)} if lora else {}),
        **({"base": base} if base else {}),
        **({"frozen weights": fingerprint(frozen)} if frozen else {}),
    }


def _hash_of(corpus: Corpus) -> str:
    """Hash the data; what lies in files is read once, and again when they or what `datasets` made changed."""
    if not isinstance(corpus["train"], Dataset):  # a stream is known by its beginning
        return f"stream {content_hash({split: corpus[split].take(BEGINNING) for split in corpus})}"
    columns = [name for name in corpus["train"].column_names if name in COLUMNS]
    files = {split: [Path(file["filename"]) for file in corpus[split].cache_files] for split in corpus}
    if not all(files.values()):  # some of it is held in memory
        return _hash_of_rows(corpus, columns)
    made = {split: corpus[split]._fingerprint for split in corpus}
    return remembered(f"{made} {columns}", chain(*files.values()), partial(_hash_of_rows, corpus, columns))


def _hash_of_rows(corpus: Corpus, columns: list[str]) -> str:
    if columns == ["text"]:
        return content_hash(corpus)
    digest = hashlib.sha256()
    for split in sorted(corpus):
        for row in corpus[split].select_columns(columns):
            digest.update(json.dumps([split, row], sort_keys=True).encode())
    return digest.hexdigest()
