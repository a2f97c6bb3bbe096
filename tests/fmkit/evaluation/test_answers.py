"""An answer's probability is the product of its tokens', its end included."""

import pytest
import torch

from fmkit import FmkitError, Transformer, asset
from fmkit.data.chat import chat_prompt
from fmkit.data.tokenizer import EOS, special_id
from fmkit.evaluation.answers import answer_messages, probability_of

ASKED = [
    [{"role": "user", "content": text}] for text in ("I forgot my password. What can I do?", "Hello.", "Bye.")
]


@pytest.fixture(scope="module")
def assistant() -> Transformer:
    return Transformer.from_pretrained(asset("models/assistant"))


@pytest.mark.slow
def test_probability_is_a_product(assistant: Transformer) -> None:
    tokenizer = assistant.tokenizer
    said, sure = answer_messages(assistant, tokenizer, ASKED, max_new_tokens=100)
    for messages, answer, probability in zip(ASKED, said, sure, strict=True):
        prompt, by_hand = chat_prompt(messages, tokenizer), 1.0
        spoken = [*tokenizer.encode(answer, add_special_tokens=False).ids, special_id(tokenizer, EOS)]
        for number, token in enumerate(spoken):
            with torch.no_grad():
                logits = assistant(torch.tensor([[*prompt, *spoken[:number]]]))[0, -1]
            assert logits.argmax() == token, answer
            by_hand *= float(logits.softmax(-1)[token])
        assert probability == pytest.approx(by_hand, rel=1e-3)


@pytest.mark.slow
def test_probability_of_what_was_said(assistant: Transformer) -> None:
    said, sure = answer_messages(assistant, assistant.tokenizer, ASKED[:1], max_new_tokens=100)
    assert probability_of(assistant, assistant.tokenizer, ASKED[:1], said[0]) == pytest.approx(sure, rel=1e-4)
    assert probability_of(assistant, assistant.tokenizer, ASKED[:1], "Never.")[0] < sure[0]


@pytest.mark.slow
def test_a_cut_answer_has_no_end(assistant: Transformer) -> None:
    _, whole = answer_messages(assistant, assistant.tokenizer, ASKED)
    _, cut = answer_messages(assistant, assistant.tokenizer, ASKED, max_new_tokens=2)
    assert all(short > long for short, long in zip(cut, whole, strict=True))


def test_a_full_context_is_refused(assistant: Transformer) -> None:
    with pytest.raises(FmkitError, match=r"^[^\n]+$"):
        answer_messages(assistant, assistant.tokenizer, [[{"role": "user", "content": "word " * 400}]])
