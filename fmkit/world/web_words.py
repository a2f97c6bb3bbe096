"""The grammars of the pages that no one wants: boilerplate, spam, and pages with personal data.

All personal data is invented and from ranges that are reserved for examples: example.com, .net and .org
(RFC 2606), telephone numbers 555-0100 to 555-0199, IP addresses of RFC 5737, and the card numbers that
payment companies publish for tests.
"""

from __future__ import annotations

import random
from typing import Any

from fmkit.world.dice import deal, pick, split
from fmkit.world.people import people, plots
from fmkit.world.stories import Grammar
from fmkit.world.template import Entity
from fmkit.world.words import nouns

__all__ = ["boilerplate", "header", "personal", "spam"]

SITES = (
    "Daily Kite, Old Mill News, The Little Cook, Harbor Times, Garden Corner, Story Box, Red Wagon Shop, "
    "Blue Lantern, Bright Bell, Paper Boat, Green Acorn, Village Post, Lake House, Toy World, Kitchen "
    "Table, Market Day, Silver Otter, Animal Friends, Health Today, Law for All"
)
MENU = (
    "Home, About, Contact, News, Shop, Blog, Help, Log in, Sign up, Search, Recipes, Stories, Toys, Garden, "
    "Music, Films, Books, Health, Money, Law, Sports, Weather, Photos, Videos, Jobs, Events, Archive, "
    "Forum, Gallery, Delivery, Gifts, Sale, My account, Cart, Privacy, Terms, Site map, Newsletter, "
    "Animals, Kitchen"
)
GOODS = (
    "kite, ball, doll, boat, lamp, hat, scarf/scarves, bag, watch, ring, drum, robot, puzzle, book, "
    "blanket, bike, tent, umbrella, guitar, camera, chair, clock, pillow, tablet, loan, insurance, pill, "
    "boot, cake, phone"
)
ADJECTIVES = "cheap, best, free, top, new, hot, real, safe, easy, secret, quick, amazing, official, original"
TOPICS = (
    "pancakes, kittens, home loans, tomatoes, old films, sore throats, cheap flights, garden fences, "
    "birthday gifts, small boats, red shoes, the weather, bank shares, summer camps, piano lessons, pumpkin "
    "soup, contracts, headaches, wooden toys, winter coats"
)
PLACES = "park, market, lake, school, harbor, bakery, station, church, mill, village hall, library, farm"
PETS = "cat, dog, rabbit, parrot, turtle, hamster, kitten, puppy, goat, duck"
STREETS = (
    "Oak Street, Mill Lane, Harbor Road, Hill Street, Garden Avenue, Lake Drive, School Road, River Walk, "
    "Plum Court, Station Road, Church Lane, Rose Street, Fox Lane, Market Street"
)
AREAS = "212, 310, 415, 503, 617, 702, 808, 907"
PHONES = ("({0}) 555-01{1:02}", "{0}-555-01{1:02}", "{0}.555.01{1:02}", "+1 {0} 555 01{1:02}", "555-01{1:02}")
NETWORKS = ("192.0.2", "198.51.100", "203.0.113")
CARDS = (
    "4111 1111 1111 1111, 4242-4242-4242-4242, 5555 5555 5555 4444, 378282246310005, 6011111111111117, "
    "5105-1051-0510-5100, 4012 8888 8888 1881, 3714 496353 98431, 4000056655665556, 3530 1113 3330 0000"
)

HEADER = "{site=site} - {m1=menu} / {m2=menu} / {m3=menu}[| / {m4=menu}| / {m4=menu} / {m5=menu}]"
BOILERPLATE = {
    "menu": (
        "{m1=menu}\n{m2=menu}\n{m3=menu}\n{m4=menu}\n{m5=menu}\n{m6=menu}[|\n{m7=menu}|\n{m7=menu}\n{m8=menu}]\n"
        "[Copyright|(c)] {year=years} {site=site}. All rights reserved."
    ),
    "cookies": (
        "{site=site} uses cookies. [By using this site, you agree to our|Read our|See our] cookie policy. "
        "[Accept all|OK|I agree] / [Reject all|Settings|More options]\n{m1=menu} / {m2=menu} / {m3=menu} / "
        "{m4=menu}"
    ),
    "privacy": (
        "[We value your privacy.|Your privacy matters to us.] {site=site} and its {n=count} partners store "
        "cookies to [show ads|measure visits|remember you]. [You can change this at any time.|Click to "
        "learn more.] [Accept|Agree|Got it]\n{m1=menu} > {m2=menu} > {m3=menu} > {t1=topic:Name}"
    ),
    "error": (
        "Error 404: page not found. [The page has moved.|The page you asked for does not exist.|Check the "
        "address.] [Go back to|Try] {m1=menu}, {m2=menu}, or {m3=menu}, or search for {t1=topic} or "
        "{t2=topic}.\n{site=site} {year=years}"
    ),
    "path": (
        "You are here: {m1=menu} > {m2=menu} > {t1=topic:Name}\n[Share|Print|E-mail] this "
        "page\n[Older|Newer] posts\n[Leave a comment|{n=count} comments|No comments yet]\n{m3=menu} / "
        "{m4=menu} / {m5=menu}"
    ),
    "search": (
        "Search results for {t0=topic}: {n=count} hits. [Sort by|Order by] [date|price|name].\n1. "
        "{t1=topic:Name}\n2. {t2=topic:Name}\n3. {t3=topic:Name}\n[Next page|Show more|Back to {m1=menu}]"
    ),
    "tags": (
        "Tags: {t1=topic}, {t2=topic}, {t3=topic}, {t4=topic}\n[Posted|Published|Updated] on {day=dates} "
        "{month=months} {year=years} in {m1=menu}\n[Read more|Continue reading|Like] ({n=count})\nRelated: "
        "{t5=topic:Name}"
    ),
    "login": (
        "[Log in|Sign in] to {site=site}\nUser name\nPassword\n[Remember me|Stay signed in]\n[Forgot your "
        "password?|New here? Sign up.]\n{m1=menu} / {m2=menu} / {m3=menu} / {m4=menu} / {m5=menu}"
    ),
    "newsletter": (
        "Sign up for the {site=site} newsletter! [Every week|Once a month|Every morning]: {t1=topic}, "
        "{t2=topic}, and {t3=topic}. [Your e-mail|E-mail address]\n[Subscribe|Join now|Sign me "
        "up]\n{m1=menu} / {m2=menu}"
    ),
    "archive": (
        "Archive\n{m1=months} {year=years} ({n=count})\n{m2=months} {year} ({k=count})\n{m3=months} {year} "
        "({l=count})\nCategories: {c1=menu}, {c2=menu}, {c3=menu}\n[Powered by|Theme by] {site=site}"
    ),
}
SPAM = {
    "stuffing": (
        "{a=adjective:Name} {x=goods:many} {b=adjective} {x.many} {c=adjective} {x.many} {x.many} online "
        "{a} {x} {y=goods} {y.many} {x.many} {y} {d=adjective} {y.many} {z=goods} {x} {z.many} {a} {z} {b} "
        "{x.many} {w=goods} {w.many}"
    ),
    "links": (
        "{x=goods:many} {site=site} {y=goods:many} {z=goods:many} [click here|visit us] {w=goods:many} "
        "{a=adjective} {v=goods:many} {t1=topic} {t2=topic} {t3=topic} [best links|top links|link exchange] "
        "{t4=topic} {b=adjective} {u=goods:many}"
    ),
    "prize": (
        "Congratulations!!! You are visitor number {n=big} and you have won a [free|new|golden] {x=goods}! "
        "Click [here|now|below] to claim your {x} [within {k=count} minutes|today only]. [No cost!|100% "
        "free!|Not a joke!] {a=adjective:Name} {x.many}, {b=adjective} {y=goods:many}, {c=adjective} "
        "{z=goods:many}."
    ),
    "medicine": (
        "{x=goods:Name} against {t1=topic}? Doctors hate this {a=adjective} trick! Lose {k=count} pounds in "
        "{n=count} days with {t2=topic}. [Read more|Order here|Watch the video] >>> {b=adjective} "
        "{y=goods:many} >>> {c=adjective} {z=goods:many} >>> {t3=topic}"
    ),
    "casino": (
        "{n=big} dollars in {k=count} days from home! {a=adjective:Name} money, {b=adjective} loans, "
        "{c=adjective} {x=goods:many}. My neighbor bought {y=goods:a} and {z=goods:a} with it. [Ask me "
        "how|Join us|Start today] at {site=site}! {t1=topic:Name}! {t2=topic:Name}!"
    ),
}
PERSONAL = {
    "for sale": (
        "For sale: {a=fine} {x=goods}, [like new|used twice|a little scratched], ${n=count}. [Call|Please "
        "call|Text] {p=person:full} at {f=phone} or write to {e=p.mails}. [Pick up at|You can see it at] "
        "{h=address}, near the {place=place}. [No trades, please.|Cash only.|Ad number {k=big}.]"
    ),
    "lost pet": (
        "Lost near the {place=place} on {day=days}: our [little|old|gray|shy] {pet=pet}. [If you see it|If "
        "you find it], please call {f=phone} (ask for {p=person:full}) or come to {h=address}. [A reward of "
        "${n=count}|A big cake] is waiting. [Thank you!|We miss it very much.|It likes carrots.]"
    ),
    "contact": (
        "[Contact|Imprint|About us]\n{site=site}\n{p=person:full}, "
        "[owner|editor|manager]\n{h=address}\nPhone: {f=phone}\nE-mail: {e=p.mails}\n[General "
        "questions|Orders|Newsletter]: {role=roles}\n{m1=menu} / {m2=menu}"
    ),
    "signature": (
        "[Thanks for the tips on {t1=topic}.|I have a question about {t1=topic}.|Can anyone help me with "
        "{t1=topic}?] [My {place=place} has none.|It did not work for me.|I tried it {n=count} times.] "
        "[Best|Cheers|Bye], {p=person:full}\n--\n{e=p.mails} / {f=phone}\n[Posted from|IP logged:] {ip=ip}"
    ),
    "log": (
        "[2031|2029|2030]-{mm=numbers}-{dd=numbers} login {e=mail} from {ip=ip} ok\nsession {n=big}: "
        "version {v=versions}, {k=count} files\nlogin {e2=mail} from {ip2=ip} failed ({l=count} "
        "times)\n[server|host] {site=site} [restarted|is up|stopped]"
    ),
    "order": (
        "Order {k=big} confirmed. [Dear|Hello] {p=person:full}, thank you for buying {a=fine:a} {x=goods} "
        "from {site=site}. [Paid by card|We charged the card|Your card] {c=card}: ${n=count}. [Delivery|It "
        "will be sent] to {h=address} by {day=days}. [Questions? Write to {role=roles}.|We sent a copy to "
        "{e=p.mails}.]"
    ),
    "team": (
        "[Our team|Who we are]: {p=person:full} ([cook|driver|nurse|teacher], {f=phone}), {q=person:full} "
        "([clerk|baker|painter], {f2=phone}), and {r=person:full}. [Office|Find us]: {h=address}. [Mail for "
        "all|Write to us]: {role=roles}. [Open {day=days} to Saturday.|Closed on {day=days}.]"
    ),
    "guest book": (
        "Guest book\n{p=person:full} [wrote|says]: [lovely|nice|funny] page about {t1=topic}! [Mail me "
        "at|My address is] {e=p.mails}\n{q=person:full} [wrote|says]: I [like|love] {t2=topic} more. [Call "
        "me|My number]: {f=phone}\n[{n=count} guests so far|Sign the book|Entry {k=big}]"
    ),
    "party": (
        "{p=person:full} invites you to a party at {h=address} on {day=days}! [Bring|Please bring] "
        "{a=fine:a} {x=goods} or some [cookies|lemonade|bread|music]. [Tell|Please tell] {q=person:full} if "
        "you come: {f=phone} or {e=q.mails}. [There is a bus to the {place=place}.|The {place=place} is "
        "across the street.]"
    ),
    "stolen card": (
        "[Warning|Beware]: someone paid {n=count} times with my card {c=card} at {site=site}, from {ip=ip}! "
        "[I never bought any {x=goods:many}.|Who needs {x=goods:many}?] [Any ideas|Same for you]? Write to "
        "{e=mail}. [The bank says it is case {k=big}.|The police know about it.] {p=person:full}, "
        "{h=address}"
    ),
}


def _lists() -> dict[str, Any]:
    return {
        "site": split(SITES),
        "menu": split(MENU),
        "topic": split(TOPICS),
        "goods": nouns(GOODS),
        "adjective": split(ADJECTIVES),
        "fine": nouns("small, green, red, fine, old, blue, wooden, good, big, yellow, pretty, white"),
        "place": split(PLACES),
        "pet": split(PETS),
        "days": [f"{day}day" for day in ("Mon", "Tues", "Wednes", "Thurs", "Fri")],
        "months": split("January, March, April, May, June, July, August, October, November"),
        "dates": [str(n) for n in range(1, 29)],
        "years": [str(n) for n in range(2031, 2019, -1)],
        "count": [str(n) for n in (3, 12, 5, 20, 7, 2, 45, 8, 30, 15, 60, 9, 24, 120, 4, 18, 75)],
    }


def header() -> Grammar:
    """The line of navigation above a page of prose."""
    return Grammar({"start": HEADER, **_lists()})


def boilerplate() -> Grammar:
    """Menus, cookie banners, error pages: words, but nothing said."""
    return Grammar({"start": "{plot=plots:text}", "plots": plots(BOILERPLATE), **_lists()})


def spam(rng: random.Random) -> Grammar:
    """Keywords, links and promises."""
    big = [str(1000 + int(rng.random() * 900_000)) for _ in range(60)]
    return Grammar(
        {"start": "{plot=plots:text}", "plots": plots(SPAM), "big": pick(rng, big, 60), **_lists()}
    )


def personal(rng: random.Random) -> Grammar:
    """Pages with personal data. What is personal has the fact `type`; in each world it is other data.

    The addresses of offices (info@...), order numbers and version numbers are there to be left alone.
    """
    persons = people(rng)
    for p in persons:
        first, last = p["name"].lower(), p["last"].lower()
        names = (
            f"{first}.{last}@example.com",
            f"{first}@example.org",
            f"{first[0]}{last}{p['age']}@example.net",
        )
        p.update(type="name", mails=[Entity(name, type="email") for name in names])
    phones = set()
    for area in split(AREAS):
        for form in PHONES:
            phones |= {form.format(area, int(rng.random() * 100)) for _ in range(6)}
    streets = deal(rng, split(STREETS))
    addresses = sorted({f"{1 + int(rng.random() * 98)} {next(streets)}" for _ in range(140)})
    ips = sorted({f"{network}.{1 + int(rng.random() * 254)}" for network in NETWORKS for _ in range(40)})
    return Grammar(
        {
            "start": "{plot=plots:text}",
            "plots": plots(PERSONAL),
            **_lists(),
            "person": persons,
            "mail": [mail for p in persons for mail in p["mails"]],
            "phone": _typed("phone", rng, sorted(phones)),
            "address": _typed("address", rng, addresses),
            "card": _typed("card", rng, split(CARDS)),
            "ip": _typed("ip", rng, ips),
            "roles": split("info@example.com, office@example.org, orders@example.net, help@example.com"),
            "versions": split("1.0.12, 2.4.1, 10.2.3, 3.11.0, 0.9.8, 7.3.2"),
            "numbers": [f"{n:02}" for n in range(1, 13)],
            "big": [str(100_000 + int(rng.random() * 900_000)) for _ in range(80)],
        }
    )


def _typed(kind: str, rng: random.Random, values: list[str]) -> list[Entity]:
    return [Entity(value, type=kind) for value in pick(rng, values, len(values))]
