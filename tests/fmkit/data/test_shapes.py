"""Promises of the shapes of records: what a field means is honored, or refused by the field's name."""

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import Dataset

from fmkit.cli import main
from fmkit.data.examples import load_examples, load_prompts, write_examples
from fmkit.data.fields import KNOWN, QUESTION, SCORES, TURN
from fmkit.data.files import Problem
from fmkit.data.given import COMPLETIONS, PAIRS, PROMPTS, as_dataset
from fmkit.data.given import TEXTS as TEXT_KINDS
from fmkit.data.shapes import known_columns, to_answered, to_example, to_prompt
from fmkit.errors import FmkitError


def system(text: str) -> dict[str, Any]:
    return {"role": "system", "content": text}


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def assistant(text: str, **others: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": text, **others}


def problem(record: Any, read: Any = to_answered) -> str:
    with pytest.raises(Problem) as caught:
        read(record)
    return f"{caught.value.field}: {caught.value.what}"


TALK = [user("Hi"), assistant("Hello")]
KIND = system("Be kind.")
SHAREGPT = [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]
YES_NO = {"prompt": TALK[:1], "chosen": [assistant("Yes")], "rejected": [assistant("No")]}
KIND_YES_NO = {**YES_NO, "prompt": [KIND, *TALK[:1]]}
TEXTS = {"chosen": "Yes", "rejected": "No"}


# What is honored


@pytest.mark.parametrize(
    ("record", "wanted"),
    [
        ({"conversations": SHAREGPT, "system": "Be kind."}, {"messages": [KIND, *TALK]}),
        ({"conversations": SHAREGPT, "system": "", "tools": "[]"}, {"messages": TALK}),
        ({"messages": [KIND, *TALK], "system": "Be kind."}, {"messages": [KIND, *TALK]}),
        ({"instruction": "Hi", "output": "Hello", "system": "Be kind."}, {"messages": [KIND, *TALK]}),
        (
            {"instruction": "Hi", "output": "Hello", "history": [["One?", "1"], ["Two?", "2"]]},
            {"messages": [user("One?"), assistant("1"), user("Two?"), assistant("2"), *TALK]},
        ),
        ({"instruction": "Hi", "input": "", "output": "Hello", "history": []}, {"messages": TALK}),
        ({"prompt": TALK[:1], "completion": TALK[1:], "system": "Be kind."}, {"messages": [KIND, *TALK]}),
        ({**YES_NO, "system": "Be kind."}, KIND_YES_NO),
        ({"question": "Hi", **TEXTS}, YES_NO),
        ({"instruction": "[]", "input": "[]", **TEXTS}, {**YES_NO, "prompt": [user("[]\n\n[]")]}),
        ({"system": "Be kind.", "question": "Hi", **TEXTS}, KIND_YES_NO),  # Intel/orca_dpo_pairs
        ({"system": "Be kind.", "input": "Hi", **TEXTS}, KIND_YES_NO),  # distilabel
        ({"instruction": "Hi", "input": "", **TEXTS}, YES_NO),  # LLaMA-Factory
        ({"instruction": "Sum up", "input": "This", **TEXTS}, {**YES_NO, "prompt": [user("Sum up\n\nThis")]}),
        (
            {"question": "Hi", "chosen": [KIND, TALK[0], assistant("Yes")],
             "rejected": [KIND, TALK[0], assistant("No")]},
            KIND_YES_NO,
        ),
        (
            {"prompt": "Hi", "messages": [TALK[0], assistant("Yes")], "chosen": [TALK[0], assistant("Yes")],
             "rejected": [TALK[0], assistant("No")], "score_chosen": 8.0, "score_rejected": 5.5},
            YES_NO,
        ),  # HuggingFaceH4/ultrafeedback_binarized
        (
            {"messages": [TALK[0], assistant("Yes")], "chosen": [TALK[0], assistant("Yes")],
             "rejected": [TALK[0], assistant("No")]},
            YES_NO,
        ),
        ({"messages": TALK[:1], "chosen": [assistant("Yes")], "rejected": [assistant("No")]}, YES_NO),
        (
            {"conversations": SHAREGPT[:1], "chosen": {"from": "gpt", "value": "Yes"},
             "rejected": {"from": "gpt", "value": "No"}},
            YES_NO,
        ),  # LLaMA-Factory
        (
            {"question": "Hi", "chosen": "Human: Hi\nAssistant: Yes", "rejected": "Human: Hi\nAssistant: No"},
            {"prompt": "Human: Hi\nAssistant:", "chosen": " Yes", "rejected": " No"},
        ),
        ({"chosen": TALK, "rejected": TALK}, {**YES_NO, "chosen": TALK[1:], "rejected": TALK[1:]}),
    ],
)  # fmt: skip
def test_known_meanings_are_honored(record: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert to_example(record) == wanted
    asked = {"messages": wanted["prompt"]} if "prompt" in wanted else {"messages": wanted["messages"][:-1]}
    if isinstance(asked["messages"], str):
        asked = {"prompt": asked["messages"]}
    assert to_prompt(record) == asked


@pytest.mark.parametrize(
    "flags",
    [({"weight": 0}, {"weight": 1}), ({"train": False}, {"train": True}), ({"loss": False}, {"loss": None}),
     ({"training": False}, {"training": True}), ({"loss_weight": 0}, {"loss_weight": 1, "end_turn": True}),
     ({"weight": 0.0, "train": False}, {})],
)  # fmt: skip
@pytest.mark.parametrize("field", ["messages", "conversations", "prompt"])
def test_flags_of_turns_are_weights(flags: tuple[dict, dict], field: str) -> None:
    turns = [user("a"), assistant("b", **flags[0]), {**user("c"), **flags[0]}, assistant("d", **flags[1])]
    record: dict[str, Any] = {field: turns}
    if field == "conversations":
        names = {"user": "human", "assistant": "gpt"}
        record[field] = [{"from": names[turn["role"]], "value": turn["content"], **turn} for turn in turns]
    if field == "prompt":
        record = {"prompt": turns[:3], "completion": turns[3:]}
    wanted = [user("a"), assistant("b", weight=0), user("c"), assistant("d")]
    assert to_answered(record) == {"messages": wanted}
    assert to_prompt(record) == {"messages": [user("a"), assistant("b"), user("c")]}


def test_answers_of_a_prompt_are_only_read() -> None:
    """As in TRL, where the loss is on the completion."""
    turns = [user("a"), assistant("b"), user("c"), assistant("d")]
    read = to_answered({"prompt": turns[:3], "completion": turns[3:]})
    assert read == {"messages": [user("a"), assistant("b", weight=0), *turns[2:]]}


@pytest.mark.parametrize("ending", [".jsonl", ".json", ".parquet"])
def test_weights_are_written_and_read_back(tmp_path: Path, ending: str) -> None:
    records = [
        {"messages": [user(f"{n}"), assistant("b", weight=n % 2), user("c"), assistant("d")]}
        for n in range(20)
    ]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    first = load_examples(tmp_path / "a.jsonl")
    write_examples(first["train"], tmp_path / f"b{ending}")
    second = load_examples(tmp_path / f"b{ending}")
    rows = [json.dumps(row) for split in second.values() for row in split]
    assert sorted(rows) == sorted(json.dumps(row) for row in first["train"])
    assert sum('"weight": 0' in row for row in rows) > 5
    assert set(load_prompts(tmp_path / f"b{ending}").features["messages"].feature) == {"role", "content"}
    plain = [
        {"messages": [turn for turn in record["messages"] if turn.get("weight") != 0]} for record in records
    ]
    (tmp_path / "c.jsonl").write_text("".join(json.dumps(record) + "\n" for record in plain))
    assert set(load_examples(tmp_path / "c.jsonl")["train"].features["messages"].feature) == {
        "role",
        "content",
    }


def test_prompts_of_every_shape(tmp_path: Path) -> None:
    """Also of pairs without a prompt of their own, and of a text beside answers that are messages."""
    for record, wanted in (
        ({"chosen": "Q: Hi\nA: Yes", "rejected": "Q: Hi\nA: No"}, {"prompt": "Q: Hi\nA:"}),
        ({**YES_NO, "prompt": "Hi"}, {"messages": TALK[:1]}),
        ({"prompt": TALK[:1], "system": "Be kind."}, {"messages": [KIND, TALK[0]]}),
        ({"prompt": "Hi", "messages": [KIND, *TALK]}, {"messages": [KIND, TALK[0]]}),  # ultrachat_200k
        ({"prompt": "Below is Hi", "instruction": "Hi", "output": "b"}, {"messages": TALK[:1]}),
        ({"prompt": "Hi", "text": "Hi you"}, {"prompt": "Hi"}),
    ):
        (tmp_path / "a.jsonl").write_text(json.dumps(record))
        assert list(load_prompts(tmp_path / "a.jsonl")) == [wanted]


# What is refused


GOOD = {"prompt": "a", "completion": "b"}


@pytest.mark.parametrize(
    ("record", "wanted"),
    [
        ({**GOOD, "system": "Be kind."}, "system: beside a prompt that is text"),
        ({"prompt": "a", **TEXTS, "system": "Be kind."}, "system: beside a prompt that is text"),
        ({**GOOD, "history": [["a", "b"]]}, "history: not read here: earlier turns"),
        ({**GOOD, "input": "a text"}, "input: not read here: a part of the question"),
        ({**GOOD, "context": "a text"}, "context: not read here: a part of the question"),
        ({**GOOD, "suffix": "c"}, "suffix: not read here: what comes after the answer"),
        ({"prompt": "Is it so?", "completion": "5 is", "input": "5"}, "input: not read here"),
        ({"prompt": "A 50?", "completion": "Yes", "input": "5"}, "input: not read here"),
        ({**GOOD, "rejected": "c"}, "rejected: not read here: the worse answer of a pair"),
        ({**GOOD, "label": False}, "label: good and bad answers"),
        ({**GOOD, "label": "True"}, "label: good and bad answers"),
        ({**GOOD, "kto_tag": 1}, "kto_tag: good and bad answers"),
        ({"messages": TALK, "label": True}, "label: good and bad answers"),
        ({**GOOD, "weight": 0}, "weight: not read: how much the record counts"),
        ({"text": "a", "label": "b", "weight": "0.5"}, "weight: not read"),
        *(({**GOOD, "weight": text}, "weight: not read") for text in (".5", "1e-3", "0,5", "+2", "low")),
        ({**GOOD, "loss_weight": 0.5}, "loss_weight: not read: how much the record counts"),
        *(({**GOOD, name: False}, f"{name}: not read: that the record is not learned")
          for name in ("train", "training", "loss")),
        ({"messages": TALK, "train": "False"}, "train: not read: that the record is not learned"),
        ({"text": "a", "label": "b", "text_pair": "c"}, "text_pair: not read here: the second of two texts"),
        ({"messages": TALK, "rejected_response": "c"}, "rejected_response: not read here: the worse answer"),
        ({**GOOD, "system_prompt": "Be kind."}, "system_prompt: not read here: what the assistant is told"),
        ({"messages": TALK, "tools": [{}]}, "tools: not read here: tools that may be called"),
        ({"messages": TALK, "images": ["a.png"]}, "images: not read here: pictures"),
        ({"prompt": "a", **TEXTS, "question": "Which?"}, "question: not read here: the question"),
        ({**YES_NO, "score_chosen": 4, "score_rejected": 5}, "score_rejected: above score_chosen"),
        ({**YES_NO, "rating_chosen": 1, "rating_rejected": "5."}, "rating_rejected: above rating_chosen"),
        ({"messages": TALK, **TEXTS}, "messages: does not end with the user"),
        ({"messages": [KIND, *TALK], "system": "Be rude."}, "messages[0].role: a second system text"),
        ({"conversations": [{"from": "system", "value": "x"}, *SHAREGPT], "system": "y"},
         "conversations[0].role: a second system text"),
        ({"instruction": "Hi", "output": "b", "history": "Hello"}, "history[0]: not a question"),
        ({"instruction": "Hi", "output": "b", "history": [["a", ""]]}, "history[0]: empty"),
        ({"messages": [TALK[0], assistant("b", weight=0)]}, "messages: no turn is learned"),
        ({"messages": [TALK[0], assistant("b", weight=0.5)]}, "messages[1].weight: a number, not 0 or 1"),
        ({"messages": [TALK[0], assistant("b", training=False)]}, "messages: no turn is learned"),
        ({"messages": [TALK[0], assistant("b", loss_weight=0.5)]}, "messages[1].loss_weight: a number, not"),
        ({"messages": [TALK[0], assistant("b", end_turn=False)]}, "messages[1].end_turn: not read"),
        ({"messages": [TALK[0], assistant("b", weight="0")]}, "messages[1].weight: '0', not 0 or 1"),
        ({"messages": [TALK[0], assistant("b", weight=0, train=True)]}, "messages[1].weight: contradicts"),
        ({"messages": [{**TALK[0], "weight": 1}, TALK[1]]}, "messages[0].weight: the user's turn"),
        ({**YES_NO, "chosen": [assistant("Yes", weight=0)]}, "chosen.weight: 0, on the answer"),
        ({"messages": [TALK[0], {**TALK[1], "content": [{"type": "thinking", "text": "b"}]}]},
         "messages[1].content[0]: no text"),
        ({"messages": [TALK[0], {**TALK[1], "content": [{"text": "b", "image": {}, "toolUse": {"a": 1}}]}]},
         "messages[1].content[0].toolUse: not read"),
        ({"conversations": [SHAREGPT[0], {**SHAREGPT[1], "tool_calls": ["f"]}]},
         "conversations[1].tool_calls: not read"),
    ],
)  # fmt: skip
def test_meaning_without_a_place_is_refused(record: dict[str, Any], wanted: str) -> None:
    assert problem(record).startswith(wanted)


@pytest.mark.parametrize("name", TURN)
def test_turns_lose_nothing_that_means(name: str) -> None:
    turns = [assistant("b", **{name: "x"}), *TALK]
    assert problem({"messages": turns}).startswith(f"messages[0].{name}: not read")
    assert to_example({"messages": [assistant("b", **{name: None}), *TALK]}) == {
        "messages": [assistant("b"), *TALK]
    }


def test_prompts_lose_nothing_that_means() -> None:
    assert problem({"prompt": "a", "system": "Be kind."}, to_prompt).startswith("system: beside a prompt")
    assert problem({"prompt": "a", "context": "b c"}, to_prompt).startswith("context: not read here")
    assert to_prompt({"prompt": "a", "completion": "", "label": True}) == {"prompt": "a"}


def test_harmless_fields_are_left_out() -> None:
    others = {
        "id": 7,
        "source": "x",
        "label": "greeting",
        "tools": [],
        "weight": 1,
        "loss_weight": "1.0",
        "loss": 1.7,
        "train": True,
        "images": None,
        "context": "a",
    }
    assert to_example({**GOOD, **others}) == GOOD
    assert to_example({"messages": [{**turn, "id": 1, "name": ""} for turn in TALK]}) == {"messages": TALK}
    assert to_example({"text": "a", "label": True, "score": 3}) == {"text": "a", "label": "true"}


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".jsonl"])
def test_tables_obey_the_same_rule(tmp_path: Path, ending: str) -> None:
    assert set(known_columns([*GOOD, "id", *KNOWN])) == {*GOOD, *KNOWN}
    rows = [{**GOOD, "id": "7", **dict.fromkeys(QUESTION, ""), "suffix": end} for end in ("", "c")]
    path = tmp_path / f"a{ending}"
    if ending == ".csv":
        with open(path, "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([rows[0].keys(), *(row.values() for row in rows)])
    elif ending == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(FmkitError, match=r"a\.\w+, (row 2|line 3|line 2), suffix: not read here"):
        load_examples(path)


def test_python_objects_obey_the_same_rule() -> None:
    rows = [{"messages": TALK, "system": "Be kind.", "id": n} for n in range(2)]
    assert list(as_dataset(rows, COMPLETIONS)) == [{"messages": [KIND, *TALK]}] * 2
    assert list(as_dataset(Dataset.from_list(rows), PROMPTS)) == [{"messages": [KIND, TALK[0]]}] * 2
    rows = [{**GOOD, "system": None, "label": "chat"}, {**GOOD, "system": "Be kind.", "label": "chat"}]
    assert list(as_dataset(rows[:1], COMPLETIONS)) == [GOOD]
    for kinds in (COMPLETIONS, PROMPTS):
        with pytest.raises(FmkitError, match="row 2, system: beside a prompt that is text"):
            as_dataset(rows, kinds)
    for name in ("label", "weight"):
        with pytest.raises(FmkitError, match=f"row 1, {name}: "):
            as_dataset([{**GOOD, name: 0}], COMPLETIONS)
        as_dataset([{**GOOD, name: 0}], PROMPTS)
    for name in ("chosen", "rejected", "rejected_response"):
        with pytest.raises(FmkitError, match=f"row 1, {name}: not read here"):
            as_dataset([{**GOOD, name: "c"}], COMPLETIONS)
        as_dataset([{**GOOD, name: "c"}], PROMPTS)
    for chosen, rejected in SCORES:
        with pytest.raises(FmkitError, match=f"row 1, {rejected}: above {chosen}"):
            as_dataset([{"prompt": "a", **TEXTS, chosen: 1, rejected: 2}], PAIRS)
        as_dataset([{"prompt": "a", **TEXTS, chosen: 2, rejected: 1}], PAIRS)
    both = Dataset.from_list([{**GOOD, "prompt": "a", **TEXTS, "text": "a b", "margin": 2.0}])
    assert as_dataset(both, COMPLETIONS) is as_dataset(both, TEXT_KINDS) is as_dataset(both, PAIRS) is both


# What fmkit check says


@pytest.mark.parametrize(
    ("records", "notes"),
    [
        ([{**GOOD, "id": 1, "a\nb": 2}, {**GOOD, "prompt": "c"}], ["left out: 'id', 'a\\nb' (line 1)"]),
        (
            [{"messages": [TALK[0], assistant(f"{n}", weight=n % 2), *TALK]} for n in range(9)],
            ["read, not learned (line 1, answer 1 of 2; line 3, answer 1 of 2; line 5, answer 1 of 2; "
             "and 2 more)"],
        ),
        (
            [{"conversations": SHAREGPT, "system": text} for text in ("Be kind.", "")],
            ["system becomes the first message (line 1)"],
        ),
        (
            [{"instruction": "Hi", "output": "b", "history": [["a", "b"]] * n} for n in (0, 1)],
            ["history comes before the question, and its answers are learned, too (line 2)"],
        ),
        (
            [{"question": text, **TEXTS} for text in ("Hi", "Hello")],
            ["question is the prompt of both answers (line 1; line 2)"],
        ),
        (
            [dict(zip(YES_NO, texts, strict=True)) for texts in ("axy", "ayx", "byx", "byy")],
            ["1 of 4 pairs have two equal answers (line 4): leave them out",
             "1 of 4 pairs contradict another (line 2 and line 1): "
             "keep the one that is right, or none"],
        ),
        (
            [{"text": text, "label": label} for text, label in ("ax", "ay", "ax", "by")],
            ["2 of 4 texts have another label elsewhere (line 2 and line 1; line 3 and line 2): "
             "keep the one that is right, or none"],
        ),
    ],
)  # fmt: skip
def test_check_says_what_becomes_of_a_field(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], records: list[Any], notes: list[str]
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    assert main(["check", str(path)]) == 0
    assert capsys.readouterr().out.splitlines() == [f"{path}: no fault", *(f"note: {note}" for note in notes)]


def test_check_names_the_file_in_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pq.write_table(pa.Table.from_pylist([{**GOOD, "id": 1}]), tmp_path / "a.parquet")
    (tmp_path / "b.jsonl").write_text(json.dumps({**GOOD, "completion": "c", "id": 2}))
    assert main(["check", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "note: left out: 'id' (a.parquet, row 1; b.jsonl, line 1)"
    ]
