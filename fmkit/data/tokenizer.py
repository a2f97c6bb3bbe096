"""Byte-level byte-pair encoding by Hugging Face `tokenizers`, in the file format of transformers."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from datasets import Dataset, IterableDataset
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from fmkit.errors import FmkitError

BOS, EOS, PAD, MASK = SPECIAL_TOKENS = ("<|bos|>", "<|eos|>", "<|pad|>", "<|mask|>")
BOS_ID, EOS_ID, PAD_ID, MASK_ID = range(4)
ROLES = {"bos_token": BOS, "eos_token": EOS, "pad_token": PAD, "mask_token": MASK}  # transformers' names
CHAT_TOKENS = ("<|system|>", "<|user|>", "<|assistant|>")  # each begins a message; see fmkit.data.chat
SMALLEST = len(SPECIAL_TOKENS) + 256  # every byte has a token, so every text can be encoded
SAMPLE = 50_000_000  # characters to learn from at most
PIECE = 16_384  # characters that the trainer gets at a time

# The layout of fmkit.data.chat.encode_chat, for transformers; `generation` marks the assistant's words.
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{{ '<|' + message['role'] + '|>' }}"
    "{% if message['role'] == 'assistant' %}"
    "{% generation %}{{ message['content'] + eos_token }}{% endgeneration %}"
    "{% else %}{{ message['content'] }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)

Texts: TypeAlias = Dataset | IterableDataset | Iterable[str]


def word_level_tokenizer(words: Iterable[str]) -> Tokenizer:
    """A tokenizer with one token for each of some words, after the four special tokens.

    A text is split at white space. For corpora whose words are known, such as the Markov chains.
    """
    vocab = {token: k for k, token in enumerate([*SPECIAL_TOKENS, *words])}
    tokenizer = Tokenizer(models.WordLevel(vocab))
    tokenizer.add_special_tokens(list(SPECIAL_TOKENS))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", pair=f"{BOS} $A {BOS}:1 $B:1", special_tokens=[(BOS, BOS_ID)]
    )
    tokenizer.encode_special_tokens = True
    return tokenizer


def train_tokenizer(dataset: Texts, vocab_size: int) -> Tokenizer:
    """Learn a byte-pair encoding from the column `text` of a dataset, whole or streamed, or from strings.

    Ids 0 to 3 are `<|bos|>`, `<|eos|>`, `<|pad|>` and `<|mask|>`; `encode(text).ids` begins with 0, and
    `decode` restores any text exactly. These strings inside a text are encoded as ordinary characters.
    (`Tokenizer.encode_special_tokens`, which does this, is lost when a tokenizer is pickled: set it again in
    a worker.) The same texts give the same tokenizer. Of more than 50 million characters, evenly spaced
    documents are used; of a stream, the first ones.

    Raises FmkitError if `vocab_size` is below 260 or above what the text allows, and for anything but texts.
    """
    if vocab_size < SMALLEST:
        raise FmkitError(
            f"vocab_size {vocab_size} is too small: the 256 bytes and {len(SPECIAL_TOKENS)} special tokens "
            f"need {SMALLEST}"
        )
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = _begin_with(BOS, BOS_ID)
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        min_frequency=2,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_pieces(_sample(dataset)), trainer)
    if tokenizer.get_vocab_size() < vocab_size:
        raise FmkitError(
            f"vocab_size {vocab_size} is more than the text allows: choose {tokenizer.get_vocab_size()} "
            "or less, or give more text"
        )
    tokenizer.encode_special_tokens = True
    return tokenizer


def save_tokenizer(tokenizer: Tokenizer, directory: str | Path, model_max_length: int | None = None) -> None:
    """Write tokenizer.json and tokenizer_config.json, which `transformers.AutoTokenizer` opens.

    `model_max_length` is the context of the model, in tokens; what must truncate texts reads it there.

    With chat tokens, the chat template is written too. transformers formats a conversation as one string, so
    it must parse special tokens in text, and in messages, too; `fmkit` never does.

    Raises FmkitError if the directory cannot be written.
    """
    roles = {role: _serving(tokenizer, token) for role, token in ROLES.items()}
    config: dict[str, str | bool | int] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        **{role: token for role, token in roles.items() if tokenizer.token_to_id(token) is not None},
        "clean_up_tokenization_spaces": False,
        "split_special_tokens": True,
    }
    if model_max_length is not None:
        config["model_max_length"] = model_max_length
    if has_chat_tokens(tokenizer):
        config |= {"split_special_tokens": False, "chat_template": CHAT_TEMPLATE}
    directory = Path(directory)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "tokenizer.json").write_text(tokenizer.to_str(pretty=True), encoding="utf-8")
        (directory / "tokenizer_config.json").write_text(
            json.dumps(config, indent=2) + "\n", encoding="utf-8"
        )
    except OSError as error:
        raise FmkitError(f"{directory}: the tokenizer cannot be written: {error.strerror}") from None


def load_tokenizer(directory: str | Path) -> Tokenizer:
    """Load the tokenizer of a directory that `save_tokenizer` or transformers wrote.

    If transformers' files have other names for the tokens that begin, end and pad a text, they are renamed to
    ours and keep their ids. Every text then begins with its token, as in `train_tokenizer`.

    Raises FmkitError if tokenizer.json is missing or damaged.
    """
    path = Path(directory) / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_str(_read(path))
        begin = _serving(tokenizer, BOS)
        begin_id = tokenizer.token_to_id(begin)
        if begin_id is not None and not tokenizer.encode("").ids:
            tokenizer.post_processor = _begin_with(begin, begin_id)
        tokenizer.encode("")  # some damage shows only when the tokenizer is used
    except OSError as error:
        raise FmkitError(f"{path}: cannot be read: {error.strerror}") from None
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic of the Rust code is no Exception
        reason = " ".join(str(error).split())[:200]
        raise FmkitError(f"{path}: damaged, or no tokenizer ({reason})") from None
    tokenizer.encode_special_tokens = True
    return tokenizer


def _begin_with(token: str, token_id: int) -> processors.TemplateProcessing:
    """Make the post-processor that puts a token before each text."""
    return processors.TemplateProcessing(
        single=f"{token} $A", pair=f"{token} $A {token}:1 $B:1", special_tokens=[(token, token_id)]
    )


def _read(path: Path) -> str:
    """Read a tokenizer.json, with our names of special tokens in it."""
    text = path.read_text(encoding="utf-8")
    names = {theirs: ours for theirs, ours in _names(path.parent).items() if f'"{ours}"' not in text}
    return json.dumps(_renamed(json.loads(text), names)) if names else text


def _names(directory: Path) -> dict[str, str]:
    """Map the special tokens that transformers' files name to our names; the end token goes first."""
    found: dict[str, str] = {}
    for file in ("tokenizer_config.json", "special_tokens_map.json"):
        try:
            config = json.loads((directory / file).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            continue
        for role in ("eos_token", "bos_token", "pad_token"):
            token = config.get(role) if isinstance(config, dict) else None
            token = token.get("content") if isinstance(token, dict) else token
            if isinstance(token, str) and token != ROLES[role]:
                found.setdefault(token, ROLES[role])
    return found


def _renamed(data: Any, names: dict[str, str]) -> Any:
    """Rename tokens in the data of a tokenizer.json."""
    if isinstance(data, dict):
        return {names.get(key, key): _renamed(value, names) for key, value in data.items()}
    if isinstance(data, list):
        return [_renamed(value, names) for value in data]
    return names.get(data, data) if isinstance(data, str) else data


def _sample(dataset: Texts) -> Iterator[str]:
    """Yield texts with at most SAMPLE characters in total."""
    if isinstance(dataset, str | Mapping):
        raise FmkitError("train_tokenizer takes one split, such as corpus['train'], or a list of strings")
    rows: Iterable[Any] = dataset
    if isinstance(dataset, list | Dataset):
        step = -(-_size(dataset) // SAMPLE)
        if step > 1:
            rows = (dataset[i] for i in range(0, len(dataset), step))
    room = SAMPLE
    for row in rows:
        text = row if isinstance(row, str) else row.get("text")
        if not isinstance(text, str):
            raise FmkitError(
                "train_tokenizer reads the column 'text', and this dataset has none that holds text"
            )
        yield text[:room]
        room -= len(text)
        if room <= 0:
            return


def _size(dataset: list | Dataset) -> int:
    """Count characters; for a dataset bytes, without reading it."""
    if isinstance(dataset, list):
        return sum(len(row if isinstance(row, str) else row.get("text", "")) for row in dataset)
    return dataset.data.nbytes * len(dataset) // max(1, len(dataset.data))


def _pieces(texts: Iterable[str]) -> Iterator[str]:
    """Cut long documents before a space, so that the trainer needs little memory."""
    for text in texts:
        start = 0
        while start < len(text):
            end = start + PIECE
            if end < len(text):
                space = text.rfind(" ", start + 1, end)
                end = space if space > 0 else end
            yield text[start:end]
            start = end


def has_chat_tokens(tokenizer: Tokenizer) -> bool:
    """Whether the tokenizer has the tokens that begin messages (`fmkit.data.chat.add_chat_tokens`)."""
    return all(tokenizer.token_to_id(token) is not None for token in CHAT_TOKENS)


def special_id(tokenizer: Tokenizer, token: str) -> int:
    """Find the id of a special token; the end token replaces a missing begin or pad token.

    Raises FmkitError if the tokenizer has neither.
    """
    if (token_id := tokenizer.token_to_id(_serving(tokenizer, token))) is None:
        raise FmkitError(f"the tokenizer has no token {token}: use one that train_tokenizer made")
    return token_id


def token_ids(tokenizer: Tokenizer) -> dict[str, int | None]:
    """List the ids of special tokens as a model's config.json does; None for a missing one."""
    roles = ("bos_token", "eos_token", "pad_token")
    return {f"{role}_id": tokenizer.token_to_id(_serving(tokenizer, ROLES[role])) for role in roles}


def _serving(tokenizer: Tokenizer, token: str) -> str:
    """The token in a special token's role: itself, or the end token for a missing begin or pad token."""
    return EOS if token in (BOS, PAD) and tokenizer.token_to_id(token) is None else token
