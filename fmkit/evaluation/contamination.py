"""Whether a benchmark's texts were in the training corpus, found by the runs of words that both have.

Brown et al. 2020 (arXiv:2005.14165, appendix C) remove from each benchmark the examples that share a run of
13 words with the training corpus, and compare the score on what is left with the score on everything.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from fmkit.data.scripts import space_out
from fmkit.errors import FmkitError
from fmkit.settings import as_several

N = 13  # words of a run
WORD = re.compile(r"[^\W_]+")


def ngrams(text: str, n: int = N) -> Iterator[tuple[str, ...]]:
    """Yield the runs of n words of a text, in lower case and without punctuation; none if it is shorter.

    Where words have no spaces between them, as in Chinese, each character is one.
    """
    words = _words(text)
    return zip(*(words[k:] for k in range(n)), strict=False)


def contaminated(benchmark: Sequence[str], corpus: Iterable[str], n: int = N) -> list[float]:
    """Compute for each text of a benchmark the share of its runs of n words that the corpus has.

    A text with a share above 0 is called contaminated. A run never spans two texts of the corpus, which may
    be a stream. A text shorter than n words is looked for as a whole run. Raises `FmkitError` for n below 1,
    for no texts, and for a text without a word.
    """
    benchmark, corpus = as_several(benchmark), as_several(corpus)
    if n < 1 or not benchmark:
        raise FmkitError(f"{len(benchmark)} texts and runs of {n} words: give one or more of each")
    runs = [_runs(text, number, n) for number, text in enumerate(benchmark)]
    wanted = set().union(*runs)
    sizes = {len(run) for run in wanted}
    seen = {run for text in corpus for size in sizes for run in ngrams(text, size) if run in wanted}
    return [sum(run in seen for run in its) / len(its) for its in runs]


def _runs(text: str, number: int, n: int) -> list[tuple[str, ...]]:
    words = _words(text)
    if not words:
        raise FmkitError(f"text {number} of the benchmark has no word: leave it out")
    return list(ngrams(text, n)) or [tuple(words)]


def _words(text: str) -> list[str]:
    return WORD.findall(space_out(text.lower()))
