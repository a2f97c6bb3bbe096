"""Every way of training learns what it promises, and a run that was killed goes on to the same bits."""

import copy
import json
import math
import random

import pytest
import torch
from datasets import Dataset, DatasetDict
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

from fmkit import (
    Classifier,
    FmkitError,
    LoraConfig,
    ModelConfig,
    TrainConfig,
    Transformer,
    add_lora,
    align,
    continue_pretrain,
    distill,
    evaluate,
    finetune,
    pretrain,
    train_reward,
    train_tokenizer,
    write_corpus,
)
from fmkit.data.batches import IGNORE, Mixed, tokenize
from fmkit.data.chat import add_chat_tokens, chat_prompt, encode_chat, encode_completion
from fmkit.data.example_batches import (
    collate_completions,
    collate_pairs,
    pair_prompts,
    tokenize_completions,
    tokenize_pairs,
)
from fmkit.evaluation.answers import exact_match
from fmkit.evaluation.divergence import sampled_kl
from fmkit.evaluation.likelihood import bits_per_byte, perplexity
from fmkit.evaluation.preferences import scores
from fmkit.evaluation.sampling import complete
from fmkit.generation import reply
from fmkit.objectives import log_probs
from fmkit.run import fit

COLORS = ("red", "blue", "green", "black", "white", "brown")
DEEDS = {"hat": "wear", "boat": "sail", "lamp": "light", "door": "open", "kite": "fly", "cup": "fill"}
THINGS = tuple(DEEDS)


def splits(rows: list[dict]) -> DatasetDict:
    random.Random(0).shuffle(rows)
    return DatasetDict({"train": Dataset.from_list(rows[8:]), "validation": Dataset.from_list(rows[:8])})


QUESTIONS = splits(
    [
        {"prompt": f"Sam has a {color} {thing}. What now?", "completion": f" {DEEDS[thing]} it"}
        for color in COLORS
        for thing in THINGS
    ]
)
CHATS = splits(
    [
        {
            "messages": [
                {"role": "user", "content": f"I have a {color} {thing}."},
                {"role": "assistant", "content": f"So {DEEDS[thing]} it."},
            ]
        }
        for color in COLORS
        for thing in THINGS
    ]
)
PREFERENCES = splits(
    [
        {"prompt": f"The {color} {thing} is", "chosen": " good.", "rejected": " bad."}
        for color in COLORS
        for thing in THINGS
    ]
)
SOLD = [(color, thing, coins) for color in COLORS for thing in THINGS for coins in range(2, 9)]
SALES = splits([{"text": f"Sold: one {color} {thing}, {coins} coins."} for color, thing, coins in SOLD])


@pytest.fixture(scope="module")
def words() -> list[str]:
    rows = [text for data in (QUESTIONS, PREFERENCES) for row in data["train"] for text in row.values()]
    talk = [message["content"] for row in CHATS["train"] for message in row["messages"]]
    return [*rows, *talk, *SALES["train"]["text"]]


@pytest.fixture(scope="module")
def tokenizer(words):
    return train_tokenizer(words, 320)


@pytest.fixture
def model(tokenizer) -> Transformer:
    return Transformer(shape(tokenizer))


def shape(tokenizer, **more) -> ModelConfig:
    sizes = {"hidden_size": 48, "num_hidden_layers": 2, "max_position_embeddings": 64} | more
    return ModelConfig(vocab_size=tokenizer.get_vocab_size(), **sizes)


def config(steps: int, learning_rate: float = 5e-3, **more) -> TrainConfig:
    return TrainConfig(
        steps=steps, learning_rate=learning_rate, batch_size=8, eval_every=10**6, device="cpu", **more
    )


# --- each learns -------------------------------------------------------------------------------------------


def test_answers_are_learned_and_prompts_only_when_asked(model, tokenizer):
    before = perplexity(model, tokenizer, QUESTIONS["validation"]["prompt"])
    run = finetune(model, tokenizer, QUESTIONS, config(100))
    assert run.history[-1]["validation_loss"] < 0.2
    measured = evaluate(model, tokenizer, QUESTIONS["validation"])
    assert measured["exact_match"] >= 0.8
    assert measured["perplexity"] == pytest.approx(math.exp(run.history[-1]["validation_loss"]), rel=1e-3)
    masked = perplexity(model, tokenizer, QUESTIONS["validation"]["prompt"])
    finetune(model, tokenizer, QUESTIONS, config(40), mask_prompt=False)
    assert perplexity(model, tokenizer, QUESTIONS["validation"]["prompt"]) < min(masked, before) / 3


def test_a_chat_is_learned_with_new_tokens_and_adapters(model, tokenizer, tmp_path):
    with pytest.raises(FmkitError, match="add_chat_tokens"):
        finetune(model, tokenizer, CHATS, config(1))
    talking = add_chat_tokens(tokenizer)
    model.resize_vocab(talking.get_vocab_size())
    add_lora(model, LoraConfig(r=8, modules_to_save=("embed_tokens",)))
    frozen = model.model.layers[0].mlp.up_proj.weight.clone()
    finetune(model, talking, CHATS, config(150, 1e-2), output_dir=tmp_path / "run")
    assert torch.equal(model.model.layers[0].mlp.up_proj.weight, frozen)
    assert reply(model, talking, CHATS["train"][0]["messages"][:1]).startswith("So ")
    assert evaluate(model, talking, CHATS["validation"])["exact_match"] >= 0.8
    opened = Transformer.from_pretrained(tmp_path / "run")  # adapters added in, tokenizer beside
    assert evaluate(opened, opened.tokenizer, CHATS["validation"])["exact_match"] >= 0.8


def test_replay_keeps_what_continued_pretraining_forgets(model, stories, tokenizer):
    learned = pretrain(model, tokenizer, stories, config(120))
    known = learned.history[-1]["validation_loss"]

    def go_on(share: float) -> dict[str, float]:
        run = continue_pretrain(copy.deepcopy(model), tokenizer, SALES, config(60), replay=stories, replay_share=share)
        assert run.history[0]["learning_rate"] < run.history[2]["learning_rate"]  # it warms up again
        return run.history[-1]

    alone, replayed = go_on(0.0), go_on(0.25)
    assert alone["replay_loss"] > known + 0.5
    assert replayed["replay_loss"] < alone["replay_loss"] - 0.4
    assert max(alone["validation_loss"], replayed["validation_loss"]) < 1.5


def test_a_student_learns_more_from_a_teacher_than_alone(tokenizer):
    few = DatasetDict({"train": SALES["train"].select(range(12)), "validation": SALES["validation"]})
    teacher = Transformer(shape(tokenizer))
    pretrain(teacher, tokenizer, SALES, config(120))
    small = shape(tokenizer, hidden_size=32)
    plain = pretrain(Transformer(small), tokenizer, few, config(80)).history[-1]
    taught = distill(
        Transformer(small), tokenizer, few, config(80), teacher=teacher, temperature=1.0, soft_weight=0.9
    ).history[-1]
    assert taught["validation_loss"] < plain["validation_loss"] - 0.2
    assert all(weight.grad is None for weight in teacher.parameters())


def test_a_teacher_writes_what_a_student_reads(model, tokenizer):
    pretrain(model, tokenizer, SALES, config(100))
    written = write_corpus(model, tokenizer, 80, temperature=0.8, seed=1)
    assert written["text"] == write_corpus(model, tokenizer, 80, temperature=0.8, seed=1)["text"]
    assert sum(text.startswith("Sold: one") for text in written["text"]) > 60
    student = Transformer(shape(tokenizer, hidden_size=32))
    corpus = DatasetDict({"train": written, "validation": SALES["validation"]})
    run = pretrain(student, tokenizer, corpus, config(80))
    assert run.history[-1]["validation_loss"] < run.history[0]["loss"] - 2
    begun = write_corpus(model, tokenizer, 3, prompt="Sold: one red")
    assert all(text.startswith("Sold: one red") for text in begun["text"])


def test_a_reward_model_ranks_as_people_do_and_opens_in_transformers(model, tokenizer, tmp_path):
    rewarder = Classifier.from_base(model, ["reward"])
    run = train_reward(rewarder, tokenizer, PREFERENCES, config(40), output_dir=tmp_path / "run")
    last = run.history[-1]
    assert last["reward_accuracy"] == 1.0
    assert last["margin"] > 1
    assert evaluate(rewarder, tokenizer, PREFERENCES["validation"])["reward_accuracy"] == 1.0
    theirs = AutoModelForSequenceClassification.from_pretrained(tmp_path / "run")
    assert theirs.config.num_labels == 1


@pytest.fixture(scope="module")
def teller(tokenizer) -> Transformer:
    """Says " good." and " bad." of things, each half of the time."""
    sides = ("chosen", "rejected")
    told = [{"text": row["prompt"] + row[side]} for row in PREFERENCES["train"] for side in sides]
    model = Transformer(shape(tokenizer))
    pretrain(model, tokenizer, splits(told), config(150))
    return model


def test_aligning_prefers_what_was_chosen_and_says_how_far_it_went(teller, tokenizer):
    assert abs(evaluate(teller, tokenizer, PREFERENCES["validation"])["margin"]) < 1
    once = align(copy.deepcopy(teller), tokenizer, PREFERENCES, config(1, 1e-9)).history[-1]
    assert once["kl"] == pytest.approx(0, abs=1e-4)
    assert once["margin"] == pytest.approx(0, abs=1e-3)
    ends = {}
    for beta in (3.0, 0.02):
        model = copy.deepcopy(teller)
        ends[beta] = align(model, tokenizer, PREFERENCES, config(90, 2e-4), beta=beta).history[-1]
        assert ends[beta]["reward_accuracy"] == 1.0
        assert evaluate(model, tokenizer, PREFERENCES["validation"])["margin"] > 3
    assert 0 < ends[3.0]["kl"] < ends[0.02]["kl"]  # a small beta lets it go far


def test_the_divergence_is_the_mean_log_ratio_of_what_is_sampled(teller, tokenizer):
    model = copy.deepcopy(teller)
    align(model, tokenizer, PREFERENCES, config(20, 2e-4))
    prompts = [tokenizer.encode(row["prompt"]).ids for row in PREFERENCES["train"]] * 30
    answers = [answer + [1] * (len(answer) < 20) for answer in complete(model, prompts, 20, eos_id=1, seed=9)]
    rows = [
        {"input_ids": prompt + answer, "labels": [IGNORE] * len(prompt) + answer}
        for prompt, answer in zip(prompts, answers, strict=True)
    ]
    batch = collate_completions(rows, pad_id=2)
    with torch.no_grad():
        ratio = (log_probs(model, batch) - log_probs(teller, batch)).mean().item()
    kl = sampled_kl(model, teller, prompts, max_new_tokens=20, eos_id=1, pad_id=2)
    assert kl > 0.1
    assert kl == pytest.approx(ratio, rel=0.2)


# --- a run that was killed ---------------------------------------------------------------------------------


class Killed(Exception):
    pass


@pytest.mark.parametrize("recipe", ["lora", "dpo", "replay", "distill"])
def test_killed_and_resumed_is_bit_for_bit_the_same(recipe, tokenizer, stories, tmp_path, monkeypatch):
    few = DatasetDict({split: stories[split].select(range(50)) for split in stories})

    def start() -> Transformer:
        base = Transformer(shape(tokenizer), seed=5)
        if recipe == "lora":
            add_lora(base, LoraConfig(r=4, modules_to_save=("embed_tokens",)))
        return base

    def train(directory, resume: bool = False) -> Transformer:
        model = start()
        run = {"output_dir": tmp_path / directory, "resume": resume}
        settings = config(12, checkpoint_every=5)
        if recipe == "lora":
            finetune(model, tokenizer, QUESTIONS, settings, **run)
        elif recipe == "dpo":
            align(model, tokenizer, PREFERENCES, settings, **run)
        elif recipe == "replay":
            continue_pretrain(model, tokenizer, SALES, settings, replay=few, replay_share=0.3, **run)
        else:
            teacher = Transformer(shape(tokenizer), seed=9)
            distill(model, tokenizer, few, settings, teacher=teacher, **run)
        return model

    whole = train("whole")

    def kill_at_8(trainer, *arguments):
        steps = trainer.run()

        def run():
            for record in steps:
                yield record
                if trainer.step == 8:
                    raise Killed

        trainer.run = run
        return fit(trainer, *arguments)

    name = {"lora": "finetune", "dpo": "align", "replay": "continue_pretrain", "distill": "distill"}[recipe]
    with monkeypatch.context() as patch:
        patch.setattr(f"fmkit.recipes.{name}.fit", kill_at_8)
        with pytest.raises(Killed):
            train("killed")
    assert [p.name for p in (tmp_path / "killed/checkpoints").iterdir()] == ["step-00000005"]
    resumed = train("killed", resume=True)
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


def test_another_teacher_reference_or_base_is_another_run(tokenizer, tmp_path):
    def tune(seed: int, resume: bool) -> None:
        model = Transformer(shape(tokenizer), seed=seed)
        add_lora(model, LoraConfig(r=2))
        finetune(model, tokenizer, QUESTIONS, config(2), output_dir=tmp_path / "lora", resume=resume)

    def prefer(seed: int, resume: bool) -> None:
        start = Transformer(shape(tokenizer), seed=seed)
        align(start, tokenizer, PREFERENCES, config(2), output_dir=tmp_path / "dpo", resume=resume)

    for train, word in ((tune, "frozen weights was"), (prefer, "reference was")):
        train(0, resume=False)
        with pytest.raises(FmkitError, match=word):
            train(1, resume=True)
        train(0, resume=True)


# --- the data ----------------------------------------------------------------------------------------------


def test_a_mixture_has_its_shares_of_the_tokens_and_an_exact_state(tokenizer, stories):
    def mixed() -> Mixed:
        parts = [(SALES["train"], 0.7), (stories["train"], 0.2), (stories["validation"], 0.1)]
        return Mixed([(tokenize(part, tokenizer, 64), share) for part, share in parts], seed=3)

    source = mixed()
    for _ in range(1000):
        next(source)
    shares = [drawn / sum(source.drawn) for drawn in source.drawn]
    assert shares == pytest.approx([0.7, 0.2, 0.1], abs=64 / sum(source.drawn) * 3)
    again = mixed()
    again.load_state_dict(json.loads(json.dumps(source.state_dict())))
    assert [next(again) for _ in range(100)] == [next(source) for _ in range(100)]


def test_what_does_not_fit_is_dropped_and_said(tokenizer, capsys):
    rows = [{"prompt": "a " * 80, "completion": "b"}, {"prompt": "a", "completion": "b " * 90}]
    examples = tokenize_completions(Dataset.from_list(rows), tokenizer, 64)
    assert len(examples) == 1
    assert len(examples[0]["input_ids"]) == 64
    assert capsys.readouterr().err.splitlines() == [
        "fmkit: 1 of 2 examples are dropped: their prompts fill the context of 64 tokens",
        "fmkit: 1 of 2 examples are cut off: their answers exceed the context of 64 tokens",
    ]
    with pytest.raises(FmkitError, match="none of 1 examples leaves room"):
        tokenize_completions(Dataset.from_list(rows[:1]), tokenizer, 64)
    with pytest.raises(FmkitError, match="no column 'completion'"):
        tokenize_completions(Dataset.from_list([{"prompt": "a"}]), tokenizer, 64)


def test_pairs_of_conversations_are_judged_by_the_last_answer(tokenizer):
    talking = add_chat_tokens(tokenizer)
    prompt = [
        {"role": "user", "content": "red"},
        {"role": "assistant", "content": "blue"},
        {"role": "user", "content": "hat"},
    ]
    row = {
        "prompt": prompt,
        "chosen": [{"role": "assistant", "content": "good"}],
        "rejected": [{"role": "assistant", "content": "bad"}],
    }
    (pair,) = tokenize_pairs(Dataset.from_list([row]), talking, 64)
    learned = [label for label in pair["chosen"]["labels"] if label != IGNORE]
    assert talking.decode(learned) == "good"
    assert pair_prompts(collate_pairs([pair], pad_id=2)) == [chat_prompt(prompt, talking)]
    for side in ("chosen", "rejected"):
        assert pair[side]["input_ids"] == encode_chat([*prompt, *row[side]], talking)[0]


def test_texts_are_taken_as_they_are_by_a_model_that_chats(tokenizer):
    talking = add_chat_tokens(tokenizer)
    pairs = tokenize_pairs(PREFERENCES["train"], talking, 64)
    answers = tokenize_completions(QUESTIONS["train"], talking, 64)
    for given, row in zip(PREFERENCES["train"], pairs, strict=True):
        assert pair_prompts(collate_pairs([row], pad_id=2)) == [tokenizer.encode(given["prompt"]).ids]
        for side in ("chosen", "rejected"):
            assert row[side]["input_ids"] == encode_completion(given["prompt"], given[side], tokenizer)[0]
    for given, row in zip(QUESTIONS["train"], answers, strict=True):
        assert row["input_ids"] == encode_completion(*given.values(), tokenizer)[0]


# --- growing and measuring ---------------------------------------------------------------------------------


@pytest.mark.parametrize("tied", [True, False])
def test_new_tokens_take_nothing_over(tokenizer, stories, tied, tmp_path):
    model = Transformer(shape(tokenizer, tie_word_embeddings=tied))
    pretrain(model, tokenizer, stories, config(40))
    before = perplexity(model, tokenizer, stories["validation"]["text"][:5])
    old = model.model.embed_tokens.weight.clone()
    size = model.config.vocab_size
    model.resize_vocab(size + 3)
    assert torch.equal(model.model.embed_tokens.weight[:size], old)
    assert (model.lm_head.weight is model.model.embed_tokens.weight) == tied
    assert perplexity(model, tokenizer, stories["validation"]["text"][:5]) == pytest.approx(before, rel=0.05)
    model.save_pretrained(tmp_path)
    assert AutoModelForCausalLM.from_pretrained(tmp_path).config.vocab_size == size + 3
    with pytest.raises(FmkitError, match="no token can be dropped"):
        model.resize_vocab(size)


def test_perplexity_and_bits_per_byte_are_what_they_say(model, tokenizer, stories):
    texts = stories["validation"]["text"][:3]
    nats = tokens = 0.0
    with torch.no_grad():
        for text in texts:
            ids = torch.tensor([[*tokenizer.encode(text).ids, 1]])
            for start in range(0, ids.shape[1] - 1, 64):
                part = ids[:, start : start + 65]
                log_p = model.eval()(part[:, :-1]).log_softmax(-1)
                nats -= log_p.gather(-1, part[:, 1:, None]).sum().item()
                tokens += part.shape[1] - 1
    assert perplexity(model, tokenizer, texts) == pytest.approx(math.exp(nats / tokens), rel=1e-4)
    size = sum(len(text.encode()) for text in texts)
    assert bits_per_byte(model, tokenizer, texts) == pytest.approx(nats / math.log(2) / size, rel=1e-4)
    with pytest.raises(FmkitError, match="no texts"):
        perplexity(model, tokenizer, [])
    assert exact_match(["a ", "b", "c"], ["a", "b", "d"]) == pytest.approx(2 / 3)
    with torch.no_grad():
        model.model.embed_tokens.weight.mul_(1e6)
    assert perplexity(model, tokenizer, texts) == math.inf  # e^710 is no float any more


def test_arguments_out_of_range_are_one_line(model, tokenizer, stories):
    other = Transformer(ModelConfig(vocab_size=500, hidden_size=32))
    with pytest.raises(FmkitError, match="a student needs its teacher's tokenizer"):
        distill(model, tokenizer, stories, teacher=other)
    with pytest.raises(FmkitError, match="soft_weight=2"):
        distill(model, tokenizer, stories, teacher=model, soft_weight=2)
    with pytest.raises(FmkitError, match="replay_share=1"):
        continue_pretrain(model, tokenizer, stories, replay=stories, replay_share=1)
    with pytest.raises(FmkitError, match="beta=0"):
        align(model, tokenizer, PREFERENCES, beta=0)
    with pytest.raises(FmkitError, match="one score and this classifier 2 labels"):
        train_reward(Classifier.from_base(model, ["a", "b"]), tokenizer, PREFERENCES)
    with pytest.raises(FmkitError, match="no column 'prompt'"):
        finetune(model, tokenizer, stories)
    with pytest.raises(FmkitError, match="one score and this classifier 2 labels"):
        evaluate(Classifier.from_base(model, ["a", "b"]), tokenizer, PREFERENCES["validation"])


def test_a_model_of_another_kind_is_one_line(model, tokenizer):
    rewarder = Classifier.from_base(model, ["reward"])
    for learn in (
        lambda: pretrain(rewarder, tokenizer, SALES),
        lambda: continue_pretrain(rewarder, tokenizer, SALES),
        lambda: align(rewarder, tokenizer, PREFERENCES),
        lambda: distill(rewarder, tokenizer, SALES, teacher=model),
        lambda: distill(model, tokenizer, SALES, teacher=rewarder),
    ):
        with pytest.raises(FmkitError, match=r"a Classifier does not .* give a Transformer"):
            learn()
    with pytest.raises(FmkitError, match=r"a Transformer does not .* give a Classifier"):
        train_reward(model, tokenizer, PREFERENCES)
    with pytest.raises(FmkitError, match=r"a Linear does not .* give a Transformer or Classifier"):
        finetune(model.lm_head, tokenizer, QUESTIONS)


def test_data_without_a_split_is_one_line(model, tokenizer):
    rewarder = Classifier.from_base(model, ["reward"])
    for learn, data in (
        (lambda only: pretrain(model, tokenizer, only), SALES),
        (lambda only: continue_pretrain(model, tokenizer, SALES, replay=only), SALES),
        (lambda only: distill(model, tokenizer, only, teacher=model), SALES),
        (lambda only: finetune(model, tokenizer, only), QUESTIONS),
        (lambda only: align(model, tokenizer, only), PREFERENCES),
        (lambda only: train_reward(rewarder, tokenizer, only), PREFERENCES),
    ):
        with pytest.raises(FmkitError, match="the data has train: give a DatasetDict with train and valid"):
            learn(DatasetDict({"train": data["train"]}))
        with pytest.raises(FmkitError, match="the data has no splits"):
            learn(data["train"])


def test_a_model_keeps_its_tokenizer_and_a_student_its_teachers(model, tokenizer, words):
    other = train_tokenizer([word.upper() for word in words], tokenizer.get_vocab_size())
    finetune(model, tokenizer, QUESTIONS, config(1))
    with pytest.raises(FmkitError, match="the model was trained with another tokenizer"):
        continue_pretrain(model, other, SALES)
    with pytest.raises(FmkitError, match="the teacher was trained with another tokenizer"):
        distill(Transformer(shape(tokenizer)), other, SALES, teacher=model)
    talking = add_chat_tokens(tokenizer)
    model.resize_vocab(talking.get_vocab_size())
    finetune(model, talking, CHATS, config(1))
    with pytest.raises(FmkitError, match="or one that adds tokens to it"):
        finetune(model, tokenizer, QUESTIONS)  # it would forget how conversations begin


def test_a_reference_is_scored_once(model, tokenizer, monkeypatch):
    judged = []

    def scores_of(asked, pairs):
        judged.append(asked)
        return scores(asked, pairs)

    monkeypatch.setattr("fmkit.recipes.align.scores", scores_of)
    settings = TrainConfig(steps=3, batch_size=8, eval_every=1, device="cpu")
    run = align(model, tokenizer, PREFERENCES, settings)
    assert ["margin" in record for record in run.history] == [True] * 3
    assert [each is model for each in judged] == [False, True, True, True]


@pytest.mark.parametrize("begins", [True, False], ids=["texts begin with <s>", "texts begin with nothing"])
def test_a_checkpoint_of_transformers_is_trained_with_its_own_tokenizer(begins, words, tmp_path):
    foreign = Tokenizer(models.BPE(unk_token="<unk>"))
    foreign.pre_tokenizer, foreign.decoder = pre_tokenizers.ByteLevel(), decoders.ByteLevel()
    letters = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=320, special_tokens=["<unk>", "<s>", "</s>"], initial_alphabet=letters, show_progress=False
    )
    foreign.train_from_iterator(words, trainer)
    if begins:
        foreign.post_processor = processors.TemplateProcessing("<s> $A", None, [("<s>", 1)])
    named = PreTrainedTokenizerFast(tokenizer_object=foreign, bos_token="<s>", eos_token="</s>")
    named.save_pretrained(tmp_path / "base")
    sizes = {"vocab_size": len(named), "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1}
    heads = {"num_attention_heads": 4, "max_position_embeddings": 64}
    LlamaForCausalLM(LlamaConfig(**sizes, **heads)).save_pretrained(tmp_path / "base")

    model = Transformer.from_pretrained(tmp_path / "base")
    assert model.tokenizer.encode("red hat").ids == [
        1,
        *foreign.encode("red hat", add_special_tokens=False).ids,
    ]
    assert pretrain(model, model.tokenizer, SALES, config(2)).history
    assert finetune(model, model.tokenizer, QUESTIONS, config(2)).history
    assert align(model, model.tokenizer, PREFERENCES, config(2), output_dir=tmp_path / "run").history
    assert evaluate(model, model.tokenizer, QUESTIONS["validation"])["perplexity"] > 1
    theirs = AutoTokenizer.from_pretrained(tmp_path / "run")
    assert len(theirs) == len(named)
    assert theirs("red hat")["input_ids"] == model.tokenizer.encode("red hat").ids
    assert (theirs.bos_token_id, theirs.eos_token_id, theirs.pad_token_id) == (1, 2, 2)
    opened = AutoModelForCausalLM.from_pretrained(tmp_path / "run")
    assert (opened.config.bos_token_id, opened.config.eos_token_id, opened.config.pad_token_id) == (1, 2, 2)
