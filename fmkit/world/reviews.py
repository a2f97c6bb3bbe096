"""Reviews of films and products with a label, from the same engine as the story world.

A review is positive or negative as a whole, but its words alone do not tell: "not bad at all" praises with
a bad word, and "the box was ugly, but the lamp was lovely" has one of each. A model that only counts words
gets part of them wrong. The label is drawn first and in silence, so `Reviews.log_prob` sums over it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fmkit.world.dice import dice, pick, split
from fmkit.world.stories import Grammar, Rng, sample_splits
from fmkit.world.template import Entity
from fmkit.world.words import nouns

if TYPE_CHECKING:
    from datasets import DatasetDict

__all__ = ["LABELS", "Review", "Reviews", "load_reviews"]

LABELS = ("negative", "positive")
"""The labels in the order of their ids."""

GOOD_FILM = (
    "good, great, wonderful, clever, excellent, perfect, superb, brilliant, charming, fantastic, touching"
)
BAD_FILM = (
    "bad, awful, terrible, boring, silly, weak, horrible, disappointing, dull, dreadful, annoying, clumsy"
)
GOOD_PRODUCT = (
    "good, great, wonderful, lovely, nice, excellent, perfect, beautiful, pretty, fantastic, elegant"
)
BAD_PRODUCT = (
    "bad, awful, terrible, poor, ugly, cheap, horrible, disappointing, tasteless, dreadful, lousy, clumsy"
)

FILMS = "movie, film, cartoon, comedy, thriller, musical, western, documentary, mystery, drama"
FILM_PARTS = "story, acting, music, ending, cast, dialogue, opening, humor, title song, setting"
PRODUCTS = (
    "lamp, kettle, backpack, toy, umbrella, blender, chair, watch, camera, tent, radio, clock, puzzle, "
    "toaster, pillow, guitar, bike, keyboard, jacket, fan"
)
PRODUCT_PARTS = "box, design, cover, shape, finish, style, color, case, logo, wrapping"

RULES = {
    "start": "{label=labels:}[={on_film}|{on_product}] {claim}[ {claim}|][ {label.verdict}|]",
    "on_film": (
        "{words=label.film:}[I [saw|watched] this {item=film} [last night|yesterday|with my "
        "family|with a friend|twice|on a train].|We [saw|watched] this {item=film} [at school|on "
        "Sunday|last week|in a small theater].]"
    ),
    "on_product": (
        "{words=label.product:}[I [bought|ordered|got] this {item=product} [last week|online|for my "
        "son|as a gift|on sale|for my room].|My [sister|brother|mother|uncle|neighbor] gave me this "
        "{item=product}[| for my birthday].]"
    ),
    "claim": "[{plain}|{negated}|{contrast}|{hearsay}|{expected}]",
    "plain": "The {part=item.parts} was [|really |truly |simply |just ]{word=words.mine}.",
    "negated": (
        "[The {part=item.parts} was not {word=words.other} at all.|There was nothing "
        "{word=words.other} about the {part=item.parts}.|The {part=item.parts} was [far from|anything "
        "but|never] {word=words.other}.]"
    ),
    "contrast": (
        "[The {part=item.parts} was {word=words.other}, but the {item} itself was "
        "{last=words.mine}.|[Although|Even though] the {part=item.parts} was {word=words.other}, the "
        "{item} was {last=words.mine}.|The {item} was {last=words.mine}, even though the "
        "{part=item.parts} was {word=words.other}.]"
    ),
    "hearsay": (
        "[A friend|My cousin|One critic|Someone] told me that it was [{word=words.other}, but that was "
        "[wrong|not true|a mistake]|{word=words.mine}, and that was [right|true]]."
    ),
    "expected": (
        "[I expected {word=words.other:a} {item}, but this one was {last=words.mine}.|I wanted to "
        "{label.wish} it, but I could not.]"
    ),
}

VERDICTS = {
    "positive": (
        "[I would {item.again} it again.|I do not regret {item.doing} it.|You will not be "
        "sorry.|[Four|Five] stars.|It was worth every {item.unit}.|Do not miss it.]"
    ),
    "negative": (
        "[I would not {item.again} it again.|I regret {item.doing} it.|You will be sorry.|[Two "
        "stars|One star].|It was not worth {item.price}.|Do not trust the good reviews.]"
    ),
}


def _label(name: str, wish: str, film: tuple[str, str], product: tuple[str, str]) -> Entity:
    """A label with its own adjectives and the other label's, for films and for products."""
    kinds = {
        kind: [Entity(kind, mine=nouns(mine), other=nouns(other))]
        for kind, (mine, other) in {"film": film, "product": product}.items()
    }
    return Entity(name, wish=wish, verdict=VERDICTS[name], **kinds)


def _items(names: str, parts: str, **facts: str) -> list[Entity]:
    items, shared = nouns(names), nouns(parts)
    for item in items:
        item.update(parts=shared, **facts)
    return items


@dataclass(frozen=True)
class Review:
    """A review, its label (0 negative, 1 positive) and its exact log-probability in nats."""

    text: str
    label: int
    log_prob: float


class Reviews(Grammar):
    """The grammar of reviews: `sample`, `log_prob` and `check` as in the story world.

    A review has no facts, so another seed has other words: of each list two thirds, in another order. World 0
    has them all.
    """

    def __init__(self, seed: int = 0) -> None:
        rng = dice("reviews", seed)

        def some(text: str) -> str:
            items = split(text)
            return ", ".join(pick(rng, items, len(items) * 2 // 3)) if seed else text

        good_film, bad_film = some(GOOD_FILM), some(BAD_FILM)
        good_product, bad_product = some(GOOD_PRODUCT), some(BAD_PRODUCT)
        labels = [
            _label("negative", "love", (bad_film, good_film), (bad_product, good_product)),
            _label("positive", "hate", (good_film, bad_film), (good_product, bad_product)),
        ]
        film = {"again": "watch", "doing": "watching", "unit": "minute", "price": "my time"}
        product = {"again": "buy", "doing": "getting", "unit": "cent", "price": "the money"}
        super().__init__(
            {
                **RULES,
                "labels": [(1.0, label) for label in labels],
                "film": _items(some(FILMS), some(FILM_PARTS), **film),
                "product": _items(some(PRODUCTS), some(PRODUCT_PARTS), **product),
            }
        )

    def sample(self, rng: Rng) -> Review:
        """Write a review."""
        derivation = self.derive(rng)
        return Review(derivation.text, LABELS.index(derivation.bound["label"]["name"]), derivation.log_prob)


def load_reviews(n_train: int = 1_000, n_validation: int = 500, seed: int = 0, world: int = 0) -> DatasetDict:
    """Reviews as a `DatasetDict` of `train` and `validation`, the same on every machine.

    The columns are `text`, `label` (a `ClassLabel`: negative, positive) and `log_prob` (nats). `world` is the
    number of the world: another one has other words. `seed` draws other reviews of the same world.

    Raises `FmkitError` for fewer than one review in a split, and for a world that is no whole number.
    """
    from datasets import ClassLabel, Features, Value

    features = Features(
        {"text": Value("string"), "label": ClassLabel(names=list(LABELS)), "log_prob": Value("float64")}
    )
    sizes = {"train": n_train, "validation": n_validation}
    return sample_splits(sizes, seed, Reviews(world).sample, features)
