"""The exports of the quizzes, each opened by a reader that is not ours: pyslet for QTI, Anki itself for its
package. We found no reader of Moodle XML that installs without Moodle, so the standard library's parser reads
that, by the paths that Moodle's importer takes."""

import io
import logging
import os
import re
import shutil
import subprocess
import sys
import unicodedata
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import tiny
from anki.collection import Collection, ImportAnkiPackageOptions, ImportAnkiPackageRequest
from bs4 import BeautifulSoup
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyslet.qtiv1 import common, core, objectbank
from pyslet.qtiv1 import item as qti_item
from pyslet.qtiv1.xml import QTIDocument
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

from bookkit.quiz.__main__ import main
from bookkit.quiz.exports import FORMATS, GRADED, GRADINGS, deck, export, moodle, qti, sheet, write_banks
from bookkit.quiz.exports.parts import number, parts
from bookkit.quiz.exports.pools import read_modules, with_variants
from bookkit.quiz.exports.questions import EXAM, PARTIAL, WHOLE, Question, Quiz, read_quizzes
from bookkit.quiz.exports.text import plain, printed, readable, rich
from bookkit.quiz.items import CHOICE, MATCHING, NUMERIC, ORDERING, RESPONSE, read_bank
from bookkit.quiz.sections import read_sections
from bookkit.site.syllabus import in_every_course
from fmkit.errors import FmkitError

objectbank.ObjectBank.metadata = {}  # pyslet forgets to make it, and so could not read a bank's title

ITEMS = """\
- id: sum
  type: multiple-choice
  objective: 3.3.1
  section: the-sum
  bloom: understand
  stem: What is $1 + 1$ for `R & D`?
  options:
    - {text: One, rationale: It forgets the second *one*.}
    - {text: "$2$, not <b>3</b>", correct: true, rationale: One and one are two.}
    - {text: Three, rationale: It counts the plus sign.}
    - {text: Four, rationale: It adds twice.}
- id: even
  type: multiple-response
  objective: 3.4.1
  section: elsewhere
  bloom: apply
  stem: Which numbers are even?
  options:
    - {text: Six, correct: true, rationale: Three and three.}
    - {text: Seven, rationale: One is left over.}
    - {text: Eight, correct: true, rationale: Four and four.}
    - {text: Nine, rationale: One is left.}
    - {text: Eleven, rationale: One remains.}
- id: count
  type: ordering
  objective: 3.3.1
  section: the-sum
  bloom: remember
  stem: In which order are they counted?
  steps:
    - {text: Two, place: 2, rationale: After one.}
    - {text: Three, place: 3, rationale: After two.}
    - {text: One, place: 1, rationale: Counting begins here.}
- id: squares
  type: matching
  objective: 3.3.1
  section: the-sum
  bloom: apply
  stem: Which square is whose?
  pairs:
    - {prompt: Two, match: "$2^2 = 4$", shown: 3, rationale: Two twos.}
    - {prompt: Three, match: Nine, shown: 1, rationale: Three threes.}
    - {prompt: Four, match: Sixteen, shown: 2, rationale: Four fours.}
- id: loss
  type: numeric
  objective: 3.3.1
  section: the-sum
  bloom: analyze
  stem: What loss do you measure?
  answer:
    value: 0.43
    tolerance: 0.02
    unit: nats per token
    rationale: The floor of the grammar.
    measured: {notebook: chapters/sums.ipynb, cell: floor, find: "floor ([0-9.]+)"}
  mistakes:
    - {value: 0.62, rationale: These are bits.}
"""
MOODLE_ORDER = {EXAM: "ALL_OR_NOTHING", PARTIAL: "ABSOLUTE_POSITION"}
QTI_TYPES = [
    "multiple_choice_question",
    "multiple_answers_question",
    "matching_question",
    "matching_question",
    "numerical_question",
]


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The sources of a book with one quiz of all five types."""
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    monkeypatch.setenv("FMKIT_PUBLIC_URL", "https://book.example/")
    return write_book(tmp_path / "book")


def write_book(root: Path) -> Path:
    (root / "assets/quizzes").mkdir(parents=True)
    (root / "chapters/1-sums").mkdir(parents=True)
    shutil.copy(tiny.ROOT / "_config.yml", root)
    (root / "assets/quizzes/sums.yml").write_text(ITEMS)
    (root / "chapters/1-sums/adding.md").write_text("# Adding\n\n(the-sum)=\n\n## The sum of $n$ ones\n")
    (root / "chapters/intro.md").write_text(
        "# Quizzes\n\n```{quiz-downloads} exam\n```\n\n```{quiz-downloads} partial\n```\n"
    )
    return root


@pytest.fixture
def sums(book: Path) -> Quiz:
    return read_quizzes(book)[0]


def visible(html: str) -> str:
    """What a reader sees; every other element and attribute than those of an item's Markdown fails."""
    soup = BeautifulSoup(html, "html.parser")
    for element in soup.find_all(True):
        assert element.name in {
            "p",
            "div",
            "ol",
            "ul",
            "li",
            "b",
            "br",
            "span",
            "em",
            "strong",
            "code",
            "a",
            "i",
        }
        assert set(element.attrs) <= {"class", "type", "href"}, element
        assert element.get("href", "https://").startswith(("https://", "http://")), element
    return flat(soup.get_text())


def flat(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())  # as Anki keeps text


# --- QTI, read by pyslet ------------------------------------------------------------------------------------


@dataclass
class Asked:
    """An item of a QTI file: its texts, and what its response processing makes of an answer."""

    key: str
    type: str
    stem: str
    labels: dict[str, dict[str, str]]  # by response: its choices
    prompts: dict[str, str]  # by response
    comments: dict[str, str]
    conditions: list[Any]

    def grade(self, answer: dict[str, set[str]]) -> tuple[float, set[str]]:
        """The score of an answer, and the comments that it brings up."""
        score, shown = 0.0, set()
        for condition in self.conditions:
            if all(holds(part, answer) for part in condition.ConditionVar.get_children()):
                for change in condition.SetVar:
                    points = float(change.get_value())
                    score = points if change.action == core.Action.Set else score + points
                shown |= {feedback.linkRefID for feedback in condition.DisplayFeedback}
                if not condition.continueFlag:
                    break
        return score, shown


def holds(part: Any, answer: dict[str, set[str]]) -> bool:
    if isinstance(part, common.Other):
        return True
    if isinstance(part, common.Not):
        return not holds(part.ExpressionMixin, answer)
    if isinstance(part, common.And):
        return all(holds(one, answer) for one in part.ExpressionMixin)
    if isinstance(part, common.Or):
        return any(holds(one, answer) for one in part.ExpressionMixin)
    given, wanted = answer.get(part.responseIdentifier, set()), part.get_value()
    if isinstance(part, common.VarEqual):
        return wanted in given
    (value,) = given
    return float(value) >= float(wanted) if isinstance(part, common.VarGTE) else float(value) <= float(wanted)


def read_qti(path: Path) -> list[Asked]:
    with zipfile.ZipFile(path) as archive:
        manifest = ElementTree.fromstring(archive.read("imsmanifest.xml"))
        (resource,) = manifest.iterfind(".//{*}resource[@type='imsqti_xmlv1p2']")
        (file,) = resource
        content = archive.read(file.get("href", ""))
        assert set(archive.namelist()) == {"imsmanifest.xml", file.get("href")}
    (section,) = parsed(content).Assessment.SectionMixin
    return [read_item(item) for item in section.SectionItemMixin]


def parsed(content: bytes) -> Any:
    logging.disable(logging.WARNING)  # it wants the HTML of a short answer in a paragraph
    try:
        document = QTIDocument()
        document.read(src=io.BytesIO(content))
    finally:
        logging.disable(logging.NOTSET)
    return document.root


def inside(element: Any, kind: type) -> list[Any]:
    return list(element.find_children_depth_first(kind, sub_match=True))


def texts(element: Any) -> str:
    return " ".join(text.get_value() for text in inside(element, common.MatText))


def read_item(item: Any) -> Asked:
    (kind,) = [
        field.FieldEntry.get_value()
        for field in inside(item, common.QTIMetadataField)
        if field.FieldLabel.get_value() == "question_type"
    ]
    labels, prompts = {}, {}
    for response in inside(item.Presentation, qti_item.ResponseThing):
        choices = inside(response, qti_item.ResponseLabel)
        labels[response.ident] = {
            choice.ident: texts(choice) for choice in choices if inside(choice, common.MatText)
        }
        whole = [text.get_value() for text in inside(response, common.MatText)]
        prompts[response.ident] = whole[0] if len(whole) > len(labels[response.ident]) else ""
    stem = inside(item.Presentation, common.MatText)[0].get_value()
    comments = {feedback.ident: texts(feedback) for feedback in item.ItemFeedback}
    (processing,) = item.ResProcessing
    conditions = inside(processing, qti_item.RespCondition)
    return Asked(item.title, kind, stem, labels, prompts, comments, conditions)


def check_qti(quiz: Quiz, path: Path, grading: str = EXAM) -> None:
    """The file holds the quiz: every text, and a key that gives full points to the right answer alone."""
    check_asked(quiz, read_qti(path), grading)


def check_asked(quiz: Quiz, read: list[Asked], grading: str) -> None:
    assert [asked.key for asked in read] == [question.key for question in quiz.questions]
    for asked, question in zip(read, quiz.questions, strict=True):
        item = question.item
        assert visible(rich(item.stem)) in visible(asked.stem)
        assert item.objective in visible(asked.comments["general_fb"])
        assert asked.comments.keys() >= {"general_fb"}
        if item.options:
            check_options(asked, question, grading)
        elif item.answer:
            check_number(asked, question)
        else:
            check_matches(asked, question, grading)


def check_options(asked: Asked, question: Question, grading: str) -> None:
    item, ((response, labels),) = question.item, asked.labels.items()
    assert list(labels.values()) == [rich(option.text) for option in item.options]
    idents = dict(zip(labels, item.options, strict=True))
    right = {ident for ident, option in idents.items() if option.correct}
    assert asked.grade({response: right})[0] == pytest.approx(100, abs=0.05)
    share = pytest.approx(100 / item.correct, abs=0.05) if grading == PARTIAL else 0
    most = pytest.approx(100 - 100 / item.correct, abs=0.05) if grading == PARTIAL else 0
    for ident, option in idents.items():
        if item.type == RESPONSE:  # one too few, or one too many
            assert asked.grade({response: right ^ {ident}})[0] == most
        score, shown = asked.grade({response: {ident}})
        if item.type == RESPONSE:
            assert max(score, 0) == (share if option.correct else 0)  # the file says that 0 is the least
        else:
            assert score == (100 if option.correct else 0)
        assert [asked.comments[one] for one in sorted(shown - {"general_fb"})] == [rich(option.rationale)]


def check_number(asked: Asked, question: Question) -> None:
    item, (response,) = question.item, asked.labels
    assert item.answer
    value, tolerance = item.answer.value, item.answer.tolerance
    for near in (value, value + 0.9 * tolerance, value - 0.9 * tolerance):
        score, shown = asked.grade({response: {f"{near!r}"}})
        assert score == 100
        assert "1_fb" in shown
    assert asked.comments["1_fb"] == rich(item.answer.rationale)
    for far in (value + 1.1 * tolerance, value - 1.1 * tolerance, *(one.value for one in item.mistakes)):
        score, shown = asked.grade({response: {f"{far!r}"}})
        assert score == 0
        assert bool(item.mistakes) == ("general_incorrect_fb" in shown)
    for mistake in item.mistakes:
        assert visible(rich(mistake.rationale)) in visible(asked.comments["general_incorrect_fb"])


def check_matches(asked: Asked, question: Question, grading: str) -> None:
    item = question.item
    rows = [(pair.prompt, plain(pair.match), pair.rationale) for pair in item.pairs]
    rows += [(step.text, f"{step.place}", step.rationale) for step in item.steps]
    assert list(asked.prompts.values()) == [rich(text) for text, _, _ in rows]
    right = {
        response: {ident for ident, label in labels.items() if label == match}
        for (response, labels), (_, match, _) in zip(asked.labels.items(), rows, strict=True)
    }
    score, shown = asked.grade(right)
    assert score == pytest.approx(100, abs=0.05)  # Canvas rounds each part to two digits
    assert shown == {"general_fb"}
    for response, (_, _, rationale) in zip(right, rows, strict=True):
        score, shown = asked.grade(right | {response: set()})
        share = 100 * (len(rows) - 1) / len(rows) if grading == PARTIAL else 0
        assert score == pytest.approx(share, abs=0.05)
        (comment,) = shown - {"general_fb"}
        assert asked.comments[comment] == rich(rationale)


# --- Moodle, read by the paths of its importer --------------------------------------------------------------


def check_moodle(quiz: Quiz, path: Path, grading: str = EXAM) -> None:
    root = ElementTree.parse(path).getroot()
    elements = [element for element in root if element.get("type") != "category"]
    for element, question in zip(elements, quiz.questions, strict=True):
        item = question.item
        assert element.findtext("name/text") == element.findtext("idnumber") == question.key
        assert element.find("questiontext[@format='html']") is not None
        assert visible(rich(item.stem)) in visible(element.findtext("questiontext/text", ""))
        general = visible(element.findtext("generalfeedback/text", ""))
        assert item.objective in general
        answers = element.findall("answer")
        kept = [(one.findtext("text"), one.findtext("feedback/text")) for one in answers]
        fractions = [float(one.get("fraction", "nan")) for one in answers]
        if item.options:
            whole = grading == EXAM and item.type == RESPONSE
            assert element.get("type") == ("multichoiceset" if whole else "multichoice")
            assert (element.findtext("single") == "true") == (item.type == CHOICE)
            assert kept == [(rich(option.text), rich(option.rationale)) for option in item.options]
            assert [fraction > 0 for fraction in fractions] == [option.correct for option in item.options]
            if whole:  # this type reads only which are right
                assert set(fractions) == {0, 100}
            else:
                assert sum(fraction for fraction in fractions if fraction > 0) == pytest.approx(100, abs=1e-4)
                assert sum(fractions) < 100 or item.type == CHOICE  # choosing everything does not pay
        elif item.steps:
            assert element.get("type") == "ordering"
            assert element.findtext("gradingtype") == MOODLE_ORDER[grading]
            in_order = sorted(item.steps, key=lambda step: step.place)
            assert [text for text, _ in kept] == [rich(step.text) for step in in_order]
            assert all(visible(rich(step.rationale)) in general for step in item.steps)
        elif item.pairs and grading == EXAM:  # the matches in the order of the prompts, which are listed
            assert element.get("type") == "ordering"
            assert element.findtext("gradingtype") == MOODLE_ORDER[grading]
            assert [text for text, _ in kept] == [rich(pair.match) for pair in item.pairs]
            prompts = BeautifulSoup(element.findtext("questiontext/text", ""), "html.parser").select("li")
            assert [flat(one.text) for one in prompts] == [visible(rich(pair.prompt)) for pair in item.pairs]
            assert all(visible(rich(pair.rationale)) in general for pair in item.pairs)
        elif item.pairs:
            assert element.get("type") == "matching"
            rows = [
                (row.findtext("text"), row.findtext("answer/text")) for row in element.findall("subquestion")
            ]
            assert rows == [(rich(pair.prompt), plain(pair.match)) for pair in item.pairs]
            assert all(visible(rich(pair.rationale)) in general for pair in item.pairs)
        else:
            assert item.answer
            assert element.get("type") == "numerical"
            numbers = [(item.answer.value, item.answer.rationale)]
            numbers += [(mistake.value, mistake.rationale) for mistake in item.mistakes]
            assert [(float(text or "nan"), reason) for text, reason in kept] == [
                (value, rich(rationale)) for value, rationale in numbers
            ]
            assert fractions == [100] + [0] * len(item.mistakes)
            assert {one.findtext("tolerance") for one in answers} == {number(item.answer.tolerance)}


# --- Anki, read by Anki -------------------------------------------------------------------------------------


@pytest.fixture
def anki(tmp_path: Path) -> Iterator[Collection]:
    collection = Collection(str(tmp_path / "learner.anki2"))
    yield collection
    collection.close()


def take(collection: Collection, package: Path) -> None:
    collection.import_anki_package(
        ImportAnkiPackageRequest(package_path=str(package), options=ImportAnkiPackageOptions())
    )


def check_cards(quiz: Quiz, collection: Collection) -> None:
    assert collection.note_count() == len(quiz.questions)
    notes = {note["Key"]: note for note in map(collection.get_note, collection.find_notes(""))}
    for question in quiz.questions:
        item, note = question.item, notes[question.key]
        (card,) = note.cards()
        front, back = visible(note["Question"]), visible(note["Answer"])
        assert not card.question_av_tags()
        assert not card.answer_av_tags()
        assert note["Question"] in card.question()  # nothing in it was taken for a command
        assert note["Answer"] in card.answer()
        texts = [*(o.text for o in item.options), *(s.text for s in item.steps)]
        texts += [text for pair in item.pairs for text in (pair.prompt, pair.match)]
        for text in (item.stem, *texts):
            assert visible(rich(text)) in front
        explained = [*item.options, *item.steps, *item.pairs, *item.mistakes]
        for part in [*explained, item.answer] if item.answer else explained:
            assert visible(rich(part.rationale)) in back
        assert back.startswith(visible(parts(rich).answer(item)))
        assert f"objective::{item.objective}" in note.tags


# --- What is promised ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("grading", GRADINGS)
def test_each_format_is_read_back_whole(book: Path, sums: Quiz, anki: Collection, grading: str):
    files = export(book, book / "out", grading)
    assert [file.name for file in files] == [f"{name}{end}" for name in ("sums", WHOLE) for end in FORMATS]
    assert sorted(files) == sorted((book / "out").iterdir())
    asked = read_qti(book / "out/sums.qti.zip")
    assert [one.type for one in asked] == QTI_TYPES
    check_qti(sums, book / "out/sums.qti.zip", grading)
    check_moodle(sums, book / "out/sums.moodle.xml", grading)
    take(anki, book / "out/sums.apkg")
    check_cards(sums, anki)


def test_the_key_by_hand(book: Path, sums: Quiz):
    """One answer of each type, written out, so that readers and writers cannot err together."""
    items = {question.item.type: question.item for question in sums.questions}
    keys = {kind: parts(rich).answer(item) for kind, item in items.items()}
    assert keys == {
        CHOICE: "B",
        RESPONSE: "A and C",
        ORDERING: "A 2, B 3, C 1",
        MATCHING: "1 C, 2 A, 3 B",
        NUMERIC: "0.43 ± 0.02 nats per token",
    }
    export(book, book / "out")
    choice, _, ordering, _, numeric = read_qti(book / "out/sums.qti.zip")
    assert choice.grade({"response1": {"2"}})[0] == 100
    assert ordering.grade({"response_1": {"2"}, "response_2": {"3"}, "response_3": {"1"}})[0] > 99
    assert numeric.grade({"response1": {"0.449"}})[0] == 100
    assert numeric.grade({"response1": {"0.46"}})[0] == 0
    assert choice.labels["response1"]["2"] == r"\(2\), not &lt;b&gt;3&lt;/b&gt;"
    key = visible_page(book / "out/sums.key.html")
    assert "0.43 ± 0.02 nats per token" in key
    assert "Read again: The sum of n ones (Adding) · exam objective 3.3.1" in key


@pytest.mark.slow
@pytest.mark.parametrize("grading", GRADINGS)
def test_the_bank_of_the_book_is_read_back(tmp_path: Path, anki: Collection, grading: str):
    export(tiny.ROOT, tmp_path, grading)
    *quizzes, whole = read_quizzes(tiny.ROOT)
    for quiz in (*quizzes, whole):
        check_qti(quiz, tmp_path / f"{quiz.name}.qti.zip", grading)
        check_moodle(quiz, tmp_path / f"{quiz.name}.moodle.xml", grading)
        take(anki, tmp_path / f"{quiz.name}.apkg")  # the last one brings nothing new
    check_cards(whole, anki)


def test_the_two_gradings_by_hand(book: Path, capsys: pytest.CaptureFixture[str]):
    """Half right is nothing on the exam, and half a point with partial credit: the command says which."""
    scores = {}
    for grading in GRADINGS:
        assert main(["export", str(book / grading), "--grading", grading], book) == 0
        _, response, ordering, matching, _ = read_qti(book / grading / "sums.qti.zip")
        swapped = {"response_1": {"3"}, "response_2": {"2"}, "response_3": {"1"}}  # 2, 3, 1 is right
        scores[grading] = [
            response.grade({"response1": {"1", "2"}})[0],
            response.grade({"response1": {"1"}})[0],
            ordering.grade(swapped)[0],
            matching.grade(swapped)[0],  # 3, 1, 2 is right
        ]
    assert scores == {EXAM: [0, 0, 0, 0], PARTIAL: [0, 50, pytest.approx(33.33), pytest.approx(33.33)]}
    with pytest.raises(SystemExit) as stopped:
        main(["export", str(book / "half"), "--grading", "half"], book)
    assert stopped.value.code == 2
    assert "choose from" in capsys.readouterr().err


def test_a_later_package_keeps_the_practice(book: Path, anki: Collection, monkeypatch: pytest.MonkeyPatch):
    export(book, book / "first")
    take(anki, book / "first/sums.apkg")
    (found,) = anki.find_notes("Key:sums-sum")
    (card,) = anki.get_note(found).cards()
    anki.sched.set_due_date([card.id], "12")
    due = anki.get_card(card.id).due
    bank = book / "assets/quizzes/sums.yml"
    bank.write_text(bank.read_text().replace("It adds twice.", "It adds once too often."))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", f"{deck.last_change(book) + 86400}")
    export(book, book / "second")
    take(anki, book / "second/sums.apkg")
    assert anki.note_count() == 5
    assert "once too often" in anki.get_note(found)["Answer"]
    assert anki.get_card(card.id).due == due


def test_cards_have_the_day_of_the_bank(book: Path, monkeypatch: pytest.MonkeyPatch):
    before = deck.last_change(book)
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2026-11-20T12:00:00Z")
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for command in (["init", "-q"], ["add", "assets"], [*who, "commit", "-q", "-m", "bank"]):
        subprocess.run(["git", *command], cwd=book, check=True)
    assert before < deck.last_change(book) == 1795176000


def test_links_tags_and_decks(book: Path, anki: Collection, monkeypatch: pytest.MonkeyPatch):
    export(book, book / "out")
    take(anki, book / f"out/{WHOLE}.apkg")
    known, unknown = (anki.get_note(anki.find_notes(f"Key:sums-{name}")[0]) for name in ("sum", "even"))
    assert set(known.tags) == {"objective::3.3.1", "chapter::1-sums::adding"}
    assert set(unknown.tags) == {"objective::3.4.1"}
    assert 'href="https://book.example/chapters/1-sums/adding.html#the-sum"' in known["Answer"]
    assert "Training Foundation Models::Sums" in [deck.name for deck in anki.decks.all_names_and_ids()]
    monkeypatch.delenv("FMKIT_PUBLIC_URL")
    export(book, book / "private")  # a book that is not public has nothing to link to
    for file in (book / "private").glob("*.xml"):
        assert "href" not in file.read_text()
        assert "Read again: The sum of" in file.read_text()


@pytest.mark.slow
def test_the_same_bank_gives_the_same_bytes(book: Path):
    once = {file.name: file.read_bytes() for file in export(book, book / "once")}
    command = "import sys; from pathlib import Path; from bookkit.quiz.exports import export; "
    command += "export(Path(sys.argv[1]), Path(sys.argv[2]))"
    elsewhere = os.environ | {"PYTHONHASHSEED": "7", "TZ": "Pacific/Auckland"}
    subprocess.run([sys.executable, "-c", command, book, book / "again"], env=elsewhere, check=True)
    assert once == {file.name: file.read_bytes() for file in (book / "again").iterdir()}


def visible_page(path: Path) -> str:
    soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    assert soup.script is None
    return visible(soup.body.decode_contents().replace(str(soup.h1), ""))


def test_the_sheet_asks_and_the_key_answers(book: Path, sums: Quiz):
    export(book, book / "out")
    asked, key = (visible_page(book / f"out/sums.{name}.html") for name in ("sheet", "key"))
    for question in sums.questions:
        assert flat(plain(question.item.stem)) in asked
        assert flat(plain(question.item.stem)) in key
        for part in (*question.item.options, *question.item.steps, *question.item.pairs):
            assert flat(plain(part.rationale)) in key
            assert flat(plain(part.rationale)) not in asked
    assert "2² = 4" in asked
    assert "0.43" not in asked
    assert (
        asked.index("Nine") < asked.index("Sixteen") < asked.index("2² = 4")
    )  # as shown, not beside its prompt


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        (r"2 \times 10^{10}", "2 × 10¹⁰"),
        (r"e^{2.0} \approx 7.4", "e^2.0 ≈ 7.4"),
        (r"e^{\text{loss}}", "e^loss"),
        (r"\frac{a}{b+1} \le \sqrt{\frac{1}{2}}", "a/(b+1) ≤ √(1/2)"),
        (r"-\sum_i p_i \log p_{i,j}", "−∑_i p_i log p_(i,j)"),
        (r"10^{-3}", "10⁻³"),
        (r"2^{ 3.0 }", "2^3.0"),
    ],
)
def test_math_in_a_line_of_text(tex: str, text: str):
    assert readable(tex) == text


def test_a_fault_is_one_line(book: Path):
    (book / "assets/quizzes/sums.yml").write_text("- id: 12")
    with pytest.raises(FmkitError, match=r"^assets/quizzes/sums\.yml:1: "):
        export(book, book / "out")
    (book / "assets/quizzes/sums.yml").rename(book / f"assets/quizzes/{WHOLE}.yml")
    (book / f"assets/quizzes/{WHOLE}.yml").write_text(ITEMS)
    with pytest.raises(FmkitError, match="this name is taken"):
        export(book, book / "out")
    (book / f"assets/quizzes/{WHOLE}.yml").rename(book / "assets/quizzes/sums.yml")
    (book / "file").write_text("")
    with pytest.raises(FmkitError, match=r"file: cannot be written: "):
        export(book, book / "file")


# --- Hostile texts ------------------------------------------------------------------------------------------

NASTY = st.sampled_from(
    [
        *(
            "<script>alert(1)</script>",
            "]]>",
            "<![CDATA[",
            "<!--",
            "</p></div>",
            '"',
            "'",
            "&lt;",
            "&#60;b&#62;",
        ),
        *("=cmd|' /C calc'!A0", "{{c1::x}}", "{{Question}}", "{}", "[sound:a.mp3]", "[anki:play:q:0]"),
        *("[latex]x[/latex]", "[$]x[/$]", "$x < y$", "$</script>$", "$", "\\(", "\\", "^{", "`<b>`"),
        *("[a](javascript:alert(1))", "![i](http://x/y)", '<http://x/?a=">'),
        *("\uffff", "\ufffe", "\u2028", "\u202e", "\U0001f393", "אב", "e\u0301"),
    ]
)
SIGNS = st.characters(blacklist_categories=("Cc", "Cs"))
WILD = st.lists(st.one_of(NASTY, st.text(SIGNS, max_size=8)), min_size=1, max_size=4).map("".join)
WILD = WILD.map(str.strip).filter(bool)
# Signs that mean nothing in Markdown: what comes out must be what went in.
TAME = st.text(
    st.one_of(st.sampled_from("<>\"'=/;|{}"), st.characters(whitelist_categories=("L", "Nd"))), min_size=1
)


def spoiled(quiz: Quiz, texts: list[str]) -> Quiz:
    """The quiz with every text replaced: by these, over and over."""
    position = 0

    def text() -> str:
        nonlocal position
        position += 1
        return texts[position % len(texts)]

    def part(old: Any) -> Any:
        names = [name for name in ("text", "prompt", "match", "rationale", "unit") if hasattr(old, name)]
        return replace(old, **{name: text() for name in names})

    def item(old: Any) -> Any:
        lists = ("options", "steps", "pairs", "mistakes")
        changes: dict[str, Any] = {name: tuple(map(part, getattr(old, name))) for name in lists}
        return replace(old, stem=text(), answer=old.answer and part(old.answer), **changes)

    questions = tuple(replace(question, item=item(question.item)) for question in quiz.questions)
    return replace(quiz, questions=questions)


fuzz = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.slow
@fuzz
@given(texts=st.lists(WILD, min_size=1, max_size=7))
def test_a_hostile_text_is_text_everywhere(texts: list[str], sums: Quiz, tmp_path: Path):
    quiz = spoiled(sums, texts)
    out = tmp_path / "out"
    out.mkdir(exist_ok=True)
    qti.write(quiz, out / "x.zip", EXAM)
    for asked in read_qti(out / "x.zip"):
        for html in (asked.stem, *asked.comments.values(), *asked.prompts.values()):
            visible(html)
    for grading in GRADINGS:
        moodle.write(quiz, out / "x.xml", grading)
        check_moodle(quiz, out / "x.xml", grading)
    sheet.write(quiz, out / "x.html", key=False)
    sheet.write(quiz, out / "y.html", key=True)
    visible_page(out / "x.html")
    visible_page(out / "y.html")


@pytest.mark.slow
@settings(fuzz, max_examples=10)
@given(texts=st.lists(WILD, min_size=1, max_size=7))
def test_anki_takes_no_text_for_a_command(texts: list[str], sums: Quiz, tmp_path: Path, anki: Collection):
    quiz = spoiled(sums, texts)
    deck.write(quiz, tmp_path / "x.apkg", changed=1767225600)
    anki.remove_notes(anki.find_notes(""))
    take(anki, tmp_path / "x.apkg")
    check_cards(quiz, anki)


@pytest.mark.slow
@fuzz
@given(texts=st.lists(TAME, min_size=1, max_size=7))
def test_no_sign_is_lost(texts: list[str], sums: Quiz, tmp_path: Path):
    quiz = spoiled(sums, texts)
    qti.write(quiz, tmp_path / "x.zip", EXAM)
    for asked, question in zip(read_qti(tmp_path / "x.zip"), quiz.questions, strict=True):
        item = question.item
        assert flat(item.stem) in visible(asked.stem)
        if item.options:
            labels = [visible(html) for html in asked.labels["response1"].values()]
            assert labels == [flat(option.text) for option in item.options]
        for pair in item.pairs:
            assert all(pair.match in labels.values() for labels in asked.labels.values())
    moodle.write(quiz, tmp_path / "x.xml", EXAM)
    choice = ElementTree.parse(tmp_path / "x.xml").find("question[@type='multichoice']")
    assert choice is not None
    answers = [visible(answer.findtext("text", "")) for answer in choice.findall("answer")]
    assert answers == [flat(option.text) for option in quiz.questions[0].item.options]


# --- On the page --------------------------------------------------------------------------------------------


def test_the_page_offers_the_files(book: Path):
    (book / "_toc.yml").write_text("format: jb-book\nroot: chapters/intro\n")
    extensions = ["myst_parser", "bookkit.site.page_widget", "bookkit.quiz"]
    overrides = {
        "extensions": extensions,
        "root_doc": "chapters/intro",
        "exclude_patterns": ["chapters/1-sums"],
    }
    out = book / "_build"
    warnings = io.StringIO()
    with docutils_namespace():  # what another test's build has registered is no warning of this one
        Sphinx(book, None, out, out / "doctrees", "html", overrides, status=None, warning=warnings).build()
    soup = BeautifulSoup((out / "chapters/intro.html").read_text(), "html.parser")
    links = soup.select(".fm-quiz-downloads a")
    partial = [FORMATS[ending] for ending in GRADED]
    assert [link.text for link in links] == [*FORMATS.values()] * 2 + partial * 2
    assert soup.text.index("right as a whole") < soup.text.index("with partial credit")
    for link in links:
        file = (out / "chapters" / link["href"]).resolve()
        assert file.is_relative_to(out)
        assert file.stat().st_size > 500
        assert link["download"] == file.name
    assert re.search(r"Sums: Canvas \(QTI 1\.2\) \([1-9] kB\), Moodle XML \(", flat(soup.text))
    assert not warnings.getvalue()


# --- banks and forms ----------------------------------------------------------------------------------------

PRODUCTS = """\
- id: product
  type: multiple-choice
  objective: 3.3.1
  section: the-product
  bloom: apply
  variants: {n: [2, 3, 4], twice: 2 * n, square: n * n + 1}
  stem: What is two times {{n}}?
  options:
    - {text: "{{n}}", rationale: It forgets the two.}
    - {text: "{{twice}}", correct: true, rationale: "It is {{n}} and {{n}}."}
    - {text: "{{square}}", rationale: It multiplies and adds one.}
    - {text: "100", rationale: It guesses.}
"""


@pytest.fixture
def course(book: Path) -> Path:
    """The book with a second chapter, in one module."""
    shutil.copytree(tiny.ROOT / "assets/exam", book / "assets/exam")
    (book / "assets/quizzes/products.yml").write_text(PRODUCTS)
    (book / "chapters/1-sums/multiplying.md").write_text("# Multiplying\n\n(the-product)=\n\n## Products\n")
    files = "".join(f"      - file: chapters/1-sums/{page}\n" for page in ("adding", "multiplying"))
    (book / "_toc.yml").write_text(
        f"format: jb-book\nroot: chapters/intro\nparts:\n  - caption: 1 · Sums\n    chapters:\n{files}"
    )
    return book


def test_a_quiz_draws_from_its_banks(course: Path):
    """Each draw names a bank of the package that has as many questions; pyslet reads their keys."""
    assert main(["banks", str(course / "out")], course) == 0
    with zipfile.ZipFile(course / "out/1-sums.qti.zip") as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    manifest = ElementTree.fromstring(files["imsmanifest.xml"])
    named = {file.get("href") for file in manifest.iterfind(".//{*}file")}
    assert named | {"imsmanifest.xml"} == set(files)
    banks = {
        bank.ident: [read_item(item) for item in bank.ObjectMixin]
        for bank in (parsed(text).ObjectBank for name, text in files.items() if name.endswith(".qti"))
    }
    quiz = ElementTree.fromstring(files["fm-1-sums/fm-1-sums.xml"])  # pyslet knows no draws inside a section
    draws = {
        one.findtext("{*}sourcebank_ref"): int(one.findtext("{*}selection_number", ""))
        for one in quiz.iterfind(".//{*}section/{*}selection_ordering/{*}selection")
    }
    assert draws == {"fm-1-sums-adding": 2, "fm-1-sums-multiplying": 2}
    assert {bank: len(items) for bank, items in banks.items()} == {
        "fm-1-sums-adding": 4,
        "fm-1-sums-multiplying": 2,
    }
    second, third = banks["fm-1-sums-multiplying"]
    assert (second.key, third.key) == ("products-product-2", "products-product-3")
    assert second.grade({"response1": {"2"}})[0] == 100
    assert [list(one.labels["response1"].values()) for one in (second, third)] == [
        ["3", "6", "10", "100"],
        ["4", "8", "17", "100"],
    ]
    meta = ElementTree.fromstring(files["fm-1-sums/assessment_meta.xml"])
    assert [meta.findtext(f"{{*}}{name}") for name in ("allowed_attempts", "shuffle_answers")] == [
        "2",
        "true",
    ]


def test_moodle_has_a_category_a_chapter(course: Path):
    """For random questions: each with the variants that no page shows, and with shuffled answers."""
    write_banks(course, course / "out")
    found: dict[str, list[str]] = {}
    for element in ElementTree.parse(course / "out/question-bank.moodle.xml").getroot():
        if element.get("type") == "category":
            category = element.findtext("category/text", "")
        else:
            found.setdefault(category, []).append(element.findtext("name/text", ""))
            assert element.findtext("shuffleanswers", "true") == "true"
    assert list(found) == [
        "$course$/top/Training Foundation Models/1 · Sums/Adding",
        "$course$/top/Training Foundation Models/1 · Sums/Multiplying",
    ]
    assert [len(keys) for keys in found.values()] == [4, 2]


def test_a_measured_item_names_page_and_run(course: Path):
    write_banks(course, course / "out")
    export(course, course / "out")
    asked = {question.key: question for question in read_qti(course / "out/sums.qti.zip")}["sums-loss"].stem
    moodle_text = (course / "out/question-bank.moodle.xml").read_text()
    for text in (visible(asked), moodle_text, visible_page(course / "out/sums.sheet.html")):
        assert "The page: " in text
        assert "The sum of" in text
        assert "chapters/sums.ipynb" in text


def answers(sheet_file: Path, key: Path) -> dict[str, set[str]]:
    """The right options of each choice of a form, by its stem: letters from the key, texts from the form."""
    forms, keys = (
        BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser").select("body > ol > li")
        for path in (sheet_file, key)
    )
    found = {}
    for asked, answered in zip(forms, keys, strict=True):
        stem = flat(asked.select_one(".stem").text)
        assert stem == flat(answered.select_one(".stem").text)
        options = [flat(one.text) for one in asked.select("ol[type=A] > li")]
        right = flat(answered.select_one(".key").text).split(" and ")
        choices = options and all(len(letter) == 1 for letter in right)
        found[stem] = {options["ABCDEFGHI".index(letter)] for letter in right} if choices else set()
    return found


@pytest.fixture(scope="module")
def banks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The banks of the book itself."""
    folder = tmp_path_factory.mktemp("banks")
    write_banks(tiny.ROOT, folder)
    return folder


@pytest.mark.slow
def test_forms_of_the_book(banks: Path):
    """A and B have the same questions and right answers in other orders; two draws have none in common. The
    first asks only what every course teaches."""
    places, common = read_sections(tiny.ROOT), in_every_course(tiny.ROOT)
    bank = {item.id: item for items in read_bank(tiny.ROOT).values() for item in items}
    known = {visible(printed(one.stem)): item for item in bank.values() for one in (item, *item.variants)}
    for module in ("1-pretraining", "2-finetuning", "3-adaptation", "4-evaluation"):
        drawn = []
        for draw in (1, 2):
            forms = [banks / f"forms/{module}-draw-{draw}-form-{form}.html" for form in "ab"]
            a, b = (answers(form, form.with_name(f"{form.stem}-key.html")) for form in forms)
            assert list(a) != list(b)
            assert {known[stem].id for stem in a} == {known[stem].id for stem in b}
            assert all(b[stem] == right for stem, right in a.items() if stem in b)
            drawn.append({known[stem].id for stem in a})
            pages = {places[known[stem].section].page for stem in a}
            assert (pages <= common) == (draw == 1), module
        assert len(drawn[0]) == len(drawn[1]) == 20
        assert not drawn[0] & drawn[1]


@pytest.mark.slow
def test_banks_of_a_module_are_read_back(banks: Path):
    """By pyslet, and by Moodle's paths: every question of its chapters, with its key."""
    *_, whole = read_quizzes(tiny.ROOT)
    module = next(one for one in read_modules(tiny.ROOT, whole) if one.name == "3-adaptation")
    for chapter in module.chapters:
        name = f"fm-{module.name}-{chapter.name.rpartition('/')[2]}"
        with zipfile.ZipFile(banks / f"{module.name}.qti.zip") as archive:
            items = parsed(archive.read(f"non_cc_assessments/{name}.xml.qti")).ObjectBank.ObjectMixin
        quiz = replace(chapter, questions=with_variants(chapter))
        check_asked(quiz, [read_item(item) for item in items], PARTIAL)
    questions = [one for chapter in module.chapters for one in with_variants(chapter)]
    check_moodle(replace(whole, questions=tuple(questions)), banks / f"{module.name}.moodle.xml", PARTIAL)
