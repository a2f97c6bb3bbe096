"""One function for every kind of data that a model is measured on."""

from functools import partial

from tokenizers import Tokenizer

from fmkit.data.example_batches import (
    collate_completions,
    collate_labeled,
    collate_pairs,
    example_batches,
    has_completions,
    tokenize_completions,
    tokenize_labeled,
    tokenize_pairs,
)
from fmkit.data.given import COMPLETIONS, LABELED, PAIRS, TEXTS, as_dataset
from fmkit.data.tables import Data
from fmkit.data.tokenizer import PAD, as_tokenizer, special_id
from fmkit.evaluation.answers import answer_examples, exact_match
from fmkit.evaluation.classification import accuracy, f1, predict_labels
from fmkit.evaluation.likelihood import bits_per_byte, exp_mean, perplexity, total_nats
from fmkit.evaluation.preferences import judge_rewards, scores
from fmkit.model import Classifier, Transformer, require_kind

BATCH = 64  # examples that are read at a time


def evaluate(model: Classifier | Transformer, tokenizer: Tokenizer, data: Data) -> dict[str, float]:
    """Measure what the data allows: one split, texts, rows or a table (see `fmkit.data.tables`).

    Texts: `perplexity`, `bits_per_byte`. Completions or messages: `perplexity` of the answers, `exact_match`
    of the likeliest one. Labeled texts, with a classifier: `accuracy`, `f1`. Pairs of answers:
    `reward_accuracy` and `margin` of a reward model's scores, or of log-probabilities. Raises `FmkitError`
    for data that does not fit the model.
    """
    require_kind(model, Transformer, Classifier)
    kinds = LABELED if isinstance(model, Classifier) else (*COMPLETIONS, *TEXTS)
    tokenizer, rows = as_tokenizer(tokenizer), as_dataset(data, (*PAIRS, *kinds))
    context, pad = model.config.max_position_embeddings, special_id(tokenizer, PAD)
    if {"chosen", "rejected"} <= set(rows.column_names):
        pairs = tokenize_pairs(rows, tokenizer, context)
        judged = judge_rewards(
            scores(model, example_batches(pairs, BATCH, partial(collate_pairs, pad_id=pad)))
        )
        return {name: judged[name] for name in ("reward_accuracy", "margin")}
    if isinstance(model, Classifier):
        labeled = tokenize_labeled(rows, tokenizer, context, model.labels)
        batches = example_batches(labeled, BATCH, partial(collate_labeled, pad_id=pad))
        predicted, truth = predict_labels(model, batches), list(labeled["label"])
        return {"accuracy": accuracy(predicted, truth), "f1": f1(predicted, truth)}
    if has_completions(rows):
        examples = tokenize_completions(rows, tokenizer, context)
        collate = partial(collate_completions, pad_id=pad)
        nats, tokens = total_nats(model, example_batches(examples, BATCH, collate))
        answers, truth = answer_examples(model, tokenizer, examples)
        return {"perplexity": exp_mean(nats, tokens), "exact_match": exact_match(answers, truth)}
    texts = list(rows["text"])
    return {
        "perplexity": perplexity(model, tokenizer, texts),
        "bits_per_byte": bits_per_byte(model, tokenizer, texts),
    }
