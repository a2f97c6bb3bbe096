"""What people have in Python is taken as it is, or refused in one line that says what to give."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from datasets import Dataset, DatasetDict, IterableDataset, IterableDatasetDict
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, TrainingArguments

import fmkit
from fmkit import (
    Classifier,
    FmkitError,
    LoraConfig,
    ModelConfig,
    TrainConfig,
    Transformer,
    add_chat_tokens,
    add_lora,
    align,
    continue_pretrain,
    distill,
    drop_duplicates,
    drop_near_duplicates,
    dsir_select,
    evaluate,
    filter_corpus,
    finetune,
    generate,
    grpo,
    load_adapter,
    load_corpus,
    load_examples,
    load_prompts,
    load_tokenizer,
    merge_lora,
    pretrain,
    quantize,
    reply,
    reproducible,
    save_adapter,
    scrub,
    train_reward,
    train_tokenizer,
    write_answers,
    write_corpus,
    write_examples,
)
from fmkit.config import choose_device
from fmkit.data.given import COMPLETIONS, LABELED, PAIRS, TEXTS, as_splits
from fmkit.evaluation.agreement import cohen_kappa
from fmkit.evaluation.answers import exact_match
from fmkit.evaluation.calibration import expected_calibration_error
from fmkit.evaluation.choices import choice_log_probs
from fmkit.evaluation.classification import accuracy, f1
from fmkit.evaluation.likelihood import bits_per_byte, perplexity
from fmkit.evaluation.meaning import token_vectors
from fmkit.evaluation.overlap import word_f1
from fmkit.evaluation.privacy import text_nats
from fmkit.trainer import Trainer

TEXT = [f"The fox number {i} ran {i * 7} miles, and then it slept." for i in range(60)]
ROWS = [{"text": text} for text in TEXT]
ANSWERS = [{"prompt": f"Who is {i}?", "completion": f" Fox {i}."} for i in range(40)]
CHOICES = [{"prompt": f"Who is {i}?", "chosen": f" Fox {i}.", "rejected": f" Hen {i}."} for i in range(40)]
LABELS = [{"text": text, "label": ("bad", "good")[i % 2]} for i, text in enumerate(TEXT)]
CHATS = [
    [{"role": "user", "content": f"Who is {i}?"}, {"role": "assistant", "content": f"Fox {i}."}]
    for i in range(40)
]
MESSAGES = [{"messages": chat} for chat in CHATS]
ONE = TrainConfig(steps=1, batch_size=2, eval_rows=2, device="cpu")


def table(rows: list[dict]) -> Dataset:
    return Dataset.from_list(rows)


def stream(rows: list[dict]) -> IterableDataset:
    """A stream that does not know its columns."""
    return IterableDataset.from_generator(lambda: iter(rows))


# --- data -------------------------------------------------------------------------------------------------

TEXTS_GIVEN = {
    "list": lambda: TEXT,
    "tuple": lambda: tuple(TEXT),
    "generator": lambda: iter(TEXT),
    "array": lambda: np.array(TEXT),
    "series": lambda: pd.Series(TEXT),
    "rows": lambda: ROWS,
    "generated rows": lambda: iter(ROWS),
    "columns": lambda: {"text": TEXT},
    "pandas": lambda: pd.DataFrame(ROWS),
    "data set": lambda: table(ROWS),
    "column": lambda: table(ROWS)["text"],
    "only train": lambda: DatasetDict(train=table(ROWS)),
    "more columns": lambda: table([{**row, "label": 0.5, "id": [1]} for row in ROWS]),
    "stream": lambda: table(ROWS).to_iterable_dataset(),
    "untyped stream": lambda: stream(ROWS),
    "only train, streamed": lambda: IterableDatasetDict(train=stream(ROWS)),
}


@pytest.mark.parametrize("make", TEXTS_GIVEN.values(), ids=TEXTS_GIVEN.keys())
def test_texts_are_split_as_of_a_file(make, tmp_path):
    (tmp_path / "texts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    of_file, given = load_corpus(tmp_path / "texts.jsonl"), as_splits(make(), TEXTS)
    for split in ("train", "validation"):
        assert [row["text"] for row in given[split]] == list(of_file[split]["text"])


EXAMPLES_GIVEN = {"rows": iter, "pandas": pd.DataFrame, "data set": table}


@pytest.mark.parametrize("given", EXAMPLES_GIVEN.values(), ids=EXAMPLES_GIVEN.keys())
@pytest.mark.parametrize(
    ("rows", "kinds"),
    [(ANSWERS, COMPLETIONS), (MESSAGES, COMPLETIONS), (CHOICES, PAIRS), (LABELS, LABELED)],
    ids=["completions", "messages", "pairs", "labels"],
)
def test_examples_are_split_as_of_a_file(rows, kinds, given, tmp_path):
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    splits, of_file = as_splits(given(rows), kinds), load_examples(tmp_path / "rows.jsonl")
    for split in ("train", "validation"):
        label = of_file[split].features.get("label")
        expected = [{**row, "label": label.int2str(row["label"])} if label else row for row in of_file[split]]
        assert list(splits[split]) == expected


@pytest.mark.parametrize(
    "data",
    [
        {"train": TEXT, "validation": TEXT[:2]},
        {"train": TEXT, "test": TEXT[:2]},
        {"train": ROWS, "val": pd.Series(TEXT[:2]), "test": 7},
        DatasetDict(train=table(ROWS), test=table(ROWS[:2])),
        IterableDatasetDict(train=stream(ROWS), eval=stream(ROWS[:2])),
    ],
)
def test_other_names_of_validation(data):
    splits = as_splits(data, TEXTS)
    assert [list(splits[name]) for name in splits] == [ROWS, ROWS[:2]]


WHOLE = [{"prompt": chat[:1], "completion": chat[1:]} for chat in CHATS]
ALPACA = [{"instruction": f"Who is {i}?", "input": "", "output": f"Fox {i}."} for i in range(40)]
SHARED = [
    {"conversations": [{"from": "human", "value": f"Who is {i}?"}, {"from": "gpt", "value": f"Fox {i}."}]}
    for i in range(40)
]


BLOCKS = [
    {"messages": [{"role": "user", "content": [{"type": "text", "text": chat[0]["content"]}]}, chat[1]]}
    for chat in CHATS
]
OTHER_SHAPES = {"lists": CHATS, "TRL": WHOLE, "Alpaca": ALPACA, "ShareGPT": SHARED, "blocks": BLOCKS}


@pytest.mark.parametrize("rows", OTHER_SHAPES.values(), ids=OTHER_SHAPES.keys())
def test_conversations_of_other_shapes(rows):
    splits = as_splits(rows, COMPLETIONS)
    assert list(splits["train"]) == list(as_splits(MESSAGES, COMPLETIONS)["train"])
    assert list(as_splits({"train": rows, "test": iter(rows)}, COMPLETIONS)["validation"]) == MESSAGES


DATA = {
    "texts": lambda m, t, hf: pretrain(m, t, TEXT, ONE),
    "a stream": lambda m, t, hf: pretrain(m, t, stream(ROWS), ONE),
    "replay": lambda m, t, hf: continue_pretrain(m, t, TEXT, ONE, replay=TEXT[::-1]),
    "completions": lambda m, t, hf: finetune(m, t, ANSWERS, ONE),
    "labels": lambda m, t, hf: finetune(Classifier.from_base(m, ["bad", "good"]), t, LABELS, ONE),
    "of texts": lambda m, t, hf: distill(m, t, TEXT, ONE, teacher=Transformer(m.config, 1)),
    "of answers": lambda m, t, hf: distill(m, t, ANSWERS, ONE, teacher=Transformer(m.config, 1)),
    "rewards": lambda m, t, hf: train_reward(Classifier.from_base(m, ["r"]), t, CHOICES, ONE),
    "pairs": lambda m, t, hf: align(m, t, pd.DataFrame(CHOICES), ONE),
    "prompts": lambda m, t, hf: grpo(
        *(m, t, [row["prompt"] for row in ANSWERS], ONE),
        reward=lambda prompts, completions, **_: np.ones(len(completions)),
        num_generations=2,
        max_new_tokens=2,
    ),
}


@pytest.fixture(scope="session")
def saved(model_config, tokenizer, tmp_path_factory) -> Path:
    """A directory with a model and its tokenizer."""
    directory, model = tmp_path_factory.mktemp("saved"), Transformer(model_config)
    model.tokenizer = tokenizer
    model.save_pretrained(directory)
    return directory


@pytest.fixture(scope="session")
def hf(saved) -> SimpleNamespace:
    """What transformers makes of that directory."""
    model, tokenizer = (auto.from_pretrained(saved) for auto in (AutoModelForCausalLM, AutoTokenizer))
    return SimpleNamespace(model=model, tokenizer=tokenizer, directory=saved)


@pytest.mark.slow
@pytest.mark.parametrize("learn", DATA.values(), ids=DATA.keys())
def test_recipes_take_what_is_in_memory(learn, model, tokenizer):
    assert learn(model, tokenizer, None).history


# --- what else is taken -----------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("given", [table, stream, pd.DataFrame, iter])
def test_measures_take_what_is_in_memory(given, model, tokenizer):
    rows, one = [{"text": "my text"}], evaluate(model, tokenizer, ["my text"])
    assert evaluate(model, tokenizer, given(rows)) == one
    assert perplexity(model, tokenizer, given(rows)) == one["perplexity"]
    assert bits_per_byte(model, tokenizer, given(rows)) == one["bits_per_byte"]


@pytest.mark.parametrize("of", [np.array, torch.tensor, pd.Series, tuple])
def test_scores_of_arrays_and_tensors(of):
    first, second = [0, 1, 1, 0, 1], [0, 1, 0, 0, 1]
    for score in (accuracy, f1, cohen_kappa, expected_calibration_error):
        assert score(of(first), of(second)) == score(first, second)
    if of is not torch.tensor:
        assert exact_match(of(["a", "b"]), of(["a", "c"])) == word_f1(of(["a", "b"]), of(["a", "c"])) == 0.5


@pytest.mark.parametrize("form", ["torch", "numpy", "pandas", "arrow"])
def test_a_data_sets_format_is_no_matter(form):
    numbered = table([{**row, "label": i % 2} for i, row in enumerate(LABELS)])
    for rows, kinds in ((ROWS, TEXTS), (ANSWERS, COMPLETIONS), (list(numbered), LABELED)):
        plain = as_splits(table(rows), kinds)
        formed = as_splits(table(rows).with_format(form), kinds)
        assert {name: list(plain[name]) for name in plain} == {name: list(formed[name]) for name in formed}


def test_examples_in_memory_are_measured(model, tokenizer):
    assert set(evaluate(model, tokenizer, ANSWERS[:2])) == {"perplexity", "exact_match"}
    assert set(evaluate(model, tokenizer, iter(CHOICES[:2]))) == {"reward_accuracy", "margin"}
    classifier = Classifier.from_base(model, ["bad", "good"])
    assert set(evaluate(classifier, tokenizer, pd.DataFrame(LABELS))) == {"accuracy", "f1"}


@pytest.mark.parametrize("given", [list, table, pd.DataFrame], ids=["rows", "data set", "pandas"])
def test_examples_in_memory_are_written(given, tmp_path):
    write_examples(given(ANSWERS), tmp_path / "answers.jsonl")
    assert [json.loads(line) for line in (tmp_path / "answers.jsonl").open()] == ANSWERS


def test_prompts_in_memory_are_answered(model, tokenizer):
    prompts = [row["prompt"] for row in ANSWERS]
    texts = write_answers(model, tokenizer, prompts, max_new_tokens=3)
    assert texts[:] == write_answers(model, tokenizer, table(ANSWERS), max_new_tokens=3)[:]


@pytest.mark.parametrize("given", [lambda: TEXT, lambda: pd.DataFrame(ROWS), lambda: table(ROWS)["text"]])
def test_selection_takes_what_is_in_memory(given):
    assert drop_duplicates(given())[0]["text"][:] == TEXT
    assert drop_near_duplicates(given(), 1)[0]["text"][:] == TEXT
    assert len(filter_corpus(given(), lambda text: None if "7 miles" in text else "another")[0]) == 6
    assert len(dsir_select(given(), iter(TEXT[:5]), np.int64(3))) == 3


def test_tokenizer_of_what_is_in_memory():
    vocabulary = train_tokenizer(TEXT, 300).get_vocab()
    for make in TEXTS_GIVEN.values():
        if not isinstance(make(), DatasetDict | IterableDatasetDict):
            assert train_tokenizer(make(), np.int64(300)).get_vocab() == vocabulary


def test_tokenizer_of_transformers(tokenizer, model_config, saved):
    def run(given):
        learner = Transformer(model_config)
        run = pretrain(learner, given, TEXT, ONE)
        return run.history[-1]["loss"], generate(learner, given, "The", max_new_tokens=5, seed=1)

    theirs, of_file = AutoTokenizer.from_pretrained(saved), Tokenizer.from_file(str(saved / "tokenizer.json"))
    assert run(tokenizer) == run(theirs)
    theirs("a long text", truncation=True, max_length=2)  # which transformers remembers
    of_file.enable_truncation(2)
    assert run(tokenizer) == run(theirs) == run(of_file)
    assert of_file.truncation  # the reader's own is left as it is
    assert add_chat_tokens(theirs).get_vocab() == add_chat_tokens(tokenizer).get_vocab()


def test_tokenizer_of_transformers_measures(model, tokenizer, saved):
    def measure(given):
        chosen = choice_log_probs(model, given, "The fox", [" ran", " slept"])
        return chosen, text_nats(model, given, TEXT[:2]), token_vectors(model, given, "The fox").tolist()

    assert measure(AutoTokenizer.from_pretrained(saved)) == measure(tokenizer)


def test_tokenizer_of_transformers_is_saved(model, tokenizer, saved, tmp_path):
    model.tokenizer = AutoTokenizer.from_pretrained(saved)
    model.save_pretrained(tmp_path)
    assert load_tokenizer(tmp_path).to_str() == tokenizer.to_str()


def test_settings_of_numpy_are_saved(model, tokenizer, tmp_path):
    data = {"train": CHOICES, "validation": CHOICES}
    run = align(model, tokenizer, data, ONE, beta=np.float32(0.5), output_dir=tmp_path / "run")
    assert json.loads((tmp_path / "run" / "run.json").read_text())["beta"] == 0.5
    assert run.history


@pytest.mark.parametrize("device", ["cpu", torch.device("cpu"), "auto", None])
@pytest.mark.parametrize("dtype", ["bfloat16", torch.bfloat16])
def test_opened_on_a_device_in_a_format(device, dtype, saved):
    model = Transformer.from_pretrained(saved, device=device, dtype=dtype)
    assert model.dtype == torch.bfloat16
    assert model.device == (choose_device() if device in ("auto", None) else torch.device("cpu"))
    assert Transformer.from_pretrained(str(saved)).dtype == torch.float32


def test_home_is_the_users(saved, monkeypatch):
    monkeypatch.setenv("HOME", str(saved.parent))
    assert Transformer.from_pretrained(f"~/{saved.name}").config.hidden_size == 32
    assert load_tokenizer(f"~/{saved.name}").get_vocab_size() == 400


# --- what is refused --------------------------------------------------------------------------------------

OTHER_LIBRARY = "a LlamaForCausalLM of another library: .* Transformer.from_pretrained"
COLUMNS = "no column 'text': text is read; the data has body"
SWAPPED = "a Tokenizer is not a model: give a .*, and then its tokenizer"
PATH = "is one text or a path: give a list of texts, or what load_corpus or load_examples makes"
NO_PATH = "is not a path: name a file or directory"

REFUSED = {
    "path": (lambda m, t, hf: pretrain(m, t, "stories"), PATH),
    "pathlib": (lambda m, t, hf: finetune(m, t, hf.directory), PATH),
    "nothing": (lambda m, t, hf: pretrain(m, t, []), "no texts, no rows"),
    "no rows": (lambda m, t, hf: finetune(m, t, table(ANSWERS).select([])), "no texts, no rows"),
    "no held-out rows": (
        lambda m, t, hf: finetune(m, t, {"train": ANSWERS, "test": []}),
        "test: no texts, no rows: give one or more",
    ),
    "no streamed rows": (lambda m, t, hf: pretrain(m, t, stream([])), "no texts, no rows"),
    "one row": (lambda m, t, hf: pretrain(m, t, ["a"]), "two different documents are needed"),
    "one example": (lambda m, t, hf: finetune(m, t, ANSWERS[:1]), "two different ones are needed"),
    "None": (
        lambda m, t, hf: pretrain(m, t, None),
        "of type NoneType: give a Dataset, a DatasetDict",
    ),
    "torch": (lambda m, t, hf: pretrain(m, t, torch.nn.Linear(1, 1)), "the data is of type Linear"),
    "numbers": (lambda m, t, hf: pretrain(m, t, [1, 2]), "row 1: a number: make all rows texts"),
    "mixture": (lambda m, t, hf: pretrain(m, t, ["a", {"text": "b"}]), "row 2: an object"),
    "gap in texts": (lambda m, t, hf: pretrain(m, t, [*TEXT, None]), "row 61: null"),
    "gap": (
        lambda m, t, hf: pretrain(m, t, {"text": [*TEXT, None]}),
        "'text' has nothing in row 61",
    ),
    "gap in a stream": (
        lambda m, t, hf: pretrain(m, t, dict.fromkeys(("train", "test"), stream([*ROWS, {"text": None}]))),
        "the column 'text' holds something that is not text",
    ),
    "number texts": (
        lambda m, t, hf: pretrain(m, t, {"text": [1, 2]}),
        "'text' holds int64: .* text",
    ),
    "uneven": (
        lambda m, t, hf: pretrain(m, t, {"text": TEXT, "id": [1]}),
        "not a table of rows and col",
    ),
    "other texts": (
        lambda m, t, hf: pretrain(m, t, [{"text": "a"}, {"text": 1}]),
        "row 2, text: a number, not text",
    ),
    "columns": (lambda m, t, hf: pretrain(m, t, {"body": TEXT}), COLUMNS),
    "columns of splits": (
        lambda m, t, hf: pretrain(m, t, {"train": TEXT, "test": {"body": TEXT}}),
        COLUMNS,
    ),
    "columns of a stream": (lambda m, t, hf: pretrain(m, t, stream([{"body": "a"}])), COLUMNS),
    "columns to measure": (lambda m, t, hf: evaluate(m, t, {"body": TEXT}), COLUMNS),
    "no train": (
        lambda m, t, hf: pretrain(m, t, {"test": TEXT}),
        "the data has test: name one split train",
    ),
    "examples of texts": (
        lambda m, t, hf: finetune(m, t, TEXT),
        "no column 'prompt'.* the data has text",
    ),
    "streamed examples": (
        lambda m, t, hf: finetune(m, t, stream(ANSWERS)),
        "cannot be shuffled: gather it",
    ),
    "faulty record": (
        lambda m, t, hf: finetune(m, t, [*ALPACA, {"instruction": "a", "output": 1}]),
        "row 41, output: a number, not text",
    ),
    "number labels": (
        lambda m, t, hf: evaluate(Classifier.from_base(m, ["ab"]), t, {"text": TEXT, "label": [0.5] * 60}),
        "'label' holds float64: it must hold names or whole numbers",
    ),
    "splits to measure": (
        lambda m, t, hf: evaluate(m, t, {"train": TEXT, "test": TEXT}),
        "give one, as",
    ),
    "text to measure": (lambda m, t, hf: evaluate(m, t, "my text"), PATH),
    "splits to write": (
        lambda m, t, hf: write_examples({"train": ANSWERS}, "a.jsonl"),
        "the splits train: give one",
    ),
    "model": (lambda m, t, hf: pretrain(hf.model, t, TEXT), OTHER_LIBRARY),
    "model to measure": (lambda m, t, hf: evaluate(hf.model, t, TEXT), OTHER_LIBRARY),
    "model to write": (lambda m, t, hf: generate(hf.model, t, "a"), OTHER_LIBRARY),
    "model to answer": (lambda m, t, hf: reply(hf.model, t, CHATS[0]), OTHER_LIBRARY),
    "model of texts": (lambda m, t, hf: write_corpus(hf.model, t, 1), OTHER_LIBRARY),
    "model of answers": (lambda m, t, hf: write_answers(hf.model, t, TEXT), OTHER_LIBRARY),
    "model of likelihoods": (lambda m, t, hf: perplexity(hf.model, t, TEXT), OTHER_LIBRARY),
    "teacher": (lambda m, t, hf: distill(m, t, TEXT, teacher=hf.model), OTHER_LIBRARY),
    "trainer": (lambda m, t, hf: Trainer(hf.model, None, None, ONE), OTHER_LIBRARY),
    "base": (lambda m, t, hf: Classifier.from_base(hf.model, ["a", "b"]), OTHER_LIBRARY),
    "adapted": (lambda m, t, hf: add_lora(hf.model, LoraConfig()), OTHER_LIBRARY),
    "merged": (lambda m, t, hf: merge_lora(hf.model), OTHER_LIBRARY),
    "saved": (lambda m, t, hf: save_adapter(hf.model, hf.directory), OTHER_LIBRARY),
    "loaded": (lambda m, t, hf: load_adapter(hf.model, hf.directory), OTHER_LIBRARY),
    "path of a model": (lambda m, t, hf: evaluate("my-model", t, TEXT), "from_pretrained\\('my-model'\\)"),
    "swapped": (lambda m, t, hf: pretrain(t, m, TEXT), SWAPPED),
    "swapped to write": (lambda m, t, hf: generate(t, m, "a"), SWAPPED),
    "swapped to measure": (lambda m, t, hf: evaluate(t, m, TEXT), SWAPPED),
    "data before tokenizer": (
        lambda m, t, hf: pretrain(m, TEXT, t),
        "the tokenizer is a list: after the",
    ),
    "path of a tokenizer": (
        lambda m, t, hf: generate(m, "gpt2", "a"),
        "the tokenizer is a str: after the model, give",
    ),
    "arguments": (
        lambda m, t, hf: pretrain(m, t, TEXT, TrainingArguments("out")),
        "config is a TrainingArguments: give TrainConfig",
    ),
    "new from a path": (
        lambda m, t, hf: Transformer(str(hf.directory)),
        "from a ModelConfig, not a str.*from_pretrained",
    ),
    "sizes": (lambda m, t, hf: ModelConfig("400"), "vocab_size='400' must be a whole number"),
    "new from theirs": (
        lambda m, t, hf: Transformer(LlamaConfig(vocab_size=9)),
        "from a ModelConfig, not a LlamaConfig",
    ),
    "number of labels": (lambda m, t, hf: Classifier.from_base(m, 2), "labels=2 must be a list of names"),
    "label twice": (
        lambda m, t, hf: Classifier(m.config, ["a", "a"]),
        "must be a list of names, each of them once",
    ),
    "no labels": (lambda m, t, hf: Classifier(m.config, []), r"labels=\[\] must be a list of names"),
    "adapter's config": (
        lambda m, t, hf: add_lora(m, {"r": 8}),
        "config is a builtins.dict: give a fmkit.LoraConfig",
    ),
    "reward by name": (
        lambda m, t, hf: grpo(m, t, TEXT, ONE, reward="length", num_generations=2),
        "the reward must be",
    ),
    "reward of answers": (
        lambda m, t, hf: grpo(m, t, ANSWERS, ONE, reward=lambda completions: [1.0], num_generations=2),
        "the reward must be a Classifier, or a function of prompts and answers, two lists",
    ),
    "reward of theirs": (
        lambda m, t, hf: grpo(m, t, ANSWERS, ONE, reward=hf.model, num_generations=2),
        "a LlamaForCausalLM of another library: .* Classifier.from_pretrained",
    ),
    "reward of None": (
        lambda m, t, hf: grpo(m, t, ANSWERS, ONE, reward=lambda p, a: None, num_generations=2),
        "a number for each answer, not None",
    ),
    "model to quantize": (lambda m, t, hf: quantize(hf.model), OTHER_LIBRARY),
    "format to quantize": (lambda m, t, hf: quantize(m, torch.int8), "bits=torch.int8"),
    "prompts": (lambda m, t, hf: generate(m, t, ["a", "b"]), "the prompt is a list: give one text"),
    "ids": (
        lambda m, t, hf: generate(m, t, torch.ones(1, 2)),
        "the prompt is a Tensor: give one text",
    ),
    "a text to answer": (lambda m, t, hf: reply(m, t, "Hello"), "the messages must be a list"),
    "length": (
        lambda m, t, hf: generate(m, t, "a", "3"),
        "max_new_tokens='3' must be a whole number",
    ),
    "broken length": (
        lambda m, t, hf: generate(m, t, "a", 3.5),
        "max_new_tokens=3.5 must be a whole",
    ),
    "temperature": (
        lambda m, t, hf: generate(m, t, "a", temperature="1"),
        "temperature='1' must be a numb",
    ),
    "top k": (lambda m, t, hf: generate(m, t, "a", top_k=5.0), "top_k=5.0 must be a whole number"),
    "number of texts": (lambda m, t, hf: write_corpus(m, t, "2"), "n='2' must be a whole number"),
    "beta": (lambda m, t, hf: align(m, t, CHOICES, beta="0.1"), "beta='0.1' must be a number"),
    "share": (
        lambda m, t, hf: continue_pretrain(m, t, TEXT, replay_share="0.1"),
        "replay_share='0.1' must be a number",
    ),
    "generations": (
        lambda m, t, hf: grpo(m, t, ANSWERS, reward=len, num_generations="8"),
        "num_generations='8' must be a whole number",
    ),
    "size of vocabulary": (
        lambda m, t, hf: train_tokenizer(TEXT, "300"),
        "vocab_size='300' must be a whole number",
    ),
    "texts of a tokenizer": (
        lambda m, t, hf: train_tokenizer([None], 300),
        "the column 'text': a row is null",
    ),
    "columns of a tokenizer": (
        lambda m, t, hf: train_tokenizer([{"body": "a"}], 300),
        "the column 'text': a row has body",
    ),
    "k": (lambda m, t, hf: dsir_select(TEXT, TEXT, "3"), "k='3' must be a whole number"),
    "threshold": (lambda m, t, hf: drop_near_duplicates(TEXT, "0.8"), "threshold='0.8' must be a number"),
    "scrubbed texts": (lambda m, t, hf: scrub(TEXT), "scrub reads one text"),
    "seed": (lambda m, t, hf: reproducible("0"), "seed='0' must be a whole number"),
    "corpus in memory": (lambda m, t, hf: load_corpus(TEXT), NO_PATH),
    "examples in memory": (lambda m, t, hf: load_examples(ANSWERS), NO_PATH),
    "prompts in memory": (lambda m, t, hf: load_prompts(TEXT), NO_PATH),
    "tokenizer in memory": (lambda m, t, hf: load_tokenizer(hf.tokenizer), NO_PATH),
    "model in memory": (lambda m, t, hf: Transformer.from_pretrained(m), NO_PATH),
    "their format": (
        lambda m, t, hf: Transformer.from_pretrained(hf.directory, torch_dtype="auto"),
        "give dtype",
    ),
    "their place": (
        lambda m, t, hf: Transformer.from_pretrained(hf.directory, device_map="auto"),
        "give device",
    ),
    "format": (
        lambda m, t, hf: Transformer.from_pretrained(hf.directory, dtype=torch.float16),
        "choose from float32, bfl",
    ),
    "place": (
        lambda m, t, hf: Transformer.from_pretrained(hf.directory, device="tpu"),
        "device='tpu' is not available",
    ),
}


@pytest.mark.parametrize(("call", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_taken_is_one_line(call, message, model, tokenizer, hf):
    with pytest.raises(FmkitError, match=message) as caught:
        call(model, tokenizer, hf)
    assert "\n" not in str(caught.value)


def test_every_name_of_fmkit_is_walked():
    """A new name has its first calls by users of other libraries above, or is one that takes no objects."""
    plain = {"FmkitError", "RopeScaling", "TrainingRun", "asset"}
    assert set(fmkit.__all__) - plain <= set(globals())
