"""Loads from the Hub, through the real clients, against a server on this machine that plays the Hub."""

import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import huggingface_hub
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import Dataset

from fmkit.data.corpora import load_corpus
from fmkit.data.splits import hold_out_texts
from fmkit.errors import FmkitError

REVISION = "0123456789abcdef0123456789abcdef01234567"


def parquet(**columns: list) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def json_lines(*records: dict) -> bytes:
    return "".join(json.dumps(record) + "\n" for record in records).encode()


TEXTS = [f"document {i}" for i in range(40)]
TWO_CONFIGURATIONS = b"""---
configs:
- config_name: first
  data_files: first.jsonl
- config_name: second
  data_files: second.jsonl
---
"""
REPOSITORIES: dict[str, dict[str, bytes]] = {
    "me/whole": {
        "data/train-00000-of-00001.parquet": parquet(text=[*TEXTS, " ", None], label=[*range(42)]),
        "data/validation-00000-of-00001.parquet": parquet(text=["held out"], label=[0]),
    },
    "me/train-only": {"train.jsonl": json_lines(*({"body": text} for text in TEXTS))},
    "me/tested": {
        "train.jsonl": json_lines(*({"text": text} for text in TEXTS)),
        "test.jsonl": json_lines({"text": "tested"}),
    },
    "me/test-only": {"test.jsonl": json_lines({"text": "a"})},
    "me/numbers": {"train.jsonl": json_lines({"text": 1}, {"text": 2})},
    "me/one": {"train.jsonl": json_lines({"text": "a"})},
    "me/broken": {"data/train-00000-of-00001.parquet": b"PAR1 and then nothing"},
    "me/configured": {
        "README.md": TWO_CONFIGURATIONS,
        "first.jsonl": json_lines({"text": "1a"}, {"text": "1b"}),
        "second.jsonl": json_lines({"text": "2a"}, {"text": "2b"}),
    },
}


class Hub(BaseHTTPRequestHandler):
    """The few paths of the Hub's API that its clients ask for."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0].lstrip("/").replace("api/models/", "api/datasets/")
        kind, _, rest = path.partition("datasets/")
        if not rest:  # a model's files are asked for without its kind
            kind, rest = "", path
        name = next((name for name in REPOSITORIES if f"{rest}/".startswith(f"{name}/")), None)
        if rest == "short":  # as the Hub does with names from before there were owners
            self.answer(307, b"", Location="/api/datasets/me/train-only")
            return
        if name is None:
            gated = rest.startswith("me/gated")
            self.answer(401, b"{}", **{"X-Error-Code": "GatedRepo" if gated else "RepoNotFound"})
            return
        files, action = REPOSITORIES[name], rest[len(name) + 1 :]
        if kind == "api/" and action.startswith("tree"):
            self.answer_json(self.tree(files, action.removeprefix(f"tree/{REVISION}").strip("/")))
        elif kind == "api/":
            siblings = [{"rfilename": file} for file in sorted(files)]
            self.answer_json({"id": name, "sha": REVISION, "siblings": siblings, "private": False})
        else:
            _, _, file = action.removeprefix("resolve/").partition("/")
            self.answer_file(files.get(file))

    do_HEAD = do_GET

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = next(name for name in REPOSITORIES if f"/{name}/" in self.path)
        everything = self.tree(REPOSITORIES[name], "", recursive=True)
        self.answer_json([entry for entry in everything if entry["path"] in body["paths"]])

    def tree(self, files: dict[str, bytes], folder: str, recursive: bool = False) -> list[dict[str, Any]]:
        recursive = recursive or "recursive=true" in self.path.lower()
        folders = {file.rpartition("/")[0] for file in files} - {""}
        entries: list[dict[str, Any]] = [{"type": "directory", "path": path, "size": 0} for path in folders]
        entries += [{"type": "file", "path": path, "size": len(data)} for path, data in files.items()]
        inside = [e for e in entries if recursive or e["path"].rpartition("/")[0] == folder]
        return [{**entry, "oid": REVISION} for entry in inside]

    def answer_file(self, data: bytes | None) -> None:
        if data is None:
            self.answer(404, b"", **{"X-Error-Code": "EntryNotFound", "X-Repo-Commit": REVISION})
            return
        status, headers = (
            200,
            {"X-Repo-Commit": REVISION, "ETag": f'"{hash(data)}"', "Accept-Ranges": "bytes"},
        )
        if wanted := self.headers.get("Range"):
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            end = min(int(last or len(data) - 1), len(data) - 1)
            headers["Content-Range"] = f"bytes {first}-{end}/{len(data)}"
            status, data = 206, data[int(first) : end + 1]
        self.answer(status, data, **headers)

    def answer_json(self, value: Any) -> None:
        self.answer(200, json.dumps(value).encode(), **{"Content-Type": "application/json"})

    def answer(self, status: int, data: bytes, **headers: str) -> None:
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


MODEL_PROGRAM = """
import sys
from fmkit.cli import main

for name in sys.argv[1:]:
    arguments = ["generate", name, "--prompt", "The", "--temperature", "0", "--device", "cpu"]
    print(main([*arguments, "--max-new-tokens", "5"]), flush=True)
"""
PROGRAM = """
import json, sys
from fmkit.data.corpora import load_corpus
from fmkit.errors import FmkitError

for name, options in json.loads(sys.argv[1]):
    try:
        corpus = load_corpus(name, **options)
        answer = {split: [row["text"] for row in corpus[split]] for split in corpus}
        answer["type"] = type(corpus).__name__
    except FmkitError as error:
        answer = str(error)
    print(json.dumps(answer))
"""


def load_all(home: Path, endpoint: str, *loads: tuple[str, dict], **environment: str) -> list[Any]:
    """The answers of a new process (the clients read HF_ENDPOINT once), which must print nothing else."""
    ours = {"HF_ENDPOINT": endpoint, "HF_HOME": str(home), "HF_HUB_OFFLINE": "0", "NO_PROXY": "*"}
    process = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(loads)],
        env={**os.environ, **ours, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert process.returncode == 0, process.stderr
    assert process.stderr == ""
    return [json.loads(line) for line in process.stdout.splitlines()]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


BODY: dict[str, Any] = {"text_column": "body"}
STREAMED: dict[str, Any] = {"streaming": True}
LOADS: dict[str, tuple[str, dict[str, Any]]] = {
    "whole": ("me/whole", {}),
    "whole, streamed": ("me/whole", STREAMED),
    "only": ("me/train-only", BODY),
    "only, streamed": ("me/train-only", {**BODY, **STREAMED}),
    "tested": ("me/tested", {}),
    "second": ("me/configured:second", {}),
    "short": ("short", BODY),
}
MISTAKES: list[tuple[str, dict[str, Any], str]] = [
    ("me/train-only", {}, "no column 'text'; it has 'body': give text_column="),
    ("me/configured", {}, "me/configured:CONFIGURATION"),
    ("me/test-only", {}, "no split 'train'; it has test"),
    ("me/numbers", {}, "'text' holds no text"),
    ("me/one", {}, "me/one: two different documents are needed"),
    ("me/one", STREAMED, "me/one: two different documents are needed"),
    ("me/broken", {}, "me/broken: the data set cannot be loaded"),
    ("me/nowhere", {}, "unknown corpus 'me/nowhere'"),
    ("nowhere", {}, "unknown corpus 'nowhere': not one of stories, reviews, web"),
    ("me/gated", {}, "me/gated: a gated data set"),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def answers(home: Path, endpoint: str) -> list[Any]:
    """What all of `LOADS` and `MISTAKES` give, in one process."""
    return load_all(home, endpoint, *LOADS.values(), *((name, options) for name, options, _ in MISTAKES))


@pytest.fixture(scope="module")
def loaded(answers: list[Any]) -> dict[str, Any]:
    return dict(zip(LOADS, answers, strict=False))


WHOLE = {"type": "DatasetDict", "train": TEXTS, "validation": ["held out"]}


@pytest.mark.slow
def test_whole_and_streamed_agree(loaded: dict[str, Any]) -> None:
    assert loaded["whole"] == WHOLE
    assert loaded["whole, streamed"] == {**WHOLE, "type": "IterableDatasetDict"}


@pytest.mark.slow
def test_a_tenth_is_held_out_by_a_hash(loaded: dict[str, Any]) -> None:
    only = loaded["only"]
    assert sorted(only["train"] + only["validation"]) == sorted(TEXTS)
    assert 0 < len(only["validation"]) < 8
    assert loaded["only, streamed"] == {**only, "type": "IterableDatasetDict"}
    assert loaded["short"] == only


@pytest.mark.slow
def test_test_split_serves_as_validation(loaded: dict[str, Any]) -> None:
    assert loaded["tested"] == {"type": "DatasetDict", "train": TEXTS, "validation": ["tested"]}


@pytest.mark.slow
def test_configuration_after_a_colon(loaded: dict[str, Any]) -> None:
    assert sorted(loaded["second"]["train"] + loaded["second"]["validation"]) == ["2a", "2b"]


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(MISTAKES)), ids=[name for name, _, _ in MISTAKES])
def test_a_mistake_is_one_line(answers: list[Any], number: int) -> None:
    error = answers[len(LOADS) + number]
    assert isinstance(error, str)
    assert MISTAKES[number][2] in error
    assert "\n" not in error


@pytest.mark.slow
@pytest.mark.usefixtures("answers")
def test_downloads_open_without_a_network(home: Path) -> None:
    both = ("me/whole", {}), ("me/nowhere", {})
    cached, missing = load_all(home, "http://127.0.0.1:9", *both, HF_HUB_OFFLINE="1")
    assert cached == WHOLE
    assert "cannot be reached" in missing


@pytest.mark.slow
def test_a_model_by_its_id(home: Path, endpoint: str, tmp_path: Path, model: Any, tokenizer: Any) -> None:
    """Downloaded, then opened without a network from what was downloaded; what cannot be had is one line."""
    model.tokenizer = tokenizer
    model.save_pretrained(tmp_path)
    REPOSITORIES["me/tiny"] = {file.name: file.read_bytes() for file in tmp_path.iterdir() if file.is_file()}
    REPOSITORIES["me/tiny"] |= {"pytorch_model.bin": b"a pickle", "original/consolidated.safetensors": b"x"}

    def open_all(hub: str, *names: str, **environment: str) -> tuple[list[str], list[str]]:
        ours = {"HF_ENDPOINT": hub, "HF_HOME": str(home), "HF_HUB_OFFLINE": "0", "NO_PROXY": "*"}
        program = [sys.executable, "-c", MODEL_PROGRAM, *names]
        told = subprocess.run(
            program, env={**os.environ, **ours, **environment}, capture_output=True, text=True, timeout=200
        )
        said = [line for line in told.stderr.splitlines() if line.startswith("fmkit: error: ")]
        return told.stdout.splitlines(), said

    lines, said = open_all(endpoint, str(tmp_path), "me/tiny", "me/nowhere", "me/gated")
    assert len(lines) == 6
    assert lines[:2] == lines[2:4]
    assert lines[1::2][:2] == ["0", "0"]
    assert lines[4:] == ["2", "2"]
    assert "me/nowhere: no directory here, and no model on the Hub that is public" in said[0]
    assert "me/gated: a gated model; accept its terms" in said[1]
    downloaded = home.rglob("models--me--tiny/snapshots/*/*")
    assert {"model.safetensors"} <= {path.name for path in downloaded} <= {*os.listdir(tmp_path)}
    assert open_all("http://127.0.0.1:9", "me/tiny", HF_HUB_OFFLINE="1")[0] == lines[:2]
    missing, said = open_all("http://127.0.0.1:9", "me/other", HF_HUB_OFFLINE="1")
    assert missing == ["2"]
    assert "me/other: no directory here, and no model on the Hub, which cannot be reached" in said[0]


@pytest.mark.slow
def test_large_data_sets_hold_out_less() -> None:
    texts = Dataset.from_dict({"text": [f"document {i}" for i in range(200_000)]})
    train, validation = hold_out_texts(texts, "large")
    assert len(train) + len(validation) == 200_000
    assert 9_500 < len(validation) < 10_500


def test_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = partial(huggingface_hub.HfApi, endpoint="http://127.0.0.1:9")
    monkeypatch.setattr(huggingface_hub, "HfApi", nobody)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    with pytest.raises(FmkitError, match=r"the Hub, which cannot be reached; .* set HF_HUB_OFFLINE=1"):
        load_corpus("me/whole")
