"""The shop's mailbox as it is exported: dialogs of `support`, with what a real export has besides.

Customers send a message twice, sign with their names and numbers, and some do not consent to other uses. Who
answers is in a hurry, and now and then pastes an old answer to the same kind of question. Two agents have
judged the answers, each by a rule of their own. Which message is a copy, what in it is personal and which
answer is right are known, so whatever finds them can be scored.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from fmkit.world.domain import at_least
from fmkit.world.people import people
from fmkit.world.seeds import pick, world_rng
from fmkit.world.support import Dialog, Support

if TYPE_CHECKING:
    from datasets import Dataset

# Shares: of copies among all messages; of pasted answers, signed messages and messages without consent among
# the others; of the answers that Ada gets wrong.
COPIES, PASTED, SIGNED, REFUSED, SLIPS = 0.2, 0.25, 0.2, 0.08, 0.05

AGAIN = ("{} Sent from my phone.", "{} I am still waiting.", "Hello? {}", "I am writing again. {}")
FRIENDLY = ("Hello", "hank", "sorry", "upset", "hope", "lovely", "elcome", "nice day", "write to us", "else")
DIGITS = ("oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
STREETS = ("Elm Street", "Mill Road", "Church Lane", "Oak Avenue")
MONTHS = ("January", "March", "May", "July", "October", "December")


@dataclass(frozen=True)
class Personal:
    """Something in a message that tells who wrote it: its kind and its text."""

    kind: str
    text: str


@dataclass(frozen=True)
class Mail:
    """A message with its answer, and whether two agents, `ada` and `ben`, find the answer good.

    The rest is the truth, which no export has: the number of the message that this one copies (0: of none),
    the personal data in it, what the customer wants, in which tone, and whether the answer is right.
    """

    message: str
    answer: str
    consent: bool
    ada: bool
    ben: bool
    copy_of: int
    personal: tuple[Personal, ...]
    intent: str
    tone: str
    right: bool


def load_mailbox(size: int = 400, seed: int = 0, world: int = 0) -> Dataset:
    """Export a mailbox, with the columns of `Mail`, in the order in which the messages came.

    A fifth of the messages are copies, half of them word for word; `copy_of` counts messages from 1. Ada
    finds an answer good if it is right, and errs now and then; Ben, if it is friendly. `world` is the number
    of the shop, and `seed` draws other mail of the same shop. Raises `FmkitError` for fewer than five
    messages, and for a world that is no whole number.
    """
    from datasets import Dataset

    at_least("size", size, 5)
    shop, rng = Support(world), random.Random(f"mailbox {seed}")
    names = [person["full"] for person in people(world_rng("people", world))]
    copies = int(COPIES * size)
    mails = [_draw_mail(shop, rng, names) for _ in range(size - copies)]
    came = [(float(i), i, mail) for i, mail in enumerate(mails)]
    for i in pick(rng, range(len(mails)), copies):
        (changed,) = pick(rng, AGAIN, 1)
        again = changed.format(mails[i].message) if rng.random() < 0.5 else mails[i].message
        came.append((i + (len(mails) - i) * rng.random(), i, replace(mails[i], message=again, copy_of=1)))
    came.sort(key=lambda one: one[0])
    numbers = {i: number for number, (_, i, mail) in enumerate(came, 1) if not mail.copy_of}
    return Dataset.from_list(
        [asdict(replace(mail, copy_of=mail.copy_of and numbers[i])) for _, i, mail in came]
    )


def _draw_mail(shop: Support, rng: random.Random, names: Sequence[str]) -> Mail:
    """Draw a message that is no copy."""
    dialog = shop.sample(rng)
    kind = dialog.intent, _tone(shop, dialog)
    answer = dialog.completion
    if rng.random() < PASTED:
        other = shop.sample(rng)
        while (other.intent, _tone(shop, other)) != kind:
            other = shop.sample(rng)
        answer = other.completion
    right = shop.completion_log_prob(dialog.prompt, answer) > -math.inf
    message, personal = _sign(dialog.prompt, rng, names) if rng.random() < SIGNED else (dialog.prompt, ())
    return Mail(
        message,
        answer,
        consent=rng.random() >= REFUSED,
        ada=right == (rng.random() >= SLIPS),
        ben=any(word in answer for word in FRIENDLY),
        copy_of=0,
        personal=personal,
        intent=dialog.intent,
        tone=kind[1],
        right=right,
    )


def _tone(shop: Support, dialog: Dialog) -> str:
    return str(next(shop.prompts.derivations(dialog.prompt)).bound["tone"]["name"])


def _sign(message: str, rng: random.Random, names: Sequence[str]) -> tuple[str, tuple[Personal, ...]]:
    """Add a name to the message and one more thing that tells who wrote it. They are nobody's."""
    (name,), number = pick(rng, names, 1), 100 + int(rng.random() * 100)
    (street,), (month,) = pick(rng, STREETS, 1), pick(rng, MONTHS, 1)
    told = (
        ("phone", f"(212) 555-0{number}", "Please call me at {}."),
        ("phone in words", " ".join(DIGITS[int(digit)] for digit in f"5550{number}"), "My number is {}."),
        ("email", f"{name.lower().replace(' ', '.')}@example.com", "Write to {}."),
        ("address", f"{number} {street}", "I live at {}."),
        ("birthday", f"{month} {number % 28 + 1}, {1950 + number % 55}", "I was born on {}."),
    )
    ((kind, text, sentence),) = pick(rng, told, 1)
    signed = f"{message} My name is {name}. {sentence.format(text)}"
    return signed, (Personal("name", name), Personal(kind, text))
