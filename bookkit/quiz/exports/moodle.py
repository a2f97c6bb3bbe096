"""Moodle XML (Question bank → Import → Moodle XML format).

The elements are those that Moodle's importer reads (question/format/xml/format.php). Where Moodle has no
feedback for a part, in matching and ordering, the rationales stand in the general feedback, shown after the
answer. Ordering is Moodle's own question type `ordering`: part of Moodle since 4.4, before that the plugin
qtype_ordering, without which the import leaves these questions out.
"""

from pathlib import Path
from xml.etree.ElementTree import Element

from bookkit.quiz.exports import page
from bookkit.quiz.exports.files import add, document
from bookkit.quiz.exports.quizzes import Question, Quiz
from bookkit.quiz.exports.text import plain, rich
from bookkit.quiz.items import CHOICE, MATCHING, NUMERIC, ORDERING, RESPONSE, Item

TYPES = {CHOICE: "multichoice", RESPONSE: "multichoice", ORDERING: "ordering", MATCHING: "matching"}
TYPES[NUMERIC] = "numerical"


def write(quiz: Quiz, path: Path) -> None:
    root = Element("quiz")
    category = ""
    for question in quiz.questions:
        if question.quiz != category:
            category = question.quiz
            chosen = add(root, "question", type="category")
            text(add(chosen, "category"), f"$course$/top/{quiz.book}/{category}".replace("//", "/"))
        add_question(root, question)
    path.write_bytes(document(root))


def text(parent: Element, content: str) -> None:
    add(parent, "text", content)


def html(parent: Element, tag: str, content: str, **attributes: str) -> Element:
    element = add(parent, tag, format="html", **attributes)
    text(element, content)
    return element


def add_question(root: Element, question: Question) -> None:
    item = question.item
    element = add(root, "question", type=TYPES[item.type])
    text(add(element, "name"), question.key)
    asked = "" if item.type == ORDERING else f"<p>{page.hint(item, rich)}</p>"  # the steps are dragged
    html(element, "questiontext", f"<p>{rich(item.stem)}</p>{asked}")
    everywhere = page.reasons(item, rich) if item.steps or item.pairs else ""
    html(element, "generalfeedback", everywhere + page.again(question, rich))
    add(element, "defaultgrade", "1")
    add(element, "penalty", "0.3333333")
    add(element, "hidden", "0")
    add(element, "idnumber", question.key)
    fill = {ORDERING: add_steps, MATCHING: add_pairs, NUMERIC: add_numbers}.get(item.type, add_options)
    fill(element, item)
    tags = add(element, "tags")
    for name in page.tags(question):
        text(add(tags, "tag"), name)


def add_options(element: Element, item: Item) -> None:
    """The right options share the point; where several are, a wrong choice costs what a right one gives."""
    add(element, "single", "true" if item.type == CHOICE else "false")
    add(element, "shuffleanswers", "true")
    add(element, "answernumbering", "ABCD")
    share = f"{100 / item.correct:.5f}".rstrip("0").rstrip(".")  # a fraction of Moodle's fixed list
    wrong = "0" if item.type == CHOICE else f"-{share}"
    for option in item.options:
        answer = html(element, "answer", rich(option.text), fraction=share if option.correct else wrong)
        html(answer, "feedback", rich(option.rationale))


def add_steps(element: Element, item: Item) -> None:
    add(element, "layouttype", "VERTICAL")
    add(element, "selecttype", "ALL")
    add(element, "selectcount", f"{len(item.steps)}")
    add(element, "gradingtype", "ABSOLUTE_POSITION")
    add(element, "showgrading", "SHOW")
    add(element, "numberingstyle", "none")
    for step in page.ordered(item):
        html(element, "answer", rich(step.text), fraction=f"{step.place}")


def add_pairs(element: Element, item: Item) -> None:
    add(element, "shuffleanswers", "true")
    for pair in item.pairs:
        row = html(element, "subquestion", rich(pair.prompt))
        text(add(row, "answer"), plain(pair.match))


def add_numbers(element: Element, item: Item) -> None:
    """The answer, then the known mistakes, worth nothing: Moodle takes the first that fits."""
    assert item.answer
    tolerance = page.number(item.answer.tolerance)
    numbers = [("100", item.answer.value, item.answer.rationale)]
    numbers += [("0", mistake.value, mistake.rationale) for mistake in item.mistakes]
    for fraction, value, rationale in numbers:
        answer = add(element, "answer", fraction=fraction, format="moodle_auto_format")
        text(answer, page.number(value))
        html(answer, "feedback", rich(rationale))
        add(answer, "tolerance", tolerance)
