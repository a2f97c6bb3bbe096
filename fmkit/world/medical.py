"""Short notes of an invented medicine, with an exact log-probability.

No condition and no drug here exists. In one world a condition always has the same signs, finding, test,
drug, doses and advice; a patient keeps age, doctor and allergy; doses, days and tablets agree. So a note can
be checked for truth, and a model that has learned the facts can be told from one that only sounds so.

The first two signs of a visit are drawn before the condition that has both, as a doctor meets them.
"""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass
from typing import Any

from fmkit.world.base import Domain
from fmkit.world.dice import deal, dice, pick, split
from fmkit.world.people import SURNAMES, people, plots
from fmkit.world.stories import Grammar, Rng
from fmkit.world.template import Entity
from fmkit.world.words import noun

__all__ = ["MEDICAL", "Medical", "Note"]

# Each system of the body: names for its conditions (a world uses four), signs (plural ones marked with *),
# what the doctor finds, tests, advice, and whether there is a fever.
SYSTEMS: tuple[dict[str, str], ...] = (
    {
        "names": "marsh cough, kettle throat, barley lung, bell throat, harbor cold, feather cough",
        "signs": "a dry cough, a sore throat, a hoarse voice, chest pain, a runny nose, shortness of breath",
        "findings": "The throat was red, The tonsils were swollen, The breath was noisy on both sides, The "
        "voice was very weak, The lungs were not quite clear",
        "tests": "throat swab, chest X-ray, breath test, voice test",
        "advice": (
            "drink plenty of warm tea, rest the voice, sleep with the window open, stay out of the smoke"
        ),
        "fever": "yes",
    },
    {
        "names": "barn rash, clover itch, stone skin, moth spots, nettle hand, salt rash",
        "signs": "an itchy rash, dry skin, red spots*, small blisters*, burning skin, swollen hands*",
        "findings": "There was a red patch on each arm, The skin was broken in two places, There were spots "
        "all over the back, The hands were warm and red",
        "tests": "skin test, patch test, skin sample, sunlight test",
        "advice": (
            "wear soft cotton, wash with cold water only, keep out of the sun, wear gloves in the garden"
        ),
        "fever": "",
    },
    {
        "names": "plum belly, river gut, green stomach, mill cramps, pantry fever, well sickness",
        "signs": "stomach pain, nausea, a poor appetite, cramps*, a bitter taste, bloating, hiccups*",
        "findings": "The belly was soft but tender, The tongue was white, The belly was hard on the left "
        "side, The lips were dry",
        "tests": "stool test, acid test, stomach scan, sugar test",
        "advice": "eat rice and toast, drink small cups of water, leave out milk and cheese, eat five small "
        "meals a day",
        "fever": "yes",
    },
    {
        "names": "lantern headache, owl eye, drum ear, tower dizziness, lamp blindness, shell ear",
        "signs": "a headache, ear pain, red eyes*, blurred vision, dizziness, watery eyes*, a stiff neck",
        "findings": "The left eardrum was red, Both eyes were swollen, The eyes followed the light too late, "
        "The right ear was blocked",
        "tests": "eye test, hearing test, balance test, light test",
        "advice": "rest in a dark room, keep water out of the ears, read in good light only, stand up slowly",
        "fever": "",
    },
    {
        "names": "stone knee, rope back, gate hip, hammer wrist, ladder shoulder, wagon foot",
        "signs": "knee pain, back pain, swollen joints*, weak legs*, muscle pain, stiff fingers*, a sore hip",
        "findings": (
            "The joint was warm and swollen, The left leg was weaker than the right, The knee could not be "
            "bent, The hand could not be closed"
        ),
        "tests": "joint X-ray, walking test, grip test, bone scan",
        "advice": (
            "swim twice a week, lift nothing heavy, keep the leg up in the evening, walk a little every day"
        ),
        "fever": "",
    },
    {
        "names": "pale fever, goose flu, winter blood, thin blood, swallow fever, barrel flu",
        "signs": "chills*, tiredness, weight loss, night sweats*, pale skin, a fast pulse, aching bones*",
        "findings": "The heart beat evenly, The gums were pale, The spleen was a little large, The "
        "glands of the neck were swollen",
        "tests": "blood test, iron test, blood culture, pulse test",
        "advice": "stay in bed, eat soup and beans, sleep ten hours a night, keep away from other people",
        "fever": "yes",
    },
)
DRUGS = (
    "Toralin, Bexadrine, Melovan, Cordasol, Pelomine, Ravidex, Sunarol, Trevacin, Ondalor, Vimestol, "
    "Karpidin, Lumardin, Fendaril, Nuvadryl, Gelpamid, Hasorane, Quilodin, Zemperol, Ambravix, Dorsitan, "
    "Elvomax, Isopraxil, Jorvamine, Wexarol, Yondalin, Arbosil, Brenatol, Cymadol, Dulvanor, Estrapin, "
    "Folgamine, Gravidon, Helvacin, Imbrazol, Kelvomide, Lortanex, Mirandazol, Narvalin, Oprenidol, "
    "Plenavor, Rostavan, Selbidin, Tamvorol, Urbasine, Veltamide, Wolvanol, Xandoral, Zolbamine, Brisovar, "
    "Calmidor, Devanthol, Ermalide, Fosterine, Grenadol, Hovalin, Jasperol, Kintavor, Lambrazine"
)
EFFECTS = (
    "a dry mouth, a mild rash, a poor appetite, cold hands, a metallic taste, strange dreams, a slow pulse, "
    "a dull headache, dry eyes, warm cheeks"
)
ALLERGIES = "none, nuts, eggs, milk, bee stings, cats, grass pollen, fish, strawberries, dust, horses, wool"
DOCTORS, SPECIALISTS = split(SURNAMES)[:12], split(SURNAMES)[12:]
LOW = (36.4, 36.5, 36.6, 36.7, 36.8, 36.9, 37.0, 37.1)
HIGH = (38.6, 38.8, 39.0, 39.2, 39.4, 38.4, 39.6, 38.2)
NUMBER = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 7: "seven", 10: "ten", 14: "fourteen"}
TIMES = {1: "once", 2: "twice", 3: "three times"}

TAKE_ONCE = "{ill.drug} {dose=ill.doses} once a day for {ill.days} days ({ill.tablets} tablets)"
TAKE = (
    "[{ill.drug} {dose=ill.doses} {ill.often} a day for {ill.days} days ({ill.tablets} tablets)|{ill.drug} "
    "{dose=ill.doses}, {ill.often} a day, which makes {dose.daily} a day, for {ill.days} days]"
)

RULES: dict[str, Any] = {
    "start": "{plot=plots:text}",
    "today": "[today|this morning|this afternoon|yesterday|on {day=days}]",
    "came": "[came in|came to the clinic|was seen|was brought in|came to see me]",
    "since": "[for {n=number} days|for {n=number} weeks|since {since=days}|for about {n=number} days]",
    "presents": (
        "[{p=patient:full}, {p.a}, {came} {today} with {one=sign} and {two=one.with} "
        "{since}.|{p=patient:full} is {p.a}. {p.He} {came} {today} and [complained of|reported|described] "
        "{one=sign} and {two=one.with}.|{p=patient:full}, {p.age}, has had {one=sign} {since}, and now also "
        "{two=one.with}.]"
    ),
    "known": "[{p=patient:full}, {p.a},|{p=patient:full}, {p.age},|{p=patient:full}]",
    "warmth": "[Temperature|The temperature was|We measured]",
    "sure": "[This is|This looks like|I think this is|All signs point to|The diagnosis is]",
    "begin": "[Plan:|Start|I prescribed|We gave {p.him}|{p.He} was given]",
    "follow": (
        "[Review in {ill.review}.|We will see {p.him} again in {ill.review}.|Follow-up in {ill.review} with "
        "{p.doctor}.|Come back in {ill.review}, or sooner if {one.the} {one.gets} worse.]"
    ),
    "advise": "[Advice:|I told {p.him} to|{p.He} should|{p.He} was told to]",
    "allergy": "[{p.allergic}|{p.allergic} {p.He} takes no other drugs.|No other illness is known.]",
    "signed": "[| {p.doctor}| Signed: {p.doctor}]",
    "better": "[gone|much better|a little better|better at night|almost gone]",
    "slept": "[slept well|slept badly|slept until five|woke up twice|asked for water|ate a little soup]",
    "mood": "[cheerful|tired|calm|worried|in good spirits|quiet]",
}

PLOTS = {
    "first visit": (
        "{presents} {ill=two.causes:finding}. {sure} {ill}. {begin} {ill.take}. {advise} {ill.advice}. "
        "{follow}"
    ),
    "first visit with test": (
        "{presents} {ill=two.causes:finding}, so we did {ill.a_test}, [which was positive for|which "
        "showed|and it confirmed] {ill}. Temperature: {warm=ill.temperatures} degrees. {allergy} {begin} "
        "{ill.take}. {follow}"
    ),
    "short note": (
        "Patient: {p=patient:full}, {p.who}. [Signs|Complaint]: {one=sign}, {two=one.with}. Finding: "
        "{ill=two.causes:found}. Diagnosis: {ill}. Drug: {ill.take}. Allergies: {p.allergy}. Advice: "
        "{ill.advice}. Review: {ill.review}. [Doctor|Seen by]: {p.doctor}."
    ),
    "follow-up better": (
        "[Follow-up|Second visit|Review]: {ill=condition}. {known} came back {today} after {ill.days} days "
        "of {ill.drug}. {one=ill.signs:The} {one.was} {better}, and {two=ill.signs:the} {two.was} {better}. "
        "Temperature: {cool=low} degrees. All {ill.tablets} tablets [were taken|are used up]. [No more "
        "{ill.drug} is needed.|We stopped {ill.drug}.|{p.He} can go back to {p.work}.]{signed}"
    ),
    "follow-up worse": (
        "[Follow-up|Second visit|Review]: {ill=condition}. {known} is no better after {n=few} days of "
        "{ill.drug}. {one=ill.signs:The} {one.was} [worse|still there|as bad as before], and now {p.he} "
        "[had|noticed] {two=ill.signs}, too. We [changed to|will now try|stopped it and gave {p.him}] "
        "{ill.second} for {ill.days} days. [If this does not help, we will repeat the {ill.test}.|The "
        "{ill.test} was repeated.|{p.His} {p.by} will call us on {day=days}.]{signed}"
    ),
    "side effect": (
        "{known} was taking {ill=condition:drug} {dose=ill.doses} for {ill} and [got|noticed|complained of] "
        "{ill.effect} after {n=few} days. This is a known side effect of {ill.drug}. [{one=ill.signs:The} "
        "{one.was} {better}|{one=ill.signs:The} {one.was} not yet gone], so [we changed to {ill.second} for "
        "the rest of the {ill.days} days|we stopped {ill.drug} and began {ill.second}|{p.he} will take "
        "{ill.second} instead]. [{p.He} was {mood}.|{p.He} will call if it comes back.|{p.allergic}]{signed}"
    ),
    "dose": (
        "{known} has [taken|been on] {ill=condition:drug} {ill.low} {ill.often} a day for {n=few} days. For "
        "{ill}, this is the [lower|smaller] dose. {one=ill.signs:The} {one.was} {better}, but "
        "{two=ill.signs:the} {two.was} [not|no better|still bad]. We went up to {ill.raised}. [More than "
        "that is not used.|This is the largest dose.] [Watch out for|{p.He} should tell us about|A known "
        "side effect is] {ill.effect}.{signed}"
    ),
    "test result": (
        "[Result|Report|Lab result] for {p=patient:full}: the {ill=condition:test} of {day=days} was "
        "[positive|clearly positive] for {ill}. [{p.His} {p.by} was told by phone|{p.He} was told "
        "{today}|We called {p.him} at once]. {p.He} still has {one=ill.signs} and will begin {ill.take}. "
        "{allergy} {follow}"
    ),
    "negative result": (
        "[Result|Report|Lab result] for {p=patient:full}: the {ill=condition:test} of {day=days} was "
        "negative. So {p.he} does not have {ill}, though {one=ill.signs} and {two=ill.signs} [looked like "
        "it|had made us think of it|would have fit]. {p.He} does not need {ill.drug}. [We will wait and "
        "see.|The signs should go away without a drug.|I told {p.him} to rest.] We will look at {p.him} "
        "again in {n=number} [days|weeks]. {p.allergic}{signed}"
    ),
    "phone call": (
        "Phone call about {p=patient:full}, {since=days}: {p.his} {p.by} [asked|wanted to know|was not "
        "sure] how to give {ill=condition:drug}. [I said|Answer|I explained]: {dose=ill.doses} {ill.often} "
        "a day, not more than {dose.daily} a day, for {ill.days} days. {one=ill.signs:The} {one.is} part of "
        "{ill} and [will pass|should get better in {n=few} days|can take {n=few} weeks to go]. {p.He} "
        "should also {ill.advice}. [{p.allergic}|They can call again on {day=days}.]"
    ),
    "referral": (
        "Dear Dr. {doctor=surname}, thank you for seeing {p=patient:full}, {p.a}, who has had {one=sign} and "
        "{two=one.with} {since}. {ill=two.causes:finding}, and I [suspect|think of|cannot rule out] {ill}. "
        "{n=few:Name} days of {ill.drug} did not help. [Could you|Would you please] do {ill.a_test}? "
        "{p.allergic} [Kind regards|Many thanks|With best wishes], {p.doctor}"
    ),
    "discharge": (
        "{known} [went home|was sent home|left us] {today} after {n=number} days on the ward with "
        "{ill=condition}. On the first day, {p.he} had {one=ill.signs} and {two=ill.signs}, and "
        "{ill.found}. With {ill.drug}, [both got better|both went away|{p.he} was soon better]. At home, "
        "{p.he} takes {ill.take}. {advise} {ill.advice}. [No {p.work} for {m=number} more days.|{p.He} can "
        "go back to {p.work} on {day=days}.]{signed}"
    ),
    "letter for work": (
        "To whom it may concern: {p=patient:full} was seen by {p.doctor} {today} because of "
        "{ill=condition}. {p.He} [cannot go|must not go|should not go] to {p.work} for {n=number} days and "
        "must {ill.advice}. {p.He} takes {ill.drug} {ill.often} a day[, also at {p.work},|] for {ill.days} "
        "days. [{ill.Name} is|This is] [no danger to others|not a danger to other people]. [Please call us "
        "with any questions.|Thank you for your help.|We will write again on {day=days}.]"
    ),
    "leaflet": (
        "What is {ill=condition}? The usual signs are {one=ill.signs}, {two=ill.signs}, and "
        "{three=ill.signs}. [Ask your doctor for|It is found by|To be sure, we do] {ill.a_test}. It is "
        "treated with {ill.drug}, {dose=ill.doses} {ill.often} a day, for {ill.days} days. [Take all "
        "{ill.tablets} tablets, even if you feel better.|Do not take more than {dose.daily} a day.] "
        "{ill.drug} can cause {ill.effect}; then [ask for|you may get|we use] {ill.second}. You should also "
        "{ill.advice}."
    ),
    "missed doses": (
        "{known} was given {ill=condition:drug} for {ill}, but [forgot it for {n=few} days|lost some of the "
        "tablets|stopped when {one=ill.signs:the} {one.was} {better}]. [Of|Out of] the {ill.tablets} "
        "tablets, {left=ill.used:left} were left. [We agreed|I asked {p.him}] to start again: "
        "{dose=ill.doses} {ill.often} a day, for {ill.days} days. [{p.His} {p.by} will help.|{p.His} {p.by} "
        "will write it down.|{p.He} was {mood}.] {advise} {ill.advice}.{signed}"
    ),
    "family": (
        "{p=patient:full} and {q=patient:full} [came in together|were both seen|came to the clinic] {today}. "
        "Both have {one=sign}; {q} also has {two=one.with}. {ill=two.causes:finding} in {q.his} case. "
        "{sure} {ill} for both. [Each takes|Both begin] {ill.take}. {p.name_allergic} {q.name_allergic} "
        "[{p.doctor} will see them again in {ill.review}.|We will see both in {ill.review}.]"
    ),
    "night note": (
        "Night note for {p=patient:full}, {ill=feverish}. [At eight|At nine|In the evening], {p.he} had "
        "{one=ill.signs}, and the temperature was {warm=ill.temperatures} degrees. {p.He} got {ill.drug} "
        "{dose=ill.doses}. [At midnight|At two|In the early morning], the temperature was "
        "{fall=warm.falls:to} degrees, so it had [fallen|come down] by {fall.by}. {p.He} {slept}. "
        "[{two=ill.signs:The} {two.was} {better}.|{p.His} {p.by} stayed all night.|{p.He} was {mood}.]"
    ),
}


def _sign(text: str, **facts: Any) -> Entity:
    """A sign of an illness: with and without an article, and its verbs (a `*` marks a plural)."""
    plural, name = text.endswith("*"), text.rstrip("*")
    the = "the " + name.removeprefix("a ").removeprefix("an ")
    verbs = (
        {"was": "were", "is": "are", "gets": "get"} if plural else {"was": "was", "is": "is", "gets": "gets"}
    )
    return Entity(name, the=the, **verbs, **facts)


def _temperatures(values: tuple[float, ...]) -> list[Entity]:
    return [
        Entity(
            f"{value:.1f}",
            falls=[Entity("", to=f"{value - by:.1f}", by=f"{by:.1f} degrees") for by in (0.8, 1.2, 0.5, 1.5)],
        )
        for value in values
    ]


def _conditions(rng: random.Random) -> dict[str, Any]:
    """The conditions of a world with their facts, and the signs that lead to them."""
    drugs = deal(rng, split(DRUGS))
    effects = deal(rng, split(EFFECTS))
    conditions, signs = [], []
    for system in SYSTEMS:
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
                    take=TAKE if times > 1 else TAKE_ONCE,
                    often=often,
                    days=NUMBER[days],
                    tablets=str(tablets),
                    used=[Entity("", left=str(tablets - times * k)) for k in range(1, 4)],
                    advice=next(advice),
                    review=("one week", "two weeks", "three weeks", "a month")[int(rng.random() * 4)],
                    temperatures=_temperatures(HIGH if system["fever"] else LOW),
                )
            )
        conditions += [(condition, bool(system["fever"])) for condition in here]
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
    allergies, doctors = deal(rng, split(ALLERGIES)), deal(rng, DOCTORS)
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
        rng = dice("medical", seed)
        super().__init__(
            {
                **RULES,
                "plots": plots(PLOTS),
                "patient": _patients(rng),
                **_conditions(rng),
                "number": [Entity(word) for word in ("three", "two", "four", "five", "six", "ten", "eight")],
                "days": [
                    Entity(f"{day}day") for day in ("Mon", "Tues", "Wednes", "Thurs", "Fri", "Satur", "Sun")
                ],
                "few": [Entity(word) for word in ("three", "two", "four")],
                "low": [Entity(f"{value:.1f}") for value in LOW],
                "surname": [Entity(name) for name in SPECIALISTS],
            }
        )

    def sample(self, rng: Rng) -> Note:
        """Write a note. The grammar is unambiguous (tested), so one derivation has all its probability."""
        note = self.derive(rng)
        plot, ill = note.bound["plot"], note.bound["ill"]
        return Note(note.text, note.log_prob, plot["name"], ill["name"], ill["drug"])


MEDICAL = Domain(
    name="medical",
    about=(
        "Short clinical notes and letters: visits, follow-ups, side effects, test results, leaflets. In one "
        "world a condition always has the same signs, finding, test, drug, doses and advice, and a patient "
        "the same age, doctor and allergy; doses, days and tablets agree. Made for continued pre-training "
        "on a new domain and for questions with one true answer. All conditions and drugs are invented: "
        "nothing here is medical knowledge, and real notes are longer, abbreviated, messy and contradictory."
    ),
    columns={
        "text": "the note",
        "log_prob": "exact log-probability of the text in nats, over everything this world can write",
        "plot": f"the kind of note, one of {len(PLOTS)}, all equally likely",
        "condition": "the illness that the note is about",
        "drug": "the drug that this condition is treated with first",
    },
    make=Medical,
)
