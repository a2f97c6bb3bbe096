"""Text in pieces: joined, they are what decoding gives at once, and a stop string leaves no trace."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models

from fmkit import FmkitError
from fmkit.data.pieces import Pieces, as_stops
from fmkit.data.tokenizer import train_tokenizer


def with_bytes() -> Tokenizer:
    """As Llama 2's: one token for each byte, for what has no token of its own."""
    names = [f"<0x{byte:02X}>" for byte in range(256)] + ["▁", "▁a", "b", "é", "\ufffd", "<s>"]
    tokenizer = Tokenizer(models.BPE({name: i for i, name in enumerate(names)}, [], byte_fallback=True))
    parts = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    tokenizer.decoder = decoders.Sequence(parts)
    tokenizer.add_special_tokens(["<s>"])
    return tokenizer


def of_words() -> Tokenizer:
    names = ("[UNK]", "a", "##b", ",", "'", "##s", "do", "n't", "not")
    tokenizer = Tokenizer(models.WordPiece({name: i for i, name in enumerate(names)}, unk_token="[UNK]"))
    tokenizer.decoder = decoders.WordPiece(cleanup=True)
    return tokenizer


KINDS = {"bytes": train_tokenizer(["ab ba é"], 260), "fallback": with_bytes(), "words": of_words()}


def pieces(tokenizer, ids, before=(), stop=()) -> tuple[list[str], Pieces]:
    text = Pieces(tokenizer, before, stop)
    made = []
    for token in ids:
        made.append(text.add(token))
        if text.stopped:
            break
    return [*made, text.end()], text


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_pieces_make_the_whole(kind, data):
    tokenizer = KINDS[kind]
    some = st.lists(st.integers(0, tokenizer.get_vocab_size() - 1), max_size=12)
    before, ids = data.draw(some), data.draw(some)
    whole = tokenizer.decode(before + ids)[len(tokenizer.decode(before)) :]
    assert "".join(pieces(tokenizer, ids, before)[0]) == whole


@given(st.text("ab", max_size=30), st.lists(st.text("ab", min_size=1, max_size=5), max_size=3))
def test_text_ends_before_the_stop(text, stops):
    """As a reader would find it who looks at one character after the other."""
    tokenizer = KINDS["bytes"]
    until = len(text)
    for end in range(1, len(text) + 1):
        ending = [end - len(stop) for stop in stops if text[:end].endswith(stop)]
        if ending:
            until = min(ending)
            break
    ids = [tokenizer.token_to_id(letter) for letter in text]
    made, found = pieces(tokenizer, ids, stop=stops)
    assert "".join(made) == text[:until]
    assert found.stopped == (until < len(text) or any(text.endswith(stop) for stop in stops))
    given_out = ["".join(made[:n]) for n in range(len(made) + 1)]
    assert all(text[:until].startswith(part) for part in given_out)


def test_a_character_comes_whole():
    tokenizer = KINDS["fallback"]
    made, _ = pieces(tokenizer, ["🦊".encode()[i] for i in range(4)] + [tokenizer.token_to_id("▁a")])
    assert made == ["", "", "", "", "🦊 a", ""]


def test_text_comes_as_it_is_made():
    made, _ = pieces(KINDS["words"], [1, 2, 3, 1], stop=["b, c"])
    assert made == ["a", "", "", "b, a", ""]


@pytest.mark.parametrize("stop", ["", [""], [3], None, {"a"}])
def test_faulty_stops(stop):
    with pytest.raises(FmkitError, match="none of them empty"):
        as_stops(stop)
