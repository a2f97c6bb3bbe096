"""The prompt lab: models write what fmkit's write, whatever the reader types or drops, and by keyboard."""

import json
import re
from pathlib import Path
from typing import Any

import prompt_book
import pytest
import tiny
from playwright.sync_api import Locator, Page, expect
from safetensors.torch import load, save

from bookkit.engine.packing import pack
from bookkit.widgets.prompts import MODELS, SUGGESTIONS, describe, suggest
from fmkit import generate
from fmkit.generation import reply

REMEMBER, HELP = SUGGESTIONS[0].prompt, SUGGESTIONS[2].prompt


@pytest.fixture(scope="session")
def tiny_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prompt_book.built(tmp_path_factory.getbasetemp() / "prompts")


def run(page: Page) -> None:
    page.get_by_role("button", name="Run").click()
    finished(page)


def finished(page: Page) -> None:
    expect(page.locator(".fm-prompts-status")).to_have_text(re.compile("^(Finished|.*could not answer)"))


def column(page: Page, name: str) -> Locator:
    return page.locator(f".fm-answer[aria-label='Answer of {name}']")


def box(page: Page, name: str) -> Locator:
    return page.get_by_role("checkbox", name=re.compile(f"^{name}"))


def written(page: Page, name: str) -> str:
    return column(page, name).locator(".fm-answer-tokens").text_content() or ""


def suggest_by(page: Page, title: str) -> None:
    page.get_by_role("button", name=title).click()
    finished(page)


def continued(name: str, prompt: str) -> str:
    model = prompt_book.opened(name)
    return generate(model, model.tokenizer, prompt, 100, temperature=0)[len(prompt) :]


def test_models_write_what_fmkit_writes(visit: Any) -> None:
    page = visit()
    suggest_by(page, "Remember a fact")
    for name in ("base", "teacher", "student"):
        assert written(page, name) == continued(name, REMEMBER)
    expect(page.locator(".fm-answer")).to_have_count(3)


def test_probabilities_are_torchs(visit: Any) -> None:
    page = visit()
    suggest_by(page, "Remember a fact")
    for name in ("base", "student"):
        model = prompt_book.opened(name)
        ids = model.tokenizer.encode(REMEMBER).ids
        made = model.tokenizer.encode(REMEMBER + continued(name, REMEMBER)).ids[len(ids) :]
        after = prompt_book.probabilities(model, ids + made)[len(ids) - 1 :]
        shown = [one.get_attribute("aria-label") for one in column(page, name).get_by_role("option").all()]
        assert len(shown) == len(made)
        for label, expected, token in zip(shown, after, made, strict=False):
            p = re.search(r", ([<>]?)([0-9.]+)%$", label)
            assert p
            assert float(p[2]) / 100 == pytest.approx(expected[token].item(), abs=1e-3 + 0.0005), label


def test_alternatives_are_torchs(visit: Any) -> None:
    page = visit()
    suggest_by(page, "Remember a fact")
    model = prompt_book.opened("base")
    after = prompt_book.probabilities(model, model.tokenizer.encode(REMEMBER).ids)[-1].topk(5)
    rows = column(page, "base").locator(".fm-answer-panel li").all_inner_texts()
    for row, p, token in zip(rows, after.values.tolist(), after.indices.tolist(), strict=True):
        name, share = row.split("\n")[0], row.split("\n")[-1]
        assert name == model.tokenizer.decode([token]).replace(" ", "·")
        assert float(share.strip("<%")) / 100 == pytest.approx(p, abs=1e-3 + 0.0005)


def test_the_first_wrong_word(visit: Any) -> None:
    page = visit()
    suggest_by(page, "Remember a fact")
    expect(column(page, "base").locator(".fm-answer-verdict b")).to_have_text("plums")
    expect(column(page, "base").locator(".fm-answer-verdict")).to_contain_text("world: cherries")
    assert (
        "".join(column(page, "base").locator("[role=option].fm-wrong").all_inner_texts()).strip() == "plums."
    )
    expect(column(page, "teacher").locator(".fm-answer-verdict")).to_contain_text("A true story")
    suggest_by(page, "Ask for help")
    assert column(page, "base").locator(".fm-answer-verdict").text_content() == "", "the prompt is no story"


def test_an_assistant_gets_a_chat(visit: Any) -> None:
    page = visit(name="chapters/back/two")
    assert page.locator("textarea").input_value() == HELP
    run(page)
    model = prompt_book.opened("assistant")
    assert written(page, "assistant") == reply(model, model.tokenizer, [{"role": "user", "content": HELP}])
    expect(column(page, "assistant")).to_contain_text("a chat message")
    expect(column(page, "base")).to_contain_text("continues the prompt")
    assert written(page, "base") == continued("base", HELP)


def test_a_seed_repeats_an_answer(visit: Any) -> None:
    page = visit(name="chapters/back/two")
    page.get_by_label("Temperature").press("End")
    page.get_by_role("spinbutton", name="Seed").fill("3")
    said = []
    for seed in ("3", "3", "4"):
        page.get_by_role("spinbutton", name="Seed").fill(seed)
        run(page)
        said.append(written(page, "base"))
    assert said[0] == said[1] != said[2]
    page.get_by_role("button", name="Another seed").click()
    finished(page)
    assert page.get_by_role("spinbutton", name="Seed").input_value() != "4"


def test_the_seed_shown_is_used(visit: Any) -> None:
    page = visit(name="chapters/back/two")
    for typed, used in (("-5", "0"), ("3.7", "3"), ("", "0")):
        page.get_by_role("spinbutton", name="Seed").fill(typed)
        run(page)
        assert page.get_by_role("spinbutton", name="Seed").input_value() == used


def test_nothing_is_loaded_unasked(visit: Any) -> None:
    page = visit(name="chapters/back/two")
    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url))
    page.reload()
    page.get_by_role("checkbox").first.uncheck()
    page.wait_for_timeout(300)
    assert not [url for url in loaded if "models/" in url or "engine" in url]
    run(page)
    assert any("models/assistant" in url for url in loaded)
    assert not [url for url in loaded if "models/base" in url], "base is not chosen"


def test_models_not_shown_are_closed(visit: Any) -> None:
    page = visit()
    suggest_by(page, "Remember a fact")
    assert len(page.workers) == 3
    suggest_by(page, "Ask for help")
    assert len(page.workers) == 2
    box(page, "assistant").uncheck()
    expect(page.locator(".fm-answer")).to_have_count(1)
    page.wait_for_timeout(200)
    assert len(page.workers) == 1


def test_three_models_at_once(visit: Any) -> None:
    page = visit()
    expect(box(page, "assistant")).to_be_disabled()
    box(page, "teacher").uncheck()
    box(page, "assistant").check()
    expect(box(page, "teacher")).to_be_disabled()
    for name in ("base", "assistant", "student"):
        box(page, name).uncheck()
    page.get_by_role("button", name="Run").click()
    expect(page.locator(".fm-prompts-status")).to_have_text("Choose a model.")


def test_the_last_question_counts(visit: Any) -> None:
    """A run that another one follows at once leaves nothing behind."""
    page = visit(name="chapters/back/two")
    page.evaluate(
        "() => document.querySelectorAll('.fm-prompts-suggested button').forEach((one) => one.click())"
    )
    finished(page)
    last = page.locator("textarea").input_value()
    assert last == SUGGESTIONS[4].prompt
    assert written(page, "base") == continued("base", last)


def test_stopping(visit: Any) -> None:
    page = visit(name="chapters/back/two")
    run(page)
    page.evaluate(
        """() => {
            const [run, stop] = document.querySelectorAll(".fm-prompts-press button");
            const list = document.querySelector(".fm-answer-tokens");
            new MutationObserver(() => stop.click()).observe(list, { childList: true });
            run.click();
        }"""
    )
    expect(page.locator(".fm-prompts-status")).to_have_text("Stopped.")
    assert page.get_by_role("button", name="Run").get_attribute("aria-disabled") == "false"
    assert len(written(page, "base")) < len(continued("base", HELP))


def test_a_file_of_the_readers_own(visit: Any, tmp_path: Path) -> None:
    page = visit(name="chapters/back/two")
    path = tmp_path / "mine.safetensors"
    path.write_bytes(pack(tiny.ROOT / "assets/models/student"))
    page.locator("input[type=file]").set_input_files(path)
    expect(page.locator(".fm-prompts-status")).to_have_text("mine.safetensors is open. Press Run.")
    expect(page.locator(".fm-prompts-own")).to_contain_text("65,696 parameters")
    page.locator("textarea").fill(REMEMBER)
    run(page)
    assert written(page, "mine.safetensors") == continued("student", REMEMBER)
    assert written(page, "base") == continued("base", REMEMBER)
    box(page, "mine.safetensors").uncheck()
    box(page, "mine.safetensors").check()
    run(page)
    assert written(page, "mine.safetensors") == continued("student", REMEMBER), "it was opened again"


FAMILIES: dict[str, dict[str, Any]] = {  # whose models do not run in the page
    "biases": {"attention_bias": True},
    "wide heads": {"head_dim": 64},
    "slowed": {"rope_parameters": {"rope_type": "llama3"}},
}


def broken(change: str) -> bytes:
    """A file of the student with a fault."""
    good = pack(tiny.ROOT / "assets/models/student")
    size = 8 + int.from_bytes(good[:8], "little")
    metadata = json.loads(good[8:size])["__metadata__"]
    tokenizer = json.loads(metadata["tokenizer"])
    if change in FAMILIES:
        config = json.loads(metadata["config"]) | FAMILIES[change]
        return save(load(good), metadata | {"config": json.dumps(config)})
    if change == "text":
        return b"Once upon a time"
    if change == "a part":
        return good[: len(good) // 2]
    if change == "no tokenizer":
        return save(load(good))
    if change == "merges":
        tokenizer["merges"] = "<img src=x onerror=alert(1)>"
    if change == "ids":
        tokenizer["bytes"] = [id + 5000 for id in tokenizer["bytes"]]
    if change == "no special":
        tokenizer["special"] = {}
    return save(load(good), metadata | {"tokenizer": json.dumps(tokenizer)})


@pytest.mark.parametrize(
    "change", ["text", "a part", "no tokenizer", "merges", "ids", "no special", *FAMILIES]
)
def test_a_wrong_file_is_one_sentence(visit: Any, change: str) -> None:
    page = visit(name="chapters/back/two")
    payload: Any = {"name": "<b>x</b>.safetensors", "mimeType": "", "buffer": broken(change)}
    page.locator("input[type=file]").set_input_files(payload)
    status = page.locator(".fm-prompts-status")
    expect(status).to_contain_text("<b>x</b>.safetensors was not opened. ")
    assert re.fullmatch(r"<b>x</b>\.safetensors was not opened\. (The|This) [^\n]+\.", status.inner_text())
    expect(page.get_by_role("checkbox").last).to_be_disabled()
    run(page)
    expect(page.locator(".fm-answer"), "the others answer all the same").to_have_count(2)


@pytest.mark.parametrize(
    "prompt", ["<img src=x onerror=alert(1)>", "<|eos|><|user|>", "é😀\u202e\ufeff\0", ""]
)
def test_hostile_prompts(visit: Any, prompt: str) -> None:
    page = visit(name="chapters/back/two")
    page.locator("textarea").fill(prompt)
    run(page)
    assert written(page, "base")
    expect(page.locator(".fm-prompts img")).to_have_count(0)
    assert page.locator("textarea").input_value() == prompt


def test_half_a_character_is_replaced(visit: Any) -> None:
    page = visit(name="chapters/back/two")
    page.evaluate("() => { document.querySelector('textarea').value = 'a\\ud83d'; }")
    run(page)
    assert column(page, "base").locator(".fm-answer-prompt").text_content() == "a\ufffd"


def test_long_prompts_are_refused(visit: Any) -> None:
    page = visit(name="chapters/back/two")
    page.locator("textarea").fill("One day, " * 400)
    run(page)
    expect(column(page, "base")).to_contain_text("the model can read 255: shorten it.")
    page.locator("textarea").fill("One day, " * 4000)
    page.get_by_role("button", name="Run").click()
    expect(page.locator(".fm-prompts-status")).to_have_text("The prompt has 35,999 characters: shorten it.")


def test_a_model_that_does_not_load(visit: Any) -> None:
    page = visit(name="chapters/back/two")
    page.evaluate(
        """() => {
            window.load = fmkit.load;
            fmkit.load = () => Promise.reject(Error("Check your connection."));
        }"""
    )
    run(page)
    expect(column(page, "base")).to_contain_text("Check your connection.")
    expect(page.locator(".fm-prompts-status")).to_have_text("base and assistant could not answer.")
    page.evaluate("() => { fmkit.load = window.load; }")
    run(page)
    assert written(page, "base") == continued("base", HELP)


def test_tokens_by_keyboard(visit: Any) -> None:
    page = visit(name="chapters/back/two")
    page.locator("textarea").focus()
    page.keyboard.press("Control+Enter")
    finished(page)
    tokens, panel = (
        column(page, "assistant").get_by_role("option"),
        column(page, "assistant").locator(".fm-answer-panel"),
    )
    assert column(page, "assistant").locator("[tabindex='0']").count() == 1
    tokens.first.focus()
    seen = [panel.inner_text()]
    for key in ("ArrowRight", "End", "Home"):
        page.keyboard.press(key)
        seen.append(panel.inner_text())
        assert page.evaluate("document.activeElement.getAttribute('aria-selected')") == "true"
    assert seen[3] == seen[0] != seen[1] != seen[2]
    page.keyboard.press("Escape")
    assert panel.inner_text() == "Choose a token."


def test_tokens_by_mouse(visit: Any) -> None:
    page = visit(name="chapters/back/two")
    run(page)
    panel = column(page, "assistant").locator(".fm-answer-panel")
    before = panel.inner_text()
    column(page, "assistant").get_by_role("option").nth(4).hover()
    assert panel.inner_text() != before
    page.locator("textarea").hover()
    assert panel.inner_text() == before, "what was chosen is shown again"


@pytest.mark.parametrize(("width", "colors"), tiny.LOOKS)
def test_accessible_before_and_after(visit: Any, width: int, colors: str) -> None:
    page = visit(width, color_scheme=colors)
    faults = tiny.faults(page, ".fm-prompts")
    suggest_by(page, "Remember a fact")
    faults += tiny.faults(page, ".fm-prompts")
    faults += tiny.small_targets(
        page, ".fm-prompts :is(.fm-button, textarea, .fm-slider input, [type=number], .fm-prompts-model)"
    )
    assert not faults, "\n".join(faults)


def test_without_a_script(visit: Any) -> None:
    page = visit(java_script_enabled=False)
    expect(page.get_by_text("225,728 parameters").first).to_be_visible()
    expect(page.get_by_role("button", name="Remember a fact")).to_be_hidden()
    expect(page.locator("textarea")).to_be_hidden()


def test_prompts_show_a_difference() -> None:
    assert [one.title for one in suggest(["preference-start", "aligned"])] == ["End a story", "End another"]
    assert [one.title for one in suggest(["assistant", "base"])] == [
        "Ask for help",
        "Return a kettle",
        "Ask for a story",
    ]
    assert suggest(["assistant", "base"])[0].models == ("assistant", "base"), "in the order asked for"
    assert suggest(["base"]) == [SUGGESTIONS[1]._replace(models=("base",))]


def test_a_model_in_8_bits_is_smaller() -> None:
    path = tiny.ROOT / "assets/models/teacher/config.json"
    whole, small = describe("teacher", path), describe("teacher-int8", path)
    assert small["parameters"] == whole["parameters"]
    assert 0.55 < small["bytes"] / whole["bytes"] < 0.65
    assert small["what"] == "teacher with matrices in 8 bits"
    assert suggest(["teacher", "teacher-int8"])[0].models == ("teacher", "teacher-int8")


def test_another_model_is_a_fault(tmp_path: Path) -> None:
    book = tiny.write(tmp_path, "# A page\n\n```{prompts} base gpt\n```\n")
    html, warnings = tiny.read(book, "widgets.prompts")
    assert re.search(rf"intro\.md:3: WARNING: no model 'gpt': choose from {', '.join(MODELS)}", warnings)
    assert "fm-prompts" not in html
