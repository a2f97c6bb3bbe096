"""A sentence against a reference: scored as the libraries do, marked, and accessible in every state."""

import json
import math
import random
import re
import subprocess
from typing import Any

import pytest
import tiny
from playwright.sync_api import Locator, Page, expect

from bookkit.engine.bundle import LOADER
from bookkit.site import node
from bookkit.site.scripts import script, sources
from bookkit.widgets.overlap import EXAMPLES, scores
from fmkit.evaluation.overlap import rouge, sentence_bleu
from fmkit.widgets.modules import needed
from fmkit.world import TRIPLE_KINDS, Almanac, Reviews, Support, make_triples

ODD = [
    *("the", "The", "robot", "robot.", "lamp,", "don't", "45", "4.5", "1,000", "3-4", "e-mail", "ü", "naïve"),
    *("&amp;", "(yes)", "“no”", "🦊", "--", "$5", "a/b", "\n", "50%", "…"),
]


def odd_pairs(count: int) -> list[tuple[str, str]]:
    """Pairs of texts with whatever a reader may type, some of them empty or equal.

    None has an "ü" as its only letter: such a reference ROUGE refuses.
    """
    rng = random.Random(0)
    texts = [" ".join(rng.choices(ODD, k=rng.randrange(12))) for _ in range(2 * count)]
    texts = [text if re.search("[a-zA-Z0-9]", text) else text.replace("ü", "u") for text in texts]
    pairs = list(zip(texts[::2], texts[1::2], strict=True))
    return [*pairs[:-10], *((text, text) for text, _ in pairs[-10:])]


def in_the_page(pairs: list[tuple[str, str]]) -> list[dict[str, float]]:
    """The scores that ngrams.js computes."""
    modules = "".join(script(name) for name in needed("ngrams", sources()))
    ask = f"""const {{ rouge, bleu }} = fmkit.modules.ngrams;
    console.log(JSON.stringify({json.dumps(pairs)}.map(([answer, reference]) => {{
      const of = Object.entries(rouge(answer, reference)).map(([name, found]) => [name, found.f1]);
      return {{ ...Object.fromEntries(of), bleu: bleu(answer, reference).score }};
    }})));"""
    run = subprocess.run(
        [node.node_js(), "-"], input=LOADER + modules + ask, capture_output=True, text=True, check=True
    )
    return json.loads(run.stdout)


@pytest.mark.slow
def test_the_page_scores_as_the_libraries() -> None:
    made = [
        (text, triple.references[0])
        for kind in TRIPLE_KINDS
        for triple in make_triples(kind, 40)
        for text in (triple.right, triple.wrong)
    ]
    pairs = made + odd_pairs(200)
    for pair, found in zip(pairs, in_the_page(pairs), strict=True):
        answer, reference = pair
        wanted = {**rouge([answer], [reference]), "bleu": sentence_bleu(answer, reference)}
        assert found == pytest.approx(wanted, abs=1e-9), pair


def is_true(kind: str, context: str, text: str) -> bool:
    shop = Support()
    if kind == "order":
        return shop.completion_log_prob(context.partition(": ")[2], text) > -math.inf
    if kind == "paraphrase":
        return Almanac().log_prob(text) > -math.inf
    if kind == "negation":
        read = Reviews().derivations(f"I bought this lamp online. {text}")
        return {each.bound["label"]["name"] for each in read} == {"positive"}
    thing = context.split()[-1]
    return shop.completion_log_prob(f"How much is the {thing}?", text) > -math.inf


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.kind)
def test_the_ready_made_are_as_told(example: Any) -> None:
    assert is_true(example.kind, example.context, example.reference)
    assert is_true(example.kind, example.context, example.right)
    assert not is_true(example.kind, example.context, example.wrong)


@pytest.fixture
def visit(visit: Any) -> Any:
    return lambda width=tiny.DESK, **options: visit(width, "chapters/back/overlap", **options)


def field(page: Page, name: str) -> Locator:
    return page.get_by_role("textbox", name=name, exact=True)


def shown(page: Page) -> dict[str, str]:
    rows = page.locator(".fm-overlap-scores tbody tr").all()
    values = [row.locator("td").last.inner_text() for row in rows]
    return dict(zip(("rouge1", "rouge2", "rougeL", "bleu"), values, strict=True))


def marks(page: Page) -> list[list[str]]:
    return [field.locator("mark").all_inner_texts() for field in page.locator(".fm-overlap-texts dd").all()]


def test_ready_made_answers_by_keyboard(visit: Any) -> None:
    page = visit()
    kinds = page.get_by_role("radio", name=EXAMPLES[0].kind, exact=True)
    assert shown(page) == scores(EXAMPLES[0].wrong, EXAMPLES[0].reference)
    kinds.press("ArrowRight")
    assert field(page, "Reference").input_value() == EXAMPLES[1].reference
    assert "is false" in page.locator(".fm-overlap-truth").inner_text()
    page.get_by_role("button", name="The right answer").press("Enter")
    assert shown(page) == scores(EXAMPLES[1].right, EXAMPLES[1].reference)
    assert "is true" in page.locator(".fm-overlap-truth").inner_text()
    assert "ROUGE-1 0.60" in page.locator(".fm-spoken").text_content()


def test_own_words_are_scored_and_not_judged(visit: Any) -> None:
    page = visit()
    field(page, "Answer").fill("We will send you the <b>lamp</b>.")
    assert shown(page) == scores("We will send you the <b>lamp</b>.", EXAMPLES[0].reference)
    assert "Your own words" in page.locator(".fm-overlap-truth").inner_text()
    expect(page.locator(".fm-overlap b")).to_have_count(0)
    field(page, "Answer").fill("")
    assert set(shown(page).values()) == {"0.00"}


def test_what_is_shared_is_marked(visit: Any) -> None:
    page = visit()
    reference, answer = marks(page)
    assert reference == ["Please keep the robot. We will send you the lamp today"]
    assert answer == ["Please keep the lamp. We will send you the robot today"]
    page.get_by_role("radio", name="in order").check()
    assert sum(len(text.split()) for text in marks(page)[1]) == 9
    page.get_by_role("radio", name="runs of 4").check()
    assert marks(page)[0] == ["We will send you the"]


def test_scores_keep_their_place(visit: Any) -> None:
    page = visit()
    note, places = page.locator(".fm-overlap-note"), set()
    for number in range(len(EXAMPLES)):
        page.locator('[name="fm-overlap-kind"]').nth(number).check()
        for name in ("The right answer", "The wrong answer"):
            page.get_by_role("button", name=name).click()
            places.add(json.dumps(note.bounding_box()))
    assert len(places) == 1


@pytest.mark.parametrize(("width", "colors"), tiny.LOOKS)
def test_overlap_is_accessible(visit: Any, width: int, colors: str) -> None:
    page = visit(width, color_scheme=colors)
    complaints = tiny.faults(page, ".fm-overlap")
    page.get_by_role("button", name="The right answer").click()
    complaints += tiny.faults(page, ".fm-overlap")
    field(page, "Answer").fill("own " * 60)
    complaints += tiny.faults(page, ".fm-overlap")
    complaints += tiny.small_targets(page, ".fm-overlap :is(input, button, textarea)")
    assert not complaints, "\n".join(complaints)


def all_of_them(page: Page) -> None:
    rows = page.locator(".fm-overlap-table tbody tr:visible")
    expect(rows).to_have_count(2 * len(EXAMPLES))
    assert rows.first.locator("td").nth(2).inner_text() == "yes"
    assert rows.nth(1).locator("td").all_inner_texts()[3:] == [
        *scores(EXAMPLES[0].wrong, EXAMPLES[0].reference).values()
    ]
    expect(page.locator(".fm-overlap-live")).to_be_hidden()


def test_overlap_without_a_script(visit: Any) -> None:
    all_of_them(visit(java_script_enabled=False))


def test_overlap_on_paper(visit: Any) -> None:
    page = visit()
    page.emulate_media(media="print")
    all_of_them(page)
