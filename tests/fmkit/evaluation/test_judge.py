"""A judge's verdicts are the model's own probabilities of A and B, in both orders."""

import pytest
import torch

from fmkit import FmkitError, ModelConfig, Transformer, asset
from fmkit.data.chat import chat_prompt, encode_completion, encode_prompt
from fmkit.evaluation.judge import (
    LEAD,
    TEMPLATE,
    Comparison,
    in_both_orders,
    judging_example,
    prefer_first,
    settle,
    verdict,
)
from fmkit.world import make_rivals

PAIRS = [Comparison(p.letter, p.first, p.second) for p in make_rivals(40, "tests")]


@pytest.fixture(scope="module")
def assistant() -> Transformer:
    return Transformer.from_pretrained(asset("models/assistant"))


@pytest.fixture(scope="module")
def base() -> Transformer:
    return Transformer.from_pretrained(asset("models/base"))


def asked(pair: Comparison) -> str:
    return TEMPLATE.format(prompt=pair.prompt, first=pair.first, second=pair.second)


def by_hand(model: Transformer, ids: list[int]) -> float:
    a, b = (model.tokenizer.token_to_id(letter) for letter in "AB")
    with torch.no_grad():
        p = model(torch.tensor([ids]))[0, -1].softmax(-1)
    return (p[a] / (p[a] + p[b])).item()


def test_the_probability_in_a_chat(assistant):
    """One pair at a time, without padding, and of all tokens."""
    tokenizer = assistant.tokenizer
    alone = [
        by_hand(assistant, chat_prompt([{"role": "user", "content": asked(pair)}], tokenizer))
        for pair in PAIRS
    ]
    assert prefer_first(assistant, PAIRS) == pytest.approx(alone, abs=1e-5)


def test_the_probability_of_a_plain_model(base):
    alone = [by_hand(base, encode_prompt(asked(pair) + LEAD, base.tokenizer)) for pair in PAIRS[:5]]
    assert prefer_first(base, PAIRS[:5]) == pytest.approx(alone, abs=1e-5)


def test_what_is_learned_is_what_is_asked(base):
    """The verdict of an example begins where the judge is asked, so training and judging agree."""
    row = judging_example(PAIRS[0], "B", chat=False)
    ids, labels = encode_completion(row["prompt"], row["completion"], base.tokenizer)
    start = encode_prompt(asked(PAIRS[0]) + LEAD, base.tokenizer)
    assert ids[: len(start)] == start
    assert labels[len(start)] == base.tokenizer.token_to_id("B")


def test_both_orders_speak_of_the_first(assistant):
    there, back = zip(*in_both_orders(assistant, PAIRS[:6]), strict=True)
    swapped = in_both_orders(assistant, [pair.swapped() for pair in PAIRS[:6]])
    assert [1 - p for p in back] == pytest.approx([one for one, _ in swapped], abs=1e-5)
    assert [1 - p for p in there] == pytest.approx([other for _, other in swapped], abs=1e-5)


@pytest.mark.parametrize(
    ("there", "back", "said"), [(0.9, 0.6, "A"), (0.1, 0.4, "B"), (0.9, 0.2, "tie"), (0.5, 0.5, "tie")]
)
def test_both_orders_must_agree(there, back, said):
    assert settle(there, back) == said


def test_a_letter_for_the_likelier() -> None:
    assert [verdict(p) for p in (0.7, 0.3, 0.5)] == ["A", "B", "tie"]


def test_an_answer_may_have_braces(assistant):
    odd = Comparison("{first}", "{second}", "{prompt}")
    assert 0 < prefer_first(assistant, [odd])[0] < 1


@pytest.mark.parametrize(
    ("pairs", "template", "said"),
    [
        ([], TEMPLATE, "no pairs"),
        (PAIRS[:1], "{prompt} {first}", "no {second}"),
        ([Comparison("why " * 300, "a", "b")], TEMPLATE, "pair 0: .* tokens, and the judge reads 256"),
    ],
)
def test_what_cannot_be_judged_is_one_line(assistant, pairs, template, said):
    with pytest.raises(FmkitError, match=said):
        prefer_first(assistant, pairs, template)


def test_no_tokenizer_is_one_line():
    with pytest.raises(FmkitError, match="no tokenizer"):
        prefer_first(Transformer(ModelConfig(vocab_size=64, hidden_size=32, num_hidden_layers=1)), PAIRS[:1])


def test_a_tie_is_nothing_to_learn():
    with pytest.raises(FmkitError, match="neither A nor B"):
        judging_example(PAIRS[0], "tie")
