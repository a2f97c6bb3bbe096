"""The attention explorer: what it shows is what torch computes, in every state and by keyboard."""

import json
import re
from typing import Any

import pytest
import tiny
import torch
from playwright.sync_api import Locator, Page, expect
from torch import Tensor

import fmkit.model
from bookkit.widgets.attention import EXAMPLES, Attention, Example
from fmkit import Transformer, asset
from fmkit.attention import Mask

PARTS = ".fm-attention :is(button, textarea, summary, [role=option])"
HOSTILE = '<img src=x onerror="alert(1)"> <|bos|></script>\u202e\0 e\u0301 🦊\n\t& &lt;b&gt;'


class Torch:
    """The base model as the page has it: its weights rounded to float16, its attention written out."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.model = Transformer.from_pretrained(asset("models/base")).eval()
        for weight in self.model.parameters():
            weight.data = weight.data.half().float()
        self.weights: list[Tensor] = []
        self.compute = fmkit.model.attention
        patch.setattr(fmkit.model, "attention", self.attend)

    def attend(self, q: Tensor, k: Tensor, v: Tensor, mask: Mask) -> Tensor:
        scores = torch.einsum("bthd,bshd->bhts", q, k) / q.shape[-1] ** 0.5
        later = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
        self.weights.append(scores.masked_fill(later, float("-inf")).softmax(-1)[0])
        return self.compute(q, k, v, mask)

    def encode(self, text: str) -> list[int]:
        return [0, *self.model.tokenizer.encode(text, add_special_tokens=False).ids]

    @torch.inference_mode()
    def read(self, ids: list[int]) -> tuple[Tensor, Tensor]:
        """Weights (L, H, T, T), and the probabilities (V,) of the next token."""
        self.weights = []
        predicted = self.model(torch.tensor([ids]))[0, -1].softmax(-1)
        return torch.stack(self.weights), predicted

    def likeliest(self, text: str) -> tuple[str, float]:
        p, token = self.read(self.encode(text))[1].max(-1)
        return self.model.tokenizer.decode([int(token)]).strip(), float(p)


@pytest.fixture
def reference() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        yield Torch(patch)


@pytest.fixture
def visit(visit: Any) -> Any:
    return lambda width=tiny.DESK, **options: visit(width, "chapters/back/attention", **options)


@pytest.fixture
def page(visit: Any) -> Page:
    opened = visit()
    open_model(opened)
    return opened


def open_model(page: Page) -> None:
    page.get_by_role("button", name="Open the model").click()
    expect(tokens(page).first).to_be_visible()


def tokens(page: Page) -> Locator:
    return page.get_by_role("option")


def chosen(page: Page) -> Locator:
    return page.get_by_role("option", selected=True)


def read(page: Page, text: str) -> None:
    """Type a text, and wait until it has been read."""
    page.get_by_label("Your text").fill(text)
    page.get_by_role("button", name="Read this text").click()
    expect(page.locator(".fm-attention-note")).to_be_empty()
    expect(page.get_by_role("button", name="Undo")).not_to_be_disabled()


def bars(page: Page, title: str) -> list[tuple[str, float]]:
    """The tokens of a list of predictions, with their probabilities."""
    rows = page.get_by_role("table", name=title).locator("tbody tr").all_inner_texts()
    return [(name, share(shown)) for name, shown in (re.split(r"\s+", row.strip()) for row in rows)]


def share(shown: str) -> float:
    return float(shown.strip("<%")) / 100


def all_weights(page: Page) -> Tensor:
    """The table of the chosen token: (tokens, layers * heads)."""
    if not page.locator(".fm-attention details[open]").count():
        page.get_by_text("All weights of the chosen token").click()
    rows = page.locator(".fm-attention-table tbody tr").all_inner_texts()
    return torch.tensor([[float(one) / 100 for one in row.split("\t")[1:]] for row in rows])


def example(title: str) -> Example:
    return next(one for one in EXAMPLES if one.title == title)


def test_nothing_is_loaded_before(visit: Any) -> None:
    page = visit()
    asked: list[str] = []
    page.on("request", lambda request: request.resource_type == "script" and asked.append(request.url))
    page.get_by_role("button", name="A color").click()
    assert page.get_by_label("Your text").input_value() == example("A color").text
    assert not asked
    assert "0.6 MB" in page.locator(".fm-attention-send button").inner_text()
    open_model(page)
    assert any("models/base" in url for url in asked)
    assert tokens(page).last.inner_text().startswith("an")


def test_weights_are_those_of_torch(page: Page, reference: Torch) -> None:
    ids = reference.encode(EXAMPLES[0].text)
    want, _ = reference.read(ids)
    for token in (len(ids) - 1, 0, 7, 12):
        tokens(page).nth(token).click()
        got = all_weights(page)
        assert got.shape == (token + 1, 12)
        assert (got - want[:, :, token, : token + 1].reshape(12, -1).T).abs().max() < 1e-3
        assert (got.sum(0) - 1).abs().max() < 0.0005 * (token + 1)  # 100%, as far as it was rounded


def test_predictions_are_those_of_torch(page: Page, reference: Torch) -> None:
    _, predicted = reference.read(reference.encode(EXAMPLES[0].text))
    shown = bars(page, "The next token")
    top = predicted.topk(10)
    decode = reference.model.tokenizer.decode
    assert [name for name, _ in shown] == [decode([i]).replace(" ", "·") for i in top.indices.tolist()]
    assert torch.allclose(torch.tensor([p for _, p in shown]), top.values, atol=1e-3)


def test_removing_a_token_as_torch_says(page: Page, reference: Torch) -> None:
    """Removed by keyboard; the prediction before stays in sight, and Undo brings it back."""
    before = bars(page, "The next token")
    tokens(page).nth(11).click()
    chosen(page).press("Delete")
    expect(tokens(page)).to_have_count(15)
    assert page.get_by_label("Your text").input_value() == EXAMPLES[0].text.replace(" Lily", "")
    ids = reference.encode(EXAMPLES[0].text)
    _, predicted = reference.read([*ids[:11], *ids[12:]])
    assert abs(bars(page, "The next token")[0][1] - float(predicted.max())) < 1e-3
    assert bars(page, "Before the change") == before
    assert "without “Lily”" in page.get_by_role("table", name="The next token").inner_text()
    assert page.evaluate("document.activeElement.getAttribute('aria-selected')") == "true"
    page.get_by_role("button", name="Undo").click()
    expect(tokens(page)).to_have_count(16)
    assert bars(page, "The next token") == before


def test_an_edit_as_torch_says(page: Page, reference: Torch) -> None:
    text = EXAMPLES[0].text.replace("girl named Lily", "boy named Ben")
    read(page, text)
    name, p = reference.likeliest(text)
    assert (name, round(p, 2)) != ("Lily", 0.87)
    shown = bars(page, "The next token")[0]
    assert shown[0] == f"·{name}"
    assert abs(shown[1] - p) < 1e-3
    assert f"“{name}” rises" in page.locator(".fm-attention-change").inner_text()


def test_what_examples_say_is_true(reference: Torch) -> None:
    """Each claim about a weight or a prediction, measured."""

    def looks(one: Example, text: str) -> tuple[str, float]:
        ids = reference.encode(text)
        row = reference.read(ids)[0][one.head[0] - 1, one.head[1] - 1, -1]
        return reference.model.tokenizer.decode([ids[int(row.argmax())]]).strip(), float(row.max())

    def expects(text: str) -> str:
        return reference.likeliest(text)[0]

    name, kite, pronoun, color, ball = EXAMPLES
    for text, who in ((name.text, "Lily"), (name.changes[0].text, "Tim")):
        assert (looks(name, text)[0], expects(text)) == (who, who)
    for one, who in zip((kite, *kite.changes), ("Leo", "Tim", "Leo"), strict=True):
        assert (looks(kite, one.text)[0], expects(one.text)) == (who, who)
    assert kite.text.count("Leo") == 2
    ids = reference.encode(kite.text)
    later = max(at for at, i in enumerate(ids) if reference.model.tokenizer.decode([i]) == " Leo")
    assert 40 <= len(ids) - 1 - later < 45
    assert reference.read(ids)[0][2, 2, -1].argmax() == later
    his, her = looks(pronoun, pronoun.text), looks(pronoun, pronoun.changes[0].text)
    assert (his[0], her[0]) == ("his", "her")
    assert 0.5 < his[1] < her[1]
    assert [expects(one.text) for one in (pronoun, *pronoun.changes)] == ["He", "He", "She"]
    assert "his" in pronoun.changes[1].text
    assert looks(color, color.text)[0] == "color"
    assert [expects(one.text) for one in (color, color.changes[0])] == ["or", "or"]
    (article,) = reference.encode(" or")[1:]
    assert reference.read(reference.encode(color.changes[1].text))[1][article] < 0.01
    ids = reference.encode(ball.text)
    weights, predicted = reference.read(ids)
    (at,) = (at for at, i in enumerate(ids) if reference.model.tokenizer.decode([i]) == " ball")
    assert weights[:, :, -1, at].max() < 0.1
    assert predicted[ids[at]] < 0.01
    changed = reference.read(reference.encode(ball.changes[0].text))[1]
    assert predicted.topk(3).indices.tolist() == changed.topk(3).indices.tolist()
    (thing,) = reference.encode(" kite")[1:]
    assert thing not in changed.topk(10).indices


def test_measures_are_counted(page: Page, reference: Torch) -> None:
    ids = reference.encode(EXAMPLES[0].text)
    row = reference.read(ids)[0][2, 2]
    later = range(1, len(ids))
    copies = [(t, [s for s in range(t) if ids[s] == ids[t]]) for t in later if ids[t] in ids[:t]]
    want = [
        [(float(row[t, t - 1]), 1 / (t + 1)) for t in later],
        [(float(row[t, t]), 1 / (t + 1)) for t in later],
        [(float(row[t, 0]), 1 / (t + 1)) for t in later],
        [(float(row[t, places].sum()), len(places) / (t + 1)) for t, places in copies],
    ]
    shown = page.locator(".fm-attention-measures tbody tr").all_inner_texts()
    for text, pairs in zip(shown, want, strict=True):
        got = [share(one) for one in text.split("\t")[1:]]
        for mean, one in zip(zip(*pairs, strict=True), got, strict=True):
            assert one == pytest.approx(sum(mean) / len(mean), abs=0.0051)
    assert f"({len(copies)} of {len(ids) - 1} tokens)" in shown[3]


def test_the_sentence_says_where_it_looks(page: Page, reference: Torch) -> None:
    """It is what a screen reader hears once the reader rests."""
    ids = reference.encode(EXAMPLES[0].text)
    looked = reference.read(ids)[0][2, 2, -1].topk(3)
    names = [reference.model.tokenizer.decode([ids[at]]).strip() for at in looked.indices.tolist()]
    where = [f"“{name}” {weight:.0%}" for name, weight in zip(names, looked.values.tolist(), strict=True)]
    said = f"In layer 3, head 3, “,” (token 16) looks at {', '.join(where)}."
    expect(page.locator(".fm-attention > .fm-spoken")).to_have_text(said)


def test_tokens_and_heads_by_keyboard(page: Page) -> None:
    chosen(page).focus()
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.activeElement.innerText").startswith("day")
    page.keyboard.press("Home")
    sentence = page.locator(".fm-attention-sentence")
    assert "“<|bos|>” (token 1) looks at “<|bos|>” 100%" in sentence.inner_text()
    assert page.evaluate("document.activeElement.innerText").startswith("<|bos|>")
    page.keyboard.press("End")
    page.get_by_role("radio", checked=True).focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowLeft")
    now = page.get_by_role("radio", checked=True)
    assert now.get_attribute("aria-label").startswith("Layer 2, head 2")
    assert now.evaluate("(one) => one === document.activeElement")
    assert "In layer 2, head 2" in sentence.inner_text()


def test_pointing_shows_and_forgets(page: Page) -> None:
    sentence = page.locator(".fm-attention-sentence")
    before = sentence.inner_text()
    tokens(page).nth(5).hover()
    assert "(token 6)" in sentence.inner_text()
    page.get_by_label("Your text").hover()
    assert sentence.inner_text() == before


def test_a_change_stands_beside_its_example(page: Page) -> None:
    page.get_by_role("button", name="He or she?").click()
    page.get_by_role("button", name="Replace the boy and his name").click()
    expect(page.locator(".fm-attention-shows")).to_have_text(example("He or she?").changes[1].shows)
    assert bars(page, "Before the change")[0][0] == "·He"
    assert bars(page, "The next token")[0][0] == "·She"
    page.get_by_role("button", name="Replace “his” with “her”").click()
    expect(page.locator(".fm-attention-shows")).to_have_text(example("He or she?").changes[0].shows)
    assert bars(page, "Before the change")[0][0] == "·He"
    assert "with “her”" in page.get_by_role("table", name="The next token").inner_text()
    pressed = page.locator(".fm-attention-tries [aria-pressed=true]")
    assert pressed.inner_text() == "Replace “his” with “her”"
    assert pressed.evaluate("(one) => one === document.activeElement")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("  \n", "Write a text first, or choose an example."),
        ("x " * 300, "and the model can read 255: shorten it."),
        ("\ud83d", "half a character"),
    ],
    ids=["empty", "long", "half"],
)
def test_what_cannot_be_read_is_one_line(page: Page, text: str, line: str) -> None:
    """What was shown before stays."""
    page.get_by_label("Your text").evaluate(f"(field) => field.value = {json.dumps(text)}")
    page.get_by_label("Your text").press("Enter")
    expect(page.locator(".fm-attention-note")).to_contain_text(line)
    expect(tokens(page)).to_have_count(16)
    page.get_by_role("button", name="A name").click()
    expect(page.locator(".fm-attention-note")).to_be_empty()


def test_a_hostile_text_is_text(page: Page, reference: Torch) -> None:
    read(page, HOSTILE)
    ids = reference.encode(HOSTILE)
    expect(tokens(page)).to_have_count(len(ids))
    assert not page.locator(".fm-attention :is(img, b b, script:not([type]))").count()
    want, _ = reference.read(ids)
    assert (all_weights(page) - want[:, :, -1].reshape(12, -1).T).abs().max() < 1e-3
    tokens(page).nth(3).press("Delete")
    expect(tokens(page)).to_have_count(len(ids) - 1)


def test_the_longest_text_is_read(page: Page, reference: Torch) -> None:
    text = "Once" + " Lily" * 253
    assert len(reference.encode(text)) == 255
    read(page, text)
    expect(tokens(page)).to_have_count(255)
    assert not tiny.faults(page, ".fm-attention")


@pytest.mark.parametrize(("width", "colors"), tiny.LOOKS)
def test_attention_is_accessible(visit: Any, width: int, colors: str) -> None:
    page = visit(width, color_scheme=colors)
    complaints = tiny.faults(page, ".fm-attention")
    open_model(page)
    complaints += tiny.faults(page, ".fm-attention")
    page.locator(".fm-attention-tries button").first.click()
    page.get_by_text("All weights of the chosen token").click()
    tokens(page).nth(4).click()
    complaints += tiny.faults(page, ".fm-attention") + tiny.small_targets(page, PARTS)
    read(page, HOSTILE)
    complaints += tiny.faults(page, ".fm-attention")
    assert not complaints, "\n".join(complaints)


def test_without_a_script_it_says_what(visit: Any) -> None:
    page = visit(java_script_enabled=False)
    shown = page.locator(".fm-attention").inner_text()
    assert all(one.text in shown and one.shows in shown for one in EXAMPLES)
    expect(page.get_by_role("button", name="Open the model")).to_be_hidden()


def test_an_unknown_model_is_a_warning(tmp_path: Any) -> None:
    book = tiny.write(tmp_path, "# Page\n\n```{attention} nobody\n```\n")
    _, warnings = tiny.read(book, "widgets.attention")
    assert re.search(r"intro\.md:\d+: WARNING: no language model 'nobody' in assets/models", warnings)
    assert Attention.widget == "attention-explorer"
