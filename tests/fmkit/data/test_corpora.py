"""Promises of `load_corpus`: the same documents everywhere, both splits filled, one line for bad input."""

import csv
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import huggingface_hub
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import DatasetDict, IterableDatasetDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fmkit.data import corpora, python_docs
from fmkit.data.corpora import content_hash, load_corpus
from fmkit.data.files import find_files
from fmkit.data.quiet import quiet
from fmkit.errors import FmkitError


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", folder)
    return folder / "fmkit"


def texts(corpus: Any) -> dict[str, list[str]]:
    return {split: [row["text"] for row in corpus[split]] for split in corpus}


def documents(path: Path, **options: Any) -> list[str]:
    """All documents of a corpus, loaded whole; streamed, they are the same."""
    whole = texts(load_corpus(path, **options))
    assert texts(load_corpus(path, streaming=True, **options)) == whole
    assert set(whole) == {"train", "validation"}
    assert all(whole.values())
    return sorted(whole["train"] + whole["validation"])


def message(path: str | Path, **options: Any) -> str:
    with pytest.raises(FmkitError) as caught:
        load_corpus(path, **options)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def write_json_lines(path: Path, records: list) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def write_csv(path: Path, rows: list[list[str]]) -> Path:
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


# Local files


def test_every_kind_of_file(tmp_path: Path) -> None:
    wanted = sorted(["one", "two\nlines", "three, with a \"quote\"", "ünï ☃"])  # fmt: skip
    records = [{"text": text, "n": 1} for text in [*wanted, " ", "\n"]]
    write_json_lines(tmp_path / "a.jsonl", [*records, {"text": None}])
    write_json_lines(tmp_path / "b.json", records)
    (tmp_path / "c.json").write_text(json.dumps(records, indent=1))
    write_csv(tmp_path / "d.csv", [["n", "text"], *(["1", record["text"]] for record in records)])
    pq.write_table(pa.Table.from_pylist([*records, {"text": None, "n": 1}]), tmp_path / "e.parquet")
    for name in ("a.jsonl", "b.json", "c.json", "d.csv", "e.parquet"):
        assert documents(tmp_path / name) == wanted, name
        assert documents(tmp_path / name, text_column="text") == wanted


def test_folder_skips_hidden_and_other_files(tmp_path: Path) -> None:
    (tmp_path / "deep" / "deeper").mkdir(parents=True)
    (tmp_path / "a.txt").write_text("from a")
    (tmp_path / "deep" / "deeper" / "b.TXT").write_text("from b")
    (tmp_path / "deep" / "empty.txt").write_text("")
    write_json_lines(tmp_path / "deep" / "c.jsonl", [{"text": "from c"}])
    (tmp_path / ".hidden.txt").write_text("no")
    (tmp_path / "picture.png").write_bytes(b"\0\0")
    assert documents(tmp_path) == ["from a", "from b", "from c"]


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize(
    ("train", "held_out", "others"),
    [
        ("train.txt", "validation.txt", []),
        ("wiki.train.txt", "wiki.valid.txt", ["wiki.test.txt", "about.txt"]),
        ("Train-00000-of-00001.txt", "test.txt", []),
        ("train/a.txt", "dev/a.txt", ["test/a.txt"]),
    ],
)
def test_files_named_as_splits(
    tmp_path: Path, train: str, held_out: str, others: list[str], streaming: bool
) -> None:
    for name in (train, held_out, *others):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"from {name}")
    splits = load_corpus(tmp_path, streaming=streaming)
    assert {split: [row["text"] for row in splits[split]] for split in splits} == {
        "train": [f"from {train}"],
        "validation": [f"from {held_out}"],
    }
    (tmp_path / held_out).write_text(" ")
    assert f"{held_out}: empty" in message(tmp_path)


def test_one_named_split_alone_is_ignored(tmp_path: Path) -> None:
    for name in ("train.txt", "trainer.txt", "intestines.txt"):
        (tmp_path / name).write_text(f"from {name}")
    assert documents(tmp_path) == ["from intestines.txt", "from train.txt", "from trainer.txt"]


def test_single_text_is_cut_at_a_line_break(tmp_path: Path) -> None:
    path = tmp_path / "book.txt"
    text = "".join(f"This is line {i} of the book.\n" for i in range(500))
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    for streaming in (False, True):
        found = texts(load_corpus(path, streaming=streaming))
        (train,), (validation,) = found["train"], found["validation"]
        assert train + validation == text.strip()
        assert train.endswith("\n")
        assert 0.08 < len(validation) / len(text) < 0.12


def test_equal_documents_are_in_one_split(tmp_path: Path) -> None:
    path = write_json_lines(tmp_path / "a.jsonl", [{"text": f"document {i % 1000}"} for i in range(2000)])
    found = texts(load_corpus(path))
    assert 150 < len(found["validation"]) < 250
    assert not set(found["train"]) & set(found["validation"])
    in_order = [f"document {i % 1000}" for i in range(2000)]
    assert found["train"] == [text for text in in_order if text in set(found["train"])]


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1, max_size=12))
def test_both_splits_have_a_document(tmp_path: Path, given: list[str]) -> None:
    path = write_json_lines(tmp_path / "a.jsonl", [{"text": text} for text in given])
    wanted = sorted(text for text in given if text.strip())
    if len(set(wanted)) > 1:
        assert documents(path) == wanted
    elif wanted and len(wanted[0].strip()) > 1:
        assert sorted(texts(load_corpus(path))) == ["train", "validation"]
        assert "".join(texts(load_corpus(path))[split][0] for split in corpora.SPLITS) == wanted[0].strip()
    else:
        assert message(path)


def test_changed_file_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("first.. text")
    before = path.stat()
    assert documents(path) == ["first.. te", "xt"]
    path.write_text("other.. text")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert documents(path) == ["other.. te", "xt"]


def test_damaged_cache_is_rebuilt(tmp_path: Path, cache: Path) -> None:
    path = write_json_lines(tmp_path / "a.jsonl", [{"text": f"document {i}"} for i in range(50)])
    wanted = texts(load_corpus(path))
    train = next(cache.glob("*-train.arrow"))
    assert load_corpus(path)["train"].cache_files == [{"filename": str(train)}]
    whole = train.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    for damaged in (b"", whole[:-1], whole[: len(whole) // 2], bytes(flipped), whole + b"x"):
        train.unlink()
        train.write_bytes(damaged)
        assert texts(load_corpus(path)) == wanted
        assert train.read_bytes() == whole
    train.unlink()
    assert texts(load_corpus(path)) == wanted
    assert len(list(cache.iterdir())) == 2


def never(*_: object) -> None:
    raise AssertionError("the data is read again")


def test_an_unchanged_file_is_not_hashed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fmkit.data.cache.SETTLED", 0.0)
    path = write_json_lines(tmp_path / "a.jsonl", [{"text": f"document {i}"} for i in range(50)])
    wanted = [texts(load_corpus(path)) for _ in range(2)]  # written; read, to see that it is sound
    before = path.stat()
    with monkeypatch.context() as patch:
        patch.setattr(corpora.hashlib, "file_digest", never)
        patch.setattr("fmkit.data.cache._check", never)
        assert texts(load_corpus(path)) == wanted[0] == wanted[1]
    path.write_text(path.read_text().replace("document 7", "document X"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert "document X" in documents(path)


def test_without_a_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "file" / "below")
    (tmp_path / "a.txt").write_text("some text in nine and a half words")
    corpus = texts(load_corpus(tmp_path / "a.txt"))
    assert corpus == {"train": ["some text in nine and a half "], "validation": ["words"]}


def test_full_disk_leaves_nothing(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "a.txt").write_text("some text")
    monkeypatch.setattr("fmkit.data.cache._Writer.finish", no_space)
    assert "no space left" in message(tmp_path / "a.txt")
    assert list(cache.iterdir()) == []


# Bad input


def test_unknown_name_suggests_the_nearest() -> None:
    error = message("pyton-docs")
    assert "stories, reviews, web" in error
    assert "did you mean 'python-docs'?" in error
    for name in ("", "two words", "a/b/c", "line\nbreak", "x" * 5000 + ".txt", "./" + "x" * 300, "nul\0.txt"):
        assert message(name)


def test_unreadable_paths_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_bytes(b"PK")
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe.txt")
    for name, words in {
        "missing.txt": "no such file or folder",
        "missing": "no such file or folder",
        "a.docx": "unknown kind of file; save the text as one of .txt, .jsonl, .json, .csv, .parquet",
        "empty": "the folder holds no file of a known kind",
        "pipe.txt": "not a regular file",
    }.items():
        error = message(tmp_path / name)
        assert str(tmp_path / name) in error
        assert words in error


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("name", ["a.txt", "a.jsonl", "a.json", "a.csv", "a.parquet"])
def test_a_file_without_permission_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, streaming: bool
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / name).write_text("text")
    monkeypatch.setattr("builtins.open", refuse)
    monkeypatch.setattr(Path, "read_bytes", refuse)
    monkeypatch.setattr(pq, "ParquetFile", refuse)
    error = message(tmp_path / name, streaming=streaming)
    assert error == f"{tmp_path / name}: cannot be read: Permission denied"


BROKEN: list[tuple[str, bytes, str]] = [
    ("a.txt", b"", "empty"),
    ("a.txt", b" \n\t\n", "empty"),
    ("a.txt", b"x", "one character cannot be split"),
    ("a.txt", b"\x7fELF\0\0", "a zero byte at 4: binary, not text"),
    ("a.txt", "text".encode("utf-16"), "encoded as UTF-16; save the file as UTF-8"),
    ("a.txt", b"one\ntwo caf\xe9\n", "byte 0xe9 in line 2 is not UTF-8"),
    ("a.jsonl", b'{"text": "a"}\n\n{"text": "caf\xe9"}\n', "line 3: byte 0xe9 is not UTF-8"),
    ("a.jsonl", b"", "empty"),
    ("a.jsonl", b'{"text": ""}\n', "empty"),
    ("a.jsonl", b'{"text": "a"}\n{"text": "b"\n', "line 2: not JSON (column 13: Expecting ',' delimiter)"),
    ("a.jsonl", b'{"text": "a"}\n["b"]\n', "line 2: a list, not an object"),
    ("a.jsonl", b'{"text": "a"}\n{"text": 5}\n', "line 2, text: a number, not text"),
    (
        "a.jsonl",
        b'{"body": "a", "id": 1}\n',
        "line 1: no column 'text'; it has 'body', 'id'; give text_column=",
    ),
    ("a.jsonl", b"{}\n", "no column 'text'; it has none"),
    ("a.jsonl", b'{"text": "\\ud800"}\n', "line 1, text: \\ud800 is half a character"),
    ("a.jsonl", b"[" * 100_000, "line 1: nested too deeply"),
    ("a.jsonl", b'{"text": ' + b"1" * 5000 + b"}", "line 1: a number too long"),
    ("a.json", b'[{"text": "a"},\n {"text": }]', "not JSON (line 2, column 11"),
    ("a.json", b'[{"text": "a"}, 7]', "element 2: a number, not an object"),
    ("a.json", b'{\n "text": }', "not JSON (line 2, column 10"),
    ("a.csv", b"", "empty"),
    ("a.csv", b"id,body\n1,a\n", "line 2: no column 'text'; it has 'id', 'body'; give text_column="),
    ("a.csv", b'id,text\n1,"a\nb"\n2,"c"d\n', "line 4: broken CSV"),
    ("a.csv", b'id,text\n1,a\n2,"open\n', "line 3: broken CSV (unexpected end of data)"),
    ("a.csv", b"id,text\n1,a, b\n", "line 2: 3 fields where the header names 2"),
    ("a.csv", b"id,text\n1," + b"x" * 200_000, "line 2: broken CSV (field larger than field limit (131072))"),
    ("a.csv", b"id,text\n1,caf\xe9\n", "line 2: byte 0xe9 is not UTF-8"),
    ("a.parquet", b"", "damaged, or no Parquet file"),
    ("a.parquet", b"PAR1 and then nothing", "damaged, or no Parquet file"),
]


@pytest.mark.parametrize(("name", "content", "words"), BROKEN)
def test_faults_of_a_file_name_their_place(
    tmp_path: Path, cache: Path, name: str, content: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(content)
    assert words in message(tmp_path / name)
    assert not cache.exists() or list(cache.iterdir()) == []
    try:
        texts(load_corpus(tmp_path / name, streaming=True))
    except FmkitError as error:
        streamed = str(error)
    assert words in streamed


def test_parquet_without_a_text_column(tmp_path: Path) -> None:
    pq.write_table(pa.table({"body": ["a", "b"], "n": [1, 2]}), tmp_path / "a.parquet")
    assert "no column 'text'; it has 'body', 'n'" in message(tmp_path / "a.parquet")
    assert "row 1, n: a number, not text" in message(tmp_path / "a.parquet", text_column="n")
    assert documents(tmp_path / "a.parquet", text_column="body") == ["a", "b"]
    bad = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\xfe")]
    )
    pq.write_table(pa.table({"text": bad}), tmp_path / "b.parquet")
    assert "b.parquet: damaged" in message(tmp_path / "b.parquet")


def test_error_far_down_a_stream(tmp_path: Path) -> None:
    path = write_json_lines(tmp_path / "a\nb.jsonl", [{"text": f"document {i}"} for i in range(3000)])
    with open(path, "a") as file:
        file.write("{")
    stream = load_corpus(path, streaming=True)
    with pytest.raises(FmkitError, match=r"a b\.jsonl, line 3001: not JSON") as caught:
        list(stream["train"])
    assert "\n" not in str(caught.value)


# Fuzz: a right answer or one line


def outcome(path: Path, **options: Any) -> list[str] | None:
    """Every document, or None for an error of one line; whatever else is raised fails the test."""
    try:
        return list(corpora._documents(find_files(path), **{"text_column": "text", **options}))
    except FmkitError as error:
        line = str(error)
    assert len(line.splitlines()) == 1, line
    assert len(line) < 500, line
    return None


fuzz = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)
HUGE = st.integers(0, 300_000).map(lambda n: "long " * (n // 5))


@fuzz
@given(st.sampled_from([".txt", ".jsonl", ".json", ".csv", ".parquet"]), st.binary(max_size=300))
def test_any_bytes_under_any_suffix(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"a{suffix}"
    for start in (b"", b"PAR1", b'{"text": "', b"text\n", b"[", b"\xef\xbb\xbf"):
        path.write_bytes(start + content)
        found = outcome(path)
        assert found is None or all(isinstance(text, str) and text.strip() for text in found)


@fuzz
@given(ANY_TEXT | HUGE)
def test_any_text_is_read_as_it_is(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode())
    found = outcome(path)
    wanted = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    assert found == (None if "\0" in text else [wanted] * bool(wanted.strip()))


FINITE = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | FINITE | st.text() | HUGE,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5) | st.just("text"), inner, max_size=3)
    ),
    max_leaves=6,
)


@fuzz
@given(st.lists(JSON, max_size=4), st.booleans())
def test_any_json(tmp_path: Path, values: list, as_array: bool) -> None:
    if as_array:
        path = tmp_path / "a.json"
        path.write_text(json.dumps(values))
    else:
        path = write_json_lines(tmp_path / "a.jsonl", values)
    given = [value.get("text", 0) if isinstance(value, dict) else 0 for value in values]
    are_texts = all(t is None or (isinstance(t, str) and not re.search("[\ud800-\udfff]", t)) for t in given)
    assert outcome(path) == ([text for text in given if text and text.strip()] if are_texts else None)


@fuzz
@given(st.lists(st.tuples(ANY_TEXT, ANY_TEXT | HUGE), max_size=4), st.sampled_from([",", "\t", ";"]))
def test_any_csv(tmp_path: Path, rows: list[tuple[str, str]], delimiter: str) -> None:
    path = tmp_path / "a.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter).writerows([("n", "text"), *rows])
    found = outcome(path)
    if delimiter == "," and found is not None:
        assert found == [text for _, text in rows if text.strip()]
    elif delimiter == ",":
        assert any("\0" in n + text or len(text) > 131_072 for n, text in rows)
    else:
        assert found is None


@fuzz
@given(st.lists(st.none() | ANY_TEXT, max_size=5), st.integers(0, 10**6), st.binary(max_size=4))
def test_parquet_whole_and_damaged(tmp_path: Path, values: list, where: int, junk: bytes) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": pa.array(values, pa.string())}), path)
    assert outcome(path) == [text for text in values if text and text.strip()]
    data = path.read_bytes()
    where %= len(data)
    path.write_bytes(data[:where] + junk + data[where + len(junk) :])
    outcome(path)
    path.write_bytes(data[:where])
    assert outcome(path) is None


# python-docs

PINNED = (
    "datasets 5.2.0, filelock 4.2.11, fsspec 2026.9.0, huggingface_hub 2.4.0, jinja2 3.1.6, mpmath 1.3.0, "
)
PINNED += "networkx 3.6.1, packaging 26.3, sympy 1.14.0, tqdm 4.70.1"


@pytest.mark.slow
def test_python_docs_of_pinned_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # into the user's own cache, which the notebooks share
    corpus = load_corpus("python-docs")
    if corpus["train"].info.description != f"python-docs: {PINNED}":
        pytest.skip("other versions than constraints.txt pins")
    assert {split: len(rows) for split, rows in corpus.items()} == {"train": 16284, "validation": 617}
    assert content_hash(corpus) == "a2ecfb1ac8a274f538ced9cff80fc922e66b33fb74288c81565dc41b7aaac929"


SMALL = ("packaging", "tqdm")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """python-docs of two packages, which takes a tenth of a second."""
    monkeypatch.setattr(python_docs, "PACKAGES", SMALL)


def test_python_docs_name_their_sources(small: None) -> None:
    corpus = load_corpus("python-docs")
    assert isinstance(corpus, DatasetDict)
    assert set(corpus["train"].features) == {"text", "source"}
    by_source = {row["source"]: row["text"] for split in corpus.values() for row in split}
    assert by_source["packaging/version.py:Version"].startswith("This class abstracts handling of a project")
    assert any(re.search(r"\.py:line \d+$", source) for source in by_source)
    assert "packaging " in corpus["train"].info.description
    for text in by_source.values():
        assert len(text) >= python_docs.SHORTEST
        assert "Copyright" not in text
    assert len(set(by_source.values())) == len(by_source)
    streamed = load_corpus("python-docs", streaming=True)
    assert isinstance(streamed, IterableDatasetDict)
    assert content_hash(streamed) == content_hash(corpus)


def test_python_docs_splits_share_no_file(small: None) -> None:
    files = {
        split: {row["source"].partition(":")[0] for row in rows}
        for split, rows in load_corpus("python-docs").items()
    }
    assert files["train"]
    assert files["validation"]
    assert not files["train"] & files["validation"]


@pytest.mark.slow
def test_damaged_python_docs_are_rebuilt(small: None, cache: Path) -> None:
    wanted = content_hash(load_corpus("python-docs"))
    for path in list(cache.iterdir()):
        path.write_bytes(path.read_bytes()[:-100])
        assert content_hash(load_corpus("python-docs")) == wanted


def test_python_docs_need_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(python_docs, "PACKAGES", ("packaging", "not-installed-anywhere"))
    assert "pip install not-installed-anywhere" in message("python-docs")


def test_comments_and_docstrings_are_found() -> None:
    source = '''"""Module
      text."""
#!/usr/bin/env python
# ---------------
# A comment of
#   two lines.
#
## ===== Title =====
x = "# no comment"  # behind code
y = """
# no comment either
"""
def f():
    r"""  Raw \\d text.

        indented

    last
    """
    # noqa: E501
    try:
        class C:
            "Short."
            # inside
    except E:
        async def g(): "Deep."
'''
    assert list(python_docs._docstrings(source)) == [
        ("<module>", "Module\ntext."),
        ("f", "Raw \\d text.\n\n    indented\n\nlast"),
        ("f.C", "Short."),
        ("f.g", "Deep."),
    ]


def test_comments_lose_decoration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(python_docs, "SHORTEST", 1)
    source = "#!x\n# ----\n# One\n#   two.\n#\n# three ###\n\n  # noqa\n  # apart\nx = '# no'  # no\n# end"
    assert list(python_docs._comments(source)) == [
        ("line 1", "One\n  two.\n\nthree"),
        ("line 8", "apart"),
        ("line 11", "end"),
    ]


PROGRAM = """
import sys
from fmkit.data import python_docs
python_docs.PACKAGES = ("packaging", "tqdm")
from fmkit.data.corpora import content_hash, load_corpus
print(content_hash(load_corpus("python-docs")))
left_open = [iter(load_corpus(path, streaming=True)["train"]) for path in sys.argv[1:]]
print([next(stream)["text"] for stream in left_open])
"""


@pytest.mark.slow
def test_two_processes_load_at_once(small: None, tmp_path: Path) -> None:
    records = [{"text": f"document {i}"} for i in range(50)]
    write_json_lines(tmp_path / "a.jsonl", records)
    write_csv(tmp_path / "a.csv", [["text"], *([record["text"]] for record in records)])
    pq.write_table(pa.Table.from_pylist(records), tmp_path / "a.parquet")
    files = [str(tmp_path / name) for name in ("a.jsonl", "a.csv", "a.parquet")]
    running = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *files],
            env={**os.environ, "HF_HOME": str(tmp_path), "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for seed in ("1", "2")
    ]
    wanted = content_hash(load_corpus("python-docs"))
    for process in running:
        output, errors = process.communicate(timeout=120)
        assert errors == ""
        assert output.splitlines() == [wanted, str(["document 0"] * 3)]
    assert len(list((tmp_path / "datasets" / "fmkit").iterdir())) == 2


def test_content_hash_sees_every_change() -> None:
    def of(**splits: list[str]) -> str:
        return content_hash({split: [{"text": text} for text in rows] for split, rows in splits.items()})

    corpora = [
        {"train": ["ab", "c"]},
        {"train": ["a", "bc"]},
        {"train": ["ab"], "validation": ["c"]},
        {"train": []},
    ]
    assert len({of(**splits) for splits in corpora}) == len(corpora)


def test_loading_leaves_progress_bars_alone() -> None:
    def switches() -> list[Any]:
        get: list[Callable] = [
            datasets.utils.are_progress_bars_disabled,
            datasets.utils.logging.get_verbosity,
            huggingface_hub.utils.are_progress_bars_disabled,
            huggingface_hub.utils.logging.get_verbosity,
            csv.field_size_limit,
        ]
        return [function() for function in get]

    before = switches()
    with quiet():
        assert switches() != before
    assert switches() == before


# Dialects of the world


@pytest.mark.slow
@pytest.mark.parametrize("name", ["stories", "legal"])
def test_a_number_makes_another_world(name: str) -> None:
    here, same, there = (load_corpus(f"{name}{number}")["train"]["text"][:] for number in ("", ":0", ":3"))
    assert here == same
    assert len(set(here) & set(there)) < len(here) / 2


@pytest.mark.slow
def test_domain_by_its_name() -> None:
    corpus = load_corpus("legal")
    assert {split: len(rows) for split, rows in corpus.items()} == {"train": 5_000, "validation": 500}
    assert corpus["train"].column_names == ["text", "log_prob", "plot", "contract"]
    streamed = load_corpus("legal", streaming=True)
    assert next(iter(streamed["train"])) == corpus["train"][0]
    assert "did you mean 'medical'?" in message("medicall")
    for name in ("medical:x", "medical:", "python-docs:3"):
        assert f"{name}: another world has a number, as in medical:3" in message(name)
    assert "web, medical, legal, finance" in message("no such corpus")


# A name that could be two things


@pytest.mark.slow
def test_folder_named_like_a_corpus_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("markov", "python-docs"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine.txt").write_text("my own text")
        told = f"{name}: a folder here and a corpus of the book: write ./{name} for the folder, {name}:0 for"
        assert told in message(name)
        assert texts(load_corpus(f"./{name}"))["train"] == ["my own te"]
    assert load_corpus("markov:0")["train"]
    assert corpora.find_own("python-docs:0") == ("python-docs", 0)


# Special tokens in the text


MENTIONED = "GPT-2 ends with <|endoftext|>, as\nLlama 3 with <|eot_id|>."


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("One.\n<|endoftext|>\nTwo.\n\nMore.\n<|endoftext|>\n", ["One.", "Two.\n\nMore."]),
        ("One.<|endoftext|>\r\n<|endoftext|> Two.", [" Two.", "One."]),
        ("One.\n<|end_of_text|>\nTwo.\n<|eos|>", ["One.", "Two."]),
        (MENTIONED + "\n<|endoftext|>\nTwo.", [MENTIONED, "Two."]),
    ],
)
def test_end_of_text_separates_documents(tmp_path: Path, text: str, wanted: list[str]) -> None:
    (tmp_path / "a.txt").write_bytes(text.encode())
    assert documents(tmp_path / "a.txt") == wanted
