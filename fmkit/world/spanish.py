"""Stories in Spanish: a second language, with an exact log-probability.

The engine knows nothing of Spanish. Whatever agrees with a noun is a fact of it: its articles, the pronoun
that stands for it, and its adjectives, as lists of the right gender. So agreement needs no rule, and a text
in which something does not agree is not one of the grammar's.
"""

from __future__ import annotations

from fmkit.world.domain import Domain
from fmkit.world.grammar import Grammar, Rng
from fmkit.world.grammar_file import plots, read, rules
from fmkit.world.rules import Entity
from fmkit.world.seeds import deal, world_rng
from fmkit.world.stories import Story
from fmkit.world.words import split


def spanish_noun(text: str) -> Entity:
    """A noun with what agrees with it: ``spanish_noun("la nuez/nueces")["un"] == "una nuez"``."""
    article, _, word = text.partition(" ")
    one, _, many = word.partition("/")
    gender = read("spanish")["gender"][article]
    return Entity(
        one,
        many=many or one + ("s" if one[-1] in "aeiouáéó" else "es"),
        el=f"{article} {one}",
        **{key: f"{gender[key]} {one}" for key in ("un", "del", "al")},
        lo=gender["lo"],
        otros=gender["otros"],
        **adjectives(article),
    )


def adjectives(article: str) -> dict[str, list[str]]:
    """The lists of adjectives, in the gender of an article."""
    lists = {}
    for name, text in read("spanish")["adjectives"].items():
        pairs = [word.partition("/") for word in split(text)]
        lists[name] = [she if she and article == "la" else he for he, _, she in pairs]
    return lists


def _numbers() -> list[Entity]:
    """Numbers from four on that know how they come apart, in parts of two or more: none needs a gender."""
    number = dict(enumerate(map(Entity, split(read("spanish")["facts"]["numbers"])), start=2))
    for n in range(4, 10):
        number[n]["less"] = number[n - 1]
        taken = range(2, min(n - 1, 5))
        number[n]["parts"] = [Entity(number[k]["name"], gone=number[k], left=number[n - k]) for k in taken]
    return [number[n] for n in range(4, 10)]


def _characters(seed: int) -> dict[str, list[Entity]]:
    """All characters, with the facts of a world."""
    rng, facts = world_rng("spanish", seed), read("spanish")["facts"]
    homes, foods = deal(rng, facts["homes"]), deal(rng, split(facts["foods"]))
    hobbies, pets = deal(rng, split(facts["hobbies"])), deal(rng, split(facts["pets"]))
    colors = deal(rng, split(facts["colors"]))
    groups: dict[str, list[Entity]] = {}
    for kind, names in (("la niña", "girls"), ("el niño", "boys")):
        groups[names] = []
        for name in split(facts[names]):
            home = next(homes)
            child = Entity(name, home=home, near=spanish_noun(facts["homes"][home]))
            child.update(food=next(foods), hobby=next(hobbies), color=next(colors), pet=_named(next(pets)))
            groups[names].append(_of_kind(child, kind))
    dens, treats, games = (deal(rng, split(facts[key])) for key in ("dens", "treats", "games"))
    animals = [
        _of_kind(Entity(name, home=next(dens), food=next(treats), hobby=next(games)), kind)
        for name, kind in facts["animals"].items()
    ]
    children = [child for pair in zip(groups["girls"], groups["boys"], strict=True) for child in pair]
    return {"girl": groups["girls"], "boy": groups["boys"], "child": children, "animal": animals}


def _of_kind(character: Entity, kind: str) -> Entity:
    """A character with all that agrees with its kind."""
    character.update({key: fact for key, fact in spanish_noun(kind).items() if key not in ("name", "")})
    return character


def _named(text: str) -> Entity:
    """A pet from its article, kind and name: "la gata Luna"."""
    kind, _, name = text.rpartition(" ")
    return Entity(name, kind=kind.partition(" ")[2], un=spanish_noun(kind)["un"])


class Spanish(Grammar):
    """The grammar of the stories in Spanish. Another seed has other facts for the same names."""

    def __init__(self, seed: int = 0) -> None:
        file = read("spanish")
        nouns = {
            name: [spanish_noun(word) for word in split(text)] for name, text in file["gendered"].items()
        }
        super().__init__(
            {
                **rules("spanish"),
                **{f"{kind}_plots": plots(texts) for kind, texts in file["plots"].items()},
                **nouns,
                "kite": spanish_noun("la cometa"),
                "seed": spanish_noun("la semilla"),
                "number": _numbers(),
                "girl_traits": adjectives("la")["traits"],
                "boy_traits": adjectives("el")["traits"],
                **_characters(seed),
            }
        )

    def sample(self, rng: Rng) -> Story:
        """Tell a story. The grammar is unambiguous (tested), so one derivation has all its probability."""
        story = self.derive(rng)
        return Story(story.text, story.log_prob, story.bound["plot"]["name"])


SPANISH = Domain("spanish", make=Spanish)
