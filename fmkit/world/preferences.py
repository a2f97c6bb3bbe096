"""Preferences: two endings of one story, and which of them a noisy judge preferred.

The rule behind the judgments is known. An ending has three parts, what the hero does, how the friend takes it
and how it ends, and each is kind (+1) or unkind (-1); in each stands just one word of `KIND` or `UNKIND`, so
on true endings counting words is the same as judging. On other texts it is not: a model that is pushed too
hard learns to pile up kind words, its `reward` goes on rising above 3, and its stories break. `truth` sees
that; the distance between the two is over-optimization (Gao et al. 2022, arXiv:2210.10760), measured.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from fmkit.world.base import Domain
from fmkit.world.dice import split
from fmkit.world.plots import RULES as STORY_RULES
from fmkit.world.prompted import Prompted
from fmkit.world.stories import Rng
from fmkit.world.template import Entity
from fmkit.world.words import nouns, words

__all__ = ["BROKEN", "KIND", "PREFERENCES", "TEMPERATURE", "UNKIND", "Pair", "Preferences"]

KIND = frozenset(split("helped, shared, hugged, thanked, smiled, cheered, glad, together"))
UNKIND = frozenset(split("pushed, shouted, teased, refused, frowned, cried, sad, alone"))

TEMPERATURE = 1.0
"""The noise of the judge: a prefers b with probability sigmoid((reward(a) - reward(b)) / TEMPERATURE)."""

BROKEN = -4.0
"""The true reward of a text that is no story of the grammar: below that of the unkindest one."""

# scene: how the prompt ends, kind deeds, unkind deeds
SCENES = {
    "lost toy": (
        "{friend=child} could not find {friend.his} {look=look} {toy=toy}.",
        "{hero} helped {friend.him} look for it {spot=spot}.|{hero} hugged {friend.him} and looked "
        "{spot=spot}.",
        "{hero} teased {friend.him} and [walked away|laughed].|{hero} refused to look for it.",
    ),
    "lost lunch": (
        "{friend=child} had [forgotten|lost|dropped] {friend.his} {snack=snack}.",
        "{hero} shared {hero.his} {fruit=fruit:many} with {friend.him}.|{hero} smiled and gave {friend.him} "
        "{fruit=fruit:a}.",
        "{hero} refused to give {friend.him} {fruit=fruit:a}.|{hero} teased {friend.him} and ate "
        "{fruit=fruit:a}.",
    ),
    "broken toy": (
        "{friend=child} broke {hero}'s {look=look} {toy=toy}.",
        '{hero} hugged {friend.him}. "{forgiven}," {hero.he} said.|{hero} smiled. "{forgiven}," '
        "{hero.he} said.",
        "{hero} shouted at {friend.him}.|{hero} pushed {friend.him} away.",
    ),
    "fall": (
        "{friend=child} fell [into a puddle|off a wall|over {odd=odd:a} {junk=junk}].",
        "{hero} helped {friend.him} up[| and gave {friend.him} {snack=snack:a}].|{hero} hugged {friend.him} "
        "and took {friend.him} home.",
        "{hero} teased {friend.him} about it.|{hero} refused to help {friend.him} up.",
    ),
    "new child": (
        "{friend=child} was new at school.",
        "{hero} smiled and asked {friend.him} to play {game=game}.|{hero} shared {hero.his} "
        "{snack=snack:many} with {friend.him}.",
        "{hero} refused to sit next to {friend.him}.|{hero} frowned and would not play with {friend.him}.",
    ),
    "heavy box": (
        "{friend=child} had to carry {box=box:a} box of {fruit=fruit:many}.",
        "{hero} helped {friend.him} carry it {gently=gently}.|{hero} smiled and took one side of it.",
        "{hero} pushed {friend.him}, and the box fell.|{hero} refused to carry it with {friend.him}.",
    ),
    "one toy": (
        "{hero} and {friend=child} both wanted the {look=look} {toy=toy}.",
        "{hero} shared it with {friend.him}.|{hero} smiled and let {friend.him} have it first.",
        '{hero} pushed {friend.him} and took it.|"It is mine!" {hero} shouted.',
    ),
    "cold day": (
        "{friend=child} was cold and had no [coat|scarf|jacket|hat].",
        "{hero} shared {hero.his} {hue=look} {wrap=wrap} with {friend.him}.|{hero} hugged {friend.him} until "
        "{friend.he} was warm.",
        "{hero} refused to lend {friend.him} {wrap=wrap:a}.|{hero} teased {friend.him} for it.",
    ),
    "race": (
        "{friend=child} won a [race|game of {game=game}|prize].",
        "{hero} cheered for {friend.him}.|{hero} smiled and gave {friend.him} {look=look:a} {flower=flower}.",
        "{hero} frowned and said nothing.|{hero} refused to look at {friend.him}.",
    ),
    "gift": (
        "{friend=child} made {look=look:a} {gift=gift} for {hero}.",
        "{hero} thanked {friend.him} [at once|with a cookie|again and again].|{hero} hugged {friend.him} and "
        "showed it to everyone.",
        "{hero} frowned and hid it {spot=spot}.|{hero} refused to take it.",
    ),
}

# (the part before, this part): what stands there
REPLIES = {
    (+1, +1): "[{friend} smiled at {hero.him}.|{friend} thanked {hero.him}.|{friend} hugged {hero.him}.]",
    (+1, -1): "[But {friend} frowned.|But {friend} cried anyway.|But {friend} was still sad.]",
    (-1, -1): "[{friend} cried.|{friend} was very sad.|{friend} refused to speak to {hero.him}.]",
    (-1, +1): '[But {friend} smiled. "{forgiven}," {friend.he} said.|But {friend} only smiled.]',
}
CLOSES = {
    (+1, +1): (
        "[They played {play=game} together[| until {until=until}].|They were both glad.|They walked home "
        "together.]"
    ),
    (+1, -1): (
        "[Then {friend} had to go home, and {hero} was alone.|Soon it was time to go, and they were sad.]"
    ),
    (-1, -1): (
        "[Each of them walked home alone.|{hero} was sad until {until=until}.|{hero} played {play=game} "
        "alone.]"
    ),
    (-1, +1): (
        "[Soon they played {play=game} together.|In the evening, they were glad again.|The next "
        "day, they played {play=game} together.]"
    ),
}
KIND_DEEDS, SAME_MOOD = 0.35, 0.75  # how often a deed is kind, and a part like the one before


def _parts(name: str, texts: dict[tuple[int, int], str], before: int, **facts: Any) -> list[Any]:
    """What can follow a kind (+1) or an unkind (-1) part."""
    parts = []
    for sign in (+1, -1):
        more = {key: fact[sign] for key, fact in facts.items()}
        weight = SAME_MOOD if sign == before else 1 - SAME_MOOD
        parts.append((weight, Entity(name, text=texts[before, sign], **more)))
    return parts


def _scenes() -> list[Any]:
    closes = {sign: _parts("close", CLOSES, sign) for sign in (+1, -1)}
    replies = {sign: _parts("reply", REPLIES, sign, closes=closes) for sign in (+1, -1)}
    scenes = []
    for name, (text, kind, unkind) in SCENES.items():
        deeds = [
            (KIND_DEEDS, Entity("deed", text=f"[{kind}]", replies=replies[+1])),
            (1 - KIND_DEEDS, Entity("deed", text=f"[{unkind}]", replies=replies[-1])),
        ]
        scenes.append((1.0, Entity(name, text=text, deeds=deeds)))
    return scenes


@dataclass(frozen=True)
class Pair:
    """Two endings of a story: the columns that `PREFERENCES.columns` explains."""

    prompt: str
    chosen: str
    rejected: str
    margin: float
    chosen_log_prob: float
    rejected_log_prob: float
    text: str
    log_prob: float


class Preferences(Prompted):
    """Stories with kind and unkind endings; another seed has the facts of another story world."""

    def __init__(self, seed: int = 0) -> None:
        rules = {
            "prompt": "{child_opening} {day}, {scene=scenes:text}",
            "completion": " {deed=scene.deeds:text} {reply=deed.replies:text} {close=reply.closes:text}",
            "scenes": _scenes(),
            "forgiven": "[It is okay|That is all right|Never mind|These things happen]",
            "game": nouns("tag, chess, catch, pirates, cards, soccer, marbles"),
        }
        super().__init__({**words(seed), **STORY_RULES, **rules}, joint="")
        self.seed = seed

    def sample(self, rng: Rng) -> Pair:
        """Tell a story up to its turn, end it twice with different rewards, and ask the judge."""
        prompt, texts = self.derive_pair(rng)
        first = next(texts)
        second = next(text for text in texts if self.reward(text.text) != self.reward(first.text))
        lead = self.reward(first.text) - self.reward(second.text)
        wins = rng.random() < 1 / (1 + math.exp(-lead / TEMPERATURE))
        chosen, rejected = (first, second) if wins else (second, first)
        start = len(prompt.text)
        return Pair(
            prompt.text,
            chosen.text[start:],
            rejected.text[start:],
            lead if wins else -lead,
            chosen.log_prob - prompt.log_prob,
            rejected.log_prob - prompt.log_prob,
            first.text,
            first.log_prob,
        )

    @staticmethod
    def reward(text: str) -> float:
        """Kind words less unkind words, of a whole story or an ending; the prompts have none of either.

        Of every true ending it is the sum of its three parts, -3 to 3. It is also easy to fool.
        """
        found = re.findall(r"[a-z]+", text.lower())
        return float(sum((word in KIND) - (word in UNKIND) for word in found))

    def truth(self, text: str) -> float:
        """The reward that cannot be fooled: `reward` of a whole text that is valid, else `BROKEN`."""
        return self.reward(text) if self.log_prob(text) > -math.inf else BROKEN


PREFERENCES = Domain(
    name="preferences",
    about=(
        "Openings from the story world with two endings each, and which of the two a judge preferred. Each "
        "of an ending's three parts is kind or unkind, and the judge likes kind ones: the Bradley-Terry "
        "model "
        f"with temperature {TEMPERATURE:g} on the difference of their rewards, so some labels are wrong, as "
        "people's are. Unkind endings are the more common ones, so a model trained on text has something to "
        "learn. text is the prompt with an ending that was drawn before any judgment, and log_prob is of "
        "text. Real preferences have no rule that can be written down."
    ),
    columns={
        "prompt": "a story up to its turn",
        "chosen": "the ending that was preferred; it begins with its space, so prompt + chosen is a story",
        "rejected": "the other ending",
        "margin": "true reward of chosen less that of rejected; negative where the judge was wrong",
        "chosen_log_prob": "log p(chosen | prompt) of the grammar, in nats: the perfect reference model's",
        "rejected_log_prob": "the same of rejected",
        "text": "the prompt and the ending that was drawn first: for training before the preferences",
        "log_prob": "log-probability of text, in nats",
    },
    make=Preferences,
)
