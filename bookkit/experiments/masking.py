"""Fine-tuning with or without a loss on prompts, for short and long answers, few and many examples.

The question of Shi et al. 2024 (arXiv:2405.14394): a loss on instructions too helps where answers are short
in comparison, and examples few.
"""

from functools import partial
from typing import Any

from datasets import Dataset
from tokenizers import Tokenizer

from bookkit.experiments.assistant import as_object, dialogs, prepare_chat
from bookkit.experiments.foundations import base
from bookkit.experiments.recording import Experiment, experiment
from fmkit import finetune
from fmkit.config import TrainConfig, reproducible
from fmkit.data.example_batches import collate_completions, example_batches, tokenize_completions
from fmkit.data.tokenizer import PAD, special_id
from fmkit.evaluation.answers import answer_examples, exact_match
from fmkit.evaluation.likelihood import total_nats
from fmkit.model import Transformer

TRAINING: dict[str, Any] = {"steps": 200, "batch_size": 16, "learning_rate": 4e-3}
COLUMNS = {"short": "intent", "long": "json"}  # the intent alone, or in an object with item and action


@experiment("masking")
def masking() -> Experiment:
    def train(answers: str, examples: int, loss_on: str, seed: int) -> dict[str, Any]:
        model, tokenizer = base(seed)
        tokenizer = prepare_chat(model, tokenizer)
        data = dialogs(COLUMNS[answers], examples)
        reproducible(seed)
        config = TrainConfig(**TRAINING, seed=seed, eval_every=TRAINING["steps"])
        finetune(model, tokenizer, data, config, mask_prompt=loss_on == "answer")
        return {"scores": judge(model, tokenizer, data["validation"])}

    arms = [
        {"answers": answers, "examples": examples, "loss_on": loss_on, "seed": seed}
        for seed in range(3)
        for answers in COLUMNS
        for examples in (100, 400, 2_000)
        for loss_on in ("answer", "all")
    ]
    about = {"corpus": "support dialogs, answers as an intent or as JSON", "training": TRAINING}
    return Experiment(about, train, arms)


def judge(model: Transformer, tokenizer: Tokenizer, asked: Dataset) -> dict[str, float]:
    """Shares of answers that name the right intent, and are right as a whole; and nats of a right answer."""
    examples = tokenize_completions(asked, tokenizer, model.config.max_position_embeddings)
    said, truth = answer_examples(model, tokenizer, examples)
    named = exact_match([intent(answer) for answer in said], [intent(answer) for answer in truth])
    collate = partial(collate_completions, pad_id=special_id(tokenizer, PAD))
    nats, _ = total_nats(model, example_batches(examples, TRAINING["batch_size"], collate))
    scores = {"intent": named, "exact": exact_match(said, truth), "nats": nats / len(truth)}
    return {name: round(value, 3) for name, value in scores.items()}


def intent(answer: str) -> str:
    """The intent that an answer names, alone or in a JSON object."""
    return str((as_object(answer) or {"intent": answer}).get("intent"))
