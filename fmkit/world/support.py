"""Support dialogs: a customer of an invented shop asks, the shop answers as its policies say.

The shop has facts that no prompt tells: it takes back toys within so many days, the kettle is made of glass,
it is closed on Sundays. A right answer needs them, so a model that was trained on these dialogs knows the
shop, and one that only learned the tone does not. Everything in the JSON answer follows from the prompt and
the policies: given the prompt its entropy is zero.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from fmkit.world.base import Domain
from fmkit.world.prompted import Prompted
from fmkit.world.stories import Rng
from fmkit.world.support_words import words
from fmkit.world.template import Entity

__all__ = ["SUPPORT", "Dialog", "Support"]

CALM = "[|Hello. |Hi there. |Good morning. |Good evening. ]{intent.ask}[| Thank you.| Thanks for your help.]"
ANGRY = (
    "[This is not okay. |I am very upset. |I am really angry. |I cannot believe this. |Not again! ]"
    "{intent.ask}[| Do something!| Please fix this now.| This must not happen again.]"
)
CHATTY = "{talk=talk} {intent.ask}[| Have a nice day!| Thank you so much.]"
CLOSE = "[| Is there anything else I can do?| Have a nice day!| Please write to us again at any time.]"

TONES = {
    # how the customer writes, how the answer begins, how it ends
    "calm": (CALM, "[|Hello! |Thank you for writing to us. |Thanks for your message. ]", CLOSE),
    "worried": (CALM, "[|I am sorry to hear that. |Thank you for telling us. ]", CLOSE),
    "angry": (
        ANGRY,
        "[I am sorry about this. |I am sorry for the trouble. |I understand that you are upset. ]",
        "[| Thank you for your patience.| I hope this helps.]",
    ),
    "chatty": (CHATTY, "{talk.reply} ", CLOSE),
    "brief": ("{intent.brief}", "", ""),
}
TROUBLED = ("worried", "angry", "chatty", "brief")
CURIOUS = ("calm", "chatty", "brief")
PRESSING = ("calm", "angry", "chatty", "brief")

TODAY = "[today|right away|at once]"

# What follows from a policy, given the number in the question: the answer, and the action in the JSON.
CASES = {
    "on_its_way": (
        "wait",
        "[Your {item} is on its way.|Your {item} has been sent.] [Shipping {item.kind.goods} takes|It takes] "
        "up to {item.kind.shipping} days.",
    ),
    "late": (
        "send again",
        "It should be there by now, because we ship {item.kind.goods} within {item.kind.shipping} days. We "
        "will send "
        f"you a new {{item}} {TODAY}.",
    ),
    "return": (
        "accept return",
        "[Yes, you can|Of course you can|Sure, you can] [return it|send it back]. [We take back "
        "{item.kind.goods} within|For {item.kind.goods} you have] {item.kind.window} days.",
    ),
    "no_return": (
        "refuse return",
        "[Unfortunately, it is too late for that.|I am afraid that is not possible.|Sadly, we cannot take it "
        "back.] [We take back {item.kind.goods} within|For {item.kind.goods} you have] "
        "{item.kind.window} days.",
    ),
    "refund_soon": (
        "wait",
        "[A refund takes|Refunds take] up to {shop.refund} days, so [your money should be there|it should "
        "come] soon.",
    ),
    "refund_late": (
        "pay",
        "[A refund should take no more than|That is more than] {shop.refund} days. We will pay you for the "
        f"{{item}} {TODAY}.",
    ),
    "covered": (
        "replace",
        "Our {item.kind.goods} {item.kind.come} with a warranty of {item.kind.warranty}, so we will [send "
        "you a new {item}|replace it for free].",
    ),
    "expired": (
        "offer repair",
        "[Unfortunately,|I am afraid] the warranty on {item.kind.goods} ends after {item.kind.warranty}. We "
        "can [repair the {item}|fix it] for a small fee.",
    ),
    "in_time": (
        "cancel order",
        "[Yes, I have canceled it.|Your order for the {item} is canceled.|It is done, your {item} will not "
        "be sent.]",
    ),
    "too_late": (
        "refuse cancellation",
        "[Unfortunately, the {item} has left already.|I am afraid it is too late.] You can cancel an order "
        "within {shop.cancel} hours.",
    ),
    "discount": (
        "give code",
        "Yes, [use|enter|try] the code {item.kind.code} to get {item.kind.percent} percent off.",
    ),
    "no_discount": (
        "no code",
        "[Not at the moment.|Not right now.|I am afraid not.] There is no discount on {item.kind.goods} "
        "[this month|this season].",
    ),
    "open": ("give hours", "[On {case}, we|We] are open from {case.open} to {case.close}."),
    "closed": (
        "give hours",
        "[We are closed on {case}.|On {case}, our shop is closed.|Our shop does not open on {case}.]",
    ),
    "in_color": ("confirm", "Yes, [we have it|it comes] in {item.colors}."),
    "not_in_color": ("deny", "No, [we only have it|it only comes] in {item.colors}."),
    "fit": (
        "",  # of each fit its own
        "[No problem.|We can change that.] We will send you a {case.size} {item}. [Please return the other "
        "one.|Just send the first one back.]",
    ),
}

NUMBER = "{hundred=hundred}{ten=ten}{one=one}"
SAME = "{hundred}{ten}{one}"

# intent: the tones it is asked in, the question, the same in a few words, the answer, the action
INTENTS = {
    "order status": (
        TROUBLED,
        "[I ordered {item=item:a} {case=item.kind.waits} days ago, [and it is not here yet|but it has not "
        "come]. [Where is it?|When will it come?]|[Where is my {item=item}?|When will my {item=item} come?] "
        "I ordered it {case=item.kind.waits} days ago.]",
        "[{item=item} not here after {case=item.kind.waits} days|where is my {item=item}, ordered "
        "{case=item.kind.waits} days ago]",
    ),
    "return": (
        CURIOUS,
        "[I bought {item=item:a} {case=item.kind.returns} days ago, but I do not [need|want] it anymore. Can "
        "I [return it|send it back]?|[Can|May] I return the {item=item} that I bought "
        "{case=item.kind.returns} days ago?|I would like to return {item=item:a}. I bought it "
        "{case=item.kind.returns} days ago.]",
        "[return {item=item}, {case=item.kind.returns} days old|{item=item} bought {case=item.kind.returns} "
        "days ago, want to send it back]",
    ),
    "refund": (
        TROUBLED,
        "[I sent back {item=item:a} {case=shop.refunds} days ago, [but I have no refund yet|and I am still "
        "waiting]. Where is my money?|I returned {item=item:a} {case=shop.refunds} days ago. When will I get "
        "my [money|refund]?]",
        "[no refund for {item=item} after {case=shop.refunds} days|returned {item=item} {case=shop.refunds} "
        "days ago, where is the money]",
    ),
    "broken": (
        TROUBLED,
        "[My {item=item} {item.kind.fails} after {case=item.kind.ages}.|I bought {item=item:a}, and it "
        "{item.kind.fails} after {case=item.kind.ages}.] [What can you do?|Can you help me?|What can I do "
        "now?]",
        "{item=item} {item.kind.fails} after {case=item.kind.ages}",
    ),
    "wrong item": (
        TROUBLED,
        "I ordered {item=item:a}, but [you sent me|I got] {other=item:a}. [Where is my {item}?|Can you send "
        "the right one?|What now?]",
        "got {other=item:a}, but ordered {item=item:a}",
        f"[Please keep the {{other}}.|You can keep the {{other}}.] We will send you the {{item}} {TODAY}.",
        "send item",
    ),
    "wrong size": (
        TROUBLED,
        "[The|My] {item=sized} [is|turned out to be] {case=fit}. Can I [get another one|exchange it]?",
        "{item=sized} is {case=fit}",
    ),
    "cancel": (
        CURIOUS,
        "[I ordered {item=item:a} {case=shop.cancels} hours ago, but [I changed my mind|I found a better "
        "one]. Can you cancel it?|[Can|Could] you cancel the {item=item} that I ordered {case=shop.cancels} "
        "hours ago?|Please cancel my order for {item=item:a}. I made it {case=shop.cancels} hours ago.]",
        "cancel {item=item}, ordered {case=shop.cancels} hours ago",
    ),
    "change address": (
        CURIOUS,
        f"[I [am moving|just moved] to {{town=town}}. Please send order {NUMBER} there.|Please [send|ship] "
        f"order {NUMBER} to {{town=town}}, not to {{old=town}}.|Can you send order {NUMBER} to "
        f"{{town=town}}?]",
        f"new address for order {NUMBER} is {{town=town}}",
        f"[I have changed the address.|The new address is saved.|It is done.] We will send order {SAME} to "
        "{town}.",
        "change address",
    ),
    "invoice": (
        CURIOUS,
        f"[[Please send me|I need|I am looking for] the {{doc=doc}} for order {NUMBER}.|Can I have the "
        f"{{doc=doc}} for order {NUMBER}?]",
        f"{{doc=doc}} for order {NUMBER}",
        f"[We have sent the {{doc}} for order {SAME} to your email address.|The {{doc}} for order {SAME} is "
        f"in "
        "your inbox now.]",
        "send copy",
    ),
    "password": (
        CURIOUS,
        "[I [forgot|lost] my password.|I cannot log in anymore.|My password does not work.] [What can I "
        "do?|Can you help me?|How can I get a new one?]",
        "[forgot my password|cannot log in|need a new password]",
        "[We have sent you a link.|You will get a link by email.] Please use it within {shop.link} minutes.",
        "send link",
    ),
    "discount": (
        CURIOUS,
        "[Do you have|Is there|Can I get] a discount [on|for] the {item=item}?",
        "[any discount on the {item=item}?|discount code for {item=item}]",
        "{item.kind.deal.answer}",
    ),
    "hours": (
        CURIOUS,
        "[[Are|Will] you [|be ]open on {case=day}?|What are your hours on {case=day}?|When can I visit your "
        "shop on {case=day}?]",
        "[open on {case=day}?|hours on {case=day}]",
    ),
    "price": (
        CURIOUS,
        "[How much is the {item=item}?|What does the {item=item} cost?|What is the price of the "
        "{item=item}?]",
        "[price of the {item=item}|how much for the {item=item}]",
        "[The {item} costs|It costs|The price is] {item.price} dollars.",
        "give price",
    ),
    "material": (
        CURIOUS,
        "[What is the {item=item} made of?|I wonder what the {item=item} is made of.|Can you tell me what "
        "the {item=item} is made of?]",
        "[{item=item} made of what?|material of the {item=item}]",
        "[The {item} is|It is] made of {item.material}.",
        "give material",
    ),
    "color": (
        CURIOUS,
        "[Do you have the {item=item} in {case=item.hues}?|Can I get the {item=item} in "
        "{case=item.hues}?|Does the {item=item} come in {case=item.hues}?]",
        "[{item=item} in {case=item.hues}?|have you got the {item=item} in {case=item.hues}?]",
    ),
    "warranty": (
        CURIOUS,
        "[How long is the warranty on the {item=item}?|Does the {item=item} have a warranty?|What is the "
        "warranty on the {item=item}?]",
        "[warranty on the {item=item}?|how long is the {item=item} under warranty]",
        "[The warranty on {item.kind.goods} is|Our {item.kind.goods} {item.kind.come} with a warranty of] "
        "{item.kind.warranty}.",
        "give warranty",
    ),
    "delivery": (
        CURIOUS,
        "[How long does it take to ship {item=item:a}?|If I order {item=item:a} today, when will it "
        "come?|How soon can I have {item=item:a}?]",
        "[delivery time for {item=item:a}|how fast do you ship {item=item:a}]",
        "[Shipping {item.kind.goods} takes|It takes] up to {item.kind.shipping} days.",
        "give shipping time",
    ),
    "gift wrap": (
        CURIOUS,
        "[Can you wrap the {item=gift} as a gift?|The {item=gift} is a present. Can you wrap it?|How much is "
        "it to wrap the {item=gift} as a gift?]",
        "[gift wrap for the {item=gift}?|{item=gift} as a gift, wrapped]",
        "[We can|Our team will gladly] wrap the {item} for {shop.wrap} dollars.",
        "offer wrapping",
    ),
    "talk to a person": (
        PRESSING,
        "[Can I talk to a person?|I want to talk to someone.|Please call me.|Is there a real person who can "
        "help me?]",
        "[a person, please|call me]",
        "[Of course.|Sure.] [A colleague|Someone from our team] will call you within {shop.call} hours.",
        "call back",
    ),
}


def _intents() -> list[Any]:
    tones = {
        name: Entity(name, text=text, reply=reply, close=close)
        for name, (text, reply, close) in TONES.items()
    }
    intents = []
    for name, (chosen, ask, brief, *rest) in INTENTS.items():
        answer, action = rest if len(rest) == 2 else (*rest, *["{case.answer}", ""][len(rest) :])
        weighed = [(4.0 / (k + 2), tones[tone]) for k, tone in enumerate(chosen)]
        intents.append((1.0, Entity(name, tones=weighed, ask=ask, brief=brief, answer=answer, action=action)))
    return intents


@dataclass(frozen=True)
class Dialog:
    """A dialog: the columns that `SUPPORT.columns` explains."""

    prompt: str
    completion: str
    text: str
    messages: list[dict[str, str]]
    intent: str
    item: str | None
    json: str
    log_prob: float
    completion_log_prob: float


class Support(Prompted):
    """The dialogs of one shop; another seed is another shop."""

    def __init__(self, seed: int = 0) -> None:
        cases = {name: {"answer": answer, "action": action} for name, (action, answer) in CASES.items()}
        rules = {
            "prompt": "{intent=intents:}{tone=intent.tones:text}",
            "completion": "{tone.reply}{intent.answer}{tone.close}",
            "intents": _intents(),
        }
        super().__init__({**words(seed, cases), **rules}, joint="\n")
        self.seed = seed

    def sample(self, rng: Rng) -> Dialog:
        """Write a dialog."""
        prompt, texts = self.derive_pair(rng)
        both = next(texts)
        completion = both.text[len(prompt.text) + len(self.joint) :]
        meant = meaning(both.bound)
        return Dialog(
            prompt.text,
            completion,
            both.text,
            [{"role": "user", "content": prompt.text}, {"role": "assistant", "content": completion}],
            meant["intent"],
            meant["item"],
            json.dumps(meant),
            both.log_prob,
            both.log_prob - prompt.log_prob,
        )

    def answer(self, prompt: str) -> dict[str, Any] | None:
        """The right JSON answer to a prompt, as a dict; None for a prompt that is not of this shop."""
        derivation = next(self.prompts.derivations(prompt), None)
        return meaning(derivation.bound) if derivation else None


def meaning(bound: Any) -> dict[str, Any]:
    """What the JSON answer says: intent, item (None where there is none) and action."""
    intent, item, case = bound["intent"], bound.get("item"), bound.get("case")
    action = intent["action"] or (case or item["kind"]["deal"])["action"]
    return {"intent": intent["name"], "item": item and item["name"], "action": action}


SUPPORT = Domain(
    name="support",
    about=(
        f"Support dialogs of one invented shop: a customer asks ({len(INTENTS)} intents; calm, worried, "
        "angry, chatty or in a few words), the shop answers as its policies say. Whether a kettle of 20 days "
        "can be returned follows from facts that no prompt tells, so right answers show what a model knows, "
        "and the JSON answers show whether it learned a format. Real customers make typing errors, ask two "
        "things at once and come back; these do not. log_prob is the exact log-probability of text."
    ),
    columns={
        "prompt": "what the customer writes",
        "completion": "what the shop answers",
        "text": "the prompt, a newline, the completion",
        "messages": "the same as a list of two messages with role (user, assistant) and content",
        "intent": "what the customer wants, in one or a few words",
        "item": "the thing it is about, or null",
        "json": "the answer as a JSON object with intent, item and action; it follows from the prompt",
        "log_prob": "log-probability of text, in nats",
        "completion_log_prob": "log p(completion | prompt), in nats: the floor of fine-tuning",
    },
    make=Support,
    repeats=(
        "Short questions come again and are answered alike, so a score on the whole of validation rewards "
        "remembering a little; to measure what a model can answer anew, leave these prompts out."
    ),
)
