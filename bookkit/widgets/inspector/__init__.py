"""The `record-inspector` directive: a record of the reader's as a model sees it, and its faults.

    ```{record-inspector}
    ```

shows a record of a data set for fine-tuning: what kind it is, its tokens by role, which of them are learned,
and its faults, as `fmkit check` names them. The records to start from are in assets/inspector/records.yml.
The scripts here do what fmkit's data/readers.py, shapes.py, fields.py and bedrock.py do, and bookkit/engine
what its tokenizer and chat layout do; tests compare the two. Without a script the page shows the first
record.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from tokenizers import Tokenizer

from bookkit.site.entries import Entry, read
from bookkit.site.page_widget import PageWidget
from fmkit.config import ModelConfig
from fmkit.data import fields
from fmkit.data.batches import IGNORE
from fmkit.data.bedrock import FORMATS
from fmkit.data.chat import CHAT_TOKENS, ROLES, encode_chat
from fmkit.data.tokenizer import load_tokenizer

FILE = "assets/inspector/records.yml"
MODEL = "assistant"  # whose tokenizer and context are used
KNOWN = ("QUESTION", "PAIR", "TURN", "WEIGHTS", "LEARNED", "VERDICTS", "SCORES")  # lists of fields
USED = ("name", "purpose", "shape", "max_tokens", "reserved", "schema_versions", "needs_answer", "alternates")


@dataclass(frozen=True)
class Sample:
    """A record to start from, as text; `check` is the format that it is meant for, or empty for fmkit's."""

    title: str
    record: str
    check: str
    fault: bool


def read_samples(path: Path, file: str) -> list[Sample]:
    """Read the records; raises FmkitError with `file`, line and the first fault of the file."""
    return [read_sample(entry) for entry in read(path, file).list("the inspector's records")]


def read_sample(entry: Entry) -> Sample:
    given = entry.fields("a record", ["title", "record"], ["check", "fault"])
    check = given["check"].text("check", "|".join(FORMATS), ", ".join(FORMATS)) if "check" in given else ""
    fault = given["fault"].flag("fault") if "fault" in given else False
    return Sample(given["title"].text("title"), given["record"].text("record"), check, fault)


def list_of(known: Mapping[str, str] | Sequence[Any]) -> list[Any]:
    """The names in their order, those of a mapping with what they mean."""
    return list(known.items() if isinstance(known, Mapping) else known)


def lay_out(record: str, tokenizer: Tokenizer) -> list[dict[str, Any]]:
    """The turns of a conversation as the page shows them: role, tokens, and whether they are learned."""
    ids, labels = encode_chat(json.loads(record)["messages"], tokenizer)
    turns: list[dict[str, Any]] = [{"role": "start", "learned": False, "tokens": []}]
    for token, label in zip(ids, labels, strict=True):
        name = tokenizer.id_to_token(token) or ""
        if name in CHAT_TOKENS:
            turns.append({"role": ROLES[CHAT_TOKENS.index(name)], "learned": False, "tokens": []})
        special = name.startswith("<|")
        text = name if special else tokenizer.decode([token])
        turns[-1]["learned"] |= label != IGNORE
        turns[-1]["tokens"].append(
            {"id": token, "text": text, "special": special, "learned": label != IGNORE}
        )
    return turns


class RecordInspector(PageWidget):
    """A field for a record, and what a model sees of it."""

    widget = "inspector"
    data = f"tokenizers/{MODEL}"

    def values(self) -> dict[str, Any]:
        samples = read_samples(self.source(FILE), FILE)
        folder = self.source(f"assets/models/{MODEL}/tokenizer.json").parent
        config = json.loads(self.source(f"assets/models/{MODEL}/config.json").read_text(encoding="utf-8"))
        formats = [{name: getattr(format, name) for name in USED} for format in FORMATS.values()]
        turns = lay_out(samples[0].record, load_tokenizer(folder))
        tokens = [token for turn in turns for token in turn["tokens"]]
        return {
            "samples": [asdict(sample) for sample in samples],
            "formats": formats,
            "fields": {name.lower(): list_of(getattr(fields, name)) for name in KNOWN},
            "context": ModelConfig.from_hugging_face(config).max_position_embeddings,
            "turns": turns,
            "count": len(tokens),
            "learned": sum(token["learned"] for token in tokens),
        }


def setup(app: Sphinx) -> None:
    app.add_directive("record-inspector", RecordInspector)
