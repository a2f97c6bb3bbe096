"""Promises of examples: what is too long is cut at its end, and dropped where nothing is left to learn."""

import os
import subprocess
import sys

import pytest
from datasets import ClassLabel, Dataset
from tasks import PREFERENCES, QUESTIONS

from fmkit.data.batches import IGNORE
from fmkit.data.chat import add_chat_tokens, chat_prompt, encode_chat, encode_completion
from fmkit.data.example_batches import (
    collate_pairs,
    pair_prompts,
    tokenize_completions,
    tokenize_labeled,
    tokenize_pairs,
)
from fmkit.errors import FmkitError

LABELS = ("negative", "positive")


def test_long_labeled_texts_are_cut_off(tokenizer, capsys):
    data = Dataset.from_list([{"text": "The fox ran home. " * 9, "label": 1}, {"text": "Fox.", "label": 0}])
    whole, cut = (tokenize_labeled(data, tokenizer, length, ("no", "yes")) for length in (500, 8))
    assert len(whole[0]["input_ids"]) > 8 > len(whole[1]["input_ids"])
    assert list(cut["input_ids"]) == [ids[:8] for ids in whole["input_ids"]]
    assert list(cut["label"]) == [1, 0]
    told = "fmkit: 1 of 2 texts are cut off: they exceed the context of 8 tokens\n"
    assert capsys.readouterr().err == told


def test_labels_are_numbers_or_names(tokenizer):
    data = Dataset.from_list([{"text": "Fox.", "label": -1}])
    with pytest.raises(FmkitError, match="label '-1' is none of the model's: no, yes"):
        tokenize_labeled(data, tokenizer, 8, ("no", "yes"))
    mixed = Dataset.from_list([{"text": "Fox.", "label": "1"}, {"text": "Owl.", "label": "perhaps"}])
    with pytest.raises(FmkitError, match="label 'perhaps' is none of the model's: no, yes"):
        tokenize_labeled(mixed, tokenizer, 8, ("no", "yes"))


def test_a_first_token_is_nothing_to_learn(tokenizer):
    """Nothing comes before it that could predict it."""
    data = Dataset.from_list([{"prompt": "A fox", "completion": " ran."}])
    assert len(tokenize_completions(data, tokenizer, 2, mask_prompt=False)) == 1
    with pytest.raises(FmkitError, match="none of 1 examples leaves room"):
        tokenize_completions(data, tokenizer, 1, mask_prompt=False)


def test_a_pair_needs_room_for_both_answers(tokenizer, capsys):
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


def test_what_does_not_fit_is_dropped(tokenizer, capsys):
    rows = [{"prompt": "a " * 80, "completion": "b"}, {"prompt": "a", "completion": "b " * 90}]
    examples = tokenize_completions(Dataset.from_list(rows), tokenizer, 64)
    assert len(examples) == 1
    assert len(examples[0]["input_ids"]) == 64
    assert capsys.readouterr().err.splitlines() == [
        "fmkit: 1 of 2 examples are dropped: their prompts fill the context of 64 tokens",
        "fmkit: 1 of 2 examples are cut off: their answers exceed the context of 64 tokens",
    ]


def test_no_room_for_any_answer_is_one_line(tokenizer):
    with pytest.raises(FmkitError, match="none of 1 examples leaves room"):
        tokenize_completions(Dataset.from_list([{"prompt": "a " * 80, "completion": "b"}]), tokenizer, 64)


def test_completions_need_their_columns(tokenizer):
    with pytest.raises(FmkitError, match="no column 'completion'"):
        tokenize_completions(Dataset.from_list([{"prompt": "a"}]), tokenizer, 64)


def test_a_conversation_is_judged_by_its_end(tokenizer):
    talking = add_chat_tokens(tokenizer)
    prompt = [
        {"role": "user", "content": "red"},
        {"role": "assistant", "content": "blue"},
        {"role": "user", "content": "hat"},
    ]
    row = {
        "prompt": prompt,
        "chosen": [{"role": "assistant", "content": "good"}],
        "rejected": [{"role": "assistant", "content": "bad"}],
    }
    (pair,) = tokenize_pairs(Dataset.from_list([row]), talking, 64)
    learned = [label for label in pair["chosen"]["labels"] if label != IGNORE]
    assert talking.decode(learned) == "good"
    assert pair_prompts(collate_pairs([pair], pad_id=2)) == [chat_prompt(prompt, talking)]
    for side in ("chosen", "rejected"):
        assert pair[side]["input_ids"] == encode_chat([*prompt, *row[side]], talking)[0]


def test_last_answer_is_judged_at_any_weight(tokenizer):
    """Not an earlier one, which would be the last that is learned."""
    answers = {side: [{"role": "assistant", "content": side, "weight": 0}] for side in ("chosen", "rejected")}
    prompt = [{"role": "assistant", "content": "Which?"}, {"role": "user", "content": "The red one."}]
    (pair,) = tokenize_pairs(
        Dataset.from_list([{"prompt": prompt, **answers}]), add_chat_tokens(tokenizer), 64
    )
    for side in answers:
        assert tokenizer.decode([id for id in pair[side]["labels"] if id != IGNORE]) == side


def test_chat_models_take_texts_as_they_are(tokenizer):
    talking = add_chat_tokens(tokenizer)
    pairs = tokenize_pairs(PREFERENCES["train"], talking, 64)
    answers = tokenize_completions(QUESTIONS["train"], talking, 64)
    for given, row in zip(PREFERENCES["train"], pairs, strict=True):
        assert pair_prompts(collate_pairs([row], pad_id=2)) == [tokenizer.encode(given["prompt"]).ids]
        for side in ("chosen", "rejected"):
            assert row[side]["input_ids"] == encode_completion(given["prompt"], given[side], tokenizer)[0]
    for given, row in zip(QUESTIONS["train"], answers, strict=True):
        assert row["input_ids"] == encode_completion(*given.values(), tokenizer)[0]


def numbers(names: list[str], labels: tuple[str, ...], tokenizer) -> list[int]:
    """The model's numbers of texts that have these label names in a data set."""
    rows = {"text": [f"{name} day" for name in names], "label": list(range(len(names)))}
    named = Dataset.from_dict(rows).cast_column("label", ClassLabel(names=names))
    return list(tokenize_labeled(named, tokenizer, 96, labels)["label"])


def test_labels_are_found_by_their_names(tokenizer):
    rows = {"text": ["good day", "bad day", "bad hat"], "label": [0, 1, 1]}
    named = Dataset.from_dict(rows).cast_column("label", ClassLabel(names=["positive", "negative"]))
    assert list(tokenize_labeled(named, tokenizer, 96, LABELS)["label"]) == [1, 0, 0]
    assert list(tokenize_labeled(Dataset.from_dict(rows), tokenizer, 96, LABELS)["label"]) == [0, 1, 1]
    with pytest.raises(FmkitError, match="label 'positive' is none of the model's: good, bad"):
        tokenize_labeled(named, tokenizer, 96, ("good", "bad"))


def test_labels_that_are_digits_are_names(tokenizer):
    """A file with some of the labels only numbers them anew; their names tell which they are."""
    assert numbers(["3", "4", "5"], ("1", "2", "3", "4", "5"), tokenizer) == [2, 3, 4]
    assert numbers(["0", "1"], LABELS, tokenizer) == [0, 1]
    with pytest.raises(FmkitError, match="label '7' is none of the model's: negative, positive"):
        numbers(["1", "7"], LABELS, tokenizer)


@pytest.mark.parametrize("unknown", ["0", "6", "1²", "²", "٣", "01", "none"])
def test_an_unknown_label_renumbers_no_other(tokenizer, unknown):
    stars = ("1", "2", "3", "4", "5")
    told = f"label {unknown!r} is none of the model's: 1, 2, 3, 4, 5; leave out the 1 of 3 rows"
    with pytest.raises(FmkitError, match=told):
        numbers(["1", unknown, "5"], stars, tokenizer)
    with pytest.raises(FmkitError, match=f"label {unknown!r} is none"):
        numbers([unknown], stars, tokenizer)
    assert numbers(["5", "1"], stars, tokenizer) == [4, 0]


def test_whole_numbers_are_the_models_names(tokenizer):
    """A table of numbers is numbered as the same table in a file is."""
    rows = Dataset.from_dict({"text": ["a", "b", "c"], "label": [3, 1, 2]})
    assert list(tokenize_labeled(rows, tokenizer, 96, ("1", "2", "3"))["label"]) == [2, 0, 1]
    with pytest.raises(FmkitError, match="label '3' is none of the model's: good, bad"):
        tokenize_labeled(rows, tokenizer, 96, ("good", "bad"))


def test_labels_may_be_strings(tokenizer):
    strings = Dataset.from_dict({"text": ["a", "b"], "label": [LABELS[1], LABELS[0]]})
    assert list(tokenize_labeled(strings, tokenizer, 96, LABELS)["label"]) == [1, 0]


@pytest.mark.parametrize("column", ["text", "label"])
def test_a_gap_in_a_column_is_one_line(tokenizer, column):
    gap = {"text": ["a", "b"], "label": [0, 1]} | {column: [{"text": "a", "label": 0}[column], None]}
    with pytest.raises(FmkitError, match=f"the column '{column}' has nothing in row 2"):
        tokenize_labeled(Dataset.from_dict(gap), tokenizer, 96, LABELS)


QUIET = """
from fmkit import train_tokenizer
from fmkit.data.example_batches import tokenize_labeled
from fmkit.world import LABELS, load_reviews

reviews = load_reviews(50, 1)["train"]
tokenizer = train_tokenizer(reviews, 270)
print(len(tokenize_labeled(reviews.select(range(0, 50, 2)), tokenizer, 500, LABELS)))
"""


@pytest.mark.slow
def test_selected_rows_are_read_quietly():
    """A bar of progress would be output of a notebook's cell, and another one each time."""
    silent = {name: value for name, value in os.environ.items() if name != "TQDM_DISABLE"}
    run = subprocess.run(
        [sys.executable, "-c", QUIET], env=silent, capture_output=True, text=True, check=True
    )
    assert (run.stdout, run.stderr) == ("25\n", "")
