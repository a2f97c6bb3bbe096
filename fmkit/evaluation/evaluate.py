"""One function for every kind of data that a model is measured on."""

from functools import partial

from datasets import Dataset
from tokenizers import Tokenizer

from fmkit.data.example_batches import (
    collate_completions,
    collate_labeled,
    collate_pairs,
    example_batches,
    has_completions,
    require_columns,
    tokenize_completions,
    tokenize_labeled,
    tokenize_pairs,
)
from fmkit.data.tokenizer import PAD, special_id
from fmkit.evaluation.answers import answer_examples, exact_match
from fmkit.evaluation.classification import accuracy, f1, predict_labels
from fmkit.evaluation.likelihood import bits_per_byte, exp_mean, perplexity, total_nats
from fmkit.evaluation.preferences import judge_rewards, scores
from fmkit.model import Classifier, Transformer

BATCH = 64  # examples that are read at a time


def evaluate(model: Classifier | Transformer, tokenizer: Tokenizer, data: Dataset) -> dict[str, float]:
    """Measure what the data allows.

    Texts: `perplexity`, `bits_per_byte`. Completions or messages: `perplexity` of the answers, `exact_match`
    of the likeliest one. Labeled texts, with a classifier: `accuracy`, `f1`. Pairs of answers:
    `reward_accuracy` and `margin` of a reward model's scores, or of log-probabilities. Raises `FmkitError`
    for data that does not fit the model.
    """
    context, pad = model.config.max_position_embeddings, special_id(tokenizer, PAD)
    if {"chosen", "rejected"} <= set(data.column_names):
        pairs = tokenize_pairs(data, tokenizer, context)
        judged = judge_rewards(
            scores(model, example_batches(pairs, BATCH, partial(collate_pairs, pad_id=pad)))
        )
        return {name: judged[name] for name in ("reward_accuracy", "margin")}
    if isinstance(model, Classifier):
        labeled = tokenize_labeled(data, tokenizer, context, model.labels)
        batches = example_batches(labeled, BATCH, partial(collate_labeled, pad_id=pad))
        predicted, truth = predict_labels(model, batches), list(labeled["label"])
        return {"accuracy": accuracy(predicted, truth), "f1": f1(predicted, truth)}
    if has_completions(data):
        examples = tokenize_completions(data, tokenizer, context)
        collate = partial(collate_completions, pad_id=pad)
        nats, tokens = total_nats(model, example_batches(examples, BATCH, collate))
        answers, truth = answer_examples(model, tokenizer, examples)
        return {"perplexity": exp_mean(nats, tokens), "exact_match": exact_match(answers, truth)}
    require_columns(data, "text")
    texts = list(data["text"])
    return {
        "perplexity": perplexity(model, tokenizer, texts),
        "bits_per_byte": bits_per_byte(model, tokenizer, texts),
    }
