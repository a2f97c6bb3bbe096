"""How many of a text's words are those of a reference: ROUGE, BLEU, chrF, and F1 over words.

All scores are from 0 to 1; papers often print them times 100. They compare strings and know nothing of truth.
Where a prediction has several references, they may be given as a list. The functions raise `FmkitError` for
no predictions, for lengths that differ, for an empty list of references, and for a library that is missing.
Where words have no spaces between them, as in Chinese, BLEU and F1 take each character for one.
"""

import re
import string
from collections import Counter
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import Any

from fmkit.data.scripts import space_out
from fmkit.errors import FmkitError
from fmkit.settings import as_several

References = Sequence[str | Sequence[str]]

ROUGE = ("rouge1", "rouge2", "rougeL")


def rouge(predictions: Sequence[str], references: References, stem: bool = False) -> dict[str, float]:
    """Compute `rouge1`, `rouge2` and `rougeL`: F1 of words, of pairs of words, and of the longest common
    subsequence, averaged over the predictions (Lin 2004, "ROUGE: A package for automatic evaluation of
    summaries", sections 2 and 3).

    By `rouge-score`, which lowercases and keeps only the letters a to z and digits; a reference without any
    raises `FmkitError`. Of several references, the best counts, for each measure on its own. `stem` strips
    the endings of English words first.
    """
    pairs = paired(predictions, references)
    for number, (_, its) in enumerate(pairs, 1):
        if any(re.search(r"[^\W\d_]", each) and not re.search("[a-zA-Z0-9]", each) for each in its):
            raise FmkitError(f"reference {number} has no letter from a to z, as ROUGE needs: use chrf")
    scorer = _rouge_scorer(stem)
    scored = [scorer.score_multi(its, prediction) for prediction, its in pairs]
    return {name: sum(score[name].fmeasure for score in scored) / len(scored) for name in ROUGE}


def bleu(predictions: Sequence[str], references: References) -> float:
    """Compute BLEU of all predictions together: the geometric mean of the precisions of runs of 1 to 4 words,
    times the brevity penalty (Papineni et al. 2002, section 2).

    By `sacrebleu` with its defaults (Post 2018): counts are added up over the predictions before they are
    divided, so this is no mean of `sentence_bleu`.
    """
    pairs = paired(predictions, references)
    return _sacrebleu().BLEU(force=True).corpus_score(*_columns(pairs)).score / 100


def sentence_bleu(prediction: str, reference: str | Sequence[str]) -> float:
    """Compute BLEU of one prediction, for runs of up to 4 words or as many as it has.

    By `sacrebleu`: a precision of 0 is taken for 1/2, 1/4, … of a match, so that one missing run of four
    words does not make the whole score 0 (Chen and Cherry 2014, method 3).
    """
    [(prediction, its)] = paired([prediction], [reference])
    return _sentence_bleu().sentence_score(space_out(prediction), [*map(space_out, its)]).score / 100


def chrf(predictions: Sequence[str], references: References) -> float:
    """Compute chrF of all predictions together: F of runs of 1 to 6 characters, recall counting twice as much
    (Popović 2015). By `sacrebleu` with its defaults.
    """
    pairs = paired(predictions, references)
    return _sacrebleu().CHRF().corpus_score(*_columns(pairs)).score / 100


def word_f1(predictions: Sequence[str], references: References) -> float:
    """Compute the mean F1 of words, without case, punctuation and articles; of several references, the best
    (SQuAD: Rajpurkar et al. 2016, section 6.1).
    """
    pairs = paired(predictions, references)
    return sum(max(_word_f1(prediction, each) for each in its) for prediction, its in pairs) / len(pairs)


def paired(predictions: Sequence[str], references: References) -> list[tuple[str, list[str]]]:
    """Return each prediction with the list of its references. Errors as the module says."""
    predictions, references = as_several(predictions), as_several(references)
    if not predictions or len(predictions) != len(references):
        raise FmkitError(
            f"{len(predictions)} predictions and {len(references)} references: give one or more, and as many "
            "of each"
        )
    lists = [[each] if isinstance(each, str) else list(each) for each in references]
    for number, its in enumerate(lists, 1):
        if not its:
            raise FmkitError(f"prediction {number} has no reference: give it one or more")
    return list(zip(predictions, lists, strict=True))


def _columns(pairs: Sequence[tuple[str, list[str]]]) -> tuple[list[str], list[list[str | None]]]:
    """The predictions, and the references as sacrebleu takes them: all first ones, all second ones, …"""
    most = max(len(its) for _, its in pairs)
    columns: list[list[str | None]] = [
        [space_out(its[k]) if k < len(its) else None for _, its in pairs] for k in range(most)
    ]
    return [space_out(prediction) for prediction, _ in pairs], columns


def _word_f1(prediction: str, reference: str) -> float:
    said, wanted = _plain_words(prediction), _plain_words(reference)
    shared = sum((Counter(said) & Counter(wanted)).values())
    return 2 * shared / (len(said) + len(wanted)) if said or wanted else 1.0


def _plain_words(text: str) -> list[str]:
    """The words as SQuAD's script has them."""
    kept = "".join(c for c in text.lower() if c not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", space_out(kept)).split()


@cache
def _rouge_scorer(stem: bool) -> Any:
    return _library("rouge_score.rouge_scorer", "ROUGE").RougeScorer(list(ROUGE), use_stemmer=stem)


@cache
def _sentence_bleu() -> Any:
    return _sacrebleu().BLEU(effective_order=True)


def _sacrebleu() -> Any:
    return _library("sacrebleu", "BLEU or chrF")


def _library(name: str, who: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise FmkitError(f"{who} needs a library: pip install 'fmkit[evaluation]'") from None
