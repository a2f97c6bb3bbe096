"""Promises of files: all of a folder is read or named, compressed or not; a fault of a file is one line."""

import bz2
import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from fmkit import FmkitError, load_corpus, load_examples
from fmkit.cli import main
from fmkit.data.bedrock import check
from fmkit.data.examples import check_examples

ROWS = [{"prompt": f"Where is {n}?", "completion": f"Thére {n}"} for n in range(40)]
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda data: pa.compress(data, codec="zstd", asbytes=True),
}
CONTENT = {
    ".jsonl": "".join(json.dumps(row) + "\n" for row in ROWS).encode(),
    ".json": json.dumps(ROWS).encode(),
    ".csv": "".join(",".join(row) + "\n" for row in [ROWS[0], *map(dict.values, ROWS)]).encode(),
}


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path_factory.mktemp("cache"))


def texts(path: Path, column: str = "text") -> list[str]:
    return sorted(text for split in load_corpus(path, text_column=column).values() for text in split["text"])


def message(path: Path) -> str:
    with pytest.raises(FmkitError) as caught:
        check_examples(path)
    return str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("packed", COMPRESS)
@pytest.mark.parametrize("ending", [".jsonl", ".json", ".csv"])
def test_compressed_files_are_read(tmp_path: Path, ending: str, packed: str) -> None:
    plain, path = tmp_path / f"a{ending}", tmp_path / f"b{ending}{packed.upper()}"
    plain.write_bytes(CONTENT[ending])
    path.write_bytes(COMPRESS[packed](CONTENT[ending]))
    assert [list(split) for split in load_examples(path).values()] == [
        list(split) for split in load_examples(plain).values()
    ]
    assert texts(path, "prompt") == texts(plain, "prompt")
    path.write_bytes(COMPRESS[packed](CONTENT[ending])[:-20])
    assert str(path) in message(path)
    path.write_bytes(b"no archive at all")
    assert str(path) in message(path)


def test_compressed_beside_plain_files(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    for i, (ending, compress) in enumerate(COMPRESS.items()):
        (tmp_path / f"{i}.txt{ending}").write_bytes(compress(f"text {i}".encode()))
    (tmp_path / "4.txt").write_text("text 4")
    assert texts(tmp_path) == [f"text {i}" for i in range(5)]
    assert capsys.readouterr().err == ""
    for name in ("5.parquet.gz", "6.tar.gz", "7.docx", ".hidden"):
        (tmp_path / name).write_bytes(b"?")
    assert texts(tmp_path) == [f"text {i}" for i in range(5)]
    told = capsys.readouterr().err
    assert told.startswith(f"fmkit: 5.parquet.gz and 2 more in {tmp_path}: not read: of no known kind")
    assert told.count("\n") == 1


def test_what_is_not_read_is_told_once(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "a.jsonl").write_bytes(CONTENT[".jsonl"])
    (tmp_path / "README.md").write_text("About these files.")
    assert main(["check", str(tmp_path)]) == 0
    known = ".jsonl, .json, .csv, .parquet"
    told = f"fmkit: README.md in {tmp_path}: not read: of no known kind ({known})\n"
    assert capsys.readouterr().err == told


def test_splits_may_be_compressed(tmp_path: Path) -> None:
    for split in ("train", "valid"):
        (tmp_path / f"wiki.{split}.txt.xz").write_bytes(lzma.compress(split.encode()))
    assert {name: list(split["text"]) for name, split in load_corpus(tmp_path).items()} == {
        "train": ["train"],
        "validation": ["valid"],
    }


def test_linked_folders_are_read_once(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.txt").write_text("from a")
    (tmp_path / "data" / "b.txt").write_text("from b")
    (tmp_path / "data" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "data" / "again").symlink_to(tmp_path / "data")
    assert texts(tmp_path / "data") == ["from a", "from b"]


@pytest.mark.parametrize("ending", [".jsonl", ".json", ".csv"])
@pytest.mark.parametrize(
    ("encoding", "mark"),
    [("utf-16", b""), ("utf-16-le", b""), ("utf-16-be", b"\xfe\xff"), ("utf-16-be", b""), ("utf-32", b"")],
)
def test_another_encoding_is_one_line(tmp_path: Path, ending: str, encoding: str, mark: bytes) -> None:
    path = tmp_path / f"a{ending}"
    path.write_bytes(mark + CONTENT[ending].decode().encode(encoding))
    assert message(path) == f"{path}: encoded as {encoding[:6].upper()}; save the file as UTF-8"
    with pytest.raises(FmkitError, match=r"a\.\w+: encoded as UTF-\d\d; save the file as UTF-8"):
        load_corpus(path, text_column="prompt")
    if ending == ".jsonl":
        with pytest.raises(FmkitError, match=r"a\.\w+: encoded as UTF-\d\d; save the file as UTF-8"):
            check(path, "conversation")


def test_file_of_another_kind_by_its_content(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "a.jsonl").write_bytes(gzip.compress(CONTENT[".jsonl"]))
    (tmp_path / "b.csv").write_bytes(b"PK\x03\x04 and so on\n" * 9)
    assert main(["check", str(tmp_path / "a.jsonl")]) == main(["check", str(tmp_path / "b.csv")]) == 2
    compressed, excel = capsys.readouterr().err.splitlines()
    assert compressed.endswith("a.jsonl: compressed; end its name in .gz")
    assert excel.endswith("b.csv: a zip archive or an Excel file; unpack it, or save it as CSV in UTF-8")
