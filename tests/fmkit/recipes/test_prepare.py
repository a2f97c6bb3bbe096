"""What does not fit together is one line before anything is trained; what is foreign is trained as it is."""

import copy
import json

import pytest
from datasets import Dataset, DatasetDict
from tasks import CHATS, PREFERENCES, QUESTIONS, SALES, all_texts, config, shape
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

from fmkit import (
    Classifier,
    FmkitError,
    ModelConfig,
    TrainConfig,
    Transformer,
    add_chat_tokens,
    align,
    continue_pretrain,
    distill,
    evaluate,
    finetune,
    load_examples,
    pretrain,
    train_reward,
    train_tokenizer,
)
from fmkit.data.batches import IGNORE
from fmkit.data.corpora import content_hash
from fmkit.recipes.prepare import prepare_completions, prepare_texts

SHORT = config(1)


def reward(model: Transformer) -> Classifier:
    return Classifier.from_base(model, ["reward"])


FAULTS = {
    "context": (
        lambda m, t: pretrain(m, t, SALES, TrainConfig(context_length=65)),
        "context_length=65 is more than the model's",
    ),
    "vocabulary": (
        lambda m, t: pretrain(Transformer(ModelConfig(vocab_size=300)), t, SALES),
        "the tokenizer has 320 tokens and the model vocab_size=300",
    ),
    "no directory": (
        lambda m, t: pretrain(m, t, SALES, TrainConfig(checkpoint_every=5)),
        "give output_dir",
    ),
    "teacher's tokens": (
        lambda m, t: distill(m, t, SALES, teacher=Transformer(ModelConfig(vocab_size=500))),
        "a student needs its teacher's tokenizer",
    ),
    "teacher's context": (
        lambda m, t: distill(m, t, SALES, teacher=Transformer(shape(t, max_position_embeddings=32))),
        "context_length=64 is more than the teacher's 32",
    ),
    "teacher's direction": (
        lambda m, t: distill(m, t, SALES, teacher=Transformer(shape(t, is_causal=False))),
        "is_causal differs",
    ),
    "soft weight": (lambda m, t: distill(m, t, SALES, teacher=m, soft_weight=2), "soft_weight=2"),
    "replay share": (
        lambda m, t: continue_pretrain(m, t, SALES, replay=SALES, replay_share=1),
        "replay_share=1",
    ),
    "beta": (lambda m, t: align(m, t, PREFERENCES, beta=0), "beta=0"),
    "two scores": (
        lambda m, t: train_reward(Classifier.from_base(m, ["a", "b"]), t, PREFERENCES),
        "one score and this classifier 2 labels",
    ),
    "two scores to evaluate": (
        lambda m, t: evaluate(Classifier.from_base(m, ["a", "b"]), t, PREFERENCES["validation"]),
        "one score and this classifier 2 labels",
    ),
    "columns": (lambda m, t: finetune(m, t, SALES), "no column 'prompt'"),
}


@pytest.mark.parametrize(("learn", "message"), FAULTS.values(), ids=FAULTS.keys())
def test_arguments_that_do_not_fit(learn, message, toy_model, toy_tokenizer):
    with pytest.raises(FmkitError, match=message):
        learn(toy_model, toy_tokenizer)


OTHER_KINDS = {
    "pretrain": (lambda m, t: pretrain(reward(m), t, SALES), "a Classifier .* give a Transformer"),
    "continue": (lambda m, t: continue_pretrain(reward(m), t, SALES), "a Classifier .* give a Transformer"),
    "align": (lambda m, t: align(reward(m), t, PREFERENCES), "a Classifier .* give a Transformer"),
    "student": (lambda m, t: distill(reward(m), t, SALES, teacher=m), "a Classifier .* give a Transformer"),
    "teacher": (lambda m, t: distill(m, t, SALES, teacher=reward(m)), "a Classifier .* give a Transformer"),
    "reward": (lambda m, t: train_reward(m, t, PREFERENCES), "a Transformer .* give a Classifier"),
    "finetune": (
        lambda m, t: finetune(m.lm_head, t, QUESTIONS),
        "a Linear .* give a Transformer or Classifier",
    ),
}


@pytest.mark.parametrize(("learn", "message"), OTHER_KINDS.values(), ids=OTHER_KINDS.keys())
def test_model_of_another_kind(learn, message, toy_model, toy_tokenizer):
    with pytest.raises(FmkitError, match=message):
        learn(toy_model, toy_tokenizer)


NEED_TRAIN = {
    "pretrain": (lambda m, t, only: pretrain(m, t, only), SALES),
    "replay": (lambda m, t, only: continue_pretrain(m, t, SALES, replay=only), SALES),
    "distill": (lambda m, t, only: distill(m, t, only, teacher=m), SALES),
    "finetune": (lambda m, t, only: finetune(m, t, only), QUESTIONS),
    "align": (lambda m, t, only: align(m, t, only), PREFERENCES),
    "reward": (lambda m, t, only: train_reward(reward(m), t, only), PREFERENCES),
}


@pytest.mark.parametrize(("learn", "data"), NEED_TRAIN.values(), ids=NEED_TRAIN.keys())
def test_data_without_training_split(learn, data, toy_model, toy_tokenizer):
    with pytest.raises(FmkitError, match="the data has validation: name one split train"):
        learn(toy_model, toy_tokenizer, DatasetDict({"validation": data["train"]}))


# --- tokenizers -------------------------------------------------------------------------------------------


@pytest.fixture
def other_tokenizer(toy_tokenizer):
    """Another one of the same size."""
    return train_tokenizer([text.upper() for text in all_texts()], toy_tokenizer.get_vocab_size())


def test_model_keeps_its_tokenizer(toy_model, toy_tokenizer, other_tokenizer):
    finetune(toy_model, toy_tokenizer, QUESTIONS, SHORT)
    with pytest.raises(FmkitError, match="the model was trained with another tokenizer"):
        continue_pretrain(toy_model, other_tokenizer, SALES)


@pytest.mark.slow
def test_student_has_its_teachers_tokens(seller, toy_model, other_tokenizer):
    with pytest.raises(FmkitError, match="the teacher was trained with another tokenizer"):
        distill(toy_model, other_tokenizer, SALES, teacher=seller)


@pytest.mark.slow
def test_chat_tokens_are_not_dropped_again(seller, toy_tokenizer):
    model, talking = copy.deepcopy(seller), add_chat_tokens(toy_tokenizer)
    model.resize_vocab(talking.get_vocab_size())
    finetune(model, talking, CHATS, SHORT)
    with pytest.raises(FmkitError, match="or one that adds tokens to it"):
        finetune(model, toy_tokenizer, QUESTIONS)  # it would forget how conversations begin


@pytest.fixture(params=[True, False], ids=["texts begin with <s>", "texts begin with nothing"])
def foreign(request, tmp_path) -> tuple[Tokenizer, PreTrainedTokenizerFast, Transformer]:
    """A tokenizer that fmkit did not make, as transformers has it, and a model that was saved with it."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(), decoders.ByteLevel()
    special, letters = ["<unk>", "<s>", "</s>"], pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=320, special_tokens=special, initial_alphabet=letters, show_progress=False
    )
    tokenizer.train_from_iterator(all_texts(), trainer)
    if request.param:
        tokenizer.post_processor = processors.TemplateProcessing("<s> $A", None, [("<s>", 1)])
    named = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>")
    named.save_pretrained(tmp_path / "base")
    sizes = {"vocab_size": len(named), "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1}
    heads = {"num_attention_heads": 4, "max_position_embeddings": 64}
    LlamaForCausalLM(LlamaConfig(**sizes, **heads)).save_pretrained(tmp_path / "base")
    return tokenizer, named, Transformer.from_pretrained(tmp_path / "base")


@pytest.mark.slow
def test_foreign_checkpoint_is_trained(foreign, tmp_path):
    tokenizer, named, model = foreign
    plain = tokenizer.encode("red hat", add_special_tokens=False).ids
    assert model.tokenizer.encode("red hat").ids == [1, *plain]
    assert pretrain(model, model.tokenizer, SALES, config(2)).history
    assert finetune(model, model.tokenizer, QUESTIONS, config(2)).history
    assert align(model, model.tokenizer, PREFERENCES, config(2), output_dir=tmp_path / "run").history
    assert evaluate(model, model.tokenizer, QUESTIONS["validation"])["perplexity"] > 1
    theirs = AutoTokenizer.from_pretrained(tmp_path / "run")
    assert len(theirs) == len(named)
    assert theirs("red hat")["input_ids"] == model.tokenizer.encode("red hat").ids
    opened = AutoModelForCausalLM.from_pretrained(tmp_path / "run").config
    for each in (theirs, opened):
        assert (each.bos_token_id, each.eos_token_id, each.pad_token_id) == (1, 2, 2)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["align", "reward"])
def test_pairs_that_teach_nothing_are_told(toy_model, toy_tokenizer, capsys, kind):
    rows = list(PREFERENCES["train"])
    turned = {**rows[0], "chosen": rows[0]["rejected"], "rejected": rows[0]["chosen"]}
    equal = {**rows[1], "rejected": rows[1]["chosen"]}
    bad = DatasetDict(train=Dataset.from_list([*rows, equal]), validation=Dataset.from_list([equal, turned]))
    train = align if kind == "align" else lambda m, t, *rest: train_reward(reward(m), t, *rest)
    train(copy.deepcopy(toy_model), toy_tokenizer, PREFERENCES, SHORT)
    assert "pairs" not in capsys.readouterr().err
    train(toy_model, toy_tokenizer, bad, SHORT)
    told = capsys.readouterr().err
    both = f"train row {len(rows) + 1}; validation row 1"
    assert f"fmkit: 2 of {len(rows) + 3} pairs have two equal answers ({both})" in told
    assert "pairs contradict another (validation row 2 and train row 1)" in told


def test_texts_with_two_labels_are_told(toy_model, toy_tokenizer, capsys):
    def split(labels: str) -> Dataset:
        return Dataset.from_list([{"text": f"text {n}", "label": label} for n, label in enumerate(labels)])

    def train(held_out: str) -> str:
        model = Classifier.from_base(toy_model, ["n", "p"])
        finetune(model, toy_tokenizer, DatasetDict(train=split("np"), validation=split(held_out)), SHORT)
        return capsys.readouterr().err

    assert "label" not in train("np")
    told = train("pp")
    assert "fmkit: 1 of 4 texts have another label elsewhere (validation row 1 and train row 1)" in told


def test_a_turn_of_weight_0_is_not_trained(toy_model, toy_tokenizer, tmp_path):
    """From the file to the batch: what it says is read, and none of it is a label."""
    bad = [{"role": "assistant", "content": "Sell it.", "weight": 0}, {"role": "user", "content": "No."}]
    talks = [[row["messages"][0], *bad, row["messages"][1]] for row in CHATS["train"]]
    path = tmp_path / "chats.jsonl"
    path.write_text("".join(json.dumps({"messages": talk}) + "\n" for talk in talks))
    talker = add_chat_tokens(toy_tokenizer)
    toy_model.resize_vocab(talker.get_vocab_size())
    prepared = prepare_completions(toy_model, talker, load_examples(path), SHORT)
    for batch in (next(prepared.loader), *prepared.held_out):
        learned = [[int(id) for id in row if id != IGNORE] for row in batch["labels"]]
        assert all("Sell it." in talker.decode(ids.tolist()) for ids in batch["input_ids"])
        assert all(talker.decode(ids).startswith("So ") and len(ids) < 12 for ids in learned)
        assert batch["num_items"] == sum(map(len, learned))


def test_data_in_files_is_hashed_once(toy_model, toy_tokenizer, tmp_path, monkeypatch):
    """A run is known by the hash of its data, which a later start remembers while no file has changed."""
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr("fmkit.data.cache.SETTLED", 0.0)
    hashed = []
    monkeypatch.setattr(
        "fmkit.recipes.prepare.content_hash", lambda corpus: hashed.append(1) or content_hash(corpus)
    )

    def known_as(data: DatasetDict) -> str:
        return prepare_texts(toy_model, toy_tokenizer, data, SHORT).identity["corpus"]

    SALES.save_to_disk(tmp_path / "sales")
    saved = DatasetDict.load_from_disk(tmp_path / "sales")
    assert known_as(saved) == known_as(DatasetDict.load_from_disk(tmp_path / "sales")) == known_as(SALES)
    assert len(hashed) == 2  # what is in memory is read each time
    other = DatasetDict(train=saved["train"].select(range(50)), validation=saved["validation"])
    assert known_as(other) != known_as(saved)
    assert len(hashed) == 3
