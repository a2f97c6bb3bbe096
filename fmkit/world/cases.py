"""Cases for an agent: letters to an invented shop that need a tool or two, or none, and the right next turn.

A letter names an order whose number is drawn at random, and the shop's table of orders is drawn anew for each
case, so that neither can be known by heart: the number must be copied from the letter, and what became of the
order must be looked up. `right_turn` is an agent that makes no mistake; the conversations that a model learns
from are its own, with the tools of a `Desk`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fmkit.errors import FmkitError
from fmkit.world.domain import at_least
from fmkit.world.seeds import pick

if TYPE_CHECKING:
    from datasets import DatasetDict

ABOUT = """
Conversations of a customer, an agent and its tools (`fmkit.world.cases.load_cases`): where an order is, a
refund, a person, a question with a rule, thanks. Order numbers and the shop's table are drawn anew for each,
and the agent makes no mistake. Wide ones also have longer numbers, second orders, needless numbers and tools
that fail in more ways."""

ITEMS = ("kettle", "chair", "toy robot", "lamp", "clock", "mug", "kite", "basket")
OPENINGS = ("", "", "Hello. ", "Hi there. ", "Good morning. ", "I am very upset. ", "This is not okay. ")
CLOSINGS = ("", "", "", " Thank you.", " Please help me.", " Have a nice day!")

# What became of an order, and what a customer is told who asks where it is.
STATUSES = {
    "shipped": "Order {order} was shipped.",
    "packed": "Order {order} is packed.",
    "not paid": "Order {order} is not paid yet.",
    "returned": "Order {order} came back to us.",
    "lost": "Order {order} was lost.",
}
REFUNDED = ("returned", "lost")  # the shop pays back no other order
NO_ORDER, DONE = "no such order", "done"

# The letters by kind. The last two ways of each are not for training.
LETTERS = {
    "status": (
        "Where is order {order}?",
        "Where is my {item}? It is order {order}.",
        "Order {order} is not here yet. Where is it?",
        "I am waiting for my {item}, order {order}.",
        "My order number is {order}. When will my {item} come?",
        "Can you tell me where order {order} is?",
        "I ordered the {item} a week ago, and it has not come. The number is {order}.",
        "It is about order {order}. Has the {item} left the shop?",
    ),
    "refund": (
        "Please refund order {order}.",
        "I want my money back for order {order}.",
        "Order {order}: I want a refund for the {item}.",
        "Can I get my money back? It is order {order}.",
        "My {item} is no good. Please refund order {order}.",
        "I do not want the {item}. Refund order {order}, please.",
        "I paid for the {item} and want my money. The number is {order}.",
        "Can you refund the {item}? My order number is {order}.",
    ),
    "person": (
        "I want to talk to a person about order {order}.",
        "Can I talk to a person? It is about order {order}.",
        "Order {order} again. Let me talk to a person.",
        "I want to talk to a person.",
        "Is there a person I can talk to about the {item}?",
        "Let a person call me about order {order}.",
    ),
    "thanks": (
        "Thank you for order {order}! I love the {item}.",
        "Order {order} is here. Thank you so much.",
        "The {item} is lovely. It was order {order}.",
        "Order {order} came today, and I am happy with it.",
        "What a lovely {item}! Thank you for order {order}.",
    ),
}
HELD_OUT = 2  # of the ways of each kind

# Questions that need no tool: what is asked, and the shop's rule.
RULES = (
    (("When are you open?", "What are your hours?"), "We are open from nine to five."),
    (("Where is your shop?", "Where can I find you?"), "Our shop is on Mill Road."),
    (("Can you wrap a gift?", "Do you wrap gifts?"), "Yes, we wrap gifts."),
    (("How long can I send it back?", "How many days can I return it?"), "You have thirty days."),
    (("What does shipping cost?", "Is shipping free?"), "Shipping is free."),
)
MENTION = " I have order {order}."  # of a number that the question does not need
OTHER = ("My order {other} is fine.", "I also have order {other}.", "Order {other} came last week.")

WELCOME, COLLEAGUE = "You are welcome.", "A colleague will write to you."
PAID, NOT_PAID = "We sent back the money for order {order}.", "We cannot refund order {order}."
UNKNOWN = "We have no order {order}."
SHARES = {"status": 0.32, "refund": 0.36, "person": 0.08, "rule": 0.16, "thanks": 0.08}
ABSENT, BROKEN = 0.08, 0.08  # shares of the cases whose order the table lacks; whose lookup fails
FAILURES = ("error", "busy", "no answer", "down")  # what tools of the wide cases fail with


@dataclass(frozen=True)
class Case:
    """A letter; what it wants; the order that it is about, if any; the shop's table; the rule that answers
    it, if one does; what tools return that fail, by name."""

    letter: str
    kind: str
    order: int | None
    table: Mapping[int, str]
    rule: str = ""
    failing: Mapping[str, str] = field(default_factory=dict)


class Desk:
    """The tools of one case, and what was done with them: `refunds` and `escalations`.

    `lookup` reads the table, `refund` pays back an order for good, whatever became of it, and `escalate`
    hands the letter to a colleague. A tool that is `failing` does nothing and returns what it fails with.
    """

    def __init__(self, case: Case) -> None:
        self.table, self.failing = dict(case.table), dict(case.failing)
        self.refunds: list[int] = []
        self.escalations = 0

    @property
    def tools(self) -> dict[str, Callable[..., str]]:
        """The tools by name."""
        own: dict[str, Callable[..., str]] = {
            "lookup": self.lookup,
            "refund": self.refund,
            "escalate": self.escalate,
        }
        return own | {name: self._broken(name) for name in self.failing}

    def lookup(self, order: int) -> str:
        return self.table.get(order, NO_ORDER)

    def refund(self, order: int) -> str:
        if order not in self.table:
            return NO_ORDER
        self.refunds.append(order)
        return DONE

    def escalate(self) -> str:
        self.escalations += 1
        return DONE

    def _broken(self, name: str) -> Callable[..., str]:
        return lambda *_: self.failing[name]


def right_turn(case: Case, results: Sequence[str] = ()) -> str:
    """What an agent should say next, after so many results of right calls: a call or the answer.

    What a tool returns that is neither a status nor done is a failure, and goes to a colleague.
    """
    if case.kind in ("rule", "thanks"):
        return case.rule or WELCOME
    if case.kind == "person":
        return COLLEAGUE if results else "escalate()"
    return _about_order(case, *results).format(order=case.order)


def _about_order(case: Case, found: str | None = None, *later: str) -> str:
    if found is None:
        return "lookup({order})"
    if found == NO_ORDER:
        return UNKNOWN
    if found not in STATUSES:
        return COLLEAGUE if later else "escalate()"
    if case.kind == "status":
        return STATUSES[found]
    if found not in REFUNDED:
        return f"{NOT_PAID} {STATUSES[found].replace('Order {order}', 'It')}"
    if not later:
        return "refund({order})"
    if later[0] == DONE:
        return PAID
    return COLLEAGUE if later[1:] else "escalate()"


def right_path(case: Case) -> tuple[list[dict[str, str]], Desk]:
    """The whole conversation as messages, as it should be, and the desk after it."""
    desk, results = Desk(case), list[str]()
    tools, messages = desk.tools, [{"role": "user", "content": case.letter}]
    while True:
        said = right_turn(case, results)
        messages.append({"role": "assistant", "content": said})
        name, called, rest = said.partition("(")
        if not called:
            return messages, desk
        results.append(tools[name](*map(int, filter(None, [rest.rstrip(")")]))))
        messages.append({"role": "user", "content": f"result: {results[-1]}"})


def draw_case(
    rng: random.Random,
    kind: str = "",
    *,
    digits: int = 3,
    new_wording: bool = False,
    other: str = "",
    mention: bool = False,
    statuses: Sequence[str] = tuple(STATUSES),
    absent: float = ABSENT,
    failing: Mapping[str, str] | None = None,
) -> Case:
    """Draw a letter of a kind (by default of any) and a table of four orders.

    Order numbers have so many `digits`. `new_wording` takes the ways that training does not have; `other`,
    first or last, has the letter name another order there; and `mention` adds a number to questions that
    need none. In the share `absent` the table lacks the order. `failing` tools are by default none, or the
    lookup in a share of the cases. Raises `FmkitError` for an unknown kind.
    """
    kind = kind or _by_share(rng)
    if kind not in SHARES:
        raise FmkitError(f"unknown kind {kind!r}: not one of {', '.join(SHARES)}")
    order, second, *others = _numbers(rng, digits, 5)
    rule = ""
    if kind == "rule":
        asked, rule = RULES[int(rng.random() * len(RULES))]
        text = _one(rng, asked) + MENTION * mention
    else:
        ways = LETTERS[kind]
        text = _one(rng, ways[-HELD_OUT:] if new_wording else ways[:-HELD_OUT])
    about = order if kind != "rule" and "{order}" in text else None
    if other:
        aside = _one(rng, OTHER)
        text = f"{aside} {text}" if other == "first" else f"{text} {aside}"
    letter = f"{_one(rng, OPENINGS)}{text}{_one(rng, CLOSINGS)}"
    letter = letter.format(order=order, other=second, item=_one(rng, ITEMS))
    numbers = [second, *others]
    if rng.random() >= absent:
        numbers[-1 if other else int(rng.random() * len(numbers))] = order
    table = {number: _one(rng, statuses) for number in sorted(numbers)}
    if failing is None:
        failing = {"lookup": FAILURES[0]} if rng.random() < BROKEN else {}
    return Case(letter, kind, about, table, rule, failing)


def draw_wide_case(rng: random.Random) -> Case:
    """Draw a case as `draw_case` does, and a part of them with four digits, with a second order, with a
    number that is not needed, or with tools that fail in more ways."""
    failure = {_one(rng, ("lookup", "refund")): _one(rng, FAILURES)}
    return draw_case(
        rng,
        digits=3 + (rng.random() < 0.3),
        other="first" if rng.random() < 0.25 else "",
        mention=rng.random() < 0.5,
        failing=failure if rng.random() < 2 * BROKEN else {},
    )


def load_cases(
    n_train: int = 20_000, n_validation: int = 300, wide: bool = False, seed: int = 0
) -> DatasetDict:
    """Conversations of an agent that makes no mistake, in the splits train and validation: `messages`, and
    the kind of each.

    The letters are those of `draw_case`, or `wide`, of `draw_wide_case`. Raises `FmkitError` for fewer than
    one in a split.
    """
    from datasets import Dataset, DatasetDict

    splits = {}
    for split, size in (("train", n_train), ("validation", n_validation)):
        at_least(f"n_{split}", size, 1)
        rng, draw = random.Random(f"cases {split} {seed}"), draw_wide_case if wide else draw_case
        cases = [draw(rng) for _ in range(size)]
        rows: list[dict[str, Any]] = [{"messages": right_path(case)[0], "kind": case.kind} for case in cases]
        splits[split] = Dataset.from_list(rows)
    return DatasetDict(splits)


def _by_share(rng: random.Random) -> str:
    left = rng.random()
    for kind, share in SHARES.items():
        left -= share
        if left < 0:
            return kind
    return kind


def _numbers(rng: random.Random, digits: int, count: int) -> list[int]:
    """Different numbers of so many digits."""
    found = dict[int, None]()
    while len(found) < count:
        found[int(10 ** (digits - 1) * (1 + 9 * rng.random()))] = None
    return list(found)


def _one(rng: random.Random, texts: Sequence[str]) -> str:
    (chosen,) = pick(rng, texts, 1)
    return chosen
