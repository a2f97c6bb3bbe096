"""QTI 1.2 in a zip, as Canvas imports it (Settings → Import Course Content → QTI .zip file).

The structure is that of Canvas's own exports (instructure/canvas-lms, lib/cc/qti), and the elements are those
of IMS QTI 1.2.1, ASI XML Binding. Three things follow from what Canvas's Classic Quizzes can do:

- There is no ordering, so each step is matched with its place.
- A numerical question has right answers only (the importer takes every numeric condition for one), so the
  known mistakes stand in the comment on a wrong answer.
- The choices of a matching are a menu, so they are plain text.
"""

from decimal import Decimal
from pathlib import Path
from xml.etree.ElementTree import Element

from bookkit.quiz.exports import page
from bookkit.quiz.exports.files import add, document, write_zip
from bookkit.quiz.exports.quizzes import Question, Quiz
from bookkit.quiz.exports.text import plain, rich
from bookkit.quiz.items import CHOICE, MATCHING, NUMERIC, ORDERING, RESPONSE, Answer, Item

QTI = "http://www.imsglobal.org/xsd/ims_qtiasiv1p2"
PACKAGE = "http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1"
TYPES = {
    CHOICE: "multiple_choice_question",
    RESPONSE: "multiple_answers_question",
    ORDERING: "matching_question",
    MATCHING: "matching_question",
    NUMERIC: "numerical_question",
}
RESPONSE_ID = "response1"


def write(quiz: Quiz, path: Path) -> None:
    inside = f"{quiz.name}/{quiz.name}.xml"
    write_zip(path, {"imsmanifest.xml": manifest(quiz, inside), inside: assessment(quiz)})


def manifest(quiz: Quiz, inside: str) -> bytes:
    root = Element("manifest", identifier=f"fm-{quiz.name}-manifest", xmlns=PACKAGE)
    metadata = add(root, "metadata")
    add(metadata, "schema", "IMS Content")
    add(metadata, "schemaversion", "1.1.3")
    add(root, "organizations")
    resources = add(root, "resources")
    resource = add(resources, "resource", identifier=f"fm-{quiz.name}", type="imsqti_xmlv1p2")
    add(resource, "file", href=inside)
    return document(root)


def assessment(quiz: Quiz) -> bytes:
    root = Element("questestinterop", xmlns=QTI)
    whole = add(root, "assessment", ident=f"fm-{quiz.name}", title=f"{quiz.book}: {quiz.title}")
    section = add(whole, "section", ident="root_section")
    for question in quiz.questions:
        add_item(section, question)
    return document(root)


def add_item(section: Element, question: Question) -> None:
    item = question.item
    element = add(section, "item", ident=f"fm-{question.key}", title=question.key)
    metadata = add(add(element, "itemmetadata"), "qtimetadata")
    for label, entry in (("question_type", TYPES[item.type]), ("points_possible", "1.0")):
        field = add(metadata, "qtimetadatafield")
        add(field, "fieldlabel", label)
        add(field, "fieldentry", entry)
    presentation = add(element, "presentation")
    asked = "" if item.type == CHOICE else f"<p>{page.hint(item, rich)}</p>"
    material(presentation, f"<div><p>{rich(item.stem)}</p>{asked}</div>")
    processing = add(element, "resprocessing")
    outcomes = add(processing, "outcomes")
    add(outcomes, "decvar", maxvalue="100", minvalue="0", varname="SCORE", vartype="Decimal")
    feedback(otherwise(processing), "general_fb")
    if item.answer:
        comments = add_number(presentation, processing, item.answer)
        if item.mistakes:
            feedback(otherwise(processing), "general_incorrect_fb")
            comments["general_incorrect_fb"] = page.listed(page.mistakes(item), rich)
    elif item.options:
        comments = add_options(presentation, processing, item)
    else:
        comments = add_matches(presentation, processing, item)
    for ident, comment in {"general_fb": page.again(question, rich), **comments}.items():
        flow = add(add(element, "itemfeedback", ident=ident), "flow_mat")
        material(flow, comment)


def material(parent: Element, html: str) -> None:
    add(add(parent, "material"), "mattext", html, texttype="text/html")


def condition(processing: Element, go_on: bool) -> tuple[Element, Element]:
    """A condition to be filled, and what it stands in."""
    outer = add(processing, "respcondition", **{"continue": "Yes" if go_on else "No"})
    return add(outer, "conditionvar"), outer


def otherwise(processing: Element) -> Element:
    variables, outer = condition(processing, go_on=True)
    add(variables, "other")
    return outer


def feedback(outer: Element, ident: str) -> None:
    add(outer, "displayfeedback", feedbacktype="Response", linkrefid=ident)


def add_options(presentation: Element, processing: Element, item: Item) -> dict[str, str]:
    """One point where all right options and no others are chosen, as on the exam."""
    cardinality = "Single" if item.type == CHOICE else "Multiple"
    response = add(presentation, "response_lid", ident=RESPONSE_ID, rcardinality=cardinality)
    choices, comments = add(response, "render_choice"), {}
    for ident, option in enumerate(item.options, start=1):
        material(add(choices, "response_label", ident=f"{ident}"), rich(option.text))
        comments[f"{ident}_fb"] = rich(option.rationale)
        variables, outer = condition(processing, go_on=True)
        add(variables, "varequal", f"{ident}", respident=RESPONSE_ID)
        feedback(outer, f"{ident}_fb")
    variables, outer = condition(processing, go_on=False)
    where = variables if item.type == CHOICE else add(variables, "and")
    for ident, option in enumerate(item.options, start=1):
        if option.correct:
            add(where, "varequal", f"{ident}", respident=RESPONSE_ID)
        elif item.type == RESPONSE:
            add(add(where, "not"), "varequal", f"{ident}", respident=RESPONSE_ID)
    add(outer, "setvar", "100", action="Set", varname="SCORE")
    return comments


def add_matches(presentation: Element, processing: Element, item: Item) -> dict[str, str]:
    """An equal part of the point for each right match; the comment comes with a wrong one."""
    if item.pairs:
        rows = [(pair.prompt, pair.shown, pair.rationale) for pair in item.pairs]
        matches = [plain(pair.match) for pair in page.shown(item)]
    else:
        rows = [(step.text, step.place, step.rationale) for step in item.steps]
        matches = [f"{place}" for place in range(1, len(item.steps) + 1)]
    comments = {}
    for ident, (text, match, rationale) in enumerate(rows, start=1):
        response = add(presentation, "response_lid", ident=f"response_{ident}")
        material(response, rich(text))
        choices = add(response, "render_choice")
        for number, label in enumerate(matches, start=1):
            choice = add(add(choices, "response_label", ident=f"{number}"), "material")
            add(choice, "mattext", label, texttype="text/plain")
        variables, outer = condition(processing, go_on=True)
        add(variables, "varequal", f"{match}", respident=f"response_{ident}")
        add(outer, "setvar", f"{100 / len(rows):.2f}", action="Add", varname="SCORE")
        variables, outer = condition(processing, go_on=True)
        add(add(variables, "not"), "varequal", f"{match}", respident=f"response_{ident}")
        feedback(outer, f"{ident}_fb")
        comments[f"{ident}_fb"] = rich(rationale)
    return comments


def add_number(presentation: Element, processing: Element, answer: Answer) -> dict[str, str]:
    response = add(presentation, "response_str", ident=RESPONSE_ID, rcardinality="Single")
    add(add(response, "render_fib", fibtype="Decimal"), "response_label", ident="answer1")
    variables, outer = condition(processing, go_on=False)
    either = add(variables, "or")
    value, tolerance = (Decimal(page.number(number)) for number in (answer.value, answer.tolerance))
    add(either, "varequal", f"{value}", respident=RESPONSE_ID)
    between = add(either, "and")
    add(between, "vargte", f"{value - tolerance}", respident=RESPONSE_ID)
    add(between, "varlte", f"{value + tolerance}", respident=RESPONSE_ID)
    add(outer, "setvar", "100", action="Set", varname="SCORE")
    feedback(outer, "1_fb")
    return {"1_fb": rich(answer.rationale)}
