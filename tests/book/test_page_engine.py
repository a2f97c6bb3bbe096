"""The transformer in the page computes what fmkit's does: in Chromium, on the built site, in its worker."""

import base64
import dataclasses
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import tiny
import torch
from playwright.sync_api import Page
from safetensors.torch import save

from bookkit.engine.packing import IN_8_BITS, pack
from bookkit.engine.tokenizer_script import convert
from bookkit.site.build import build, site
from fmkit import ModelConfig, TrainConfig, Transformer, asset, generate
from fmkit.data.batches import Batch, PackedLoader
from fmkit.objectives import language_modeling
from fmkit.quantization import quantize
from fmkit.trainer import Trainer
from fmkit.widgets.text_lab import SMALL, TextLab, shop_lab, story_lab
from fmkit.world import load_stories

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow

# The engine's worker with a body of a test's own: what that returns of `given` is posted back.
RUN = """async ([body, given]) => {
    const source = await fmkit.load("engine-worker");
    const own = `self.onmessage = async ({ data: given }) => {
        const { checkpoint, trainer, pretraining, generation } = fmkit.modules;
        const fromBase64 = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
        const kernels = given.simd === false ? null : fromBase64(KERNELS);
        function open(file, options) {
            const { config, tensors } = checkpoint.readCheckpoint(fromBase64(file).buffer);
            const model = checkpoint.makeModel(config, kernels, options);
            checkpoint.assignWeights(model, tensors);
            return model;
        }
        try { self.postMessage({ done: await (async () => { ${body} })() }); }
        catch (error) { self.postMessage({ failed: error.stack }); }
    };`;
    const worker = new Worker(URL.createObjectURL(new Blob([source, own], { type: "text/javascript" })));
    const { done, failed } = await new Promise((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = ({ message }) => reject(Error(message));
        worker.postMessage(given);
    });
    worker.terminate();
    if (failed) throw Error(failed);
    return done;
}"""

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    build(ROOT)
    with tiny.opened(site(ROOT)) as (browser, address):
        opened = browser.new_page()
        opened.goto(f"{address}/chapters/0-front/life.html")
        yield opened


@pytest.fixture
def run(page: Page) -> Run:
    return lambda body, **given: page.evaluate(RUN, [body, given])


@pytest.fixture(scope="module")
def lab() -> TextLab:
    return story_lab()


def whole(model: Transformer, lab: TextLab) -> str:
    """A model's checkpoint for the page with all bits of its weights, in base64."""
    tensors = {name: weight.detach().contiguous() for name, weight in model.weights().items()}
    facts = {"config": model.to_hugging_face(), "tokenizer": convert(lab.tokenizer.to_str(), "")}
    return base64.b64encode(save(tensors, {name: json.dumps(fact) for name, fact in facts.items()})).decode()


def given(batch: Batch) -> dict[str, Any]:
    """A batch as batches.js has it: fmkit's document ids as spans."""
    one = torch.zeros_like(batch["input_ids"])  # each row is a single document
    documents, spans = (one if batch["document_ids"] is None else batch["document_ids"]).tolist(), []
    T = len(documents[0])
    for r, row in enumerate(documents):
        starts = [i for i in range(T) if i == 0 or row[i] != row[i - 1]]
        for start, end in zip(starts, [*starts[1:], T], strict=True):
            first, length = r * T + start, end - start
            spans.append({"query": first, "queries": length, "key": first, "keys": length})
    ids, labels = batch["input_ids"].flatten().tolist(), batch["labels"].flatten().tolist()
    return {"inputIds": ids, "labels": labels, "T": T, "spans": spans, "numItems": batch["num_items"]}


def rounded(name: str) -> Transformer:
    """A model of the book with the weights that the page has, in float16."""
    model = Transformer.from_pretrained(asset(f"models/{name}"))
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(weight.half().float())
    return model


# --- predictions ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("simd", [True, False])
def test_logits_are_those_of_torch(run: Run, simd: bool) -> None:
    """After 20 prompts, within 1e-3; also of the weights before they were rounded, within 2e-2."""
    model, exact = rounded("base"), Transformer.from_pretrained(asset("models/base"))
    assert model.tokenizer is not None
    texts = load_stories(20, 20)["validation"]["text"]
    prompts = [model.tokenizer.encode(text).ids[: 5 + 12 * k] for k, text in enumerate(texts)]
    body = """const model = open(given.file);
        return given.prompts.map((ids) => (model.rewind(0), [...model.read(ids)]));"""
    file = base64.b64encode(pack(asset("models/base"))).decode()
    for ids, got in zip(prompts, run(body, file=file, prompts=prompts, simd=simd), strict=True):
        with torch.inference_mode():
            want, before = (one(torch.tensor([ids]))[0, -1] for one in (model, exact))
        assert (torch.tensor(got) - want).abs().max() < 1e-3
        assert (torch.tensor(got) - before).abs().max() < 2e-2


@pytest.mark.parametrize("name", IN_8_BITS)
def test_int8_logits_are_those_of_fmkit(run: Run, name: str) -> None:
    """Those of a model that `quantize` has rounded, within 1e-3; what stays is in float16."""
    model = Transformer.from_pretrained(asset(f"models/{name}"))
    assert model.tokenizer is not None
    quantize(model)
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(weight.half().float())
    prompts = [model.tokenizer.encode(text).ids[:90] for text in load_stories(5, 5)["validation"]["text"]]
    body = """const model = open(given.file);
        return given.prompts.map((ids) => (model.rewind(0), [...model.read(ids)]));"""
    file = base64.b64encode(pack(asset(f"models/{name}"), int8=True)).decode()
    for ids, got in zip(prompts, run(body, file=file, prompts=prompts), strict=True):
        with torch.inference_mode():
            want = model(torch.tensor([ids]))[0, -1]
        assert (torch.tensor(got) - want).abs().max() < 1e-3


@pytest.mark.parametrize("name", IN_8_BITS)
def test_the_site_has_models_in_8_bits(page: Page, name: str) -> None:
    opened = """async (name) => {
        const { openModel } = await fmkit.load("engine");
        const { bytes, parameters, close } = await openModel(name);
        close();
        return [bytes, parameters];
    }"""
    size, count = page.evaluate(opened, f"{name}-int8")
    assert size == pytest.approx(len(pack(asset(f"models/{name}"), int8=True)), abs=2)  # base64 is padded
    assert count == page.evaluate(opened, name)[1]


@pytest.mark.parametrize(("name", "least"), [("base", 2.8), ("teacher", 3.2)])
def test_int8_files_are_small(name: str, least: float) -> None:
    """Beside float32: the matrices take a quarter, the embeddings half."""
    folder = asset(f"models/{name}")
    assert (folder / "model.safetensors").stat().st_size > least * len(pack(folder, int8=True))


@pytest.mark.parametrize("name", ["base", "teacher", "student", "assistant"])
def test_greedy_text_is_that_of_fmkit(page: Page, name: str) -> None:
    """Through the widgets' own interface and its KV cache."""
    model, prompt = rounded(name), "Once upon a time, there was a"
    want = generate(model, model.tokenizer, prompt, 120, temperature=0)  # type: ignore[arg-type]
    ask = """async ([name, prompt]) => {
        const { openModel } = await fmkit.load("engine"), model = await openModel(name);
        const ids = [model.tokenizer.id("<|bos|>"), ...model.tokenizer.encode(prompt)], tokens = [];
        const ontoken = (token) => tokens.push(token);
        const options = { maxNewTokens: 120, temperature: 0, seed: 0, ontoken };
        const made = await model.generate(ids, options), again = await model.generate(ids, options);
        model.close();
        return { text: prompt + model.tokenizer.decode(made), same: `${made}` === `${again}`, tokens };
    }"""
    got = page.evaluate(ask, [name, prompt])
    assert got["text"] == want
    assert got["same"]
    assert all(token["top"][0] == [token["id"], token["p"]] for token in got["tokens"])


# --- training ---------------------------------------------------------------------------------------------

SHAPES = {
    "small": SMALL,
    "grouped": ModelConfig(
        vocab_size=512,
        hidden_size=40,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        intermediate_size=70,
        max_position_embeddings=128,
        tie_word_embeddings=False,
    ),
    "both ways": dataclasses.replace(SMALL, is_causal=False),
}


@pytest.mark.parametrize("simd", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_gradients_are_those_of_torch(run: Run, lab: TextLab, shape: str, simd: bool) -> None:
    """Of every parameter, on packed documents, within 1e-4; larger weights than at the start show more."""
    model = Transformer(SHAPES[shape], seed=1)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(3) if weight.dim() == 2 else weight.add_(0.2 * torch.randn(weight.shape))
    batch = next(PackedLoader(lab.pieces, 3, 128, 1, seed=0))
    loss = language_modeling(model, batch) / batch["num_items"]
    loss.backward()
    body = """const model = open(given.file, { rows: 3 * 128, trained: true });
        const loss = model.loss(given.batch, true);
        const gradients = [...model.namedParameters()].map(([name, { gradient }]) => [name, [...gradient]]);
        return { loss: loss / given.batch.numItems, gradients: Object.fromEntries(gradients) };"""
    got = run(body, file=whole(model, lab), batch=given(batch), simd=simd)
    assert got["loss"] == pytest.approx(loss.item(), rel=1e-6)
    assert got["gradients"].keys() == dict(model.named_parameters()).keys()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None
        error = torch.tensor(got["gradients"][name]) - parameter.grad.flatten()
        assert error.norm() / parameter.grad.norm() < 1e-4, name


def test_training_follows_fmkit(run: Run, lab: TextLab) -> None:
    """From the same weights, on the same batches: after 100,000 tokens the loss differs by less than 5%."""
    config = TrainConfig(100, 8, learning_rate=6e-3, device="cpu", dtype="float32")
    batches = PackedLoader(lab.pieces, 8, 128, 1, seed=0)
    rows = [next(batches) for _ in range(config.steps)]
    model = Transformer(SMALL, seed=0)
    file = whole(model, lab)
    losses = [record["loss"] for record in Trainer(model, language_modeling, _Listed(rows), config).run()]
    body = """const model = open(given.file, { rows: 8 * 128, trained: true }), rows = given.batches.values();
        const setting = trainer.trainConfig({ steps: 100, batch_size: 8, learning_rate: 6e-3 });
        const run = new trainer.Trainer(model, () => rows.next().value, setting);
        return given.batches.map(() => run.trainStep());"""
    got = run(body, file=file, batches=[given(batch) for batch in rows])
    assert got[-1]["tokens"] > 100_000
    assert [record["loss"] for record in got] == pytest.approx(losses, rel=0.05)
    assert got[0]["gradNorm"] == pytest.approx(2.0, rel=1)


class _Listed:
    """A loader of given batches."""

    def __init__(self, batches: list[Batch]) -> None:
        self.left = list(batches)

    def __next__(self) -> Batch:
        return self.left.pop(0)

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        raise AssertionError("is not resumed")


TRAIN = """async ({ training, texts, stop }) => {
    const { trainModel } = await fmkit.load("engine"), events = [], controller = new AbortController();
    const onevent = (event) => {
        events.push(event);
        if (stop && events.length > 1) controller.abort();
    };
    const options = { training, texts, seed: 0, onevent, signal: controller.signal };
    let model;
    try { model = await trainModel(options); } catch (error) { return { failed: error.message, events }; }
    const start = model.tokenizer.id("<|bos|>");
    const ids = await model.generate([start], { maxNewTokens: 20, temperature: 0, seed: 0 });
    model.close();
    const points = events.flatMap((event) => event.points ?? []);
    const of = (key) => events.filter((event) => event[key]).map((event) => event[key]);
    return { stopped: model.stopped, points, checks: of("check"), stories: of("story"), made: ids.length };
}"""


def test_a_model_learns_stories(page: Page, lab: TextLab) -> None:
    training = {"learning_rate": 1e-2, "batch_size": 4, "steps": 150}
    got = page.evaluate(TRAIN, {"training": training})
    assert [point["step"] for point in got["points"]] == [*range(1, 151)]
    assert [check["step"] for check in got["checks"]] == [*range(0, 151, 15)]
    losses = [check["loss"] for check in got["checks"]]
    assert losses[0] == pytest.approx(6.24, abs=0.1)  # log 512: it knows nothing
    assert lab.floor is not None
    assert lab.floor < losses[-1] < 0.8 * losses[0]
    assert not got["stopped"]
    assert 0 < got["made"] <= 20
    story = got["stories"][-1]
    assert story["text"] == story["right"] + story["wrong"] + story["rest"]
    assert story["expected"] or story["valid"]


def test_a_model_learns_answers(page: Page) -> None:
    """The lab of fine-tuning: the same examples, held-out ones, and losses as in Python, in another order."""
    lab = shop_lab()
    trainer = lab.trainer(learning_rate=0.003, batch_size=16, epochs=2)
    before = trainer.evaluate(lab.validation)
    for _ in trainer.run():
        pass
    body = """async (training) => {
        const { tuneModel } = await fmkit.load("engine"), checks = [];
        const onevent = ({ check }) => check && checks.push(check);
        const model = await tuneModel({ training, seed: 0, onevent });
        model.close();
        return checks;
    }"""
    got = page.evaluate(body, {"learning_rate": 0.003, "batch_size": 16, "steps": trainer.config.steps})
    assert [check["step"] for check in got] == [0, 12, 24, 25]
    assert got[0]["loss"] == pytest.approx(before, rel=1e-3)
    assert got[-1]["loss"] == pytest.approx(trainer.evaluate(lab.validation), rel=0.1)


def test_a_run_is_stopped(page: Page) -> None:
    training = {"learning_rate": 1e-2, "batch_size": 4, "steps": 100_000}
    got = page.evaluate(TRAIN, {"training": training, "stop": True})
    assert got["stopped"]
    assert got["made"]


def test_too_high_a_rate_is_one_line(page: Page) -> None:
    training = {"learning_rate": 1e6, "batch_size": 4, "steps": 50}
    got = page.evaluate(TRAIN, {"training": training})
    assert "not a finite number. A lower learning rate may help." in got["failed"]


def test_a_model_learns_a_readers_text(page: Page) -> None:
    odd = "<img src=x onerror=alert(1)> \0 \U0001f600 naïve <|eos|> " * 40
    training = {"learning_rate": 1e-2, "batch_size": 2, "steps": 40}
    got = page.evaluate(TRAIN, {"training": training, "texts": [odd, *["The sun is warm. " * 9] * 30]})
    assert got["checks"][-1]["loss"] < 0.8 * got["checks"][0]["loss"]
    assert "valid" not in got["stories"][-1]  # no world says what is true


def test_a_short_text_is_one_line(page: Page) -> None:
    got = page.evaluate(TRAIN, {"training": {"steps": 10}, "texts": ["Too short."]})
    assert got["failed"].startswith("The text is too short")


# --- files of others --------------------------------------------------------------------------------------

OPEN = """async (files) => {
    const { openModel } = await fmkit.load("engine"), said = [];
    for (const file of files) {
        const bytes = Uint8Array.from(atob(file), (letter) => letter.charCodeAt(0));
        try { (await openModel(new File([bytes], "model.safetensors"))).close(); said.push("opened"); }
        catch (error) { said.push(error.message); }
    }
    return said;
}"""


def tiny_file(**changes: Any) -> bytes:
    """A small checkpoint whose configuration is changed."""
    config = ModelConfig(vocab_size=512, hidden_size=8, num_hidden_layers=1, num_attention_heads=2)
    model, lab = Transformer(config), story_lab()
    facts = {
        "config": model.to_hugging_face() | changes,
        "tokenizer": convert(lab.tokenizer.to_str(), ""),
    }
    tensors = {name: weight.detach().half().contiguous() for name, weight in model.weights().items()}
    return save(tensors, {name: json.dumps(fact) for name, fact in facts.items()})


def in_8_bits(weight: torch.Tensor, scale: torch.Tensor | None) -> bytes:
    tensors = {"a.weight": weight.to(torch.int8)} | ({} if scale is None else {"a.scale": scale})
    return save(tensors, {"config": "{}", "tokenizer": "{}"})


def faults() -> list[tuple[bytes, str]]:
    """Files that do not open, with a part of the line that says why; the last one opens."""
    return [
        (b"", "not a safetensors file"),
        (b"\xff" * 100, "not a safetensors file"),
        (tiny_file()[:-10], "is not whole"),
        (save({"a": torch.zeros(1)}), "no config and tokenizer"),
        (save({"a": torch.zeros(1, dtype=torch.int16)}, {"config": "{}", "tokenizer": "{}"}), "in I16"),
        (in_8_bits(torch.ones(2, 3), None), "lacks the scales of a.weight"),
        (in_8_bits(torch.ones(2, 3), torch.ones(3)), "lacks the scales of a.weight"),
        (in_8_bits(torch.ones(2), torch.ones(2)), "lacks the scales of a.weight"),
        (tiny_file(model_type="gpt2"), "model_type is gpt2"),
        (tiny_file(hidden_size=10**9), "hidden_size is 1000000000"),
        (tiny_file(vocab_size=100_000, max_position_embeddings=8000, num_hidden_layers=64), "MB of memory"),
        (tiny_file(num_hidden_layers=2), "lacks model.layers.1"),
        (tiny_file(num_attention_heads=3), "does not fit num_attention_heads"),
        (tiny_file(rope_theta="many"), "rope_theta is many"),
        (tiny_file(), "opened"),
    ]


def test_a_wrong_file_is_one_line(page: Page) -> None:
    said = page.evaluate(OPEN, [base64.b64encode(file).decode() for file, _ in faults()])
    for line, (_, part) in zip(said, faults(), strict=True):
        assert part in line


def test_damaged_files_are_survived(page: Page) -> None:
    """Bytes of the header are changed at random: each file opens, or is refused; the next one still opens."""
    rng, file = random.Random(0), tiny_file()
    header = int.from_bytes(file[:8], "little")
    damaged = []
    for _ in range(60):
        one = bytearray(file)
        for _ in range(rng.randint(1, 3)):
            one[rng.randrange(8 + header)] = rng.randrange(256)
        damaged.append(base64.b64encode(one).decode())
    said = page.evaluate(OPEN, [*damaged, base64.b64encode(file).decode()])
    assert said[-1] == "opened"
    assert all(said)
    assert len([line for line in said if line != "opened"]) > 10
