"""Promises of examples: what is too long is cut at its end, and dropped where nothing is left to learn."""

import pytest
from datasets import Dataset

from fmkit.data.batches import IGNORE
from fmkit.data.chat import add_chat_tokens
from fmkit.data.example_batches import tokenize_completions, tokenize_labeled, tokenize_pairs
from fmkit.errors import FmkitError


def test_the_end_of_a_long_labeled_text_is_cut_off(tokenizer):
    data = Dataset.from_list([{"text": "The fox ran home. " * 9, "label": 1}, {"text": "Fox.", "label": 0}])
    whole, cut = (tokenize_labeled(data, tokenizer, length, ("no", "yes")) for length in (500, 8))
    assert len(whole[0]["input_ids"]) > 8 > len(whole[1]["input_ids"])
    assert list(cut["input_ids"]) == [ids[:8] for ids in whole["input_ids"]]
    assert list(cut["label"]) == [1, 0]


def test_labels_are_numbers_from_0_or_all_names(tokenizer):
    data = Dataset.from_list([{"text": "Fox.", "label": -1}])
    with pytest.raises(FmkitError, match="label -1 is none of the model's 2 labels"):
        tokenize_labeled(data, tokenizer, 8, ("no", "yes"))
    mixed = Dataset.from_list([{"text": "Fox.", "label": "1"}, {"text": "Owl.", "label": "perhaps"}])
    with pytest.raises(FmkitError, match="label '1' is none of the model's: no, yes"):
        tokenize_labeled(mixed, tokenizer, 8, ("no", "yes"))


def test_a_first_token_is_nothing_to_learn(tokenizer):
    """Nothing comes before it that could predict it."""
    data = Dataset.from_list([{"prompt": "A fox", "completion": " ran."}])
    assert len(tokenize_completions(data, tokenizer, 2, mask_prompt=False)) == 1
    with pytest.raises(FmkitError, match="none of 1 examples leaves room"):
        tokenize_completions(data, tokenizer, 1, mask_prompt=False)


def test_a_pair_needs_room_for_both_answers_and_the_last_of_each_is_judged(tokenizer, capsys):
    def said(*turns: str) -> list[dict[str, str]]:
        roles = ("assistant", "user") * len(turns)
        return [{"role": role, "content": text} for role, text in zip(roles, turns, strict=False)]

    talk = said("Which one?", "The red one. " * 9, "It ran.")
    rows = [{"prompt": [{"role": "user", "content": "A fox?"}], "chosen": said("It sat."), "rejected": talk}]
    data, chat = Dataset.from_list(rows), add_chat_tokens(tokenizer)
    (pair,) = tokenize_pairs(data, chat, 500)
    judged = [id for id in pair["rejected"]["labels"] if id != IGNORE]
    assert chat.decode(judged).strip() == "It ran."
    short = len(pair["chosen"]["input_ids"])
    assert short < len(pair["rejected"]["input_ids"])
    with pytest.raises(FmkitError, match="none of 1 examples leaves room"):
        tokenize_pairs(data, chat, short)
