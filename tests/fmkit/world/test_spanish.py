"""Stories in Spanish: exact, in agreement with their nouns, and of one world."""

from __future__ import annotations

import functools
import math
import re
from collections import defaultdict

import pytest
from ambiguity import Unambiguous
from domain_checks import check_exact, check_hash, check_worlds, samples, words, world

from fmkit.data.corpora import load_corpus
from fmkit.world import data_card
from fmkit.world.grammar_file import read
from fmkit.world.spanish import adjectives, spanish_noun

stories = functools.partial(samples, "spanish")
SPANISH = world("spanish")


def test_log_prob_is_the_samplers_own() -> None:
    check_exact(SPANISH, stories())


@pytest.mark.soak
def test_log_prob_of_ten_thousand() -> None:
    check_exact(SPANISH, samples("spanish", 10_000, 1))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_no_story_has_two_derivations(seed: int) -> None:
    assert Unambiguous(world("spanish", seed)).faults() == []


@pytest.mark.parametrize(
    ("text", "un", "several", "of_it"),
    [
        ("la nuez/nueces", "una nuez", "nueces", "de la nuez"),
        ("el avión/aviones", "un avión", "aviones", "del avión"),
        ("el reloj", "un reloj", "relojes", "del reloj"),
        ("la bota", "una bota", "botas", "de la bota"),
    ],
)
def test_noun_has_its_forms(text: str, un: str, several: str, of_it: str) -> None:
    noun = spanish_noun(text)
    assert (noun["un"], noun["many"], noun["del"]) == (un, several, of_it)


def test_adjectives_have_their_gender() -> None:
    he, she = adjectives("el")["looks"], adjectives("la")["looks"]
    assert (he[0], she[0]) == ("rojo", "roja")
    assert "azul" in he
    assert "azul" in she
    assert len(he) == len(she)


def test_every_adjective_agrees() -> None:
    """What follows "un" and a noun is no feminine adjective, and what follows "una" no masculine one."""
    only = {article: set(adjectives(article)["looks"]) for article in ("el", "la")}
    wrong = {"un": only["la"] - only["el"], "una": only["el"] - only["la"]}
    found = [pair for story in stories() for pair in re.findall(r"\b(una?) \w+ (\w+)", story.text)]
    assert sum(adjective in only["el"] | only["la"] for _, adjective in found) > 500
    assert not [pair for pair in found if pair[1] in wrong[pair[0]]]


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("Érase una vez una niña", "Érase una vez un niña"), ("pequeña", "pequeño"), ("Su ", "Sus ")],
)
def test_what_does_not_agree_is_noticed(right: str, wrong: str) -> None:
    story = next(each for each in stories() if right in each.text)
    assert SPANISH.log_prob(story.text.replace(right, wrong, 1)) == -math.inf


def test_character_keeps_its_facts() -> None:
    pets, homes = defaultdict(set), defaultdict(set)
    for story in stories():
        for name, home in re.findall(r"^([A-ZÁÉÍÓÚ]\w+) vivía ([\w ]+)\.", story.text):
            homes[name].add(home)
        for name, pet in re.findall(r"^([A-ZÁÉÍÓÚ]\w+) vivía .* que se llamaba (\w+)\.", story.text):
            pets[name].add(pet)
    assert len(homes) > 25
    assert len(pets) > 15
    assert all(len(each) == 1 for facts in (pets, homes) for each in facts.values())


def test_numbers_add_up() -> None:
    value = {name: n for n, name in enumerate(read("spanish")["facts"]["numbers"].split(", "), start=2)}
    told = [
        re.search(r"torre de (\w+) bloques.* se cayeron (\w+)\. Solo qued\w+ (\w+)\.", story.text)
        for story in stories()
        if story.plot == "tower"
    ]
    assert len(told) > 50
    assert all(m and value[m[1]] == value[m[2]] + value[m[3]] for m in told)


def test_spanish_is_clean() -> None:
    for story in stories():
        text = story.text
        assert text == text.strip()
        assert not re.search(r"  | [.,!?]|[,.]{2}|\b([\wáéíóúñ]+) \1\b", text), text
        assert not re.search(r"\b[ad]e? el\b|\by (?:i|hi)", text), text
        assert (text.count("¡"), text.count("¿")) == (text.count("!"), text.count("?")), text
    assert {story.plot for story in stories()} == {
        plot for kind in read("spanish")["plots"].values() for plot in kind
    }
    assert len({story.text for story in stories()}) > 0.99 * len(stories())
    assert max(len(story.text.split()) for story in stories()) <= 100


def test_accents_are_in_use() -> None:
    letters = set("".join(story.text for story in stories()))
    assert set("áéíóúñÁÉÍ¡¿—") <= letters


def test_few_words_are_english() -> None:
    english = words(story.text for story in samples("stories", 2_000))
    own = words(story.text for story in stories())
    assert sum(count for word, count in own.items() if word in english) < 0.2 * own.total()


@pytest.mark.slow
def test_card_says_the_language() -> None:
    card = data_card("spanish", 100, 50)
    assert "in Spanish only" in card
    assert "in English only" in data_card("stories", 20, 2)


def test_plots_are_counted_in_the_card() -> None:
    count = sum(map(len, read("spanish")["plots"].values()))
    assert f"one of {count}" in read("spanish")["columns"]["plot"]


@pytest.mark.slow
def test_corpus_is_known_by_name() -> None:
    assert load_corpus("spanish:1")["train"][0]["text"]


@pytest.mark.slow
def test_another_seed_has_other_facts() -> None:
    check_worlds("spanish")


def test_same_on_every_machine() -> None:
    check_hash("spanish", "04281ea99d53ce74cc04c5fd3e14f3482c6a04b84eed7d6c2e4dd207cdbde869")
