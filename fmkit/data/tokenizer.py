"""Byte-level byte-pair encoding by Hugging Face `tokenizers`, in the file format of transformers."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from datasets import Dataset
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from fmkit.data.files import kind_of
from fmkit.data.tables import Data, as_table, names_of_splits
from fmkit.errors import FmkitError
from fmkit.hub import find_model
from fmkit.settings import as_several, require_numbers

BOS, EOS, PAD, MASK = SPECIAL_TOKENS = ("<|bos|>", "<|eos|>", "<|pad|>", "<|mask|>")
BOS_ID, EOS_ID, PAD_ID, MASK_ID = range(4)
ROLES = {"bos_token": BOS, "eos_token": EOS, "pad_token": PAD, "mask_token": MASK}  # transformers' names
ALL_ROLES = (*ROLES, "unk_token", "sep_token", "cls_token")
CHAT_TOKENS = ("<|system|>", "<|user|>", "<|assistant|>")  # each begins a message; see fmkit.data.chat
OTHER_TOKENIZER = (  # files of another tokenizer, which transformers would read beside ours
    *("special_tokens_map.json", "added_tokens.json", "chat_template*", "tokenizer.model", "vocab.json"),
    *("merges.txt", "additional_chat_templates/*.jinja"),
)
# Parts of a tokenizer that change the start of a text, and the setting with which they leave it.
LEAVING_START: dict[str, dict[str, Any]] = {
    "Prepend": {"prepend": ""},
    "Metaspace": {"prepend_scheme": "never"},
    "ByteLevel": {"add_prefix_space": False},
    "Strip": {"strip_left": False},
}
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


@dataclass(frozen=True)
class Conventions:
    """How a model uses its tokens, as files beside tokenizer.json say; by default as ours do."""

    tokens: Mapping[str, str] = field(default_factory=lambda: dict(ROLES))  # by transformers' names
    chat_template: str | dict[str, str] | None = None  # Jinja, or several by name; None is our layout
    ends: tuple[int, ...] = ()  # ids that end a text, beside that of eos_token


def conventions(tokenizer: Tokenizer) -> Conventions:
    """Return what `load_tokenizer` found about a tokenizer. Pickling one loses it."""
    return getattr(tokenizer, "conventions", Conventions())


def adopt(tokenizer: Tokenizer, found: Conventions) -> Tokenizer:
    """Give a tokenizer conventions. Strings in a text that look like its special tokens are ordinary text."""
    tokenizer.conventions = found  # type: ignore[attr-defined]
    tokenizer.encode_special_tokens = True
    return tokenizer


def word_level_tokenizer(words: Iterable[str]) -> Tokenizer:
    """A tokenizer with one token for each of some words, after the four special tokens.

    A text is split at white space. For corpora whose words are known, such as the Markov chains.
    """
    vocab = {token: k for k, token in enumerate([*SPECIAL_TOKENS, *as_several(words)])}
    tokenizer = Tokenizer(models.WordLevel(vocab))
    tokenizer.add_special_tokens(list(SPECIAL_TOKENS))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", pair=f"{BOS} $A {BOS}:1 $B:1", special_tokens=[(BOS, BOS_ID)]
    )
    tokenizer.encode_special_tokens = True
    return tokenizer


def train_tokenizer(dataset: Data, vocab_size: int) -> Tokenizer:
    """Learn a byte-pair encoding from the column `text` of a dataset, whole or streamed, or from strings.

    Ids 0 to 3 are `<|bos|>`, `<|eos|>`, `<|pad|>` and `<|mask|>`; `encode(text).ids` begins with 0, and
    `decode` restores any text exactly. These strings inside a text are encoded as ordinary characters.
    (`Tokenizer.encode_special_tokens`, which does this, is lost when a tokenizer is pickled: set it again in
    a worker.) The same texts give the same tokenizer. Of more than 50 million characters, evenly spaced
    documents are used; of a stream, the first ones.

    Raises FmkitError if `vocab_size` is below 260 or above what the text allows, and for anything but texts.
    """
    require_numbers(int, vocab_size=vocab_size)
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
    it must parse special tokens in text, and in messages, too; `fmkit` never does. The names of special
    tokens and the chat template that `load_tokenizer` found are written as they were.

    Raises FmkitError if the directory cannot be written.
    """
    own, template = conventions(tokenizer).tokens, conventions(tokenizer).chat_template
    if template is None:
        own = {**own, **{role: _serving(tokenizer, token) for role, token in ROLES.items()}}
    config: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        **{role: token for role, token in own.items() if tokenizer.token_to_id(token) is not None},
        "clean_up_tokenization_spaces": False,
        "split_special_tokens": True,
    }
    if model_max_length is not None:
        config["model_max_length"] = model_max_length
    if isinstance(template, dict):  # as tokenizer_config.json has several
        named = [{"name": name, "template": text} for name, text in template.items()]
        config |= {"split_special_tokens": False, "chat_template": named}
    elif can_chat(tokenizer):
        config |= {"split_special_tokens": False, "chat_template": template or CHAT_TEMPLATE}
    directory = Path(directory)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for old in [old for pattern in OTHER_TOKENIZER for old in directory.glob(pattern)]:
            old.unlink()
        (directory / "tokenizer.json").write_text(tokenizer.to_str(pretty=True), encoding="utf-8")
        (directory / "tokenizer_config.json").write_text(
            json.dumps(config, indent=2) + "\n", encoding="utf-8"
        )
    except OSError as error:
        raise FmkitError(f"{directory}: the tokenizer cannot be written: {error.strerror}") from None


def load_tokenizer(directory: str | Path, classifies: bool = False) -> Tokenizer:
    """Load the tokenizer of a directory that `save_tokenizer` or transformers wrote, or of the Hub.

    What transformers' files say of its special tokens, of the layout of messages and of what ends a text is
    kept (see `Conventions`). Every text then begins with its token, as in `train_tokenizer`, with no other;
    what would cut or pad it, or encode it differently each time, is switched off. A classifier's text
    (`classifies`) is left without its first token if it has none.

    Raises FmkitError if tokenizer.json is missing or damaged, has not the tokens that the files beside it
    name or puts others around a text, and for a chat template that is no text.
    """
    path = find_model(directory) / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_str(path.read_text(encoding="utf-8"))
        adopt(tokenizer, _read_conventions(path.parent, tokenizer))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        around = tokenizer.encode("").tokens  # some damage shows only when the tokenizer is used
        mask = tokenizer.encode("a").special_tokens_mask if classifies else []
    except OSError as error:
        raise FmkitError(f"{path}: cannot be read: {error.strerror}") from None
    except (KeyboardInterrupt, SystemExit, FmkitError):
        raise
    except BaseException as error:  # a panic of the Rust code is no Exception
        reason = " ".join(str(error).split())[:200]
        raise FmkitError(f"{path}: damaged, or no tokenizer ({reason})") from None
    begin, end = _serving(tokenizer, BOS), _serving(tokenizer, EOS)
    if odd := Counter(around) - Counter([begin, end]):
        raise FmkitError(
            f"{path}: post_processor puts {', '.join(odd)} around each text; fmkit's models know {begin} "
            "before it, alone"
        )
    if classifies and (len(around) > 1 or (0 in mask and mask[-1])):
        raise FmkitError(
            f"{path}: post_processor puts {end} after each text, and a classifier reads the last token: "
            "fmkit's reads the last of the text"
        )
    begin_id = tokenizer.token_to_id(begin)
    if begin_id is not None and (around or not classifies):
        tokenizer.post_processor = _begin_with(begin, begin_id)
    if getattr(tokenizer.model, "dropout", None):
        tokenizer.model.dropout = None
    return tokenizer


def as_tokenizer(tokenizer: Any) -> Tokenizer:
    """Return a tokenizer that encodes whole texts and nothing but texts: one of transformers is converted.

    Raises `FmkitError` as `load_tokenizer` does, and for anything else.
    """
    if isinstance(tokenizer, Tokenizer):
        if tokenizer.encode_special_tokens and not (tokenizer.truncation or tokenizer.padding):
            return tokenizer
        copy = adopt(Tokenizer.from_str(tokenizer.to_str()), conventions(tokenizer))
        copy.no_truncation()
        copy.no_padding()
        return copy
    if hasattr(tokenizer, "backend_tokenizer"):
        with TemporaryDirectory() as directory:
            tokenizer.save_pretrained(directory)
            try:
                return load_tokenizer(directory)
            except FmkitError as error:
                raise FmkitError(str(error).replace(directory, "the tokenizer")) from None
    raise FmkitError(
        f"the tokenizer is a {type(tokenizer).__name__}: after the model, give what load_tokenizer or "
        "train_tokenizer returns"
    )


@lru_cache(maxsize=8)
def continuing(tokenizer: Tokenizer, after_special: bool = False) -> Tokenizer:
    """Copy a tokenizer that puts a space before each text, or takes it away, as one that does neither.

    It encodes what follows another text, or `after_special` a special token, after which most begin anew. A
    tokenizer that does neither is returned as it is.
    """
    data = json.loads(tokenizer.to_str())
    changed = [_leave_start(data[part], after_special) for part in ("normalizer", "pre_tokenizer")]
    if not any(changed):
        return tokenizer
    return adopt(Tokenizer.from_str(json.dumps(data)), conventions(tokenizer))


def _leave_start(part: Any, after_special: bool) -> bool:
    """Have a part of tokenizer.json leave the start of a text alone; whether it did not before."""
    changed = False
    for each in part if isinstance(part, list) else [part] if isinstance(part, dict) else []:
        begins_anew = after_special and each.get("prepend_scheme") != "first"
        for name, value in ({} if begins_anew else LEAVING_START.get(each["type"], {})).items():
            changed |= each[name] != value
            each[name] = value
        for parts in ("normalizers", "pretokenizers"):
            changed |= _leave_start(each.get(parts), after_special)
    return changed


def _begin_with(token: str, token_id: int) -> processors.TemplateProcessing:
    """Make the post-processor that puts a token before each text."""
    return processors.TemplateProcessing(
        single=f"{token} $A", pair=f"{token} $A {token}:1 $B:1", special_tokens=[(token, token_id)]
    )


def _read_conventions(directory: Path, tokenizer: Tokenizer) -> Conventions:
    """Read what the files beside a tokenizer.json say; those that cannot be read say nothing."""
    config, tokens = _read_object(directory / "tokenizer_config.json"), {}
    for named in (_read_object(directory / "special_tokens_map.json"), config):
        for role in ALL_ROLES:
            token = named.get(role)
            token = token.get("content") if isinstance(token, dict) else token
            if not isinstance(token, str):
                continue
            if tokenizer.token_to_id(token) is not None:
                tokens[role] = token
            elif role in ("bos_token", "eos_token"):
                raise FmkitError(f"{directory}/tokenizer.json: has no token {token!r}, the {role} beside it")
    generation = _read_object(directory / "generation_config.json")
    ends = generation.get("eos_token_id", _read_object(directory / "config.json").get("eos_token_id"))
    ends = tuple(end for end in (ends if isinstance(ends, list) else [ends]) if type(end) is int)
    template = _read_template(directory, config.get("chat_template"))
    return Conventions(tokens, None if template == CHAT_TEMPLATE else template, ends)


def _read_template(directory: Path, configured: Any) -> str | dict[str, str] | None:
    """Read the chat template of a directory; files of Jinja go before what is configured."""
    found: Any = configured
    if isinstance(found, list) and all(isinstance(each, dict) for each in found):
        found = {each.get("name"): each.get("template") for each in found}
    more = directory.glob("additional_chat_templates/*.jinja")
    files = {"default": directory / "chat_template.jinja"} | {file.stem: file for file in sorted(more)}
    if texts := {name: file.read_text(encoding="utf-8") for name, file in files.items() if file.is_file()}:
        found = texts["default"] if list(texts) == ["default"] else texts
    parts = found.items() if isinstance(found, dict) else [(found, found)]
    if found and not all(isinstance(part, str) for pair in parts for part in pair):
        raise FmkitError(
            f"{directory}/tokenizer_config.json: chat_template is not text, nor texts with names"
        )
    return found or None


def _read_object(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _sample(dataset: Data) -> Iterator[str]:
    """Yield texts with at most SAMPLE characters in total."""
    if isinstance(dataset, str) or names_of_splits(dataset):
        raise FmkitError("train_tokenizer takes one split, such as corpus['train'], or a list of strings")
    if not isinstance(dataset, list | Iterator):  # these need no table
        dataset = as_table(dataset)
    rows: Iterable[Any] = dataset
    if isinstance(dataset, list | Dataset):
        step = -(-_size(dataset) // SAMPLE)
        if step > 1:
            rows = (dataset[i] for i in range(0, len(dataset), step))
    room = SAMPLE
    for row in rows:
        text = _text_of(row)
        yield text[:room]
        room -= len(text)
        if room <= 0:
            return


def _text_of(row: Any) -> str:
    text = row.get("text") if isinstance(row, Mapping) else row
    if not isinstance(text, str):
        found = f"a row has {', '.join(row)}" if isinstance(row, Mapping) else f"a row is {kind_of(row)}"
        raise FmkitError(f"train_tokenizer reads texts, or texts in the column 'text': {found}")
    return text


def _size(dataset: list | Dataset) -> int:
    """Count characters; for a dataset bytes, without reading it."""
    if isinstance(dataset, list):
        return sum(len(_text_of(row)) for row in dataset)
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


def can_chat(tokenizer: Tokenizer) -> bool:
    """Whether messages have a layout: another model's chat template, or ours and the tokens that it needs."""
    has_tokens = all(tokenizer.token_to_id(token) is not None for token in CHAT_TOKENS)
    return conventions(tokenizer).chat_template is not None or has_tokens


def require_tokens(tokenizer: Tokenizer, vocab_size: int, where: str) -> None:
    """Raise FmkitError if a token has no row among a model's `vocab_size`."""
    token, last = max(tokenizer.get_vocab().items(), key=lambda each: each[1], default=("", -1))
    if last >= vocab_size:
        raise FmkitError(
            f"{where}: has a token {token!r} of number {last}, and the model has {vocab_size}, from 0 on: "
            "use the tokenizer that the model was trained with"
        )


def special_id(tokenizer: Tokenizer, token: str) -> int:
    """Find the id of the token in the role of one of our special tokens.

    The end token replaces a missing begin or pad token. Raises FmkitError if the tokenizer has neither.
    """
    if (token_id := tokenizer.token_to_id(_serving(tokenizer, token))) is None:
        raise FmkitError(
            f"the tokenizer has no token {token}: use one that train_tokenizer made, or name its own: "
            "transformers.PreTrainedTokenizerFast(tokenizer_object=…, eos_token=…)"
        )
    return token_id


def token_ids(tokenizer: Tokenizer) -> dict[str, int | list[int] | None]:
    """List the ids of special tokens as a model's config.json does; None for a missing one."""
    roles = ("bos_token", "eos_token", "pad_token")
    ids: dict[str, Any] = {
        f"{role}_id": tokenizer.token_to_id(_serving(tokenizer, ROLES[role])) for role in roles
    }
    if more := [end for end in conventions(tokenizer).ends if end != ids["eos_token_id"]]:
        ids["eos_token_id"] = [ids["eos_token_id"], *more]
    return ids


def _serving(tokenizer: Tokenizer, token: str) -> str:
    """The token in a special token's role; that of the end token for a missing begin or pad token."""
    names = {ROLES[role]: name for role, name in conventions(tokenizer).tokens.items() if role in ROLES}
    name = names.get(token, token)
    missing = token in (BOS, PAD) and tokenizer.token_to_id(name) is None
    return names.get(EOS, EOS) if missing else name
