"""The items of the quizzes: what a file of assets/quizzes/ holds, and how it is read.

A file is a list of items. Every item has

    - id: next-token                  # letters, digits, hyphens; unique in the file
      type: multiple-choice           # or multiple-response, ordering, matching, numeric
      objective: 3.3.1                # of the exam guide (assets/exam/objectives.yml)
      beyond: true                    # only where the item asks for more than the exam does
      section: pre-labels             # a label of the book, linked from the answer
      bloom: apply                    # remember, understand, apply, analyze or evaluate
      difficulty: medium              # easy, medium or hard; may be left out
      service: bedrock-evaluation     # only where it rests on a fact of assets/exam/services.yml
      source: https://…               # what proves the key, where neither the service nor the section does
      verified_on: "2026-11-26"       # the day on which the key was last compared with what proves it
      stem: Which …?                  # Markdown and $math$ in one paragraph, here and below

and what its type asks for. Choices are shown in the order of the file:

      options:                        # four, one of them correct; or five to nine, two or more correct
        - text: …
          correct: true               # on the right ones only
          rationale: …                # on every one: why it is right, or which mistake is behind it
      steps:                          # ordering: three to five
        - {text: …, place: 2, rationale: …}       # `place` 1 comes first
      pairs:                          # matching: three to seven; `shown` is the place among the matches
        - {prompt: …, match: …, shown: 2, rationale: …}
      answer:                         # numeric: a number that the reader measures by running the chapter
        value: 0.43
        tolerance: 0.02
        unit: nats per token
        rationale: …
        measured: {notebook: chapters/…/predicting.ipynb, cell: floor-value, find: "floor ([0-9.]+)"}
      mistakes:                       # numeric: values that common mistakes lead to; may be left out
        - {value: 1.53, rationale: …}

An item that calculates may have `variants`, the same with other numbers (see `bookkit.quiz.variants`). Pages
show the first; question banks and forms on paper use the others.

A faulty file raises `FmkitError` with its name, the line and the fault.
"""

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from bookkit.quiz.variants import variants
from bookkit.site.entries import Entry, read

FOLDER = "assets/quizzes"
CHOICE, RESPONSE, ORDERING, MATCHING, NUMERIC = TYPES = (
    "multiple-choice",
    "multiple-response",
    "ordering",
    "matching",
    "numeric",
)
BLOOM = ("remember", "understand", "apply", "analyze", "evaluate")
NAME = r"[a-z0-9]+(-[a-z0-9]+)*"
LETTERS = "ABCDEFGHI"  # of options and matches
NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@dataclass(frozen=True)
class Option:
    """An option of a choice."""

    text: str
    correct: bool
    rationale: str
    line: int


@dataclass(frozen=True)
class Step:
    """A step of an ordering; `place` counts from 1."""

    text: str
    place: int
    rationale: str
    line: int


@dataclass(frozen=True)
class Pair:
    """A prompt and its match; `shown` is the match's place, from 1, in the list that the reader sees."""

    prompt: str
    match: str
    shown: int
    rationale: str
    line: int


@dataclass(frozen=True)
class Measured:
    """Where a numeric answer comes from: a cell of a notebook, by its id, whose committed output `find` (a
    pattern with one group) reads. The tests run every cell again, so the key is computed anew each time."""

    notebook: str
    cell: str
    find: str


@dataclass(frozen=True)
class Answer:
    """A number that counts as right within `tolerance`."""

    value: float
    tolerance: float
    unit: str
    rationale: str
    measured: Measured
    line: int


@dataclass(frozen=True)
class Mistake:
    """A number that a common mistake leads to, and which mistake."""

    value: float
    rationale: str
    line: int


@dataclass(frozen=True)
class Item:
    """One question. Only the parts of its type are filled."""

    id: str
    type: str
    objective: str
    beyond: bool
    section: str
    section_line: int
    bloom: str
    difficulty: str | None
    service: str | None
    source: str | None
    verified_on: date | None
    stem: str
    line: int
    options: tuple[Option, ...] = ()
    steps: tuple[Step, ...] = ()
    pairs: tuple[Pair, ...] = ()
    answer: Answer | None = None
    mistakes: tuple[Mistake, ...] = ()
    variants: tuple["Item", ...] = ()  # the same with other numbers

    @property
    def correct(self) -> int:
        """How many options are right."""
        return sum(option.correct for option in self.options)

    @property
    def hint(self) -> str:
        """What to do, in a sentence, and what counts as right."""
        if not self.answer:
            return self.task
        return f"{self.task} Anything within {self.answer.tolerance:.10g} of it counts as right."

    @property
    def task(self) -> str:
        """What to do, in a sentence."""
        return {
            CHOICE: "Choose one.",
            RESPONSE: f"Choose {NUMBERS[self.correct]}.",
            ORDERING: f"Give each step its place, from 1 to {len(self.steps)}.",
            MATCHING: "Choose a match for each; use every match once.",
            NUMERIC: "Read it off the page, or run the chapter.",
        }[self.type]

    @property
    def version(self) -> str:
        """Changes with the question and its key: an answer to the old says nothing about the new.

        It begins with `wording`: an answer given where there was no key is known to be to this question.
        """
        key = (
            [option.correct for option in self.options],
            [step.place for step in self.steps],
            [pair.match for pair in self.pairs],
            self.answer and (self.answer.value, self.answer.tolerance),
        )
        return self.wording + _digest(key)

    @property
    def wording(self) -> str:
        """Changes with the question, and says nothing of its key, also to somebody who tries all of them."""
        question = (
            self.type,
            self.stem,
            [option.text for option in self.options],
            [step.text for step in self.steps],
            [pair.prompt for pair in self.pairs],
            [pair.match for pair in sorted(self.pairs, key=lambda pair: pair.shown)],
            self.answer and self.answer.unit,
        )
        return _digest(question)


def _digest(content: object) -> str:
    return hashlib.sha256(repr(content).encode()).hexdigest()[:8]


def read_bank(root: Path) -> dict[str, list[Item]]:
    """The items of every quiz of the book, by the name of their file without its ending."""
    files = sorted((root / FOLDER).glob("*.yml"))
    return {path.stem: read_quiz(path, f"{FOLDER}/{path.name}") for path in files}


def read_quiz(path: Path, file: str) -> list[Item]:
    """The items of a quiz file; raises FmkitError with `file`, line and the first fault."""
    items: dict[str, Item] = {}
    whole = read(path, file)
    for entry in whole.list("a quiz"):
        item = read_item(entry)
        if item.id in items:
            raise entry.fault(f"the id {item.id!r} is already used by an item above")
        items[item.id] = item
    if not items:
        raise whole.fault("a quiz needs at least one item")
    return list(items.values())


PARTS = {
    CHOICE: ("options",),
    RESPONSE: ("options",),
    ORDERING: ("steps",),
    MATCHING: ("pairs",),
    NUMERIC: ("answer",),
}


def read_item(entry: Entry) -> Item:
    """The item with the first numbers, and the others as its `variants`."""
    first, *others = items = [read_variant(one) for one in variants(entry)]
    if others and first.type == NUMERIC:
        raise entry.fault("what is measured has no variants")
    if len({item.version for item in items}) < len(items):
        raise entry.fault("two variants are the same question")
    return replace(first, variants=tuple(others))


def read_variant(entry: Entry) -> Item:
    required = ["id", "type", "objective", "section", "bloom", "stem"]
    optional = ["beyond", "difficulty", "service", "source", "verified_on"]
    optional += ["options", "steps", "pairs", "answer", "mistakes"]
    fields = entry.fields("an item", required, optional)
    kind = _one_of(fields["type"], "type", TYPES)
    wanted = {*PARTS[kind], *(["mistakes"] if kind == NUMERIC else [])}
    for name in ("options", "steps", "pairs", "answer", "mistakes"):
        if name in fields and name not in wanted:
            raise fields[name].fault(f"{kind} has no {name}")
    for name in PARTS[kind]:
        if name not in fields:
            raise entry.fault(f"{kind} is missing the key {name!r}")
    return Item(
        id=fields["id"].text("id", NAME, "lowercase letters, digits and hyphens"),
        type=kind,
        objective=fields["objective"].text("objective", r"[1-5]\.\d\.\d+", "a number such as 3.3.1"),
        beyond=fields["beyond"].flag("beyond") if "beyond" in fields else False,
        section=fields["section"].text("section", NAME, "a label such as pre-labels"),
        section_line=fields["section"].line,
        bloom=_one_of(fields["bloom"], "bloom", BLOOM),
        difficulty=_one_of(fields["difficulty"], "difficulty", ("easy", "medium", "hard"))
        if "difficulty" in fields
        else None,
        service=fields["service"].text("service", NAME, "an id of assets/exam/services.yml")
        if "service" in fields
        else None,
        source=fields["source"].text("source", r"https://\S+", "an https address")
        if "source" in fields
        else None,
        verified_on=fields["verified_on"].day("verified_on") if "verified_on" in fields else None,
        stem=fields["stem"].text("stem"),
        line=entry.line,
        options=read_options(fields["options"], kind) if "options" in fields else (),
        steps=read_steps(fields["steps"]) if "steps" in fields else (),
        pairs=read_pairs(fields["pairs"]) if "pairs" in fields else (),
        answer=read_answer(fields["answer"]) if "answer" in fields else None,
        mistakes=read_mistakes(fields["mistakes"]) if "mistakes" in fields else (),
    )


def _one_of(entry: Entry, name: str, choices: tuple[str, ...]) -> str:
    listed = f"{', '.join(choices[:-1])} or {choices[-1]}"
    return entry.text(name, "|".join(choices), listed)


def read_options(entry: Entry, kind: str) -> tuple[Option, ...]:
    options: list[Option] = []
    for one in entry.list("options"):
        fields = one.fields("an option", ("text", "rationale"), ["correct"])
        correct = fields["correct"].flag("correct") if "correct" in fields else False
        option = Option(fields["text"].text("text"), correct, fields["rationale"].text("rationale"), one.line)
        if option.text in [other.text for other in options]:
            raise fields["text"].fault("two options have the same text")
        options.append(option)
    count, right = len(options), sum(option.correct for option in options)
    if kind == CHOICE and (count != 4 or right != 1):
        raise entry.fault(f"{CHOICE} has 4 options, 1 of them correct; this has {count}, {right} correct")
    if kind == RESPONSE and not (5 <= count <= 9 and 2 <= right < count):
        raise entry.fault(
            f"{RESPONSE} has 5 to 9 options, 2 or more but not all of them correct; "
            f"this has {count}, {right} correct"
        )
    return tuple(options)


def read_steps(entry: Entry) -> tuple[Step, ...]:
    steps: list[Step] = []
    for one in entry.list("steps"):
        fields = one.fields("a step", ("text", "place", "rationale"))
        place = fields["place"].whole("place")
        step = Step(fields["text"].text("text"), place, fields["rationale"].text("rationale"), one.line)
        if step.text in [other.text for other in steps]:
            raise fields["text"].fault("two steps have the same text")
        steps.append(step)
    if not 3 <= len(steps) <= 5:
        raise entry.fault(f"{ORDERING} has 3 to 5 steps; this has {len(steps)}")
    places = [step.place for step in steps]
    if sorted(places) != list(range(1, len(steps) + 1)):
        raise entry.fault(f"the places must be 1 to {len(steps)}, each once; these are {places}")
    if places == sorted(places):
        raise entry.fault("the steps are shown in the right order already: shuffle them")
    return tuple(steps)


def read_pairs(entry: Entry) -> tuple[Pair, ...]:
    pairs: list[Pair] = []
    for one in entry.list("pairs"):
        fields = one.fields("a pair", ("prompt", "match", "shown", "rationale"))
        prompt, match = fields["prompt"].text("prompt"), fields["match"].text("match")
        shown, rationale = fields["shown"].whole("shown"), fields["rationale"].text("rationale")
        for name, text, others in (
            ("prompt", prompt, [pair.prompt for pair in pairs]),
            ("match", match, [pair.match for pair in pairs]),
        ):
            if text in others:
                raise fields[name].fault(f"two pairs have the same {name}")
        pairs.append(Pair(prompt, match, shown, rationale, one.line))
    if not 3 <= len(pairs) <= 7:
        raise entry.fault(f"{MATCHING} has 3 to 7 pairs; this has {len(pairs)}")
    shown_at = [pair.shown for pair in pairs]
    if sorted(shown_at) != list(range(1, len(pairs) + 1)):
        raise entry.fault(f"`shown` must be 1 to {len(pairs)}, each once; these are {shown_at}")
    for number, pair in enumerate(pairs, start=1):
        if pair.shown == number:
            raise entry.fault(f"the match of pair {number} is shown right beside it: shuffle `shown`")
    return tuple(pairs)


def read_answer(entry: Entry) -> Answer:
    fields = entry.fields("an answer", ("value", "tolerance", "unit", "rationale", "measured"))
    source = fields["measured"].fields("measured", ("notebook", "cell", "find"))
    find = source["find"].text("find")
    try:
        groups = re.compile(find).groups
    except re.error as error:
        raise source["find"].fault(f"find is not a valid pattern: {error}") from None
    if groups != 1:
        raise source["find"].fault("find needs one group, the number")
    tolerance = fields["tolerance"].number("tolerance")
    if not tolerance > 0:
        raise fields["tolerance"].fault("tolerance must be above zero")
    return Answer(
        value=fields["value"].number("value"),
        tolerance=tolerance,
        unit=fields["unit"].text("unit"),
        rationale=fields["rationale"].text("rationale"),
        measured=Measured(source["notebook"].text("notebook"), source["cell"].text("cell"), find),
        line=entry.line,
    )


def read_mistakes(entry: Entry) -> tuple[Mistake, ...]:
    mistakes = []
    for one in entry.list("mistakes"):
        fields = one.fields("a mistake", ("value", "rationale"))
        mistakes.append(
            Mistake(fields["value"].number("value"), fields["rationale"].text("rationale"), one.line)
        )
    return tuple(mistakes)
