"""Promises of Bedrock's formats: sound files have no fault, each planted fault is named, rows come back."""

import copy
import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fmkit.cli import main
from fmkit.data import bedrock
from fmkit.data.bedrock import FORMATS, advise, check
from fmkit.data.examples import load_examples
from fmkit.errors import FmkitError

FUZZ = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def turn(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "content": [{"text": text}]}


RECORDS: dict[str, dict[str, Any]] = {
    "completion": {"prompt": "Where is it?", "completion": "There."},
    "conversation": {
        "schemaVersion": "bedrock-conversation-2024",
        "system": [{"text": "You sell lamps."}],
        "messages": [
            turn("user", "Hi"), turn("assistant", "Hello"), turn("user", "Lit?"), turn("assistant", "Yes")
        ],
    },
    "claude": {
        "system": "You sell lamps.",
        "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}],
    },
    "input": {"input": "Lamps give light."},
    "text": {"text": "Lamps give light."},
    "preference": {
        "system": [{"text": "You sell lamps."}],
        "messages": [
            turn("user", "Is it bright?"),
            {
                "role": "assistant",
                "candidates": [
                    {"content": [{"text": "Very."}], "preferenceLabel": "preferred"},
                    {"content": [{"text": "Go away."}], "preferenceLabel": "non-preferred"},
                ],
            },
        ],
    },
    "evaluation": {"prompt": "1 + 1 =", "referenceResponse": "2", "category": "sums"},
}  # fmt: skip


def save(path: Path, records: list[Any]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def sound(format: str) -> list[dict[str, Any]]:
    """As many records as the format wants at least, no two alike."""
    text = json.dumps(RECORDS[FORMATS[format].shape])
    count = max(3, FORMATS[format].min_records)
    return [json.loads(text.replace("?", f" {n}?").replace("Lamps", f"{n} lamps")) for n in range(count)]


def faults(path: Path, format: str) -> list[str]:
    found = list(map(str, check(path, format)))
    assert all(line.startswith(str(path)) and len(line.splitlines()) == 1 for line in found)
    return [line.removeprefix(str(path)).lstrip(",: ") for line in found]


def changed(format: str, change: Callable[[Any], Any]) -> list[Any]:
    """Sound records, the second of them changed."""
    records = sound(format)
    record = copy.deepcopy(records[1])
    records[1] = change(record) or record
    return records


@pytest.mark.parametrize("format", FORMATS)
def test_a_sound_file_has_no_fault(tmp_path: Path, format: str) -> None:
    assert check(save(tmp_path / "a.jsonl", sound(format)), format) == []


def test_every_format_names_source_and_day() -> None:
    for name, format in FORMATS.items():
        assert format.name == name
        assert format.source.startswith("https://")
        assert len(format.verified_on) == 10
        assert format.shape in RECORDS


# Faults


def set_at(*path: Any) -> Callable[[Any], Callable[[Any], None]]:
    """Sets a value deep in a record: set_at("messages", 0, "role")("x")."""

    def to(value: Any) -> Callable[[Any], None]:
        def change(record: Any) -> None:
            for step in path[:-1]:
                record = record[step]
            record[path[-1]] = value

        return change

    return to


@pytest.mark.parametrize(
    ("format", "change", "wanted"),
    [
        ("completion-titan", set_at("completion")(None), "line 2, completion: missing or null"),
        ("completion-titan", set_at("prompt")(" "), "line 2, prompt: empty"),
        ("completion-titan", set_at("prompt")(["a"]), "line 2, prompt: a list, not text"),
        ("completion-titan", lambda r: ["a"], "line 2: a list, not an object"),
        ("completion-titan", set_at("prompt")("a" * 24_576), "line 2: about 4,097 tokens (24,582"),
        ("completion-llama", set_at("prompt")("a" * 96_000), "line 2: about 16,001 tokens"),
        ("conversation", set_at("schemaVersion")(None), "line 2, schemaVersion: missing or null"),
        ("conversation", set_at("system")("Be kind."), "line 2, system: text, not a list"),
        ("conversation", set_at("system", 0, "text")("System: be"), "system[0].text: begins with System:"),
        ("conversation", set_at("messages")({}), "line 2, messages: an object"),
        ("conversation", set_at("messages")([]), "line 2, messages: no turn"),
        ("conversation", set_at("messages", 0)("Hi"), "line 2, messages[0]: text, not an object"),
        ("conversation", set_at("messages", 0, "role")("assistant"), "messages[0].role: the first turn"),
        ("conversation", set_at("messages", 0, "role")("system"), "messages[0].role: 'system' is not a role"),
        ("conversation", set_at("messages", 3, "role")("user"), "messages[3].role: the last turn is not"),
        ("conversation", set_at("messages", 1, "content")("Hello"), "messages[1].content: text, not a list"),
        ("conversation", set_at("messages", 1, "content", 0)({"image": {}}), "[1].content[0]: no text"),
        ("conversation", set_at("messages", 0, "content", 0, "text")(7), "[0].text: a number, not text"),
        ("conversation", set_at("messages", 2, "content", 0, "text")(" [EOS] a"), "begins with [EOS], a"),
        ("conversation", set_at("messages", 1, "role")("user"), "messages[1].role: the same role twice"),
        ("conversation", set_at("messages", 2, "role")("assistant"), "messages[2].role: the same role twice"),
        ("conversation", set_at("messages", 0, "content", 0)({"text": "a", "image": {}}),
         "[0].content[0]: image beside the text"),
        ("claude-3-haiku", set_at("id")(7), "line 2, id: a key that is not allowed"),
        ("claude-3-haiku", set_at("messages", 0, "name")("x"), "messages[0].name: a key that is not"),
        ("claude-3-haiku", set_at("messages", 1, "role")("user"), "messages[1].role: the same role twice"),
        ("claude-3-haiku", set_at("messages", 1, "content")(""), "messages[1].content: empty"),
        ("claude-3-haiku", set_at("system")([{"text": "x"}]), "line 2, system: a list, not text"),
        ("pretraining-titan", set_at("input")(""), "line 2, input: empty"),
        ("pretraining-nova", lambda r: {"input": "x"}, "line 2, text: missing or null"),
        ("pretraining-nova", set_at("id")(7), "line 2, id: a key that is not allowed; keep text only"),
        ("preference-nova", lambda r: r["messages"].insert(0, turn("user", "Hi")),
         "messages[1].role: the same role twice"),
        ("preference-nova", lambda r: r["messages"].insert(1, turn("assistant", "Hi")),
         "messages[2].role: the same role twice"),
        ("preference-nova", set_at("messages", 1, "candidates")(None), "messages[1].candidates: missing"),
        ("preference-nova", set_at("messages", 1, "candidates", 1, "preferenceLabel")("bad"),
         "messages[1].candidates[1].preferenceLabel: 'bad'; write preferred or non-preferred"),
        ("preference-nova", set_at("messages", 1, "candidates", 1, "preferenceLabel")("preferred"),
         "messages[1].candidates: 2 preferred and 0 non-preferred answers; give one of each"),
        ("preference-nova", lambda r: r["messages"].pop(0) and None, "messages: no prompt with two answers"),
        ("distillation", set_at("schemaVersion")("1"), "schemaVersion: '1'; write \"bedrock-conv"),
        ("evaluation", set_at("category")(7), "line 2, category: a number, not text"),
        ("evaluation", lambda r: r.pop("prompt") and None, "line 2, prompt: missing or null"),
    ],
)  # fmt: skip
def test_planted_fault_is_the_only_one_found(
    tmp_path: Path, format: str, change: Callable[[Any], Any], wanted: str
) -> None:
    path = save(tmp_path / "a.jsonl", changed(format, change))
    found = faults(path, format)
    assert any(wanted in line for line in found), found
    assert all(line.startswith("line 2") for line in found), found


def test_faults_are_found_up_to_the_limit(tmp_path: Path) -> None:
    records: list[Any] = sound("completion-titan")
    lines = [json.dumps(record).encode() for record in records]
    lines[1:1] = [b'{"prompt": "", "completion": ""}', b"", b"{", b'{"prompt": "\xff"}', b'{"prompt": NaN}']
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\n".join(lines))
    assert [(fault.line, fault.field) for fault in check(path, "completion-titan")] == [
        (2, "prompt"), (2, "completion"), (3, ""), (4, ""), (5, ""), (6, "")
    ]  # fmt: skip
    assert len(check(path, "completion-titan", limit=3)) == 3
    fault = check(path, "completion-titan")[0]
    assert (fault.file, fault.what, fault.remedy) == (
        str(path), "empty", "write a text, or remove the record"
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("format", "count", "wanted"),
    [
        ("completion-llama", 99, "99 records; a training file takes 100 or more"),
        ("completion-llama", 10_001, "10,001 records; take 10,000 or fewer"),
        ("claude-3-haiku", 31, "31 records; a training file takes 32 or more"),
        ("distillation", 15_001, "15,001 records; take 15,000 or fewer"),
        ("evaluation", 1001, "1,001 records; take 1,000 or fewer"),
        ("conversation", 0, "0 records; a training file takes 1 or more"),
    ],
)
def test_number_of_records(tmp_path: Path, format: str, count: int, wanted: str) -> None:
    path = save(tmp_path / "a.jsonl", [RECORDS[FORMATS[format].shape]] * count)
    assert faults(path, format) == [wanted]


@pytest.mark.parametrize("junk", [1, True, None, [1]])
def test_junk_beside_a_prompt(tmp_path: Path, junk: Any) -> None:
    """Under a key that other formats read: it is not counted as text, and is no fault."""
    records = [
        {**record, "system": junk, "messages": {"content": junk}} for record in sound("completion-llama")
    ]
    assert check(save(tmp_path / "a.jsonl", records), "completion-llama") == []


def test_large_file_and_wrong_ending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = dataclasses.replace(FORMATS["completion-titan"], max_bytes=100)
    monkeypatch.setitem(bedrock.FORMATS, "completion-titan", small)
    path = save(tmp_path / "a.json", sound("completion-titan"))
    assert faults(path, "completion-titan") == [
        "the name ends in '.json'; the service takes .jsonl",
        f"{path.stat().st_size} bytes; take 100 or fewer: drop or split records",
    ]


def test_file_name_and_byte_order_mark(tmp_path: Path) -> None:
    path = save(tmp_path / "my data (1).jsonl", sound("conversation"))
    assert faults(path, "conversation") == [
        "the name 'my data (1).jsonl' has other characters than the service takes; "
        "use letters, digits, underscores, hyphens and dots only"
    ]
    assert check(save(tmp_path / "my_data-1.b.jsonl", sound("conversation")), "conversation") == []
    path = save(tmp_path / "my data (1).jsonl", sound("completion-titan"))
    assert check(path, "completion-titan") == []
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert faults(path, "completion-titan") == ["begins with a byte order mark; save it as UTF-8 without one"]


def test_two_user_turns_where_allowed(tmp_path: Path) -> None:
    records = sound("distillation")
    records[1]["messages"].insert(0, turn("user", "Hello?"))
    path = save(tmp_path / "a.jsonl", records)
    assert check(path, "distillation") == []
    assert len(check(path, "conversation")) == 1


def test_advice_on_sound_files(tmp_path: Path, capsys: Any) -> None:
    records = sound("preference-nova")
    same = records[1]["messages"][1]["candidates"]
    same[1]["content"] = same[0]["content"]
    path = save(tmp_path / "a.jsonl", records)
    assert main(["check", str(path), "--format", "preference-nova"]) == 0
    spec = FORMATS["preference-nova"]
    assert capsys.readouterr().out.splitlines() == [
        f"{path}: no fault",
        "note: 1 of 3 pairs have two equal answers (line 2): leave them out",
        "note: 3 records; 1,000 or more are advised",
        f"note: checked by the rules of {spec.verified_on}, {spec.source}",
    ]
    path = save(tmp_path / "b.jsonl", sound("conversation") * 34)
    assert len(advise(path, "conversation")) == 2
    assert FORMATS["conversation"].note in advise(path, "conversation")


def test_unknown_format_lists_all(tmp_path: Path, capsys: Any) -> None:
    path = save(tmp_path / "a.jsonl", sound("evaluation"))
    for command in (["check", str(path), "--format"], ["check", str(path), "--format", "xyz"]):
        assert main(command) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert all(f"{name} ({format.purpose})" in line for name, format in FORMATS.items())


def test_prompt_without_an_answer(tmp_path: Path) -> None:
    records = sound("distillation")
    for record in records:
        del record["messages"][3]
    path = save(tmp_path / "a.jsonl", records)
    assert check(path, "distillation") == []
    path = save(tmp_path / "b.jsonl", [{"prompt": "1 + 1 ="}])
    assert check(path, "evaluation") == []


# Reading


COLUMNS = {
    "completion": {"prompt", "completion"},
    "conversation": {"messages"},
    "claude": {"messages"},
    "input": {"text"},
    "text": {"text"},
    "preference": {"prompt", "chosen", "rejected"},
    "evaluation": {"prompt", "completion"},
}


@pytest.mark.parametrize("format", FORMATS)
def test_load_examples_reads_bedrock(tmp_path: Path, format: str) -> None:
    records = sound(format)
    records.append(json.loads(json.dumps(records[0]).replace("Hello", "Hey").replace("1 + 1", "1 + 2")))
    records[-1] = json.loads(json.dumps(records[-1]).replace("There", "Here"))
    splits = load_examples(save(tmp_path / "a.jsonl", records))
    assert set(splits["train"].column_names) == COLUMNS[FORMATS[format].shape]
    assert sum(map(len, splits.values())) == len(records)
    texts = "".join(json.dumps(row) for split in splits.values() for row in split)
    assert all(said in texts for said in spoken(records))


def spoken(value: Any, name: str = "") -> Iterator[str]:
    """Every text of a record that a model reads or learns."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from spoken(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from spoken(inner, name)
    elif name not in ("role", "schemaVersion", "preferenceLabel", "category"):
        yield json.dumps(value)


def one_line(call: Callable[..., Any], *arguments: Any) -> str:
    with pytest.raises(FmkitError) as caught:
        call(*arguments)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_what_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    path = save(tmp_path / "a.jsonl", [RECORDS["completion"]])
    assert "did you mean 'conversation'" in one_line(check, path, "conversations")
    assert "no such file" in one_line(check, tmp_path / "b.jsonl", "evaluation")
    assert "a folder" in one_line(check, tmp_path, "evaluation")


# Fuzzing

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def check_and_advise(path: Path, format: str) -> None:
    """Each fault is one line, and so is each piece of advice, or that the file is no text in UTF-8 at all."""
    try:
        lines = [*map(str, check(path, format)), *advise(path, format)]
    except FmkitError as error:
        lines = [str(error)]
    assert all(len(line.splitlines()) == 1 for line in lines)


@FUZZ
@given(st.sampled_from(sorted(FORMATS)), st.binary(max_size=200))
@example("conversation", b"\xff\xfe{\0")
@example("conversation", b"\x1f\x8b")
def test_random_bytes(tmp_path: Path, format: str, content: bytes) -> None:
    (tmp_path / "a.jsonl").write_bytes(content)
    check_and_advise(tmp_path / "a.jsonl", format)


def places(value: Any, path: tuple = ()) -> list[tuple]:
    """Every place in a JSON value, from the root down."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, part in inner for place in places(part, (*path, key)))]


@FUZZ
@given(st.sampled_from(sorted(FORMATS)), st.data(), st.booleans())
def test_junk_anywhere_in_a_record(tmp_path: Path, format: str, data: st.DataObject, escaped: bool) -> None:
    record = copy.deepcopy(RECORDS[FORMATS[format].shape])
    place, junk = data.draw(st.sampled_from(places(record))), data.draw(JUNK)
    if place:
        set_at(*place)(junk)(record)
    else:
        record = junk
    text = json.dumps(record, ensure_ascii=escaped)
    (tmp_path / "a.jsonl").write_bytes(text.encode(errors="surrogatepass") + b"\r\n")
    check_and_advise(tmp_path / "a.jsonl", format)


@pytest.mark.parametrize("format", FORMATS)
def test_deep_nesting_and_huge_fields(tmp_path: Path, format: str) -> None:
    path = tmp_path / "a.jsonl"
    text = json.dumps(RECORDS[FORMATS[format].shape])
    for depth in (800, 100_000):
        nested = "[" * depth + "]" * depth
        for old in ('"Hi"', '"Where is it?"', '"user"', '"Lamps give light."', '"1 + 1 ="', '"preferred"'):
            path.write_text(text.replace(old, nested))
            check_and_advise(path, format)
    path.write_text(text.replace('"Hi"', f'"{"a" * 2**20}"').replace('"There."', f'"{"a" * 2**20}"'))
    assert all(len(str(fault)) < 400 for fault in check(path, format))
