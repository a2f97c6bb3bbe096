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

from fmkit.data.corpora import load_corpus
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
        kind, _, rest = self.path.partition("?")[0].lstrip("/").partition("datasets/")
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
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_data_sets_load_whole_and_streamed_and_mistakes_are_one_line(tmp_path: Path, endpoint: str) -> None:
    whole, streamed, only, only_streamed, tested, second, short, *errors = load_all(
        tmp_path,
        endpoint,
        ("me/whole", {}),
        ("me/whole", {"streaming": True}),
        ("me/train-only", {"text_column": "body"}),
        ("me/train-only", {"text_column": "body", "streaming": True}),
        ("me/tested", {}),
        ("me/configured:second", {}),
        ("short", {"text_column": "body"}),
        ("me/train-only", {}),
        ("me/configured", {}),
        ("me/test-only", {}),
        ("me/numbers", {}),
        ("me/one", {}),
        ("me/one", {"streaming": True}),
        ("me/broken", {}),
        ("me/nowhere", {}),
        ("nowhere", {}),
        ("me/gated", {}),
    )
    assert whole == {"type": "DatasetDict", "train": TEXTS, "validation": ["held out"]}
    assert streamed == {**whole, "type": "IterableDatasetDict"}

    assert sorted(only["train"] + only["validation"]) == sorted(TEXTS)
    assert 0 < len(only["validation"]) < 8
    assert only_streamed == {**only, "type": "IterableDatasetDict"}
    assert tested == {"type": "DatasetDict", "train": TEXTS, "validation": ["tested"]}
    assert sorted(second["train"] + second["validation"]) == ["2a", "2b"]
    assert short == only

    for error, words in zip(
        errors,
        (
            "no column 'text'; it has 'body': give text_column=",
            "me/configured:CONFIGURATION",
            "no split 'train'; it has test",
            "'text' holds no text",
            "me/one: two different documents are needed",
            "me/one: two different documents are needed",
            "me/broken: the data set cannot be loaded",
            "unknown corpus 'me/nowhere'",
            "unknown corpus 'nowhere': not one of stories, reviews, web",
            "me/gated: a gated data set",
        ),
        strict=True,
    ):
        assert isinstance(error, str), words
        assert words in error
        assert "\n" not in error

    # What was downloaded opens without a network.
    both = ("me/whole", {}), ("me/nowhere", {})
    cached, missing = load_all(tmp_path, "http://127.0.0.1:9", *both, HF_HUB_OFFLINE="1")
    assert cached == whole
    assert "cannot be reached" in missing


def test_without_a_network_the_error_comes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = partial(huggingface_hub.HfApi, endpoint="http://127.0.0.1:9")
    monkeypatch.setattr(huggingface_hub, "HfApi", nobody)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    with pytest.raises(FmkitError, match=r"the Hub, which cannot be reached; .* set HF_HUB_OFFLINE=1"):
        load_corpus("me/whole")
