"""The record inspector: it names what `fmkit check` names, shows what a model sees, survives any paste."""

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
import tiny
from playwright.sync_api import Page, expect

from bookkit.widgets import inspector
from fmkit import FmkitError
from fmkit.data import bedrock
from fmkit.data.files import Problem, kind_of
from fmkit.data.readers import parse_json
from fmkit.data.shapes import to_answered
from fmkit.errors import one_line

SAMPLES = inspector.read_samples(tiny.ROOT / inspector.FILE, inspector.FILE)
FORMS = [  # records that no sample has
    '{"chosen": "Q: hi\\nA: yes you", "rejected": "Q: hi\\nA: no you"}',
    '{"prompt": [{"role": "user", "content": "a"}], "completion": [{"role": "assistant", "content": "b"}]}',
    '{"prompt": "q", "chosen": [{"role": "assistant", "content": "b"}], "rejected": [{"role": "assistant", '
    '"content": "c"}]}',
    '{"chosen": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], "rejected": '
    '[{"role": "user", "content": "a"}, {"role": "assistant", "content": "c"}]}',
    '{"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]}',
    '{"instruction": "do", "input": "x", "output": "y"}',
    '{"system": "s", "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}',
    '{"prompt": "p", "referenceResponse": "r", "category": "c"}',
    '{"text": "a", "label": 12345678901234567890}',
    '{"text": "a", "label": 1.0}',
    '{"prompt": "x", "completion": "y", "label": false}',
    '{"input": "x"}',
    '{"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b", "weight": 1}], '
    '"system": "s"}',
    '{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "weight": 0}, '
    '{"role": "user", "content": "c"}, {"role": "assistant", "content": "d", "train": true}]}',
    '{"instruction": "do", "output": "y", "history": [["a", "b"]], "system": "s"}',
    '{"question": "q", "system": "s", "chosen": "b", "rejected": "c", "score_chosen": 2, '
    '"score_rejected": 1.5}',
    '{"question": "hi", "chosen": "Q: hi\\nA: yes", "rejected": "Q: hi\\nA: no"}',
    '{"conversations": [{"from": "human", "value": "a"}], "chosen": {"from": "gpt", "value": "b"}, '
    '"rejected": {"from": "gpt", "value": "c"}}',
    '{"messages": [{"role": "user", "content": "a"}], "chosen": [{"role": "assistant", "content": "b"}], '
    '"rejected": [{"role": "assistant", "content": "c"}]}',
    '{"prompt": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", '
    '"content": "c"}], "completion": [{"role": "assistant", "content": "d"}], "system": "s"}',
    '{"prompt": "a text", "completion": "y", "context": "text", "label": "x", "weight": 1, "tools": []}',
    "[1]",
    "{}",
]
JUNK: list[Any] = [
    None, True, False, 0, 1.5, "", " ", "x", "user", "system", "preferred", "User: hi", "\u2028", "it's",
    "'\"", [], {}, [1], -1, "0", "1", ".5", "1e-3", "0,5", "TRUE", "False", "[]", [["a", "b"]],
    {"text": "t"}, [{"text": "t", "image": 1}], "é😀", "a\u200bb", "y" * 70,
]  # fmt: skip
KEYS = (
    "role",
    "content",
    "text",
    "label",
    "extra",
    "x y",
    "candidates",
    "preferenceLabel",
    "system",
    "input",
    "weight",
    "train",
    "training",
    "loss_weight",
    "end_turn",
    "name",
    "context",
    "question",
    "history",
    "score_chosen",
    "score_rejected",
    "rejected",
    "type",
)
SIGNS = (
    "",
    '"',
    "\\",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "0",
    "-",
    ".",
    "e",
    "\n",
    "\x01",
    "NaN",
    "nul",
    "\\u12",
    "\\q",
)
BROKEN = [
    "[" * 500 + "]" * 500,
    '{"a":1,"a":2}',
    "1" * 4301,
    '{"text": "\\ud800"}',
    '"abc',
    "01",
    "1e",
    '"\\u00"',
    "nul",
]
CHECK = """([texts, formats]) => {
    const { parseJson, Problem } = fmkit.modules.problems;
    const attempt = (make) => {
        try {
            return make();
        } catch (problem) {
            if (problem instanceof Problem) return String(problem);
            throw problem;
        }
    };
    return texts.map((text) => attempt(() => {
        const record = parseJson(text);
        const example = attempt(() => {
            const { name, ...row } = fmkit.modules.examples.readExample(record);
            return row;
        });
        return [example, ...formats.map((one) => fmkit.modules.bedrock.checkRecord(record, one).map(String))];
    }));
}"""


def damaged(rng: random.Random, text: str) -> str:
    """A record with one to three changes, of its values or of its signs."""
    try:
        record = json.loads(text)
    except ValueError:
        record = None
    if record is None or rng.random() < 0.3:
        for _ in range(rng.randint(1, 3)):
            at = rng.randint(0, len(text))
            text = text[:at] + rng.choice(SIGNS) + text[at + rng.randint(0, 1) :]
        return text
    for _ in range(rng.randint(1, 3)):
        change(rng, record)
    return json.dumps(record, ensure_ascii=rng.random() < 0.5, indent=rng.choice([None, 1]))


def change(rng: random.Random, value: Any) -> None:
    """Put something else in some place of a JSON value, or take the place away."""
    while isinstance(value, dict | list) and value:
        key = rng.choice(list(value)) if isinstance(value, dict) else rng.randrange(len(value))
        if isinstance(value[key], dict | list) and rng.random() < 0.8:
            value = value[key]
            continue
        if rng.random() < 0.3:
            del value[key]
        elif isinstance(value, dict) and rng.random() < 0.3:
            value[rng.choice(KEYS)] = json.loads(json.dumps(rng.choice(JUNK)))
        else:
            value[key] = json.loads(json.dumps(rng.choice(JUNK)))
        return


def line(problem: Problem) -> str:
    place = f"{problem.field}: " if problem.field else ""
    return one_line(f"{place}{problem.what}; {problem.remedy}")


def by_fmkit(text: str) -> Any:
    """What fmkit reads in a record, or its fault, and the faults for each service; or why it is no JSON."""
    try:
        record = parse_json(text.encode())
    except Problem as problem:
        return line(problem)
    try:
        example: Any = to_answered(record)
    except Problem as problem:
        example = line(problem)
    return [example, *(for_service(record, format) for format in bedrock.FORMATS.values())]


def for_service(record: Any, format: bedrock.Format) -> list[str]:
    if not isinstance(record, dict):
        return [f"{kind_of(record)}, not an object; write one object a line"]
    problems = list(bedrock.SHAPES[format.shape](record, format)) or list(
        bedrock._check_length(record, format)
    )
    return [line(problem) for problem in problems]


@pytest.fixture
def page(visit: Any) -> Page:
    opened: Page = visit(name="chapters/back/inspector")
    for number in (1, 0):  # its script is there when it draws another sample
        opened.get_by_label("Start from").select_option(str(number))
        expect(opened.locator(".fm-inspector-record")).to_have_text(SAMPLES[number].record)
    return opened


def shown(page: Page) -> tuple[str, list[str]]:
    """The line of status and the faults, when the page has read what was typed."""
    page.wait_for_timeout(400)
    return page.locator(".fm-inspector-status").inner_text(), page.locator(
        ".fm-inspector-faults li"
    ).all_inner_texts()


def test_the_same_words_as_fmkit(page: Page) -> None:
    rng = random.Random(0)
    whole = [sample.record for sample in SAMPLES] + FORMS
    texts = whole + BROKEN + [damaged(rng, rng.choice(whole)) for _ in range(800)]
    texts = [text for text in texts if text.strip() and not re.search("[\ud800-\udfff]", text)]
    formats = [{name: getattr(one, name) for name in inspector.USED} for one in bedrock.FORMATS.values()]
    for text, got in zip(texts, page.evaluate(CHECK, [texts, formats]), strict=True):
        assert got == by_fmkit(text), text


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.title)
def test_a_sample_is_what_its_title_says(sample: inspector.Sample) -> None:
    found = by_fmkit(sample.record)
    if isinstance(found, list):
        names = ["", *bedrock.FORMATS]
        chosen = found[names.index(sample.check)]
        found = chosen if isinstance(chosen, list) else [chosen] if isinstance(chosen, str) else []
    assert bool(found) == sample.fault == sample.title.startswith("Fault: ")


def test_every_sample_is_shown(page: Page) -> None:
    for number, sample in enumerate(SAMPLES):
        page.get_by_label("Start from").select_option(str(number))
        status, faults = shown(page)
        assert bool(faults) == sample.fault
        assert ("No fault." in status) == (not sample.fault)
        assert page.get_by_label("Your record").input_value() == sample.record
        assert page.get_by_label("Check it for").input_value() == sample.check


def test_a_record_by_keyboard(page: Page) -> None:
    page.get_by_label("Your record").focus()
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type('{"text": "Where is it?", "label": "order status"}')
    status, faults = shown(page)
    assert status == "A labeled text: 7 tokens, and only the label “order status” is learned. No fault."
    assert not faults
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.locator(".fm-token small").first).to_be_visible()
    page.get_by_label("Check it for").select_option("completion-llama")
    status, faults = shown(page)
    assert faults == [f"{name}: missing or null; write a text" for name in ("prompt", "completion")]


def test_what_is_learned_is_filled(page: Page) -> None:
    learned = page.locator(".fm-turn-assistant .fm-learned")
    expect(learned).to_have_count(12)
    expect(page.locator(".fm-learned")).to_have_count(12)
    assert learned.last.inner_text() == "<|eos|>"
    assert page.locator(".fm-turn-user .fm-token").first.inner_text() == "<|user|>"


def test_beyond_the_context_is_cut(page: Page) -> None:
    long = json.dumps({"prompt": "word " * 300, "completion": " yes"})
    page.get_by_label("Your record").fill(long)
    assert "has room for 256, and the answer does not fit: the record is dropped." in shown(page)[0]
    page.get_by_label("Your record").fill(json.dumps({"prompt": "Why?", "completion": " word" * 300}))
    assert "room for 256: the end is cut off." in shown(page)[0]
    assert page.locator(".fm-token.fm-cut").count() > 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x" * 2**20, "1,048,576 characters, more than this page reads; take one record, or use fmkit check"),
        ("[" * 90_000, "nested too deeply to read; remove the nesting"),
        (
            "<script>alert(1)</script>",
            "not JSON (column 1: Expecting value); fix it, or have a library write it",
        ),
        ('{"__proto__": {"text": "x"}}', "columns '__proto__'; use prompt and completion"),
    ],
    ids=["1 MB", "nested", "script", "proto"],
)
def test_a_hostile_paste_says_so(page: Page, text: str, said: str) -> None:
    page.get_by_label("Your record").fill(text)
    assert shown(page)[1][0].startswith(said)
    expect(page.locator(".fm-inspector-views *")).to_have_count(0)


def test_markup_stays_text(page: Page) -> None:
    page.get_by_label("Your record").fill('{"text": "<img src=x onerror=alert(1)>", "label": "<b>bold</b>"}')
    assert "“<b>bold</b>”" in shown(page)[0]
    expect(page.locator(".fm-inspector :is(img, b)")).to_have_count(0)


def test_many_faults_and_tokens_are_cut(page: Page) -> None:
    turns = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yo"}] * 900
    page.get_by_label("Check it for").select_option("conversation")
    page.get_by_label("Your record").fill(json.dumps({"messages": turns}))
    status, faults = shown(page)
    assert status.endswith("100 faults or more:")
    assert len(faults) == 100
    expect(page.locator(".fm-token")).to_have_count(400)


def test_an_empty_field_says_what_to_do(page: Page) -> None:
    page.get_by_label("Your record").fill(" ")
    assert shown(page) == ("No record: write one, or start from one of the list.", [])


@pytest.mark.parametrize(("width", "colors"), tiny.LOOKS)
def test_accessible_with_and_without_faults(visit: Any, width: int, colors: str) -> None:
    page = visit(width, "chapters/back/inspector", color_scheme=colors)
    faults = tiny.faults(page, ".fm-inspector")
    for number in (5, 15):
        page.get_by_label("Start from").select_option(str(number))
        faults += tiny.faults(page, ".fm-inspector")
    faults += tiny.small_targets(page, ".fm-inspector :is(select, textarea, label.fm-inspector-ids)")
    assert not faults, "\n".join(faults)


def test_the_same_without_a_script(visit: Any, page: Page) -> None:
    still = visit(name="chapters/back/inspector", java_script_enabled=False)
    expect(still.get_by_label("Your record")).to_be_hidden()
    assert still.locator(".fm-inspector-record").inner_text() == SAMPLES[0].record
    for part in (".fm-inspector-status", ".fm-inspector-view"):
        written, drawn = (one.locator(part).text_content() or "" for one in (still, page))
        assert "".join(written.split()) == "".join(drawn.split())


def test_on_paper_the_record_is_there(page: Page) -> None:
    page.get_by_label("Start from").select_option("2")
    record = page.locator(".fm-inspector-record")
    expect(record).to_have_text(SAMPLES[2].record)
    page.emulate_media(media="print")
    assert record.inner_text() == SAMPLES[2].record
    expect(page.get_by_label("Start from")).to_be_hidden()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- {title: a}", "is missing the key 'record'"),
        ("- {title: a, record: b, check: c}", "check must be"),
        ("- {title: a, record: ''}", "record is empty"),
        ("title: a", "must be a list"),
    ],
)
def test_a_fault_of_the_samples_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.yml").write_text(text)
    with pytest.raises(FmkitError, match=said) as error:
        inspector.read_samples(tmp_path / "a.yml", "a.yml")
    assert str(error.value).startswith("a.yml:1: ")
