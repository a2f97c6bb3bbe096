"""Lists of words, nouns with their forms, and numerals."""

from __future__ import annotations

from fmkit.world.rules import Entity

NUMERALS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen"),
)
DATES = tuple(str(day) for day in range(1, 29))  # the days that every month has


def split(text: str) -> list[str]:
    """The items of a list with commas."""
    return [item.strip() for item in text.split(",")]


def noun(word: str) -> Entity:
    """A thing with its articles and a form for every number to eight: ``noun("pear")["three"] == "pears"``.

    An irregular plural follows a slash: ``noun("goose/geese")``.
    """
    one, _, many = word.partition("/")
    if not many:
        if one.endswith("y") and one[-2] not in "aeiou":
            many = one[:-1] + "ies"
        else:
            many = one + ("es" if one.endswith(("s", "x", "ch", "sh")) else "s")
    article = "an" if one[0] in "aeiou" or one == "honest" else "a"
    forms = {number: one if number == "one" else many for number in NUMERALS[:9]}
    return Entity(one, a=f"{article} {one}", the=f"the {one}", many=many, **forms)


def nouns(text: str) -> list[Entity]:
    """Things from a list of nouns with commas."""
    return [noun(word) for word in split(text)]
