"""A bot that knows nothing and scores what a bank's form gives away.

It answers the questions with options by three habits of people who are good at tests: take the longest
option, take the one that shares most words with the question, always take B. Where its habit cannot decide,
it guesses among the best; what is counted is the score to expect. A question with several answers needs all.

Habits that nobody has thought of are learned: a classifier is fitted to four fifths of the questions with
their keys, and answers the others, by the form of their options alone (length, place, signs, and the words
that say nothing about a subject, hedges among them) or by the words of their stems alone.
"""

import re
from collections.abc import Callable, Sequence
from math import comb
from statistics import fmean

import numpy as np

from bookkit.quiz.items import Item


def plain(text: str) -> str:
    """The text as it is read: without the marks of Markdown and TeX."""
    return re.sub(r"[$*`_{}^\\]", "", text)


def words(text: str) -> list[str]:
    """The words in small letters, hyphens and apostrophes inside them kept."""
    return re.findall(r"[a-z0-9]+(?:['’-][a-z0-9]+)*", plain(text).lower())


# Words that say nothing about a question's subject.
STOP = set(
    words(
        """
        a about after all also an and any are as at be because been before but by can could do does
        each for from had has have how if in into is it its just many may model more most much must no
        not of on one only or other out over own same so some such than that the their them then there
        these they this those to two under until up use used was were what when where which while who
        why will with without would
        """
    )
)


def content(text: str) -> set[str]:
    """The words that carry meaning, without a plural's ending."""
    return {_singular(word) for word in words(text) if word not in STOP and len(word) > 2}


def _singular(word: str) -> str:
    plural = len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is"))
    return word[:-1] if plural else word


def longest(item: Item) -> list[int]:
    return [len(plain(option.text)) for option in item.options]


def overlapping(item: Item) -> list[int]:
    return [len(content(option.text) & content(item.stem)) for option in item.options]


def always_b(item: Item) -> list[int]:
    """B, and C, D … after it where more than one is asked for."""
    return [0, *range(len(item.options) - 1, 0, -1)]


HABITS: dict[str, Callable[[Item], list[int]]] = {
    "the longest": longest,
    "most words of the question": overlapping,
    "always B": always_b,
}


# --- what is learned from the bank ------------------------------------------------------------------------

FOLDS, DIVISIONS = 5, 3
Features = dict[str, float]


def form(item: Item) -> list[Features]:
    """What an option looks like, for each; of its words only those that say nothing about a subject."""
    return [
        {name: value for name, value in one.items() if not name.startswith("word ") or name[5:] in STOP}
        for one in wording(item)
    ]


def wording(item: Item) -> list[Features]:
    """What an option looks like and which words it has, for each."""
    lengths = [len(plain(option.text)) for option in item.options]
    return [
        {f"word {word}": 1.0 for word in words(option.text)}
        | {f"place {place}": 1.0, "length": length / fmean(lengths)}
        | {"longest": float(length == max(lengths)), "shortest": float(length == min(lengths))}
        | {f"sign {sign}": 1.0 for sign in set(plain(option.text)) if not sign.isalpha()}
        for place, (option, length) in enumerate(zip(item.options, lengths, strict=True))
    ]


def stem(item: Item) -> list[Features]:
    """The words of the stem, and the place of an option: all that is known of it."""
    return [
        {f"{place} {word}": 1.0 for word in words(item.stem)} | {f"place {place}": 1.0}
        for place, _ in enumerate(item.options)
    ]


LEARNED: dict[str, Callable[[Item], list[Features]]] = {
    "the form of the options": form,
    "the words of the stem": stem,
}


def learned(items: Sequence[Item], features: Callable[[Item], list[Features]]) -> list[float]:
    """The score to expect on each item of a classifier that was fitted to other items, a fifth at a time.

    It is the mean over some ways of dividing the bank: by luck, one way is two points above another.
    """
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.linear_model import LogisticRegression

    table = DictVectorizer().fit_transform([one for item in items for one in features(item)])
    right = np.array([option.correct for item in items for option in item.options])
    owner = np.repeat(np.arange(len(items)), [len(item.options) for item in items])
    scores = np.zeros(len(items))
    for seed in range(DIVISIONS):
        fold = np.random.default_rng(seed).permutation(len(items)) % FOLDS
        for left in range(FOLDS):
            asked = fold[owner] == left
            model = LogisticRegression(solver="liblinear").fit(table[~asked], right[~asked])
            weights, owners = model.decision_function(table[asked]), owner[asked]
            for number in map(int, np.flatnonzero(fold == left)):
                scores[number] += expected(items[number], list(weights[owners == number])) / DIVISIONS
    return [float(score) for score in scores]


def expected(item: Item, weights: Sequence[float]) -> float:
    """The probability that whoever takes the options of the largest weight has exactly the right ones."""
    count = item.correct
    cut = sorted(weights, reverse=True)[count - 1]
    sure = [option for option, weight in zip(item.options, weights, strict=True) if weight > cut]
    tied = [option for option, weight in zip(item.options, weights, strict=True) if weight == cut]
    wanted = count - len(sure)
    if all(option.correct for option in sure) and sum(option.correct for option in tied) == wanted:
        return 1 / comb(len(tied), wanted)
    return 0.0


def chance(items: Sequence[Item]) -> float:
    """The score of pure guessing, from 0 to 1."""
    return fmean(1 / comb(len(item.options), item.correct) for item in items)


def score(items: Sequence[Item], habit: Callable[[Item], list[int]]) -> float:
    """The score to expect of a habit, from 0 to 1; `items` have options, and there is at least one."""
    return fmean(expected(item, habit(item)) for item in items)
