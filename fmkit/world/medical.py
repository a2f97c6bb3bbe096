"""Short notes of an invented medicine, with an exact log-probability.

No condition and no drug here exists. In one world a condition always has the same signs, finding, test,
drug, doses and advice; a patient keeps age, doctor and allergy; doses, days and tablets agree. So a note can
be checked for truth, and a model that has learned the facts can be told from one that only sounds right.

The first two signs of a visit are drawn before the condition that has both, as a doctor meets them.
"""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass
from typing import Any

from fmkit.world.domain import Domain
from fmkit.world.grammar import Grammar, Rng
from fmkit.world.grammar_file import plots, read, rules
from fmkit.world.people import people
from fmkit.world.rules import Entity
from fmkit.world.seeds import deal, pick, world_rng
from fmkit.world.words import NUMERALS, noun, split

TIMES = {1: "once", 2: "twice", 3: "three times"}
SPECIALISTS = 12  # surnames up to here are those of family doctors


def _sign(text: str, **facts: Any) -> Entity:
    """A sign of an illness: with and without an article, and its verbs (a `*` marks a plural)."""
    plural, name = text.endswith("*"), text.rstrip("*")
    the = "the " + name.removeprefix("a ").removeprefix("an ")
    verbs = (
        {"was": "were", "is": "are", "gets": "get"} if plural else {"was": "was", "is": "is", "gets": "gets"}
    )
    return Entity(name, the=the, **verbs, **facts)


def _temperatures(values: list[float]) -> list[Entity]:
    return [
        Entity(
            f"{value:.1f}",
            falls=[Entity("", to=f"{value - by:.1f}", by=f"{by:.1f} degrees") for by in (0.8, 1.2, 0.5, 1.5)],
        )
        for value in values
    ]


def _conditions(rng: random.Random) -> dict[str, Any]:
    """The conditions of a world with their facts, and the signs that lead to them."""
    file = read("medical")
    facts = file["facts"]
    drugs, effects = deal(rng, split(facts["drugs"])), deal(rng, split(facts["effects"]))
    conditions, signs = [], []
    for system in file["systems"].values():
        texts = split(system["signs"])
        all_signs = [_sign(text) for text in texts]
        findings, tests, advice = (deal(rng, split(system[key])) for key in ("findings", "tests", "advice"))
        here = []
        for name in pick(rng, split(system["names"]), 4):
            low = (5, 10, 20, 25, 50, 100)[int(rng.random() * 6)]
            times = 1 + int(rng.random() * 3)
            days = (5, 7, 10, 14)[int(rng.random() * 4)]
            tablets, often = times * days, TIMES[times]
            finding = next(findings)
            here.append(
                Entity(
                    name,
                    signs=pick(rng, all_signs, 4),
                    finding=finding,
                    found=finding[0].lower() + finding[1:],
                    test=(test := next(tests)),
                    a_test=noun(test)["a"],
                    drug=next(drugs),
                    second=next(drugs),
                    effect=next(effects),
                    doses=[Entity(f"{mg} mg", daily=f"{mg * times} mg") for mg in (low, 2 * low)],
                    low=f"{low} mg",
                    raised=f"{2 * low} mg {often} a day"
                    + (f", {2 * low * times} mg a day in all" if times > 1 else ""),
                    take=facts["take" if times > 1 else "take_once"],
                    often=often,
                    days=NUMERALS[days],
                    tablets=str(tablets),
                    used=[Entity("", left=str(tablets - times * k)) for k in range(1, 4)],
                    advice=next(advice),
                    review=("one week", "two weeks", "three weeks", "a month")[int(rng.random() * 4)],
                    temperatures=_temperatures(facts["high" if system["fever"] else "low"]),
                )
            )
        conditions += [(condition, system["fever"]) for condition in here]
        for (_, one), (text, other) in itertools.permutations(zip(texts, all_signs, strict=True), 2):
            causes = [ill for ill in here if one in ill["signs"] and other in ill["signs"]]
            if causes:
                one.setdefault("with", []).append(_sign(text, causes=causes))
        signs += [sign for sign in all_signs if "with" in sign]
    order = deal(rng, range(len(conditions)))
    mixed = [conditions[next(order)] for _ in conditions]
    return {
        "condition": [ill for ill, _ in mixed],
        "feverish": [ill for ill, fever in mixed if fever],
        "sign": pick(rng, signs, len(signs)),
    }


def _patients(rng: random.Random) -> list[Entity]:
    """People with an allergy and a doctor."""
    allergies = deal(rng, split(read("medical")["facts"]["allergies"]))
    doctors = deal(rng, split(read("people")["surnames"])[:SPECIALISTS])
    patients = people(rng)
    for p in patients:
        allergy = next(allergies)
        has = "has no known allergies." if allergy == "none" else f"is allergic to {allergy}."
        p.update(
            allergy=allergy,
            allergic=f"{p['He']} {has}",
            name_allergic=f"{p['name']} {has}",
            doctor=f"Dr. {next(doctor for doctor in doctors if doctor != p['last'])}",
        )
    return patients


@dataclass(frozen=True)
class Note:
    """A clinical note, its exact log-probability in nats, its kind, and the facts that it is about."""

    text: str
    log_prob: float
    plot: str
    condition: str
    drug: str


class Medical(Grammar):
    """The grammar of clinical notes. Another seed has other conditions, drugs and patients' facts."""

    def __init__(self, seed: int = 0) -> None:
        rng, file = world_rng("medical", seed), read("medical")
        super().__init__(
            {
                **rules("medical"),
                "plots": plots(file["plots"]),
                "patient": _patients(rng),
                **_conditions(rng),
                "low": [f"{value:.1f}" for value in file["facts"]["low"]],
                "surname": split(read("people")["surnames"])[SPECIALISTS:],
            }
        )

    def sample(self, rng: Rng) -> Note:
        """Write a note. The grammar is unambiguous (tested), so one derivation has all its probability."""
        note = self.derive(rng)
        plot, ill = note.bound["plot"], note.bound["ill"]
        return Note(note.text, note.log_prob, plot["name"], ill["name"], ill["drug"])


MEDICAL = Domain("medical", make=Medical)
