"""Promises of the example files: every ending and shape gives the same examples, every fault is one line."""

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import ClassLabel, Dataset, Features, Value
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fmkit.data.examples import (
    check_examples,
    load_examples,
    load_prompts,
    prompts_of,
    with_label_names,
    write_examples,
)
from fmkit.errors import FmkitError

FUZZ = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
TALK = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


KINDS: dict[str, list[dict[str, Any]]] = {
    "completion": [{"prompt": f"Where is {n}?", "completion": f'Ünï, "{n}"\r\nthere ☃'} for n in range(30)],
    "labeled": [{"text": f"Film {n}", "label": ("bad", "good", "dull")[n % 3]} for n in range(30)],
    "pairs": [{"prompt": f"Say {n}", "chosen": f"{n}", "rejected": "No"} for n in range(30)],
    "conversation": [{"messages": [user(f"Hi {n}"), assistant(f"Hello {n}")]} for n in range(30)],
    "judged": [
        {"prompt": [user(f"Say {n}")], "chosen": [assistant("Yes")], "rejected": [assistant("No")]}
        for n in range(30)
    ],
}


def save(path: Path, records: list[Any]) -> Path:
    """Write records by the ending, without the code under test."""
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
    elif path.suffix == ".json":
        path.write_text(json.dumps(records, indent=2))
    elif path.suffix == ".csv":
        with open(path, "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([records[0].keys(), *(record.values() for record in records)])
    else:
        pq.write_table(pa.Table.from_pylist(records), path)
    return path


def examples(path: Path) -> list[dict[str, Any]]:
    """All examples of both splits, labels by name, in an order of their own."""
    splits = load_examples(path)
    assert list(splits) == ["train", "validation"]
    assert all(len(split) for split in splits.values())
    return in_order([row for split in splits.values() for row in with_label_names(split)])


def in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: json.dumps(row, sort_keys=True))


def message(path: Path) -> str:
    with pytest.raises(FmkitError) as caught:
        load_examples(path)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def right_or_one_line(path: Path) -> None:
    for load in (load_examples, load_prompts):
        message = None
        try:
            load(path)
        except FmkitError as error:
            message = str(error)
        assert message is None or (str(path) in message and len(message.splitlines()) == 1)


# Kinds and endings


@pytest.mark.parametrize(
    ("kind", "ending"),
    [
        (kind, ending)
        for kind in KINDS
        for ending in (".jsonl", ".json", ".csv", ".parquet")
        if ending != ".csv" or kind not in ("conversation", "judged")  # CSV holds no lists
    ],
)
def test_every_kind_from_every_ending(tmp_path: Path, kind: str, ending: str) -> None:
    path = save(tmp_path / f"a{ending}", [{"id": 7, **record, "source": "x"} for record in KINDS[kind]])
    assert examples(path) == in_order(KINDS[kind])


@pytest.mark.parametrize("ending", [".jsonl", ".json", ".csv", ".parquet"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_is_read_back(tmp_path: Path, kind: str, ending: str) -> None:
    splits = load_examples(save(tmp_path / "a.jsonl", KINDS[kind]))
    path = tmp_path / f"b{ending}"
    if ending == ".csv" and kind in ("conversation", "judged"):
        with pytest.raises(FmkitError, match=r"row 1, \w+: messages, which CSV cannot hold; use .jsonl"):
            write_examples(splits["train"], path)
        assert not path.exists()
        return
    write_examples(splits["train"], path)
    assert examples(path) == in_order(list(with_label_names(splits["train"])))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.jsonl", path.name]


def test_json_under_data_or_as_json_lines(tmp_path: Path) -> None:
    records = KINDS["completion"]
    (tmp_path / "a.json").write_text(json.dumps({"version": 1, "data": records}))
    save(tmp_path / "b.jsonl", records).rename(tmp_path / "b.json")
    assert examples(tmp_path / "a.json") == examples(tmp_path / "b.json") == in_order(records)


def test_a_folder_is_all_its_files(tmp_path: Path) -> None:
    save(tmp_path / "a.jsonl", KINDS["completion"][:10])
    save(tmp_path / "b.csv", KINDS["completion"][10:])
    (tmp_path / "README.txt").write_text("About these files.")
    assert examples(tmp_path) == in_order(KINDS["completion"])


def test_byte_order_mark_and_line_ends(tmp_path: Path) -> None:
    lines = "".join(json.dumps(record) + "\r\n" for record in KINDS["labeled"])
    (tmp_path / "a.jsonl").write_bytes(b"\xef\xbb\xbf" + lines.encode() + b"\r\n\r\n")
    text = "text, label\r\n" + "".join(f"{r['text']},{r['label']}\r\n" for r in KINDS["labeled"])
    (tmp_path / "b.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert examples(tmp_path / "a.jsonl") == examples(tmp_path / "b.csv") == in_order(KINDS["labeled"])


@pytest.mark.parametrize(
    ("record", "wanted"),
    [
        (
            {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]},
            {"messages": TALK},
        ),
        (
            {
                "schemaVersion": "bedrock-conversation-2024",
                "system": [{"text": "Be kind."}],
                "messages": [{**turn, "content": [{"text": turn["content"]}]} for turn in TALK],
            },
            {"messages": [{"role": "system", "content": "Be kind."}, *TALK]},
        ),
        (
            {"system": "Be kind.", "messages": TALK},
            {"messages": [{"role": "system", "content": "Be kind."}, *TALK]},
        ),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"text": "Hi"}]},
                    {
                        "role": "assistant",
                        "candidates": [
                            {"content": [{"text": "Go"}], "preferenceLabel": "non-preferred"},
                            {"content": [{"text": "Hello"}], "preferenceLabel": "preferred"},
                        ],
                    },
                ]
            },
            {"prompt": TALK[:1], "chosen": TALK[1:], "rejected": [assistant("Go")]},
        ),
        (
            {"prompt": "1 + 1 =", "referenceResponse": "2", "category": "sums"},
            {"prompt": "1 + 1 =", "completion": "2"},
        ),
        (
            {"prompt": [{"role": "system", "content": "Be kind."}, *TALK[:1]], "completion": TALK[1:]},
            {"messages": [{"role": "system", "content": "Be kind."}, *TALK]},
        ),
        (
            {"chosen": [*TALK[:1], assistant("Yes")], "rejected": [*TALK[:1], assistant("No")]},
            {"prompt": TALK[:1], "chosen": [assistant("Yes")], "rejected": [assistant("No")]},
        ),
        (
            {
                "prompt": "Hi",
                "chosen": [*TALK[:1], assistant("Yes")],
                "rejected": [*TALK[:1], assistant("No")],
            },
            {"prompt": TALK[:1], "chosen": [assistant("Yes")], "rejected": [assistant("No")]},
        ),
        (
            {"chosen": "\n\nHuman: Hi\n\nAssistant: Yellow", "rejected": "\n\nHuman: Hi\n\nAssistant: Yes"},
            {"prompt": "\n\nHuman: Hi\n\nAssistant:", "chosen": " Yellow", "rejected": " Yes"},
        ),
        (
            {"instruction": "Hi", "input": "A text.", "output": "Yes", "text": "Below is"},
            {"messages": [user("Hi\n\nA text."), assistant("Yes")]},
        ),
        ({"instruction": "Hi", "input": "", "output": "Yes"}, {"messages": [user("Hi"), assistant("Yes")]}),
        ({"system": "", "messages": [{"role": "system", "content": ""}, *TALK]}, {"messages": TALK}),
        ({"input": "A text."}, {"text": "A text."}),
        ({"text": "A text."}, {"text": "A text."}),
    ],
    ids=[
        "ShareGPT",
        "conversation",
        "Claude",
        "Nova preference",
        "evaluation",
        "TRL",
        "pairs",
        "UltraFeedback",
        "HH",
        "Alpaca",
        "no input",
        "no system",
        "Titan",
        "Nova text",
    ],
)
def test_shapes_of_others_are_normalized(tmp_path: Path, record: dict, wanted: dict) -> None:
    other = json.loads(json.dumps(record).replace("Hi", "Hey").replace("A text", "B").replace("1 +", "2 +"))
    assert wanted in examples(save(tmp_path / "a.jsonl", [record, other]))


# Prompts


def prompts(path: Path, records: list[Any]) -> list[dict[str, Any]]:
    return list(load_prompts(save(path, records)))


@pytest.mark.parametrize("ending", [".jsonl", ".json", ".csv", ".parquet"])
@pytest.mark.parametrize("kind", ["completion", "pairs", "conversation", "judged"])
def test_prompts_of_examples(tmp_path: Path, kind: str, ending: str) -> None:
    if ending == ".csv" and kind in ("conversation", "judged"):
        return  # CSV holds no lists
    asked = [
        {"messages": record["prompt"] if kind == "judged" else record["messages"][:1]}
        if kind in ("conversation", "judged")
        else {"prompt": record["prompt"]}
        for record in KINDS[kind]
    ]
    assert prompts(tmp_path / f"a{ending}", KINDS[kind]) == asked
    examples = load_examples(save(tmp_path / f"b{ending}", KINDS[kind]))["train"]
    if kind != "judged":
        assert all(row in asked for row in prompts_of(examples))


def test_prompts_may_stand_alone(tmp_path: Path) -> None:
    for name, record, wanted in (
        ("a.jsonl", {"prompt": "Hi", "id": 7}, {"prompt": "Hi"}),
        ("b.csv", {"text": "Hi"}, {"prompt": "Hi"}),
        ("c.parquet", {"id": 7, "prompt": "Hi"}, {"prompt": "Hi"}),
        ("d.json", {"messages": TALK[:1]}, {"messages": TALK[:1]}),
        ("e.jsonl", {"messages": [*TALK, user("Again")]}, {"messages": [*TALK, user("Again")]}),
        ("f.jsonl", {"prompt": TALK[:1]}, {"messages": TALK[:1]}),
    ):
        assert prompts(tmp_path / name, [record]) == [wanted]
    for name, records, wanted in (
        ("g.jsonl", [{"prompt": "a"}, {"prompt": " "}], "g.jsonl, line 2, prompt: empty"),
        ("h.jsonl", [{"messages": TALK[1:]}], "line 1, messages: no question for the assistant"),
        ("i.jsonl", [{"prompt": "a"}, {"messages": TALK}], "line 2: holds messages, and the first"),
        ("j.jsonl", [{"prompt": None, "id": 1}], "line 1: columns 'id'; use prompt"),
        ("k.json", [], "no record"),
    ):
        with pytest.raises(FmkitError, match=wanted):
            prompts(tmp_path / name, records)


# Splits and labels


def test_files_named_as_splits_share_labels(tmp_path: Path) -> None:
    rows = [{"text": f"Film {n}", "label": label} for n, label in enumerate("abcab")]
    save(tmp_path / "train-0.jsonl", rows[:1])
    save(tmp_path / "train-1.jsonl", rows[1:3])
    save(tmp_path / "test.csv", [*rows[3:], rows[0]])
    splits = load_examples(tmp_path)
    assert list(with_label_names(splits["train"])) == rows[:3]
    assert list(with_label_names(splits["validation"])) == [*rows[3:], rows[0]]
    assert splits["train"].features == splits["validation"].features
    save(tmp_path / "Valid.json", rows[4:])
    assert list(with_label_names(load_examples(tmp_path)["validation"])) == rows[4:]
    (tmp_path / "Valid.json").write_text("[]")
    assert "no record in the files for validation" in message(tmp_path)


def test_split_names_are_those_of_datasets(tmp_path: Path, capsys) -> None:
    def splits(*names: str) -> tuple[list[str], str]:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        for i, name in enumerate(names):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            save(
                folder / name,
                [{"prompt": f"{i}", "completion": name}, {"prompt": f"{i}!", "completion": name}],
            )
        held_out = set(load_examples(folder)["validation"]["completion"])
        return sorted(held_out), capsys.readouterr().err

    for train, validation in (
        ("train.jsonl", "eval.jsonl"),
        ("training.csv", "validation.json"),
        ("train_data.jsonl", "val_data.jsonl"),
        ("my_train_v2.jsonl", "my_test_v2.jsonl"),
        ("train/a.jsonl", "dev/a.jsonl"),
        ("train-00000-of-00001.parquet", "test-00000-of-00001.parquet"),
        ("test-train.jsonl", "train-test.jsonl"),
    ):
        assert splits(train, validation) == ([validation], "")
    assert splits("train.jsonl", "val.jsonl", "test.jsonl", "notes.jsonl") == (
        ["val.jsonl"],
        f"fmkit: notes.jsonl and 1 more in {tmp_path / '7'}: left out: others are named as splits\n",
    )
    _held_out, told = splits("training camp.jsonl", "latest.jsonl", "testament.jsonl")
    assert told == ""
    _held_out, told = splits("a.jsonl", "test.jsonl")
    assert told == f"fmkit: test.jsonl in {tmp_path / '9'}: read like the others: no file is named train\n"


def test_every_fault_of_a_file_is_found(tmp_path: Path) -> None:
    lines = ['{"prompt": "a", "completion": "b"}', "{", "", '{"prompt": "a"}', '{"text": "a"}', "7"]
    (tmp_path / "a.jsonl").write_text("\n".join(lines * 30))
    faults = check_examples(tmp_path / "a.jsonl", limit=6)
    assert [fault.line for fault in faults] == [2, 4, 5, 6, 8, 10]
    assert "completion: missing" in str(faults[1])
    (tmp_path / "b.csv").write_text('prompt,completion\na,b\na\n"x\ny",\nc, "d"\n')
    assert [(fault.line, fault.field) for fault in check_examples(tmp_path / "b.csv")] == [
        (3, ""),
        (4, "completion"),
        (6, "completion"),
    ]
    save(tmp_path / "c.jsonl", [GOOD, {"prompt": "x", "completion": "y"}])
    assert check_examples(tmp_path / "c.jsonl") == []
    with pytest.raises(FmkitError, match="one record only"):
        check_examples(save(tmp_path / "d.jsonl", [GOOD]))


def test_table_of_several_kinds(tmp_path: Path) -> None:
    nulls = {"chosen": None, "rejected": None, "messages": None}
    rows = [{**record, **nulls} for record in KINDS["completion"]]
    schema = pa.schema([(name, pa.string()) for name in ("prompt", "completion", *nulls)])
    pq.write_table(pa.Table.from_pylist(rows, schema), tmp_path / "a.parquet")
    assert examples(tmp_path / "a.parquet") == in_order(KINDS["completion"])


def test_csv_with_spaces_after_its_commas(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('text, label\na, pos\n"b, c", "neg"\nd,pos\n')
    found = examples(tmp_path / "a.csv")
    assert {row["text"]: row["label"] for row in found} == {"a": "pos", "b, c": "neg", "d": "pos"}
    (tmp_path / "a.csv").write_text("text,label\na, pos\nb,pos\nc,neg\n")
    assert {row["label"] for row in examples(tmp_path / "a.csv")} == {"pos", "neg"}
    (tmp_path / "a.csv").write_text('text,label\na,pos\nb, "neg"\n')
    assert "line 3, label: a space before the quotes" in message(tmp_path / "a.csv")
    (tmp_path / "a.csv").write_text("prompt,completion\nA fox, ran\nA hen, sat\n")
    assert {row["completion"] for row in examples(tmp_path / "a.csv")} == {" ran", " sat"}


def test_a_record_stays_in_its_split(
    tmp_path: Path,
) -> None:
    records = [{"prompt": f"{n}", "completion": "x"} for n in range(2000)]
    first = load_examples(save(tmp_path / "a.jsonl", records))
    second = load_examples(save(tmp_path / "b.json", [*reversed(records), *records]))
    held_out = set(first["validation"]["prompt"])
    assert held_out == set(second["validation"]["prompt"])
    assert held_out.isdisjoint(second["train"]["prompt"])
    assert 140 < len(held_out) < 260
    two = load_examples(save(tmp_path / "c.jsonl", records[:2]))
    assert [len(split) for split in two.values()] == [1, 1]


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (["b", "a"], ["a", "b"]),
        ([10, 9, 0], ["0", "9", "10"]),
        (["10", "9"], ["9", "10"]),
        ([True, False], ["false", "true"]),
        (["x", 1], ["1", "x"]),
    ],
)
def test_labels_are_numbered_by_name(tmp_path: Path, labels: list, names: list) -> None:
    records = [{"text": f"text {n}", "label": labels[n % len(labels)]} for n in range(20)]
    splits = load_examples(save(tmp_path / "a.jsonl", records))
    for split in splits.values():
        assert split.features["label"] == ClassLabel(names=names)
    given = {record["text"]: str(record["label"]).lower() for record in records}
    assert {
        row["text"]: row["label"] for split in splits.values() for row in with_label_names(split)
    } == given


def test_number_without_a_label(tmp_path: Path) -> None:
    features = Features(text=Value("string"), label=ClassLabel(names=["worse", "better"]))
    rows = [{"text": "a", "label": 0}, {"text": "b", "label": -1}]
    dataset = Dataset.from_list(rows, features=features)
    dataset.to_parquet(tmp_path / "a.parquet")
    assert "row 2, label: -1 is the number of no label" in message(tmp_path / "a.parquet")
    with pytest.raises(FmkitError, match="the dataset, row 2, label: -1 is the number of no label"):
        write_examples(dataset, tmp_path / "b.jsonl")


def test_label_names_in_parquet(tmp_path: Path) -> None:
    features = Features(text=Value("string"), label=ClassLabel(names=["worse", "better"]))
    rows = [{"text": f"text {n}", "label": n % 2} for n in range(20)]
    Dataset.from_list(rows, features=features).to_parquet(tmp_path / "a.parquet")
    named = [{"text": row["text"], "label": ("worse", "better")[row["label"]]} for row in rows]
    assert examples(tmp_path / "a.parquet") == in_order(named)


# Faults

GOOD = {"prompt": "a", "completion": "b"}


@pytest.mark.parametrize(
    ("record", "wanted"),
    [
        ({"prompt": "a"}, "line 2, completion: missing or null; a record needs prompt, completion"),
        ({"prompt": "a", "completion": None}, "line 2, completion: missing or null"),
        ({"prompt": "a", "completion": " \n"}, "line 2, completion: empty"),
        ({"prompt": 7, "completion": "b"}, "line 2, prompt: a number, not text"),
        ({"prompt": "a", "completion": "\ud800"}, r"line 2, completion: \ud800 is half a character"),
        ({"prompt": "a", "chosen": "b"}, "line 2, rejected: missing or null"),
        ({"prompt": "a", "chosen": "b", "rejected": [1]}, "line 2, prompt: text beside lists"),
        ({"prompt": TALK[:1], "completion": "b"}, "line 2, completion: text beside lists"),
        ({"prompt": TALK[:1], "completion": TALK[:1]}, "line 2, completion: does not end with the assistant"),
        (
            {"prompt": TALK[:1], "completion": [{"role": "system", "content": "x"}, *TALK]},
            "line 2, completion[0].role: a system message inside",
        ),
        ({"question": "a", "answer": "b"}, "line 2: columns 'question', 'answer'; use prompt and completion"),
        ({}, "line 2: no columns"),
        ([1], "line 2: a list, not an object"),
        ({"text": "a", "label": "b"}, "line 2: holds text and label, and the first record prompt and"),
        ({"text": "a", "label": 0.5}, "line 2, label: a number"),
        ({"messages": "Hi"}, "line 2, messages: text, not a list of messages"),
        ({"messages": []}, "line 2, messages: no message"),
        ({"messages": [user("Hi")]}, "line 2, messages: the assistant says nothing"),
        (
            {"messages": [user("Hi"), {"role": "bot", "content": "b"}]},
            "messages[1].role: 'bot' is not a role",
        ),
        (
            {"messages": [user("Hi"), {"role": {}, "content": "b"}]},
            "messages[1].role: an object is not a role",
        ),
        ({"messages": [user("Hi"), {"role": "assistant"}]}, "messages[1].content: missing or null"),
        ({"messages": [user("Hi"), "b"]}, "messages[1]: text, not a message"),
        ({"messages": [{"role": "user", "content": [{"image": {}}]}]}, "messages[0].content[0]: no text"),
        ({"messages": [*TALK, {"role": "system", "content": "x"}]}, "messages[2].role: a system message"),
        ({"conversations": [{"from": "me", "value": "x"}]}, "conversations[0].from: not a role"),
        ({"conversations": [{"from": "human"}]}, "conversations[0].value: missing or null"),
        ({"text": "a", "label": None}, "line 2, label: null; name a label"),
        ({**GOOD, "label": True}, "line 2, label: good and bad answers, all of which would be learned"),
        (
            {"chosen": "good", "rejected": "bad"},
            "line 2, prompt: missing, and the answers do not begin alike",
        ),
        ({"chosen": TALK, "rejected": "bad"}, "line 2, chosen: a list beside text"),
        ({"prompt": "a", "chosen": TALK[:1] + TALK, "rejected": TALK[1:]}, "line 2, chosen[0].role: not the"),
        ({"system": [{"text": 7}], "messages": TALK}, "line 2, system[0].text: a number, not text"),
        ({"messages": [{"role": "system", "content": ""}]}, "line 2, messages: a system message alone"),
    ],
)
def test_broken_record_is_one_line(tmp_path: Path, record: Any, wanted: str) -> None:
    path = save(tmp_path / "a.jsonl", [GOOD, record])
    assert wanted in message(path)
    assert message(path).startswith(f"{path}, ")


def test_place_of_a_record(tmp_path: Path) -> None:
    broken = [GOOD, {"prompt": "a", "completion": ""}]
    assert "a.json, element 2, completion" in message(save(tmp_path / "a.json", broken))
    assert "a.parquet, row 2, completion" in message(save(tmp_path / "a.parquet", broken))
    (tmp_path / "a.csv").write_text('prompt,completion\n"a\nb",c\nd,\n')
    assert "a.csv, line 4, completion" in message(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("name", "content", "wanted"),
    [
        ("a.jsonl", b'{"prompt": "a"', "line 1: not JSON (column 15"),
        ("a.jsonl", b'{"prompt": NaN}', "line 1: NaN is not JSON"),
        ("a.jsonl", b'{"prompt": "a", "prompt": "b"}', "line 1: the key 'prompt' is repeated"),
        ("a.jsonl", b'{"n": ' + b"1" * 5000 + b"}", "line 1: a number too long"),
        ("a.jsonl", b'{"n": ' + b"[" * 100_000 + b"}", "line 1: nested too deeply"),
        ("a.jsonl", b'\n{"prompt": "\xff"}', "line 2: byte 0xff is not UTF-8"),
        ("a.jsonl", b"", "no record"),
        ("a.jsonl", b'{"prompt": "a", "completion": "b"}\n' * 3, "one record only"),
        ("a.json", b'[{"prompt": "a",\n "completion": "b"},\n{]', "not JSON (line 3, column 2"),
        (
            "a.json",
            b'{"prompt": "a", "completion": "b"}\n{"prompt": 1}',
            "a.json, line 2, completion: missing",
        ),
        ("a.json", b"[]", "no record"),
        ("a.csv", b"prompt,completion\na,b,c\n", "line 2: 3 fields where the header names 2"),
        ("a.csv", b"prompt,prompt\na,b\n", "the key 'prompt' is repeated"),
        (
            "a.csv",
            b"prompt;completion\na;b\n",
            "line 1: one column, 'prompt;completion'; separate columns by",
        ),
        ("a.csv", b'prompt,completion\na,"b\n', "line 2: broken CSV"),
        ("a.csv", b"prompt,completion\na,\xe9\n", "line 2: byte 0xe9 is not UTF-8"),
        ("a.csv", b"prompt,completion\na," + b"b" * 200_000, "line 2: broken CSV (field larger"),
        ("a.parquet", b"PAR1 no", "damaged, or no Parquet file"),
        ("a.txt", b"Once.", "save the text as one of .jsonl, .json, .csv, .parquet"),
        ("a.xlsx", b"x", "unknown kind of file"),
    ],
)
def test_a_broken_file_is_one_line(tmp_path: Path, name: str, content: bytes, wanted: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert wanted in message(tmp_path / name)


def test_missing_and_unwritable_files(tmp_path: Path) -> None:
    assert "no such file" in message(tmp_path / "a.jsonl")
    dataset = Dataset.from_list([GOOD])
    for path, wanted in (
        (tmp_path / "none" / "a.jsonl", "cannot be written"),
        (tmp_path / "a.txt", "unknown ending"),
    ):
        with pytest.raises(FmkitError, match=wanted):
            write_examples(dataset, path)
    with pytest.raises(FmkitError, match="the dataset, row 1: columns 'body'"):
        write_examples(Dataset.from_list([{"body": "a"}]), tmp_path / "a.jsonl")


# Fuzzing

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
OTHERS = ("instruction", "input", "output", "question", "history", "weight", "score_chosen", "score_rejected")
FIELD = st.sampled_from(
    ["prompt", "completion", "messages", "text", "label", "chosen", "rejected", "conversations", "system"]
) | st.sampled_from(OTHERS)
TURN = st.fixed_dictionaries(
    {},
    optional={
        "role": st.sampled_from(["system", "user", "assistant", "x"]) | JUNK,
        "content": st.lists(st.fixed_dictionaries({"text": JUNK})) | JUNK,
        "candidates": st.lists(
            st.fixed_dictionaries({}, optional={"content": JUNK, "preferenceLabel": JUNK})
        ),
        "weight": st.sampled_from([0, 1, 0.5]) | JUNK,
        "from": st.sampled_from(["human", "gpt"]) | JUNK,
        "value": JUNK,
    },
)
RECORD = st.dictionaries(FIELD, st.lists(TURN, max_size=3) | JUNK | st.text(), max_size=4)


@FUZZ
@given(st.sampled_from([".jsonl", ".json", ".csv", ".parquet"]), st.binary(max_size=300))
def test_random_bytes(tmp_path: Path, ending: str, content: bytes) -> None:
    path = tmp_path / f"a{ending}"
    path.write_bytes(content)
    right_or_one_line(path)


@pytest.mark.slow
@FUZZ
@given(st.sampled_from([".jsonl", ".json"]), st.lists(RECORD | JUNK, max_size=4), st.booleans())
def test_json_of_random_shapes(tmp_path: Path, ending: str, records: list, as_text: bool) -> None:
    path = tmp_path / f"a{ending}"
    text = "\n".join(json.dumps(record, ensure_ascii=as_text) for record in records)
    path.write_bytes(text.encode(errors="surrogatepass"))
    right_or_one_line(path)


@FUZZ
@given(st.lists(st.lists(st.text(max_size=8), max_size=3), max_size=4), st.text(max_size=20))
def test_csv_of_random_rows(tmp_path: Path, rows: list, tail: str) -> None:
    path = tmp_path / "a.csv"
    with open(path, "w", newline="", encoding="utf-8", errors="surrogatepass") as file:
        csv.writer(file).writerows([["text", "label"], *rows])
        file.write(tail)
    right_or_one_line(path)


@pytest.fixture(scope="module")
def parquet(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("parquet") / "a.parquet"
    Dataset.from_list(KINDS["conversation"]).to_parquet(path)
    return path.read_bytes()


@FUZZ
@given(st.data())
def test_truncated_and_damaged_parquet(tmp_path: Path, parquet: bytes, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(parquet)))
    junk = data.draw(st.binary(max_size=20))
    keep_end = data.draw(st.booleans())
    path = tmp_path / "a.parquet"
    path.write_bytes(parquet[:cut] + junk + (parquet[cut + len(junk) :] if keep_end else b""))
    right_or_one_line(path)


@pytest.mark.slow
@FUZZ
@given(
    st.lists(
        st.tuples(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(codec="utf-8"))),
        min_size=2,
        unique=True,
    ),
    st.sampled_from([".jsonl", ".json", ".csv", ".parquet"]),
)
def test_any_text_comes_back(tmp_path: Path, pairs: list, ending: str) -> None:
    rows = [{"prompt": f"<{a}>", "completion": f"<{b}>"} for a, b in pairs]
    write_examples(Dataset.from_list(rows), tmp_path / f"a{ending}")
    assert examples(tmp_path / f"a{ending}") == in_order(rows)


@pytest.mark.slow
def test_a_field_of_a_megabyte_is_read(tmp_path: Path) -> None:
    rows = [{"prompt": "a" * 2**20, "completion": "☃" * 2**20}, GOOD]
    for ending in (".jsonl", ".json", ".parquet"):
        write_examples(Dataset.from_list(rows), tmp_path / f"a{ending}")
        assert examples(tmp_path / f"a{ending}") == in_order(rows)
    with pytest.raises(FmkitError, match="row 1, prompt: a long text, which CSV cannot hold"):
        write_examples(Dataset.from_list(rows), tmp_path / "a.csv")
