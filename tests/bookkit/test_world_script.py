"""The story world in the page is fmkit's: the same stories, probabilities and verdicts."""

import gzip
import json
import math
import random
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from bookkit.engine.story_world import compile_world
from bookkit.site.node import node_js
from bookkit.site.scripts import script
from fmkit.world import Grammar, MarkedText, World
from fmkit.world.rules import Entity

N = 200
LOADER = """
const fs = require("fs"), modules = {};
const define = (name, needs, make) => { modules[name] = make(...needs.map((other) => modules[other])); };
const fmkit = { define };
"""
MAIN = """
const { data, given, body } = JSON.parse(fs.readFileSync(0, "utf8"));
const names = { ...modules.world, ...modules.verdict, ...modules.random };
const run = new Function(...Object.keys(names), "grammar", "given", body);
const result = run(...Object.values(names), data && new modules.world.Grammar(data), given);
process.stdout.write(JSON.stringify(result));
"""
Run = Callable[..., Any]


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.fixture(scope="module")
def stories(world: World) -> list[str]:
    rng = random.Random(0)
    return [world.sample(rng).text for _ in range(N)]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run JavaScript with a compiled grammar, `given`, and what our scripts export, as the page has them."""
    path = tmp_path_factory.mktemp("world") / "run.js"
    scripts = [script(name) for name in ("random", "world", "verdict")]
    path.write_text("\n".join([LOADER, *scripts, MAIN]), encoding="utf-8")

    def result(body: str, grammar: Grammar | None = None, given: Any = None) -> Any:
        data = compile_world(grammar) if grammar else None
        sent = json.dumps({"data": data, "given": given, "body": body})
        done = subprocess.run([node_js(), path], input=sent, capture_output=True, text=True, encoding="utf-8")
        assert not done.returncode, done.stderr
        return json.loads(done.stdout)

    return result


CHECKED = """return given.map((text) => {
    const found = grammar.check(text);
    return { ...found, logProb: found.valid ? found.logProb : null };
});"""


def expected_verdict(grammar: Grammar, text: str) -> dict[str, Any]:
    """What `check` says of a text in the page: positions are there UTF-16 units."""
    found = grammar.check(text)
    at = found.broke_at
    return {
        "valid": found.valid,
        "logProb": pytest.approx(found.log_prob, abs=1e-9) if found.valid else None,
        "brokeAt": None if at is None else len(text[:at].encode("utf-16-le", "surrogatepass")) // 2,
        "expected": list(found.expected),
        "unfinished": found.unfinished,
    }


def broken(text: str, rng: random.Random) -> list[str]:
    """A text spoiled in several ways."""
    words = text.split(" ")
    one, other = rng.sample(range(len(words)), 2)
    swapped = list(words)
    swapped[one], swapped[other] = words[other], words[one]
    at = rng.randrange(len(text))
    return [
        " ".join(swapped),
        " ".join(words[:one] + words[one + 1 :]),
        " ".join([*words[:one], words[other], *words[one:]]),
        text[:at],
        f"{text} {words[one]}",
        text + rng.choice([" ", "  ", "\n", "!", "\U0001f600"]),
        text[:at] + rng.choice("aeiotsn .,!\"'\U0001f600é") + text[at + 1 :],
        f"{text[:at]} {text[at:]}",
    ]


@pytest.mark.parametrize("seed", [0, 7])
def test_a_story_is_as_likely_as_in_fmkit(run: Run, seed: int) -> None:
    world, rng = World(seed), random.Random(seed)
    told = [world.sample(rng) for _ in range(N)]
    found = run("return given.map((text) => grammar.logProb(text));", world, [one.text for one in told])
    assert found == [pytest.approx(one.log_prob, abs=1e-9) for one in told]


def test_the_same_numbers_tell_one_story(run: Run, world: World) -> None:
    """With fmkit's random numbers, the page tells fmkit's stories."""

    class Recorded(random.Random):
        def random(self) -> float:
            numbers.append(super().random())
            return numbers[-1]

    numbers: list[float] = []
    rng = Recorded(1)
    told = [world.sample(rng) for _ in range(N)]
    body = "const left = given.reverse(), random = () => left.pop(), told = [];"
    body += f"for (let k = 0; k < {N}; k++) told.push(grammar.sample(random)); return [told, left.length];"
    found, left = run(body, world, numbers)
    assert left == 0
    assert [(one["text"], one["plot"]) for one in found] == [(one.text, one.plot) for one in told]
    assert [one["logProb"] for one in found] == [pytest.approx(one.log_prob, abs=1e-9) for one in told]


def test_a_story_of_the_page_is_valid(run: Run, world: World) -> None:
    body = (
        f"const random = createRandom(5); return Array.from({{length: {N}}}, () => grammar.sample(random));"
    )
    told = run(body, world)
    assert len({one["text"] for one in told}) == N
    for one in told:
        assert world.log_prob(one["text"]) == pytest.approx(one["logProb"], abs=1e-9)


@pytest.mark.parametrize("count", [8, pytest.param(N, marks=pytest.mark.slow)])
def test_verdicts_are_those_of_fmkit(run: Run, world: World, stories: list[str], count: int) -> None:
    rng = random.Random(2)
    texts = [text for story in stories[:count] for text in broken(story, rng)]
    want = [expected_verdict(world, text) for text in texts]
    assert sum(not one["valid"] for one in want) > 7 * count
    assert run(CHECKED, world, texts) == want


def expected_pieces(grammar: Grammar, text: str) -> dict[str, Any]:
    marked = MarkedText(text, grammar)
    start, end = marked.wrong or (len(text), len(text))
    return {
        "right": text[:start],
        "wrong": text[start:end],
        "rest": text[end:],
        "expected": [word.strip() for word in marked.expected[:5]],
        "more": max(0, len(marked.expected) - 5),
        "valid": marked.wrong is None,
        "unfinished": marked.wrong == (len(text), len(text)),
    }


MARKED = "return given.map((text) => verdict(grammar, text));"


def test_the_page_marks_as_a_notebook(run: Run) -> None:
    """Words begun in the right way, spaces too many, an end too early or too late, and many words."""
    toys = {"toy": ["kite", "<drum>"]}
    grammar = Grammar({"start": "[=A|B|C|D|E|F|G] [=saw|sawed|ate] {x=toy}. The {x} fell."} | toys)
    good = "A saw kite. The kite fell."
    texts = [
        good,
        "A sang kite.",
        "A saw kite! Oh",
        "A saw  kite.",
        f"{good} ",
        f"{good}  Oh",
        f"{good} Oh no",
    ]
    texts += [f"{good}!", "A saw kite The kite fell.", "A saw kite. The", "A s", "", "Xy z"]
    assert run(MARKED, grammar, texts) == [expected_pieces(grammar, text) for text in texts]


@pytest.mark.slow
def test_the_page_marks_broken_stories(run: Run, world: World, stories: list[str]) -> None:
    rng = random.Random(3)
    texts = [text for story in stories for text in [story, *broken(story, rng)]]
    assert run(MARKED, world, texts) == [expected_pieces(world, text) for text in texts]


def test_hostile_texts(run: Run, world: World, stories: list[str]) -> None:
    """No text at all, half a character, and very long texts, with a true beginning and without."""
    story = stories[0]
    texts = [
        "",
        " ",
        "\0",
        "\ud83d",
        "\ude00" + story,
        story[:50] + "\ud83d",
        story + "😀",
        "😀" * 9,
        "__proto__",
    ]
    texts += ["a" * 300_000, story + " " * 300_000, story[:80] + story * 1_000, "constructor"]
    assert run(CHECKED, world, texts) == [expected_verdict(world, text) for text in texts]
    pieces = run(
        "return given.map((text) => Object.values(verdict(grammar, text)).slice(0, 3));", world, texts
    )
    assert ["".join(one) for one in pieces] == texts


def test_a_text_with_two_derivations(run: Run) -> None:
    """Its probability is the sum of both; a text without one has none."""
    grammar = Grammar({"start": "[a|[=a|b]|[b|c]]", "x": ["y"]})
    found = run("return given.map((text) => Math.exp(grammar.logProb(text)));", grammar, ["a", "b", "c", "d"])
    assert found == [pytest.approx(math.exp(grammar.log_prob(text))) for text in "abc"] + [0]
    assert sum(found) == pytest.approx(1)


def test_positions_are_units_of_the_text(run: Run) -> None:
    """After a character of two UTF-16 units; facts may refer to each other, and be lists."""
    tim, pip = Entity("Tim", he="he"), Entity("Pip", he="she")
    tim["friend"], pip["friend"] = pip, tim
    tim["toys"] = pip["toys"] = ["kite", Entity("élan 😀", two="élans")]
    grammar = Grammar(
        {"start": "{x=hero}: {t=x.toys}. {x.friend.He} has {t}, {u=x.toys}.", "hero": [tim, pip]}
    )
    texts = [
        "Tim: élan 😀. She has élan 😀, kite.",
        "Tim: élan 😀. He",
        "Pip: kite. He has kite, kite.",
        "Pip: élan",
    ]
    want = [expected_verdict(grammar, text) for text in texts]
    assert [(one["valid"], one["brokeAt"], one["unfinished"]) for one in want] == [
        (True, None, False), (False, 14, False), (False, 24, False), (False, 9, True),
    ]  # fmt: skip
    assert run(CHECKED, grammar, texts) == want


def test_random_numbers_are_those_of_sfc32(run: Run) -> None:
    """Whole numbers of 32 bits, computed here without a limit and cut."""

    def sfc32(seed: int) -> float:
        """The fourth number."""
        state, words = seed, []
        for _ in range(3):
            state = (state + 0x9E3779B9) % 2**32
            mixed = (state ^ state >> 16) * 0x21F0AAAD % 2**32
            mixed = (mixed ^ mixed >> 15) * 0x735A2D97 % 2**32
            words.append(mixed ^ mixed >> 15)
        a, b, c = words
        for counter in range(1, 12 + 4 + 1):
            total = (a + b + counter) % 2**32
            a, b, c = b ^ b >> 9, (c + (c << 3)) % 2**32, ((c << 21 | c >> 11) + total) % 2**32
        return total / 2**32

    seeds = [0, 1, 2, 12345, 2**31, 2**32 - 1]
    body = "return given.map(createRandom).map((next) => [next(), next(), next(), next()][3]);"
    assert run(body, given=seeds) == [sfc32(seed % 2**32) for seed in seeds]


def test_random_numbers_are_uniform(run: Run) -> None:
    """Also the first of many seeds. For 100 bins, chi-squared is above 149 once in a thousand times."""
    bins = "const counts = Array(100).fill(0);"
    more = "for (let k = 0; k < 100000; k++) counts[Math.floor(100 * %s)]++; return counts;"
    for number in ("random()", "createRandom(k)()"):
        counts = run(f"{bins} const random = createRandom(0); {more % number}")
        assert sum((count - 1000) ** 2 / 1000 for count in counts) < 149


def test_the_data_of_the_world_are_small(world: World) -> None:
    assert len(gzip.compress(json.dumps(compile_world(world)).encode())) < 25_000


def test_the_page_loads_the_world(visit: Any, world: World) -> None:
    page: Page = visit()
    story = page.evaluate("""async () => {
        const { Grammar } = await fmkit.load("world"), { createRandom } = await fmkit.load("random");
        return new Grammar(await fmkit.load("worlds/stories")).sample(createRandom(0));
    }""")
    assert world.log_prob(story["text"]) == pytest.approx(story["logProb"], abs=1e-9)
