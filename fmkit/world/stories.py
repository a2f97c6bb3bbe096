"""The story world: a grammar that knows the probability of every story it can tell.

The teaching corpus of this book is written by a grammar with a small world in it. Its characters have a
home, a favorite food, a hobby and a pet that never change; what is lost in a story is what is found, and
four plums less one are three. Because the grammar made the stories, it can also read them: `World.log_prob`
is the exact log-probability of any text, in nats, summed over every way to derive it. That gives three
things no collection of real text can give:

- **the floor**: the entropy of the corpus per token, below which no model's loss can go (`floor`);
- **the truth of a story**: a text that no derivation yields is no story of this world, and the grammar says
  at which character it broke (`World.check`, `validity`);
- **a corpus of any size** whose every document has a known probability (`load_stories`).

A grammar is written in *templates*, text with two kinds of marks:

- ``[a|b|c]`` is one of several templates; the k-th has weight 1/(k+1), so the first is the likeliest.
  In ``[=a|b|c]`` all weigh the same.
- ``{toy}`` is what stands under that name: a thing bound before, or a rule; ``{hero.pet.kind}`` is a fact
  of a thing, and ``{hero.He}`` is the fact `he` with a capital; ``{plum(n)}`` is a noun's form for
  the number n, plum or plums.
- ``{x=toy}`` draws a thing from the list `toy`, calls it x from here on, and writes its name; ``{x=toy:a}``
  writes another of its facts (`a` is the name with an article), and ``{x=toy:}`` draws in silence. A list may
  be a fact, too: ``{part=n.parts:gone}``. A draw leaves out whatever has a name already.

Log-probabilities are natural logarithms (nats); positions count characters from 0.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from fmkit.errors import FmkitError
from fmkit.world.plots import ANIMAL_PLOTS, CHILD_PLOTS, RULES
from fmkit.world.template import Draw, Entity, OneOf, Show, Things, Way, compile_rule, dotted
from fmkit.world.words import words

if TYPE_CHECKING:
    from datasets import DatasetDict, Features
    from tokenizers import Tokenizer

__all__ = [
    "Derivation",
    "Floor",
    "Grammar",
    "Source",
    "Story",
    "Validity",
    "Verdict",
    "World",
    "floor",
    "load_stories",
    "sample_splits",
    "validity",
]


class Rng(Protocol):
    """A source of uniform numbers in [0, 1): `random.Random`, or NumPy's `Generator`."""

    def random(self) -> float: ...


class Source(Protocol):
    """What draws texts and knows their probability: samples have `text` and its `log_prob` in nats."""

    def sample(self, rng: Rng) -> Any: ...
    def log_prob(self, text: str) -> float: ...


@dataclass(frozen=True)
class Derivation:
    """One way to derive a text: its log-probability in nats, and what every name was bound to at the end."""

    text: str
    log_prob: float
    bound: Mapping[str, Entity]


@dataclass(frozen=True)
class Verdict:
    """What a grammar says of a text.

    `log_prob` is in nats, -inf where the text is not valid. Then `broke_at` is the character up to which the
    text could still have become a valid one, and `expected` lists what could stand there (whole words, in
    the grammar's order). An `unfinished` text broke only because it ended: `broke_at == len(text)`.
    """

    valid: bool
    log_prob: float
    broke_at: int | None = None
    expected: tuple[str, ...] = ()
    unfinished: bool = False


# --- The engine: one grammar, run in two directions -------------------------------------------------------


class Grammar:
    """A probabilistic attribute grammar. A text is what the rule `start` can become.

    A rule is a template, an `Entity`, or a list of things to draw from: entities, words, or pairs of a
    weight and an entity. In a list without weights the k-th thing has weight 1/(k+8).

    Raises `FmkitError` for a template that does not parse, and for a name that means nothing.
    """

    def __init__(self, rules: Mapping[str, Any]) -> None:
        self.rules = {name: compile_rule(rule) for name, rule in rules.items()}

    def look(self, path: tuple[str, ...], bound: Mapping[str, Entity]) -> Any:
        """What stands under a dotted name: first among the bound things, then among the rules."""
        try:
            value = bound[path[0]] if path[0] in bound else self.rules[path[0]]
            for key in path[1:]:
                value = value[key]
            return value
        except (KeyError, TypeError):
            raise FmkitError(f"the grammar has no {dotted(path)!r}: bind it first, or add a rule") from None

    def shown(self, part: Show, bound: Mapping[str, Entity]) -> Any:
        """What a `Show` writes: a word, a template, or a thing; with a number, the thing's form for it."""
        value = self.look(part.path, bound)
        return value[self.shown(Show(part.number), bound)["name"]] if part.number else value

    def ways(self, part: OneOf | Draw, bound: Mapping[str, Entity]) -> list[Way]:
        """All that can fill a place: (probability, the text it begins with, what to write, thing drawn)."""
        if isinstance(part, OneOf):
            return part.ways
        things = self.look(part.source, bound if len(part.source) > 1 else {})  # a plain name is a rule
        if not isinstance(things, Things):
            raise FmkitError(f"the grammar draws from {dotted(part.source)!r}, which is no list of things")
        ways = things.ways(part.form, used={id(thing) for thing in bound.values()})
        if not ways:
            raise FmkitError(
                f"the grammar draws from {dotted(part.source)!r} when all of it is in use already"
            )
        return ways

    def derive(self, rng: Rng) -> Derivation:
        """Write a text: go through the template and throw the dice wherever there is a choice."""
        text, log_prob, todo = "", 0.0, [self.rules["start"]]
        bound: dict[str, Entity] = {}
        while todo:
            part = todo.pop()
            if isinstance(part, str):
                text += part
            elif isinstance(part, Entity):
                todo.append(part["name"])
            elif isinstance(part, tuple):
                todo.extend(reversed(part))
            elif isinstance(part, Show):
                todo.append(self.shown(part, bound))
            else:
                dice = rng.random()
                for probability, _, inner, thing in self.ways(part, bound):  # noqa: B007
                    dice -= probability
                    if dice < 0:
                        break
                log_prob += math.log(probability)
                if thing is not None:
                    bound[part.name] = thing
                todo.append(inner)
        return Derivation(text, log_prob, bound)

    def sample(self, rng: Rng) -> Any:
        """Write a text: something with `text` and its `log_prob`, here a `Derivation`."""
        return self.derive(rng)

    def derivations(self, text: str, misses: list[tuple[int, str]] | None = None) -> Iterator[Derivation]:
        """Read a text: go through the same template, follow every choice the text allows, depth first.

        `misses` collects the places where the text did not go on as the grammar did.
        """
        agenda: list[Any] = [(0, 0.0, {}, (self.rules["start"], None))]  # at, log_prob, bound, (part, rest)
        while agenda:
            at, log_prob, bound, todo = agenda.pop()
            while todo is not None:
                part, todo = todo
                if isinstance(part, str):
                    if not text.startswith(part, at):
                        if misses is not None:
                            misses.append((at, part))
                        break
                    at += len(part)
                elif isinstance(part, Entity):
                    todo = (part["name"], todo)
                elif isinstance(part, tuple):
                    for inner in reversed(part):
                        todo = (inner, todo)
                elif isinstance(part, Show):
                    todo = (self.shown(part, bound), todo)
                else:
                    for probability, head, inner, thing in reversed(self.ways(part, bound)):
                        if text.startswith(head, at):
                            now = bound if thing is None else {**bound, part.name: thing}
                            agenda.append((at, log_prob + math.log(probability), now, (inner, todo)))
                        elif misses is not None:
                            misses.append((at, head))
                    break
            else:
                if at == len(text):
                    yield Derivation(text, log_prob, bound)
                elif misses is not None:
                    misses.append((at, ""))

    def log_prob(self, text: str) -> float:
        """The exact log-probability of a text in nats, the sum over its derivations; -inf if there is none.

        Raises `FmkitError` for what is not a `str`.
        """
        logs = [derivation.log_prob for derivation in self.derivations(_text(text))]
        if not logs:
            return -math.inf
        return (
            logs[0]
            if len(logs) == 1
            else max(logs) + math.log(math.fsum(math.exp(x - max(logs)) for x in logs))
        )

    def check(self, text: str) -> Verdict:
        """Whether a text is valid, and if not, where it broke and what was expected there."""
        log_prob = self.log_prob(text)
        if log_prob > -math.inf:
            return Verdict(True, log_prob)
        misses: list[tuple[int, str]] = []
        for _ in self.derivations(text, misses):
            pass
        reached = [(at + _shared(text, at, part), at, part) for at, part in misses]
        broke_at = max(end for end, _, _ in reached)
        expected = dict.fromkeys(_word(part, broke_at - at) for end, at, part in reached if end == broke_at)
        return Verdict(False, -math.inf, broke_at, tuple(expected), unfinished=broke_at == len(text))


def _text(text: object) -> str:
    if not isinstance(text, str):
        raise FmkitError(f"a grammar reads text (str), not {type(text).__name__}")
    return text


def _shared(text: str, at: int, part: str) -> int:
    """How many characters of a part stand in the text at a position."""
    return next((k for k, c in enumerate(part) if text[at + k : at + k + 1] != c), len(part))


def _word(part: str, k: int) -> str:
    """The word of a part around its k-th character: what was expected there."""
    if not part:
        return END
    start = max(part.rfind(" ", 0, k) + 1, 0)
    end = part.find(" ", k + 1)
    return part[start:] if end < 0 else part[start:end]


END = "(the end)"
"""Stands among the expected words where the text should have ended."""


# --- The world --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Story:
    """A story, its exact log-probability in nats, and the name of its plot."""

    text: str
    log_prob: float
    plot: str


class World(Grammar):
    """The story world. With another seed the same names have other homes, foods, hobbies and pets."""

    def __init__(self, seed: int = 0) -> None:
        plots = {
            "child_plots": [(1.0, Entity(name, text=text)) for name, text in CHILD_PLOTS.items()],
            "animal_plots": [(1.0, Entity(name, text=text)) for name, text in ANIMAL_PLOTS.items()],
        }
        super().__init__({**words(seed), **RULES, **plots})
        self.seed = seed

    def sample(self, rng: Rng) -> Story:
        """Tell a story. The grammar is unambiguous (tested), so one derivation has all its probability."""
        derivation = self.derive(rng)
        return Story(derivation.text, derivation.log_prob, derivation.bound["plot"]["name"])


# --- What a grammar is good for ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Floor:
    """The entropy of a source of texts per token of a tokenizer: no model's loss can go below it.

    `nats_per_token` has `standard_error`; `nats_per_text` and `tokens_per_text` are the two means behind it.
    """

    nats_per_token: float
    standard_error: float
    nats_per_text: float
    tokens_per_text: float


def floor(source: Source, tokenizer: Tokenizer, n: int = 2_000, seed: int = 0) -> Floor:
    """Estimate the floor from `n` sampled texts: their nats over the tokens that a model predicts.

    A text's predicted tokens are its ids without special tokens, and one end of text.

    Raises `FmkitError` for fewer than two texts.
    """
    _at_least("n", n, 2)
    rng = random.Random(f"floor {seed}")
    samples = [source.sample(rng) for _ in range(n)]
    encoded = tokenizer.encode_batch([sample.text for sample in samples], add_special_tokens=False)
    nats = [-sample.log_prob for sample in samples]
    tokens = [len(encoding.ids) + 1 for encoding in encoded]
    ratio = math.fsum(nats) / sum(tokens)
    spread = math.fsum((x - ratio * t) ** 2 for x, t in zip(nats, tokens, strict=True))  # of a ratio of means
    error = math.sqrt(spread / (n - 1) / n) / (sum(tokens) / n)
    return Floor(ratio, error, math.fsum(nats) / n, sum(tokens) / n)


@dataclass(frozen=True)
class Validity:
    """How many of some texts are valid: the share, the share that only lacked an end, and every verdict."""

    share: float
    unfinished: float
    verdicts: tuple[Verdict, ...]


def validity(texts: Iterable[str], grammar: Grammar | None = None) -> Validity:
    """Check texts (a model's own stories, without special tokens) against a grammar, `World()` if not given.

    Raises `FmkitError` where there is no text.
    """
    if isinstance(texts, str):
        raise FmkitError("validity takes a list of texts, not one text")
    grammar = World() if grammar is None else grammar
    verdicts = tuple(grammar.check(text) for text in texts)
    if not verdicts:
        raise FmkitError("validity needs at least one text")
    return Validity(
        sum(verdict.valid for verdict in verdicts) / len(verdicts),
        sum(verdict.unfinished for verdict in verdicts) / len(verdicts),
        verdicts,
    )


def load_stories(
    n_train: int = 20_000, n_validation: int = 1_000, seed: int = 0, world: int = 0
) -> DatasetDict:
    """Stories as a `DatasetDict` of `train` and `validation`: columns `text`, `log_prob` (nats) and `plot`.

    The same arguments give the same stories on every machine. `world` is the number of the `World`: another
    one has other facts. `seed` draws other stories of the same world.

    Raises `FmkitError` for fewer than one story in a split, and for a world that is no whole number.
    """
    return sample_splits({"train": n_train, "validation": n_validation}, seed, World(world).sample)


def sample_splits(
    sizes: Mapping[str, int], seed: int, sample: Callable[[Rng], Any], features: Features | None = None
) -> DatasetDict:
    """A split of each size, each from dice of its own, with the fields of the samples as columns."""
    from datasets import Dataset, DatasetDict

    splits = {}
    for split, size in sizes.items():
        _at_least(f"n_{split}", size, 1)
        rng = random.Random(f"{split} {seed}")
        splits[split] = Dataset.from_list([vars(sample(rng)) for _ in range(size)], features=features)
    return DatasetDict(splits)


def _at_least(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise FmkitError(f"{name} must be a whole number of at least {least}, not {value!r}")
