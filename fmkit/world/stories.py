"""The story world: a grammar that knows the probability of every story it can tell.

The teaching corpus of this book is written by a grammar with a small world in it. Its characters have a
home, a favorite food, a hobby and a pet that never change; what is lost in a story is what is found, and
four plums less one are three. Because the grammar made the stories, it can also read them: `World.log_prob`
is the exact log-probability of any text, in nats, summed over every way to derive it. That gives three
things no collection of real text can give:

- **the floor**: the entropy of the corpus per token, below which no model's loss can go (`floor`);
- **the truth of a story**: a text that no derivation yields is not a story of this world, and the grammar
  says at which character it broke (`World.check`, `validity`);
- **a corpus of any size** whose every document has a known probability (`load_stories`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fmkit.world.domain import Domain
from fmkit.world.grammar import Grammar, Rng
from fmkit.world.grammar_file import plots, read, rules, things
from fmkit.world.rules import Entity
from fmkit.world.seeds import deal, world_rng
from fmkit.world.words import NUMERALS, noun, split

if TYPE_CHECKING:
    from datasets import DatasetDict


@dataclass(frozen=True)
class Story:
    """A story, its exact log-probability in nats, and the name of its plot."""

    text: str
    log_prob: float
    plot: str


class World(Grammar):
    """The story world. With another seed the same names have other homes, foods, hobbies and pets."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__(story_rules(seed))
        self.seed = seed

    def sample(self, rng: Rng) -> Story:
        """Tell a story. The grammar is unambiguous (tested), so one derivation has all its probability."""
        derivation = self.derive(rng)
        return Story(derivation.text, derivation.log_prob, derivation.bound["plot"]["name"])


STORIES = Domain("stories", make=World, n_train=20_000, n_validation=1_000)


def load_stories(
    n_train: int = 20_000, n_validation: int = 1_000, seed: int = 0, world: int = 0
) -> DatasetDict:
    """Stories as a `DatasetDict` of `train` and `validation`: columns `text`, `log_prob` (nats) and `plot`.

    The same arguments give the same stories on every machine. `world` is the number of the `World`: another
    one has other facts. `seed` draws other stories of the same world.

    Raises `FmkitError` for fewer than one story in a split, and for a world that is no whole number.
    """
    return STORIES.load(n_train, n_validation, seed, world)


def story_rules(seed: int) -> dict[str, Any]:
    """The rules of the stories, with the facts of a world."""
    made = rules("stories")
    for adult in made["adult"]:
        adult.update(_gender(adult))
    return {
        **made,
        **{f"{kind}_plots": plots(texts) for kind, texts in read("stories")["plots"].items()},
        **_numbers(),
        **_characters(seed),
        "elder": made["adult"][2:],
        "coin": noun("coin"),
        "block": noun("block"),
    }


def _gender(thing: Entity) -> dict[str, str]:
    """The pronouns of a thing with the fact `gender`."""
    gender: dict[str, str] = read("people")["gender"][thing["gender"]]
    return gender


def _numbers() -> dict[str, list[Entity]]:
    """Numbers that know how they come apart: four is one and three, two and two, three and one."""
    number = [
        Entity(name, was="was" if name == "one" else "were", this="this one" if name == "one" else "these")
        for name in NUMERALS[:9]
    ]
    for name in number:
        name["is"] = "is" if name["name"] == "one" else "are"
    for n in range(3, len(number)):
        taken = range(1, min(n, 4))
        number[n]["parts"] = [Entity(NUMERALS[k], gone=number[k], left=number[n - k]) for k in taken]
        number[n]["less"] = number[n - 1]
    return {"number": number[3:], "few": number[2:6]}


def _characters(seed: int) -> dict[str, list[Entity]]:
    """All named characters, with the facts of a world."""
    rng = world_rng("facts", seed)
    file, names = read("stories"), read("people")
    facts = file["facts"]
    homes, foods = deal(rng, things(facts["homes"])), deal(rng, things(facts["foods"]))
    hobbies, pets = deal(rng, split(facts["hobbies"])), deal(rng, split(facts["pets"]))
    colors = deal(rng, split(file["nouns"]["color"]))
    groups: dict[str, list[Entity]] = {}
    for gender in ("girl", "boy"):
        groups[gender] = []
        for name in split(names[f"{gender}s"]):
            child = _character(name, names["gender"][gender], homes, foods, hobbies, colors)
            kind, _, pet = next(pets).partition(" ")
            child["pet"] = Entity(pet, kind=kind, a=noun(kind)["a"])
            groups[gender].append(child)
    dens, treats = deal(rng, things(facts["dens"])), deal(rng, things(facts["treats"]))
    games = deal(rng, split(facts["games"]))
    animals = [
        _character(
            animal["name"],
            {**_gender(animal), "kind": animal["kind"], "a": noun(animal["kind"])["a"]},
            *(dens, treats, games, colors),
        )
        for animal in things(facts["animals"])
    ]
    children = [child for pair in zip(groups["girl"], groups["boy"], strict=True) for child in pair]
    return {**groups, "child": children, "animal": animals}


def _character(
    name: str,
    kind: dict[str, str],
    homes: Iterator[Entity],
    foods: Iterator[Entity],
    hobbies: Iterator[str],
    colors: Iterator[str],
) -> Entity:
    """A character with the next of each kind of fact."""
    home, food = next(homes), next(foods)
    return Entity(
        name,
        **kind,
        home=home["name"],
        near=home["near"],
        food=food["name"],
        dish=food["dish"],
        hobby=next(hobbies),
        color=noun(next(colors)),
    )
