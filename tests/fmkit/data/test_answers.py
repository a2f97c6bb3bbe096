"""Predictions and references are read from any kind of file, or one line says what is wrong with it."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fmkit import FmkitError
from fmkit.data.answers import read_answers

SAID, TRUE = ["Keep it.", 'A "lamp", red', ""], ["You can keep it.", "a red lamp", "No."]
FUZZ = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def write(path: Path, column: str, texts: list) -> Path:
    """A file of texts, of the kind that its name says."""
    if path.suffix == ".txt":
        path.write_text("".join(f"{text}\n" for text in texts))
    elif path.suffix == ".csv":
        rows = ['"{}"'.format(text.replace('"', '""')) for text in texts]
        path.write_text("\n".join([column, *rows]) + "\n")
    elif path.suffix == ".parquet":
        pq.write_table(pa.table({column: texts}), path)
    else:
        path.write_text("".join(json.dumps({column: text}) + "\n" for text in texts))
    return path


@pytest.mark.parametrize("kind", [".txt", ".jsonl", ".csv", ".parquet"])
@pytest.mark.parametrize("other", [".txt", ".jsonl", ".csv", ".parquet"])
def test_every_kind_is_read(tmp_path, kind, other):
    said = write(tmp_path / f"said{kind}", "prediction", SAID)
    true = write(tmp_path / f"true{other}", "reference", TRUE)
    assert read_answers(said, [true]) == (SAID, [[text] for text in TRUE])


def test_one_file_can_have_both(tmp_path):
    path = tmp_path / "both.jsonl"
    pairs = zip(SAID, TRUE, strict=True)
    path.write_text("\n".join(json.dumps({"prediction": p, "reference": r, "id": 1}) for p, r in pairs))
    assert read_answers(path) == (SAID, [[text] for text in TRUE])


def test_written_answers_can_be_scored(tmp_path):
    """What `fmkit write` leaves, and the examples that it answered."""
    said = write(tmp_path / "said.jsonl", "completion", SAID)
    true = write(tmp_path / "true.jsonl", "completion", TRUE)
    assert read_answers(said, [true]) == (SAID, [[text] for text in TRUE])


def test_lists_and_files_add_references(tmp_path):
    said = write(tmp_path / "said.txt", "", SAID)
    lists = write(tmp_path / "lists.jsonl", "references", [[text, "Yes."] for text in TRUE])
    more = write(tmp_path / "more.txt", "", TRUE)
    assert read_answers(said, [lists, more])[1] == [[text, "Yes.", text] for text in TRUE]


def test_line_ends_of_windows(tmp_path):
    (tmp_path / "said.txt").write_bytes(b"\xef\xbb\xbfone\r\ntwo\r\n")
    (tmp_path / "true.txt").write_bytes(b"one\ntwo")
    assert read_answers(tmp_path / "said.txt", [tmp_path / "true.txt"])[0] == ["one", "two"]


BAD = {
    "empty.txt": (b"", "empty; write a prediction"),
    "utf16.txt": ("a\nb\nc\n".encode("utf-16"), "UTF-16; save the file as UTF-8"),
    "latin.txt": (b"caf\xe9\n", "byte 0xe9 is not UTF-8"),
    "binary.txt": (b"a\0b\n", "a zero byte"),
    "short.txt": (b"a\n", "has 1 predictions, .*true.txt 3 references"),
    "half.jsonl": (b'{"prediction": "a', "line 1: not JSON"),
    "list.jsonl": (b'["a"]\n', "line 1: a list, not an object"),
    "named.jsonl": (b'{"answer": "a"}\n', "line 1: no column prediction or completion; call it prediction"),
    "number.jsonl": (b'{"prediction": 3}\n', "line 1, prediction: a number, not text"),
    "null.jsonl": (b'{"prediction": "a"}\n{"prediction": null}\n', "line 2, prediction: missing or null"),
    "named.csv": (b"answer\na\n", "no column prediction"),
    "other.parquet": (b"PAR1", "damaged, or no Parquet file"),
    "said.docx": (b"a", "unknown kind of file"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_one_line(tmp_path, name):
    content, message = BAD[name]
    (tmp_path / name).write_bytes(content)
    true = write(tmp_path / "true.txt", "", TRUE)
    with pytest.raises(FmkitError, match=message) as error:
        read_answers(tmp_path / name, [true])
    assert "\n" not in str(error.value)
    assert name in str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"reference": []}\n', "line 1, reference: an empty list"),
        ('{"reference": " "}\n', "line 1: an empty reference"),
        ('{"reference": ["a", 3]}\n', r"line 1, reference\[1\]: a number, not text"),
    ],
)
def test_a_bad_reference_is_one_line(tmp_path, content, message):
    said = write(tmp_path / "said.txt", "", ["a"])
    (tmp_path / "true.jsonl").write_text(content)
    with pytest.raises(FmkitError, match=message):
        read_answers(said, [tmp_path / "true.jsonl"])


def test_a_text_file_alone_is_refused(tmp_path):
    with pytest.raises(FmkitError, match="name a file of references, too"):
        read_answers(write(tmp_path / "said.txt", "", SAID))


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(FmkitError, match="a folder; name one file"):
        read_answers(tmp_path)


def test_completion_is_not_its_own_reference(tmp_path):
    said = write(tmp_path / "said.jsonl", "completion", SAID)
    with pytest.raises(FmkitError, match="no column reference"):
        read_answers(said)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
RECORDS = st.dictionaries(st.sampled_from(["prediction", "completion", "reference", "references"]), JSON)


def read_or_refused(path: Path, references: list[Path]) -> tuple[list[str], list[list[str]]] | None:
    """What is read; None if the file is refused in one line."""
    try:
        return read_answers(path, references)
    except FmkitError as error:
        return None if len(str(error).splitlines()) == 1 else pytest.fail(str(error))


@FUZZ
@given(st.lists(RECORDS | JSON, max_size=4))
def test_any_records_are_read_or_refused(tmp_path, records):
    path = tmp_path / "any.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    if read := read_or_refused(path, []):
        assert len(read[0]) == len(read[1]) == len(records)
        assert all(text.strip() for texts in read[1] for text in texts)


@FUZZ
@given(st.binary(max_size=60), st.sampled_from([".txt", ".jsonl", ".json", ".csv", ".parquet"]))
def test_any_bytes_are_read_or_refused(tmp_path, content, kind):
    path = tmp_path / f"any{kind}"
    path.write_bytes(content)
    if read := read_or_refused(path, [write(tmp_path / "true.txt", "", TRUE)]):
        assert len(read[0]) == len(TRUE)
