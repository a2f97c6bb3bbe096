"""Check the files that Amazon Bedrock takes for customizing and evaluating models.

Each format is a row of `FORMATS`: what a record looks like and what the service allows, with the page that
says so and the day on which it was read. When the service changes, only the table changes. Files are JSON
Lines. Images, video, tools and invocation logs are not read. `check` finds what the guides forbid, `advise`
what they advise against and what is allowed but surely not wanted.

`fmkit.data.shapes` reads their records, too.
"""

import difflib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from fmkit.data.files import BOM, Fault, Problem, explain_read_errors, kind_of, lines_of, short
from fmkit.data.pairs import advise_pairs
from fmkit.data.readers import parse_json
from fmkit.data.shapes import Row, filled
from fmkit.errors import FmkitError

CHARACTERS_PER_TOKEN = 6  # the service's own rule of thumb for planning
SCHEMA_VERSION = "bedrock-conversation-2024"
LABELS = ("preferred", "non-preferred")
ROLES = ("user", "assistant")
GUIDE = "https://docs.aws.amazon.com/bedrock/latest/userguide"
NOVA_GUIDE = "https://docs.aws.amazon.com/nova/latest/userguide"
TEXT_KEYS = ("prompt", "completion", "system", "messages", "content")
RESERVED = ("User:", "Bot:", "Assistant:", "System:", "<image>", "<video>", "[EOS]")


@dataclass(frozen=True)
class Format:
    """One kind of file: the shape of a record, and the limits, where the service states any."""

    name: str
    purpose: str
    shape: str  # a key of SHAPES
    source: str
    verified_on: str  # the day on which the source was read
    min_records: int = 1
    max_records: int | None = None
    advised_records: int | None = None  # the service's advice; fewer are allowed
    max_tokens: int | None = None  # of one record, estimated by CHARACTERS_PER_TOKEN
    max_bytes: int | None = None  # of the training file
    reserved: tuple[str, ...] = ()  # a user's or system text that begins with one fails the job
    schema_versions: tuple[str, ...] = ()  # empty: any text
    needs_answer: bool = True  # the last turn is the assistant's
    alternates: bool = True  # user and assistant take turns
    file_name: str = ""  # what a name may be, as a regular expression; empty: anything
    note: str = ""  # what else to know


# Nova: that turns alternate is said in the guide to Nova 2, nova2-userguide/nova-data-prep-sft-2.html, and by
# the script that the guides name for checking, nova_ft_dataset_validator.py in the repository
# aws-samples/amazon-bedrock-samples. The script has the guide's rule for file names, takes 8 to 20,000
# records, and refuses reserved words anywhere in a text, the guide only at its start. Of preferences the
# guide says that all turns but the last are as in fine-tuning.
FORMATS = {
    format.name: format
    for format in (
        Format(
            "completion-titan",
            "fine-tuning Titan Text Express or Lite, plain",
            "completion",
            f"{GUIDE}/model-customization-prepare.html",
            "2026-11-21",
            max_tokens=4096,
            max_bytes=10**9,
            note="a validation file has at most 100 MB",
        ),
        Format(
            "completion-llama",
            "fine-tuning Llama 3.1 to 3.3, plain",
            "completion",
            f"{GUIDE}/model-customization-prepare.html",
            "2026-11-21",
            min_records=100,
            max_records=10_000,
            max_tokens=16_000,
        ),
        Format(
            "conversation",
            "fine-tuning Nova, in conversations",
            "conversation",
            f"{NOVA_GUIDE}/fine-tune-prepare-data-understanding.html",
            "2026-11-21",
            advised_records=100,
            reserved=RESERVED,
            file_name=r"[\w./-]+",
            note="the 100 records are for each task; AWS's own script for checking takes 8 to 20,000 in all",
        ),
        Format(
            "claude-3-haiku",
            "fine-tuning Claude 3 Haiku",
            "claude",
            "https://platform.claude.com/cookbook/finetuning-finetuning-on-bedrock",
            "2026-11-21",
            min_records=32,
            max_records=10_000,
            max_tokens=32_000,
            note="the service's page of this model gives 10 September 2026 as its end",
        ),
        Format(
            "pretraining-titan",
            "continued pre-training of Titan",
            "input",
            f"{GUIDE}/model-customization-prepare.html",
            "2026-11-21",
            note="the service's current page does not have this format anymore",
        ),
        Format(
            "pretraining-nova",
            "continued pre-training of Nova on SageMaker",
            "text",
            f"{NOVA_GUIDE}/nova-cpt-1.html",
            "2026-11-21",
        ),
        Format(
            "preference-nova",
            "preferences (DPO) for Nova on SageMaker",
            "preference",
            f"{NOVA_GUIDE}/nova-dpo.html",
            "2026-11-21",
            advised_records=1000,
            reserved=RESERVED,
        ),
        Format(
            "distillation",
            "prompts for distillation, with or without answers",
            "conversation",
            f"{GUIDE}/distillation-data-prep-option-1.html",
            "2026-11-21",
            min_records=100,
            max_records=15_000,
            schema_versions=(SCHEMA_VERSION,),
            needs_answer=False,
            alternates=False,
            note="one turn of the user in each record, but for Nova",
        ),
        Format(
            "evaluation",
            "prompts for model evaluation, with reference answers",
            "evaluation",
            f"{GUIDE}/model-evaluation-prompt-datasets-custom.html",
            "2026-11-21",
            max_records=1000,
        ),
    )
}


def check(path: str | Path, format: str, limit: int = 100) -> list[Fault]:
    """Find the first `limit` faults of a file, in the order of its lines.

    Tokens are estimated as six characters each, as the service's own tokenizers are not public. Faults of the
    file as a whole (its size, the number of records) come last. Raises FmkitError for a file that cannot be
    opened or is in another encoding, and for an unknown format.
    """
    spec, path = _find_format(format), _find_file(path)
    faults: list[Fault] = []
    records = 0
    for number, problems, record in _checked_lines(path, spec):
        records += record is not None
        faults += [Fault(str(path), number, p.field, p.what, p.remedy) for p in problems]
        if len(faults) >= limit:
            return faults[:limit]
    faults += [Fault(str(path), None, "", p.what, p.remedy) for p in _check_file(path, spec, records)]
    return faults[:limit]


def advise(path: str | Path, format: str) -> list[str]:
    """Say in lines of text what else to know about a file. Faulty records are skipped.

    Raises FmkitError as `check` does.
    """
    spec, path = _find_format(format), _find_file(path)
    records, pairs = 0, []
    for number, problems, record in _checked_lines(path, spec, limits=False):
        if not problems:
            records += 1
            if spec.shape == "preference":
                pairs.append((f"line {number}", _pair_of(record)))
    found = advise_pairs(pairs)
    if spec.advised_records is not None and records < spec.advised_records:
        found.append(f"{records:,} records; {spec.advised_records:,} or more are advised")
    if spec.note:
        found.append(spec.note)
    return [*found, f"checked by the rules of {spec.verified_on}, {spec.source}"]


def _find_format(name: str) -> Format:
    if name in FORMATS:
        return FORMATS[name]
    what = f"unknown format {name!r}" if name else "no format"
    if close := difflib.get_close_matches(name, FORMATS, n=1):
        raise FmkitError(f"{what}; did you mean {close[0]!r}, {FORMATS[close[0]].purpose}?")
    known = (f"{format.name} ({format.purpose})" for format in FORMATS.values())
    raise FmkitError(f"{what}; there are {', '.join(known)}")


def _find_file(path: str | Path) -> Path:
    path = Path(os.path.expanduser(path))
    if not path.is_file():
        what = "a folder, not a file" if path.is_dir() else "no such file"
        raise FmkitError(f"{path}: {what}; give one .jsonl file")
    return path


def _checked_lines(path: Path, spec: Format, limits: bool = True) -> Iterator[tuple[int, list[Problem], Any]]:
    """Each line's number, its problems, and its record (None: there is none)."""
    with explain_read_errors(path):
        for number, raw in lines_of(path):
            try:
                if not raw.strip():
                    raise Problem("", "an empty line", "remove it")
                record = parse_json(raw.rstrip(b"\r\n"))
                if not isinstance(record, dict):
                    raise Problem("", f"{kind_of(record)}, not an object", "write one object a line")
            except Problem as problem:
                yield number, [problem], None
                continue
            problems = list(SHAPES[spec.shape](record, spec))
            if not problems and limits:
                problems = list(_check_length(record, spec))
            yield number, problems, record


def _check_length(record: Any, spec: Format) -> Iterator[Problem]:
    if spec.max_tokens is not None:
        characters = _count_characters(record)
        if characters > spec.max_tokens * CHARACTERS_PER_TOKEN:
            tokens = f"about {-(-characters // CHARACTERS_PER_TOKEN):,} tokens ({characters:,} characters)"
            yield Problem("", tokens, f"a record takes {spec.max_tokens:,} at most: shorten or split it")


def _count_characters(value: Any) -> int:
    """Characters of the texts under the keys that formats with a limit have."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list):
        return sum(map(_count_characters, value))
    if isinstance(value, dict):
        return sum(_count_characters(value[name]) for name in TEXT_KEYS if name in value)
    return 0  # a key that the format does not read may hold anything


def _pair_of(record: Row) -> Row:
    *turns, last = record["messages"]
    answers = {candidate["preferenceLabel"]: candidate["content"] for candidate in last["candidates"]}
    chosen, rejected = (answers[label] for label in LABELS)
    return {"prompt": [record.get("system"), turns], "chosen": chosen, "rejected": rejected}


def _check_file(path: Path, spec: Format, records: int) -> Iterator[Problem]:
    if path.suffix != ".jsonl":
        yield Problem("", f"the name ends in {short(path.suffix)}", "the service takes .jsonl")
    if spec.file_name and not re.fullmatch(spec.file_name, path.name):
        remedy = "use letters, digits, underscores, hyphens and dots only"
        yield Problem("", f"the name {short(path.name)} has other characters than the service takes", remedy)
    with explain_read_errors(path), open(path, "rb") as file:
        if file.read(len(BOM)) == BOM:  # JSON Lines, jsonlines.org, must not have one
            yield Problem("", "begins with a byte order mark", "save it as UTF-8 without one")
    if records < spec.min_records:
        yield Problem("", f"{records:,} records", f"a training file takes {spec.min_records:,} or more")
    if spec.max_records is not None and records > spec.max_records:
        yield Problem("", f"{records:,} records", f"take {spec.max_records:,} or fewer")
    size = path.stat().st_size
    if spec.max_bytes is not None and size > spec.max_bytes:
        yield Problem("", f"{size:,} bytes", f"take {spec.max_bytes:,} or fewer: drop or split records")


# --- The shapes of a record -----------------------------------------------------------------------------


def _check_texts(
    *names: str, optional: tuple[str, ...] = (), only: bool = False
) -> Callable[[Row, Format], Iterator[Problem]]:
    """A check for records of plain texts, and with `only` of nothing else."""

    def check_record(record: Row, _: Format) -> Iterator[Problem]:
        if only:
            yield from _check_keys(record, "", names)
        for name in (*names, *(name for name in optional if name in record)):
            yield from _check_text(record.get(name), name)

    return check_record


def _check_conversation(record: Row, spec: Format) -> Iterator[Problem]:
    version = record.get("schemaVersion")
    if not isinstance(version, str) or (spec.schema_versions and version not in spec.schema_versions):
        what = "missing or null" if version is None else short(version)
        yield Problem("schemaVersion", what, f'write "{SCHEMA_VERSION}"')
    yield from _check_system(record, spec)
    turns = record.get("messages")
    yield from _check_turns(turns, spec.reserved, _check_blocks)
    if spec.needs_answer:
        yield from _check_last(turns)
    if spec.alternates:
        yield from _check_alternation(turns)


def _check_claude(record: Row, _: Format) -> Iterator[Problem]:
    yield from _check_keys(record, "", ("system", "messages"))
    if "system" in record:
        yield from _check_text(record["system"], "system")
    turns = record.get("messages")
    yield from _check_turns(turns, (), lambda value, field, _: _check_text(value, field))
    yield from _check_last(turns)
    yield from _check_alternation(turns)
    for i, turn in enumerate(turns if isinstance(turns, list) else []):
        if isinstance(turn, dict):
            yield from _check_keys(turn, f"messages[{i}].", ("role", "content"))


def _check_preference(record: Row, spec: Format) -> Iterator[Problem]:
    yield from _check_system(record, spec)
    turns = record.get("messages")
    if not isinstance(turns, list) or len(turns) < 2:
        yield Problem("messages", "no prompt with two answers", "write the turns, and last the candidates")
        return
    yield from _check_turns(turns[:-1], spec.reserved, _check_blocks)
    yield from _check_alternation(turns)
    last, place = turns[-1], f"messages[{len(turns) - 1}]"
    if not isinstance(last, dict) or not isinstance(last.get("candidates"), list):
        yield Problem(
            f"{place}.candidates", "missing, or not a list", "write two answers, each with preferenceLabel"
        )
        return
    yield from _check_last(turns)
    for i, candidate in enumerate(last["candidates"]):
        field = f"{place}.candidates[{i}]"
        if not isinstance(candidate, dict):
            yield Problem(field, f"{kind_of(candidate)}, not an object", "write content and preferenceLabel")
            continue
        yield from _check_blocks(candidate.get("content"), f"{field}.content", ())
        if candidate.get("preferenceLabel") not in LABELS:
            label = candidate.get("preferenceLabel")
            what = "missing or null" if label is None else short(label)
            yield Problem(f"{field}.preferenceLabel", what, f"write {' or '.join(LABELS)}")
    labels = [c.get("preferenceLabel") for c in last["candidates"] if isinstance(c, dict)]
    if [labels.count(label) for label in LABELS] != [1, 1] or len(labels) != 2:
        what = f"{labels.count(LABELS[0])} preferred and {labels.count(LABELS[1])} non-preferred answers"
        yield Problem(f"{place}.candidates", what, "give one of each")


def _check_system(record: Row, spec: Format) -> Iterator[Problem]:
    if "system" in record:
        yield from _check_blocks(record["system"], "system", spec.reserved)


def _check_keys(record: Row, place: str, allowed: tuple[str, ...]) -> Iterator[Problem]:
    for name in record:
        if name not in allowed:
            remedy = f"keep {' and '.join(allowed)} only"
            yield Problem(f"{place}{_field(name)}", "a key that is not allowed", remedy)


def _check_turns(
    turns: Any,
    reserved: tuple[str, ...],
    check_content: Callable[[Any, str, tuple[str, ...]], Iterator[Problem]],
) -> Iterator[Problem]:
    if not isinstance(turns, list) or not turns:
        what = "no turn" if turns == [] else kind_of(turns) if turns is not None else "missing or null"
        yield Problem("messages", what, "write a list of turns, each with role and content")
        return
    for i, turn in enumerate(turns):
        field = f"messages[{i}]"
        if not isinstance(turn, dict):
            yield Problem(field, f"{kind_of(turn)}, not an object", "write role and content")
            continue
        role = turn.get("role")
        if role not in ROLES:
            remedy = "put it in the system field" if role == "system" else "use user or assistant"
            yield Problem(f"{field}.role", f"{short(role)} is not a role here", remedy)
        elif i == 0 and role != "user":
            yield Problem(f"{field}.role", "the first turn is not the user's", "begin with a user turn")
        yield from check_content(turn.get("content"), f"{field}.content", reserved if role == "user" else ())


def _check_last(turns: Any) -> Iterator[Problem]:
    if (
        isinstance(turns, list)
        and turns
        and isinstance(turns[-1], dict)
        and turns[-1].get("role") != "assistant"
    ):
        field = f"messages[{len(turns) - 1}].role"
        yield Problem(field, "the last turn is not the assistant's", "end with the answer to be learned")


def _check_alternation(turns: Any) -> Iterator[Problem]:
    turns = turns if isinstance(turns, list) else []
    roles = [turn.get("role") if isinstance(turn, dict) else None for turn in turns]
    for i, (before, role) in enumerate(pairwise(roles), 1):
        if role == before and role in ROLES:
            remedy = "alternate the two, or merge the turns"
            yield Problem(f"messages[{i}].role", "the same role twice in a row", remedy)


def _check_blocks(value: Any, field: str, reserved: tuple[str, ...]) -> Iterator[Problem]:
    if not isinstance(value, list) or not value:
        what = "missing, null or empty" if not value else f"{kind_of(value)}, not a list"
        yield Problem(field, what, 'write [{"text": "…"}]')
        return
    for i, block in enumerate(value):
        if not isinstance(block, dict) or "text" not in block:
            yield Problem(f"{field}[{i}]", "no text (only text is checked here)", 'write {"text": "…"}')
            continue
        if others := [_field(name) for name in block if name != "text"]:
            what = f"{', '.join(others)} beside the text (only text is checked here)"
            yield Problem(f"{field}[{i}]", what, 'write {"text": "…"}')
        yield from _check_text(block["text"], f"{field}[{i}].text")
        start = block["text"].lstrip() if isinstance(block["text"], str) else ""
        if word := next(filter(start.startswith, reserved), None):
            yield Problem(
                f"{field}[{i}].text", f"begins with {word}, a reserved word", "begin in other words"
            )


def _check_text(value: Any, field: str) -> Iterator[Problem]:
    try:
        filled(value, field)
    except Problem as problem:
        yield problem


def _field(name: str) -> str:
    return name if name.isidentifier() and len(name) < 40 else short(name)


SHAPES: dict[str, Callable[[Row, Format], Iterator[Problem]]] = {  # of a record, and how each is checked
    "completion": _check_texts("prompt", "completion"),
    "conversation": _check_conversation,
    "claude": _check_claude,
    "preference": _check_preference,
    "input": _check_texts("input"),
    "text": _check_texts("text", only=True),
    "evaluation": _check_texts("prompt", optional=("referenceResponse", "category")),
}
