"""Promises of the quality filters: a reason for each text that fails, and most of a crawl's junk found."""

from __future__ import annotations

from collections import Counter
from functools import partial

import pytest
from datasets import Dataset
from hypothesis import given, settings
from hypothesis import strategies as st
from scaling import grows_like_its_length

from fmkit.errors import FmkitError
from fmkit.selection import FILTERS, filter_corpus, filters, find_fault
from fmkit.world import WEB

GOOD = (
    "The fox went to the river because it was thirsty. There it met a duck that had lost its way. They "
    "looked for the nest until the sun was low, and with a little luck they found it behind the old mill.\n"
    "The duck thanked the fox, and from then on they had breakfast together on every Sunday that was dry."
)
LONG = "This line is a good deal longer than the others of its text"
FAULTS = [
    (partial(filters.length, min_words=3), "Two words", "fewer than 3 words"),
    (partial(filters.length, min_words=1, max_words=3), "Four words are many", "more than 3 words"),
    (filters.length, "word " * 49, "fewer than 50 words"),
    (filters.word_length, "a b c d", "mean word length outside 3 to 10"),
    (filters.word_length, "x" * 50, "mean word length outside 3 to 10"),
    (filters.symbols, "#one #two #three or more", "more than 10% symbols"),
    (filters.symbols, "so ... it goes on", "more than 10% symbols"),
    (filters.symbols, "and … so on", "more than 10% symbols"),
    (filters.symbols, "one 2 3 | four - five", "fewer than 80% words of letters"),
    (filters.list_like, "- milk\n• eggs\n* bread", "more than 90% bullets"),
    (filters.list_like, "This is how to...\nTen ways of…\nRead on.", "more than 30% lines break off"),
    (filters.repeated_lines, "Same here\nSame here\nOther", "repeated lines"),
    (filters.repeated_lines, f"{LONG}\n{LONG}\na\nb\nc\nd", "repeated lines"),  # few, but most of the text
    (filters.repeated_lines, f"a\na\na\n{LONG} 1\n{LONG} 2\n{LONG} 3", "repeated lines"),  # short, but many
    (filters.repeated_phrases, "buy shoes now buy shoes today buy shoes", "a repeated phrase"),
    (filters.stop_words, "cheap shoes online, the best price", "fewer than 2 stop words"),
    (filters.boilerplate, "Lorem ipsum dolor sit amet.", "lorem ipsum"),
    (filters.boilerplate, "if (x) { return; }", "a curly bracket"),
    (filters.boilerplate, "We use cookies. All rights reserved.", "boilerplate"),
    (filters.unfinished_lines, "Home / News / Shop\nContact\nHello.", "lines without an end"),
]
JUST = [
    (filters.length, "word " * 50),
    (partial(filters.length, min_words=1, max_words=3), "Three words pass"),
    (filters.word_length, "abc def"),
    (filters.word_length, "x" * 10),
    (filters.symbols, "#one and nine more words that are not such signs"),
    (filters.symbols, "one two three four 5"),
    (filters.list_like, "- milk\n" * 9 + "That is all."),
    (filters.repeated_phrases, "Remarkably succinct"),  # all of the text, but once
    (filters.unfinished_lines, "Six...\nletter"),
]


@pytest.mark.parametrize(("check", "text", "reason"), FAULTS)
def test_why_a_text_fails(check: filters.Filter, text: str, reason: str) -> None:
    assert check(text) == reason


@pytest.mark.parametrize(("check", "text"), JUST)
def test_a_text_at_the_bound_passes(check: filters.Filter, text: str) -> None:
    assert check(text) is None


@pytest.mark.parametrize("check", FILTERS)
def test_good_prose_passes(check: filters.Filter) -> None:
    assert check(GOOD) is None


# Good text, and hard: letters before closing marks, no-break spaces, capitals, units.
LANGUAGES = {
    "Arabic": "لا يوجد شيء هنا بعد، حاول مرة أخرى.",
    "Chinese": "你好，世界。今天天气很好。",
    "Croatian": "Žena je čula šum, a „džep“ bio je prazan…",
    "Czech": "„Úžasné,“ řekl Tomáš… Kéž\xa0by přišel též\xa0Lukáš“; Škoda.",
    "Danish": "På en Ø… æblegrød i Århus – «Ø».",
    "Dutch": "Reünie in Oekraïne: “één idee”, ’s avonds.",
    "Estonian": "Öötöö ja Šveits – „mäetipp“.",
    "Finnish": "Yö on pitkä – ”Älä mene Åboon”… Hyvää!",
    "French": "«\xa0Liberté\xa0»… voilà\xa0», né…\xa0» à\xa0½\xa0h, à\xa0£5, l’œuvre, CAFÉ», Où ça\u202f?",
    "German": "„Spaß“, „Spaß…“, GRÖẞE, Fuß– und Maß»: Übermut.",
    "Greek": "Καλημέρα σε όλους, τι κάνετε;",
    "Hebrew": "שלום לכולם, מה שלומכם היום?",
    "Hindi": "नमस्ते दुनिया, आप कैसे हैं?",
    "Hungarian": "Őszi szellő – „hűvös” és «szép».",
    "Icelandic": "Þórður, það…\xa0» og «ráð» í Borgarfirði.",
    "Italian": "«Perché\xa0no?» È così… PIÙ», città’, “là”.",
    "Japanese": "こんにちは世界。元気ですか？",
    "Korean": "안녕하세요 세계, 잘 지내요?",
    "Lithuanian": "Šaltis žmonių namuose, ėjo ąsotis.",
    "Norwegian": "Å\xa0gå er «bra», Å…",
    "Polish": "Żółta łódka – „śnieg” i więcej…",
    "Portuguese": "AMANHÃ… «IRMÃ» não, “MAÇÃ” é\xa0», 2×½",
    "Romanian": "Și țara „frumoasă” – «mâine».",
    "Russian": "«Привет», как дела? Всё хорошо.",
    "Spanish": "¿Qué…? ¡Sí! «menú»… MENÚ”, PERÚ», N.º 3",
    "Swedish": "Får får får? ”Ö”… en våg på 2 Å², 3 Å³",
    "Turkish": "İstanbul’da güneş – “ışık” ve ağaç.",
    "Ukrainian": "Їжак каже: «добрий день».",
    "Vietnamese": "Tiếng Việt rất đẹp, phải không?",
    "emoji": "Well done 😀👍🏽 and ❤️",
    "typography": "don’t “say” – 5\xa0°C, ½, 3 × 4, 10 €, © 2020, ™ and §\xa05",
}


def misread(text: str, codec: str) -> str:
    """The bytes of UTF-8 one by one; those that Windows-1252 does not know stay, as in browsers."""
    return "".join(bytes([b]).decode(codec, "ignore") or chr(b) for b in text.encode())


@pytest.mark.parametrize("codec", ["cp1252", "latin-1"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_utf8_read_as_another_encoding(language: str, codec: str) -> None:
    assert filters.encoding(LANGUAGES[language]) is None
    assert filters.encoding(misread(LANGUAGES[language], codec)) == "a wrong encoding"


WORDS = "café don’t “yes” naïve ½ € não voilà\xa0 škoda złoty łódź świat ένα не да שלום سلام 你 😀 Österreich"


@pytest.mark.parametrize("codec", ["cp1252", "latin-1"])
@pytest.mark.parametrize("word", WORDS.split(" "))
def test_one_word_is_enough(word: str, codec: str) -> None:
    assert filters.encoding(f"{GOOD} {word}") is None
    assert filters.encoding(f"{GOOD} {misread(word, codec)}") == "a wrong encoding"


@pytest.mark.parametrize("text", ["AT&amp;amp;T", "&amp;#39;", "lost \ufffd byte"])
def test_other_signs_of_a_wrong_encoding(text: str) -> None:
    assert filters.encoding(text) == "a wrong encoding"


@pytest.mark.parametrize(
    "text", ["Übergröße", "São João", "À côté, çà et là «où»", "Þórður", "Ελλάδα", "Łódź", "AT&T"]
)
def test_other_languages_pass_the_encoding(text: str) -> None:
    assert filters.encoding(text) is None


def test_a_corpus_and_the_counts_of_reasons() -> None:
    texts = [GOOD, "short", None, GOOD + "\ufffd", GOOD + " again"]
    kept, report = filter_corpus(Dataset.from_dict({"text": texts, "id": range(5)}))
    assert kept["id"][:] == [0, 4]
    assert (report.total, report.kept) == (5, 2)
    assert dict(report.reasons) == {"fewer than 50 words": 2, "a wrong encoding": 1}
    assert "2 of 5 documents kept" in str(report)


def test_a_filter_of_ones_own() -> None:
    dataset = Dataset.from_dict({"text": ["a cat", "a dog"]})
    kept, report = filter_corpus(dataset, [lambda text: "about dogs" if "dog" in text else None])
    assert kept["text"][:] == ["a cat"]
    assert report.reasons == {"about dogs": 1}
    assert len(filter_corpus(dataset, [])[0]) == 2


def test_a_stream_is_filtered_as_it_is_read() -> None:
    texts = [GOOD, "short", GOOD + "\ufffd", GOOD + " again"]
    dataset = Dataset.from_dict({"text": texts})
    stream = dataset.to_iterable_dataset()
    with pytest.raises(FmkitError, match=r"a stream has no places .* gather a part: Dataset\.from_list"):
        filter_corpus(stream)
    kept = stream.filter(lambda row: find_fault(row["text"]) is None)  # as the docstring has it
    assert [row["text"] for row in kept] == filter_corpus(dataset)[0]["text"][:] == [texts[0], texts[3]]
    gathered = Dataset.from_list(list(stream.take(3)))  # as the error has it
    assert filter_corpus(gathered)[1].kept == 1


@pytest.mark.slow
def test_the_kinds_of_a_crawl() -> None:
    """Without the rule on length, which would sort out all of the junk here: it is short."""
    crawl = WEB.load(2_000, 10, seed=1, world=1)["train"]
    kept, _ = filter_corpus(crawl, [check for check in FILTERS if check is not filters.length])
    before, after = Counter(crawl["kind"]), Counter(kept["kind"])
    share = {kind: after[kind] / before[kind] for kind in before}
    assert share["prose"] > 0.75
    assert share["mojibake"] < 0.05
    assert share["boilerplate"] < 0.25
    assert share["spam"] < 0.5
    assert set(filter_corpus(crawl)[0]["kind"]) <= {"prose", "duplicate", "near-duplicate", "mojibake"}


REASONS = {reason for check, _, reason in FAULTS if check in FILTERS} | {"a wrong encoding"}


@settings(deadline=None, max_examples=100)
@given(st.text())
def test_reasons_are_few(text: str) -> None:
    reasons = [check(text) for check in FILTERS]
    assert {*reasons} - {None} <= REASONS
    assert find_fault(text) == next((reason for reason in reasons if reason is not None), None)


def test_a_text_of_a_megabyte() -> None:
    reasons = [check("word " * 200_000) for check in FILTERS]
    assert [reason for reason in reasons if reason is not None] == [
        "more than 100000 words",
        "a repeated phrase",
        "fewer than 2 stop words",
        "lines without an end",
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece", ["a", "a ", "\n", "#", "...", "Ã", "â€", "&amp;", "- \n", ".\n", "log ", "©\n"]
)
def test_time_grows_like_the_length(piece: str) -> None:
    for check in FILTERS:
        grows_like_its_length(check, piece)
