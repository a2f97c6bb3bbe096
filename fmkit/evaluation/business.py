"""Whether an assistant pays: what an interaction costs with it and without it, and when it has paid its cost.

The two ways are compared for the same interactions: a person answers all of them, or the assistant reads all,
answers a share, and hands the others to that person. Errors of both cost money. Each input is a number or an
array of draws, so what is known as a range goes in as one, and comes out as one. Any currency will do.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from fmkit.errors import FmkitError
from fmkit.footprint import Range

Number = float | NDArray[np.float64]
Ranges = Mapping[str, Range]

DRAWS = 2000
SHARES = ("people_errors", "handled", "errors")
POSITIVE = ("volume", "months")
# The first primes whose 2,000 draws correlate by less than 0.02.
PRIMES = (2, 3, 5, 7, 11, 23, 29, 31, 59, 61, 67, 71)


@dataclass(frozen=True)
class BusinessCase:
    """What the comparison needs; numbers, or arrays of draws of one length.

    Raises `FmkitError` for a share outside 0 to 1, a negative number, and a volume or a duration of 0.
    """

    volume: Number
    """Interactions a month."""
    minutes: Number
    """Of a person's time for an interaction."""
    wage: Number
    """What an hour of that person costs, with taxes, room and equipment."""
    people_errors: Number
    """The share of people's answers that are wrong."""
    handled: Number
    """The share of interactions that the assistant answers without a person."""
    errors: Number
    """The share of these answers that are wrong."""
    error_cost: Number
    """What a wrong answer costs, whoever gave it."""
    tokens: Number
    """That the assistant reads and writes for an interaction, answered or handed over."""
    price: Number
    """Of a million tokens."""
    build: Number
    """To pay once."""
    keep: Number
    """To pay each month."""
    months: Number
    """For which the assistant is used."""

    def __post_init__(self) -> None:
        for field in fields(self):
            _check(field.name, getattr(self, field.name))

    @property
    def by_person(self) -> Number:
        """The cost of an interaction that a person handles: time, and what that person's errors cost."""
        return self.minutes / 60 * self.wage + self.people_errors * self.error_cost

    @property
    def by_model(self) -> Number:
        """The tokens of an interaction."""
        return self.tokens * self.price / 1e6

    @property
    def per_interaction(self) -> Number:
        """The mean cost of an interaction with the assistant, its monthly cost included."""
        answered = self.handled * self.errors * self.error_cost
        return self.by_model + answered + (1 - self.handled) * self.by_person + self.keep / self.volume

    @property
    def saving(self) -> Number:
        """What a month with the assistant saves; negative if it costs more."""
        return self.volume * (self.by_person - self.per_interaction)

    @property
    def net(self) -> Number:
        """What is gained in all the months, after the cost to build."""
        return self.months * self.saving - self.build

    @property
    def roi(self) -> Number:
        """Return on investment: `net` for each unit of money that is paid for the assistant itself."""
        paid = self.build + self.months * (self.keep + self.volume * self.by_model)
        return _ratio(self.net, paid)

    @property
    def break_even_month(self) -> Number:
        """The months until the savings have paid for building it; infinite if it saves nothing."""
        return _ratio(self.build, self.saving)

    @property
    def break_even_volume(self) -> Number:
        """The interactions a month at which `net` is 0; infinite if each one loses money."""
        margin = self.handled * (self.by_person - self.errors * self.error_cost) - self.by_model
        return _ratio(self.keep + self.build / self.months, margin)


def _check(name: str, value: Number) -> None:
    low, high = float(np.min(value)), float(np.max(value))
    if not math.isfinite(low) or not math.isfinite(high) or low < 0:
        raise FmkitError(f"{name}: {low:g} to {high:g} has to be finite, and 0 or more")
    if name in SHARES and high > 1:
        raise FmkitError(f"{name}: {high:g} is not a share; give one from 0 to 1, such as 0.05 for 5%")
    if name in POSITIVE and low == 0:
        raise FmkitError(f"{name}: has to be more than 0")


def _ratio(above: Number, below: Number) -> Number:
    """`above` over `below`, or infinity where `below` is not positive."""
    positive = np.asarray(below) > 0
    found = np.where(positive, above / np.where(positive, below, 1.0), math.inf)
    return found if found.ndim else float(found)


# --- inputs as ranges -------------------------------------------------------------------------------------


def draw(ranges: Ranges, n: int = DRAWS) -> BusinessCase:
    """Draw `n` cases, each input anywhere in its range (low, high) with equal chance, apart from the others.

    The draws are multiples of square roots of primes, modulo 1: evenly spread, and the same on every machine
    (Niederreiter 1978, "Quasi-Monte Carlo methods and pseudo-random numbers"). Raises `FmkitError`
    for a range that ends below its beginning, for a missing or unknown input, and for values that a
    `BusinessCase` refuses.
    """
    steps = np.arange(1.0, n + 1)
    found: dict[str, Number] = {}
    for name, prime in zip(_names(ranges), PRIMES, strict=True):
        low, high = ranges[name]
        found[name] = low + (high - low) * (steps * math.sqrt(prime) % 1.0)
    return BusinessCase(**found)


def middle(ranges: Ranges) -> BusinessCase:
    """The case in the middle of every range; errors as in `draw`."""
    return BusinessCase(**{name: sum(ranges[name]) / 2 for name in _names(ranges)})


def percentiles(values: Number, shares: tuple[float, ...] = (0.1, 0.5, 0.9)) -> tuple[float, ...]:
    """The values below which these shares of the draws are: by default those of 10, 50 and 90%."""
    ordered = np.sort(np.atleast_1d(values))
    return tuple(float(ordered[max(math.ceil(share * len(ordered)) - 1, 0)]) for share in shares)


def swings(ranges: Ranges) -> list[tuple[str, float, float]]:
    """What each input does to `net` alone: its name, and `net` at its low and its high end, the others being
    in the middle. The widest comes first: the rows of a tornado chart. Errors as in `draw`.
    """
    center = middle(ranges)
    rows = []
    for name in _names(ranges):
        low, high = (float(replace(center, **{name: end}).net) for end in ranges[name])
        rows.append((name, low, high))
    return sorted(rows, key=lambda row: -abs(row[2] - row[1]))


def turning_point(ranges: Ranges, name: str) -> float | None:
    """The value of one input at which `net` is 0, with the others in the middle; it may be out of its range.

    None if no value that makes sense does it. Exact, as `net` is linear in each input. Errors as in `draw`.
    """
    center = middle(ranges)
    least = 1e-9 if name in POSITIVE else 0.0
    at, one_more = (float(replace(center, **{name: end}).net) for end in (least, 1.0))
    if at == one_more:
        return None
    found = least + (1 - least) * at / (at - one_more)
    return found if found >= least and (name not in SHARES or found <= 1) else None


def _names(ranges: Ranges) -> list[str]:
    """The inputs in their order; errors as in `draw`."""
    names = [field.name for field in fields(BusinessCase)]
    if missing := [name for name in names if name not in ranges]:
        raise FmkitError(f"{', '.join(missing)}: missing; give a range (low, high), or twice the same number")
    if unknown := [name for name in ranges if name not in names]:
        raise FmkitError(f"{', '.join(unknown)}: not an input; those are {', '.join(names)}")
    for name in names:
        low, high = ranges[name]
        if low > high:
            raise FmkitError(f"{name}: the range begins at {low:g} and ends at {high:g}; swap them")
    return names
