"""A run of any recipe that was killed continues to the same bits, and only with what it began with."""

import json

import pytest
import torch
from datasets import Dataset, DatasetDict, IterableDatasetDict
from tasks import PREFERENCES, QUESTIONS, SALES, config, shape

from fmkit import (
    Classifier,
    FmkitError,
    LoraConfig,
    Transformer,
    add_lora,
    align,
    continue_pretrain,
    distill,
    finetune,
    grpo,
    pretrain,
)
from fmkit.run import fit


class Killed(Exception):
    pass


@pytest.fixture
def few(stories) -> DatasetDict:
    return DatasetDict({split: stories[split].select(range(50)) for split in stories})


@pytest.fixture
def train(toy_tokenizer, few, tmp_path):
    """Trains by a recipe, 12 steps with a checkpoint every 5, in a directory of this name."""

    def run(recipe: str, directory: str, resume: bool = False) -> Transformer:
        model = Transformer(shape(toy_tokenizer), seed=5)
        settings = config(12, checkpoint_every=5)
        where = {"output_dir": tmp_path / directory, "resume": resume}
        if recipe == "finetune":
            add_lora(model, LoraConfig(r=4, modules_to_save=("embed_tokens",)))
            finetune(model, toy_tokenizer, QUESTIONS, settings, **where)
        elif recipe == "align":
            align(model, toy_tokenizer, PREFERENCES, settings, **where)
        elif recipe == "grpo":
            add_lora(model, LoraConfig(r=4))
            judge = Classifier.from_base(Transformer(shape(toy_tokenizer), seed=9), ["reward"])
            how = {"reward": judge, "num_generations": 4, "max_new_tokens": 5}
            grpo(model, toy_tokenizer, PREFERENCES, settings, **how, **where)
        elif recipe == "pretrain":
            streamed = IterableDatasetDict({split: few[split].to_iterable_dataset() for split in few})
            pretrain(model, toy_tokenizer, streamed, settings, **where)
        elif recipe == "continue_pretrain":
            mix = {"replay": few, "replay_share": 0.3}
            continue_pretrain(model, toy_tokenizer, SALES, settings, **mix, **where)
        else:
            teacher = Transformer(shape(toy_tokenizer), seed=9)
            distill(model, toy_tokenizer, few, settings, teacher=teacher, **where)
        return model

    return run


def kill_at_8(trainer, *arguments):
    """`fit`, killed after step 8."""
    steps = trainer.run()

    def run():
        for record in steps:
            yield record
            if trainer.step == 8:
                raise Killed

    trainer.run = run
    return fit(trainer, *arguments)


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["finetune", "align", "grpo", "pretrain", "continue_pretrain", "distill"])
def test_resumed_recipe_gives_the_same_bits(recipe, train, tmp_path, monkeypatch):
    whole = train(recipe, "whole")
    with monkeypatch.context() as patch:
        patch.setattr(f"fmkit.recipes.{recipe}.fit", kill_at_8)
        with pytest.raises(Killed):
            train(recipe, "killed")
    assert [p.name for p in (tmp_path / "killed/checkpoints").iterdir()] == ["step-00000005"]
    resumed = train(recipe, "killed", resume=True)
    for (name, a), (_, b) in zip(whole.named_parameters(), resumed.named_parameters(), strict=True):
        assert torch.equal(a, b), name
    for file in ("model.safetensors", "training.safetensors", "training.json"):
        files = [tmp_path / run / "checkpoints/step-00000012" / file for run in ("whole", "killed")]
        assert files[0].read_bytes() == files[1].read_bytes(), file
    losses = [
        [json.loads(line)["loss"] for line in (tmp_path / run / "metrics.jsonl").read_text().splitlines()]
        for run in ("whole", "killed")
    ]
    assert losses[0] == losses[1]


def tune_adapters(model, tokenizer, seed: int, **where) -> None:
    add_lora(model, LoraConfig(r=2))
    finetune(model, tokenizer, QUESTIONS, config(2), **where)


def align_from(model, tokenizer, seed: int, **where) -> None:
    align(model, tokenizer, PREFERENCES, config(2), **where)


def obey(model, tokenizer, seed: int, **where) -> None:
    judge = Classifier.from_base(model, ["reward"], seed=seed)
    model = Transformer(shape(tokenizer))
    grpo(model, tokenizer, PREFERENCES, config(2), reward=judge, max_new_tokens=5, **where)


def learn_from(model, tokenizer, seed: int, **where) -> None:
    teacher = Transformer(shape(tokenizer), seed=seed)
    distill(Transformer(shape(tokenizer)), tokenizer, SALES, config(2), teacher=teacher, **where)


def tune_all(model, tokenizer, seed: int, **where) -> None:
    """All weights learn, so the checkpoint has them all: another base would be ignored without a word."""
    base = where["output_dir"].with_name(f"base-{seed}")
    model.save_pretrained(base)
    finetune(Transformer.from_pretrained(base), tokenizer, QUESTIONS, config(2), **where)


def name_labels(model, tokenizer, seed: int, **where) -> None:
    rows = Dataset.from_dict({"text": ["A hen.", "A fox."] * 4, "label": [0, 1] * 4})
    model = Classifier.from_base(model, ["hen", "fox" if seed == 0 else "owl"])
    finetune(model, tokenizer, DatasetDict(train=rows, validation=rows), config(2), **where)


def stream(model, tokenizer, seed: int, **where) -> None:
    texts = {split: SALES[split].shuffle(seed).to_iterable_dataset() for split in SALES}
    pretrain(Transformer(shape(tokenizer)), tokenizer, IterableDatasetDict(texts), config(2), **where)


def short(prompts: list[str], answers: list[str]) -> list[float]:
    return [-float(len(answer)) for answer in answers]


def long(prompts: list[str], answers: list[str]) -> list[float]:
    return [float(len(answer)) for answer in answers]


def obey_function(model, tokenizer, seed: int, **where) -> None:
    how = {"reward": short if seed == 0 else long, "max_new_tokens": 5}
    grpo(Transformer(shape(tokenizer)), tokenizer, PREFERENCES, config(2), **how, **where)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("train", "word"),
    [
        (tune_adapters, "frozen weights"),
        (tune_all, "base"),
        (align_from, "reference"),
        (obey, "reward"),
        (obey_function, "reward"),
        (learn_from, "teacher"),
        (name_labels, "labels"),
        (stream, "corpus"),
    ],
)
def test_resume_refuses_another_start(train, word, toy_tokenizer, tmp_path):
    def run(seed: int, resume: bool) -> None:
        model = Transformer(shape(toy_tokenizer), seed=seed)
        train(model, toy_tokenizer, seed, output_dir=tmp_path / "run", resume=resume)

    run(0, resume=False)
    with pytest.raises(FmkitError, match=f"{word} was"):
        run(1, resume=True)
    run(0, resume=True)
