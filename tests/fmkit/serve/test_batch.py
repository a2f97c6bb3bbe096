"""Continuous batching: each answer is that of its prompt alone, whoever comes and goes beside it."""

import asyncio
import random

import pytest
import torch
from tokenizers import Tokenizer

from fmkit import FmkitError, ModelConfig, Transformer
from fmkit.data.pieces import Pieces
from fmkit.data.tokenizer import word_level_tokenizer
from fmkit.generation import generate_ids
from fmkit.serve.batch import Answer, Asked, Busy, Engine, RunningBatch

CONTEXT = 40
WORDS = word_level_tokenizer([f"w{i}" for i in range(86)])
SETTINGS = [(0.0, 1.0), (1.0, 1.0), (1.0, 0.8), (1.7, 0.8)]  # temperature, top_p


@pytest.fixture(scope="module")
def writer() -> Transformer:
    """A model with weights of a size at which mistakes show."""
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2}
    model = Transformer(ModelConfig(vocab_size=90, max_position_embeddings=CONTEXT, **shape))
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in model.parameters():
            weight += 0.2 * torch.randn(weight.shape, generator=generator)
    return model.eval()


def answer(i: int, most: int = 25, tokenizer: Tokenizer = WORDS, stop: tuple[str, ...] = ()) -> Answer:
    """One of many that differ in prompt, length and settings."""
    prompt = torch.randint(4, 90, (1 + 5 * i % 13,), generator=torch.Generator().manual_seed(i)).tolist()
    return Answer(prompt, Pieces(tokenizer, prompt, stop), (7,), most, *SETTINGS[i % 4], i, i % 3)


def write(batch: RunningBatch, answers: list[Answer], chance: random.Random) -> list[str]:
    """Have the answers come when there is a place and chance has it; return their texts."""
    texts, waiting = {id(each): "" for each in answers}, list(answers)
    while waiting or batch.answers:
        free = batch.places - len(batch.answers)
        joining = [waiting.pop(0) for _ in range(min(free, len(waiting), chance.randrange(3)))]
        for each, piece in batch.step(joining):
            texts[id(each)] += piece
    return list(texts.values())


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("places", [1, 2, 5])
def test_neighbors_change_nothing(places, seed, writer):
    answers = [answer(i) for i in range(24)]
    texts = write(RunningBatch(writer, places, CONTEXT), answers, random.Random(seed))
    for i, (each, text) in enumerate(zip(answers, texts, strict=True)):
        temperature, top_p = SETTINGS[i % 4]
        (ids,) = generate_ids(
            writer, [each.prompt], 25, temperature, None, top_p, seed=i, eos_id=7, numbers=[i % 3]
        )
        assert text == WORDS.decode(each.prompt + ids)[len(WORDS.decode(each.prompt)) :]
        assert (each.finish, each.made - len(ids)) in {("stop", 1), ("length", 0)}
    assert {each.finish for each in answers} == {"stop", "length"}


def test_who_leaves_frees_a_place(writer):
    batch, answers = RunningBatch(writer, 2, CONTEXT), [answer(i, most=20) for i in (0, 4, 8)]
    batch.step(answers[:2])
    answers[0].gone = True
    told = dict(batch.step([answers[2]]))
    assert set(told) == set(answers[1:]) == set(batch.answers)


def test_a_prompt_that_fails_fails_alone(writer, monkeypatch):
    good, bad = answer(4), answer(8)
    batch = RunningBatch(writer, 2, CONTEXT)
    make = writer.new_cache

    def short_of_memory(rows: int, length: int):
        if length == len(bad.prompt):
            raise RuntimeError("not enough memory")
        return make(rows, length)

    monkeypatch.setattr(writer, "new_cache", short_of_memory)
    told = dict(batch.step([bad, good]))
    assert isinstance(told[bad], RuntimeError)
    assert batch.answers == [good]


def test_weights_that_are_no_numbers(writer):
    broken = Transformer(writer.config)
    with torch.no_grad():
        broken.lm_head.weight.fill_(float("nan"))
    ((_, error),) = RunningBatch(broken, 1, CONTEXT).step([answer(0)])
    assert isinstance(error, FmkitError)


# --- the queue --------------------------------------------------------------------------------------------


def run(writer, work, places: int = 2, waiting: int = 3):
    """What a coroutine returns, beside an engine."""

    async def beside():
        engine = Engine(writer, places, waiting, CONTEXT)
        steps = asyncio.create_task(engine.run())
        try:
            return await work(engine)
        finally:
            steps.cancel()

    return asyncio.run(beside())


async def texts_of(engine: Engine, asked: Asked) -> list[str]:
    texts = [""] * len(asked.answers)
    try:
        async for index, piece, _ in asked.pieces():
            texts[index] += piece
    finally:
        engine.leave(asked)
    return texts


def test_a_full_queue_refuses(writer):
    async def ask(engine):
        asked = [Asked([answer(i)]) for i in range(5)]
        for each in asked:
            engine.submit(each)
        with pytest.raises(Busy):
            engine.submit(Asked([answer(5)]))
        await asyncio.gather(*(texts_of(engine, each) for each in asked))
        engine.submit(Asked([answer(i) for i in range(5)]))

    run(writer, ask)


def test_who_waits_may_leave(writer):
    async def ask(engine):
        asked = [Asked([answer(i)]) for i in range(5)]
        for each in asked:
            engine.submit(each)
        engine.leave(asked[4])
        engine.submit(Asked([answer(5)]))
        assert asked[4].answers[0] not in engine.waiting

    run(writer, ask)


def test_a_failed_step_is_told_and_passes(writer, monkeypatch):
    async def ask(engine):
        with monkeypatch.context() as patch:
            patch.setattr(engine.batch, "step", lambda joining: 1 / 0)
            asked = Asked([answer(0)])
            engine.submit(asked)
            with pytest.raises(ZeroDivisionError):
                await texts_of(engine, asked)
        later = Asked([answer(0)])
        engine.submit(later)
        return await texts_of(engine, later)

    assert run(writer, ask)[0]


def test_a_stop_string_ends_an_answer(writer):
    async def ask(engine, stop):
        asked = Asked([answer(1, stop=stop)])
        engine.submit(asked)
        return (await texts_of(engine, asked))[0], asked.answers[0]

    whole, _ = run(writer, lambda engine: ask(engine, ()))
    stop = whole.split()[3]
    text, ended = run(writer, lambda engine: ask(engine, (stop,)))
    assert (text, ended.finish) == (whole[: whole.index(stop)], "stop")
    assert ended.made <= 4
