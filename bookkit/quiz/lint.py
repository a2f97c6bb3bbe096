"""The rules for quiz items that a program can check, each in one function, over the whole bank.

A rule has an id, a threshold and a reason. Reading a bank already rejects what is not an item: a wrong number
of options, steps or pairs, a missing rationale, an ordering that is shown sorted, a match beside its prompt
(see `bookkit.quiz.items`). The rules here are about items that work, and could still be better.
Most come from the literature on item writing (Haladyna, Downing & Rodriguez 2002, "A review of
multiple-choice item-writing guidelines"); shares are of the whole bank, since an exam draws from all of it.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from bookkit.quiz import testwise
from bookkit.quiz.bank import Bank, distractors, keys, number, position
from bookkit.quiz.forms import FORMS, shares, usable
from bookkit.quiz.items import CHOICE, Answer, Item, Mistake, Option, Pair, Step
from bookkit.quiz.objectives import OBJECTIVES, SERVICES, guide
from bookkit.quiz.places import shown
from bookkit.quiz.testwise import content, plain, words

# From 14 multiple-choice items on, whole items can meet a share of 25 ± 5% for each of the four letters,
# whatever their number. Writers choose the places, so there is no further chance to allow for.
ENOUGH = 14


@dataclass(frozen=True)
class Finding:
    """A place that breaks a rule; a warning is shown and fails nothing."""

    file: str
    line: int
    rule: str
    message: str
    warning: bool

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.rule}{' (warning)' if self.warning else ''}: {self.message}"


BankCheck = Callable[[Bank], Iterator[tuple[str, int, str]]]
ItemCheck = Callable[[Item, Bank], Iterator[tuple[int, str]]]


@dataclass(frozen=True)
class Rule:
    """`check` yields file, line and message of each place that breaks it."""

    id: str
    threshold: str
    why: str
    warning: bool
    check: BankCheck


RULES: list[Rule] = []


def bank_rule(id: str, threshold: str, why: str) -> Callable[[BankCheck], BankCheck]:
    def register(check: BankCheck) -> BankCheck:
        RULES.append(Rule(id, threshold, why, False, check))
        return check

    return register


def item_rule(id: str, threshold: str, why: str, warning: bool = False) -> Callable[[ItemCheck], ItemCheck]:
    def register(check: ItemCheck) -> ItemCheck:
        def over_items(bank: Bank) -> Iterator[tuple[str, int, str]]:
            for file, item in bank.items:
                found = (place for one in (item, *item.variants) for place in check(one, bank))
                for line, message in dict.fromkeys(found):
                    yield file, line, message

        RULES.append(Rule(id, threshold, why, warning, over_items))
        return check

    return register


EXAM_PAGE = "chapters/back/exam.md"


def lint(bank: Bank) -> list[Finding]:
    """Every finding, by file and line."""
    found = [
        Finding(file, line, rule.id, message, rule.warning)
        for rule in RULES
        for file, line, message in rule.check(bank)
    ]
    return sorted(found, key=lambda finding: (finding.file, finding.line, finding.rule))


# --- the stem ---------------------------------------------------------------------------------------------


def lead_in(stem: str) -> str:
    """The question itself: the last sentence of the stem."""
    return re.split(r"(?<=[.!?:])\s+", stem.strip())[-1]


@item_rule("lead-in", "ends in '?'", "an unfinished sentence makes the reader work on grammar")
def check_lead_in(item: Item, bank: Bank) -> Iterator[tuple[int, str]]:
    if not item.stem.endswith("?"):
        yield item.line, "the stem must end in a question"


COVERED = re.compile(
    r"\bwhich (one )?"
    r"(of (the following|these)|(statement|answer|option|sentence)s? (below|is|are|best|about))",
    re.I,
)


@item_rule(
    "covered", "no 'which of the following'", "a good question can be answered with the options covered"
)
def check_covered(item: Item, bank: Bank) -> Iterator[tuple[int, str]]:
    if match := COVERED.search(item.stem):
        yield item.line, f"{match[0]!r} asks nothing by itself: say what is asked for"


NEGATIVE = re.compile(r"\b(not|except|never|least likely|cannot|\w+n['’]t)\b", re.I)


@item_rule(
    "negative-capitals", "NOT and EXCEPT in capitals", "a negation in the question is easily overlooked"
)
def check_negative_capitals(item: Item, bank: Bank) -> Iterator[tuple[int, str]]:
    match = NEGATIVE.search(lead_in(item.stem))
    if match and not match[0].isupper():
        yield item.line, f"{match[0]!r} in the question: ask for what is right, or write it in capitals"


@bank_rule("negative-share", "5% of the bank at most", "knowing what is wrong is not knowing what is right")
def check_negative_share(bank: Bank) -> Iterator[tuple[str, int, str]]:
    negative = [(file, item) for file, item in bank.items if NEGATIVE.search(lead_in(item.stem))]
    if len(negative) > 0.05 * len(bank.items):
        file, item = negative[0]
        yield (
            file,
            item.line,
            f"{len(negative)} of {len(bank.items)} questions are negative, over 5%",
        )


CRITERION = re.compile(r"\b(LEAST|MOST|LOWEST|HIGHEST|FEWEST|SMALLEST|LARGEST|FASTEST|SHORTEST|CHEAPEST)\b")
# "Which method is this?" asks for a name and needs no criterion.
SELECTION = re.compile(
    r"\bwhich (\w+ ){0,2}?(approach|technique|method|option|solution|service|strategy|way)"
    r"\b(?! (is|was|did|does|do) (this|that|it|they|the|an?|described|shown|used)\b)",
    re.I,
)


@item_rule(
    "criterion", "exactly one: LEAST cost, MOST …", "several options may work; a criterion makes one right"
)
def check_criterion(item: Item, bank: Bank) -> Iterator[tuple[int, str]]:
    question = lead_in(item.stem)
    criteria = CRITERION.findall(question)
    if len(criteria) > 1:
        yield item.line, f"{len(criteria)} criteria ({', '.join(criteria)}): name one"
    elif SELECTION.search(question) and not criteria:
        yield (
            item.line,
            "a choice between ways needs its criterion in capitals, such as LEAST effort",
        )


COUNTS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}


@item_rule(
    "count", "a count in the question is right", "the page adds 'Choose two.', which must not contradict"
)
def check_count(item: Item, bank: Bank) -> Iterator[tuple[int, str]]:
    match = re.search(rf"\b(?:which|choose|select) ({'|'.join(COUNTS)})\b", item.stem, re.I)
    if item.options and match and COUNTS[match[1].lower()] != item.correct:
        yield item.line, f"the stem asks for {match[1].lower()}, but {item.correct} are correct"


# --- the options ------------------------------------------------------------------------------------------


@bank_rule(
    "key-position",
    f"25 ± 5% a letter, from {ENOUGH} items on",
    "writers tend to put the key at B or C, and readers know",
)
def check_key_position(bank: Bank) -> Iterator[tuple[str, int, str]]:
    letters = [(position(item), file, item) for file, item in bank.choices]
    counts = Counter(letter for letter, _, _ in letters)
    wrong = [letter for letter in "ABCD" if not 0.2 <= counts[letter] / max(len(letters), 1) <= 0.3]
    if len(letters) >= ENOUGH and wrong:
        most = max("ABCD", key=lambda letter: counts[letter])
        file, line = next((file, item.line) for letter, file, item in letters if letter == most)
        shown = ", ".join(f"{letter} {counts[letter]}" for letter in "ABCD")
        yield (
            file,
            line,
            f"of {len(letters)} keys {shown}; each letter needs 20 to 30%: move keys away from {most}",
        )


@bank_rule("key-run", "3 at most", "a fourth B in a row makes a reader doubt what is right")
def check_key_run(bank: Bank) -> Iterator[tuple[str, int, str]]:
    run, last = 0, ""
    for file, item in bank.choices:
        run = run + 1 if position(item) == last else 1
        last = position(item)
        if run == 4:
            yield file, item.line, f"the key of four questions in a row is {last}"


@bank_rule("longest-share", "35% of the bank at most", "writers qualify what is right and so make it long")
def check_longest_share(bank: Bank) -> Iterator[tuple[str, int, str]]:
    long = [(file, item) for file, item in bank.choices if key_is_longest(item)]
    if len(bank.choices) >= ENOUGH and len(long) > 0.35 * len(bank.choices):
        names = ", ".join(item.id for _, item in long)
        yield (
            long[0][0],
            long[0][1].line,
            f"the key is the longest option in {len(long)} of {len(bank.choices)} items, over 35%: {names}",
        )


@item_rule("key-length", "0.7 to 1.3 of the others", "a key of another length is found without reading")
def check_key_length(item: Item, bank: Bank) -> Iterator[tuple[int, str]]:
    if item.options:
        key, others = mean_length(keys(item)), max(mean_length(distractors(item)), 1)
        # Names cannot be stretched: "BLEU" beside "BERTScore" is no giveaway.
        if not 0.7 <= key / others <= 1.3 and abs(key - others) > 8:
            yield (
                keys(item)[0].line,
                f"the key has {key:.0f} characters and the others {others:.0f} on average, "
                f"{key / others:.2f} times; 0.7 to 1.3 is right",
            )


ABOVE = re.compile(r"(?i:\b(all|none|both|neither|any|either) of the (above|other))|\b[A-I] (and|or) [A-I]\b")


@item_rule("above", "none", "'all of the above' is solved by knowing two options, or none")
def check_above(item: Item, bank: Bank) -> Iterator[tuple[int, str]]:
    for option in item.options:
        if match := ABOVE.search(option.text):
            yield option.line, f"{match[0]!r} refers to other options: write what is meant"


LETTER = re.compile(
    r"\b(?i:options?|answers?|choices?|match(?:es)?|letters?) [A-I]\b"
    r"|\b(?i:the (?:first|second|third|fourth|fifth|last|previous|next) (?:option|choice))\b"
)


@item_rule("letter", "no option by its letter or place", "the exam shows options in another order each time")
def check_letter(item: Item, bank: Bank) -> Iterator[tuple[int, str]]:
    parts: list[Option | Step | Pair] = [*item.options, *item.steps, *item.pairs]
    for part in parts:
        if match := LETTER.search(part.rationale):
            yield part.line, f"{match[0]!r} depends on the order that is shown: say what it says"


ABSOLUTE = set(words("always never every all none only must entirely completely guaranteed impossible"))
VAGUE = set(words("usually often sometimes generally typically may might could probably perhaps"))


@item_rule("absolute", "not in distractors alone", "'always' marks what is wrong, 'usually' what is right")
def check_absolute(item: Item, bank: Bank) -> Iterator[tuple[int, str]]:
    if not item.options:
        return
    in_key = {word for option in keys(item) for word in words(option.text)}
    in_others = {word for option in distractors(item) for word in words(option.text)}
    for kind, marks in (("absolute", ABSOLUTE), ("vague", VAGUE)):
        if in_others & marks and not in_key & marks:
            line = next(one.line for one in distractors(item) if {*words(one.text)} & marks)
            yield line, f"{kind} words in distractors alone: {', '.join(sorted(in_others & marks))}"
    if in_key & VAGUE and not in_others & VAGUE:
        yield keys(item)[0].line, f"vague words in the key alone: {', '.join(sorted(in_key & VAGUE))}"


@item_rule(
    "clue", "no word in stem and key alone", "an echo of the question gives the key away", warning=True
)
def check_clue(item: Item, bank: Bank) -> Iterator[tuple[int, str]]:
    if item.type == CHOICE:
        (key,) = keys(item)
        elsewhere = {word for option in distractors(item) for word in content(option.text)}
        shared = (content(key.text) & content(item.stem)) - elsewhere
        if shared:
            yield key.line, f"the stem and the key alone share {', '.join(sorted(shared))}"


@item_rule("parallel", "same ending, opening and unit", "the odd one out gets chosen, whatever it says")
def check_parallel(item: Item, bank: Bank) -> Iterator[tuple[int, str]]:
    if not item.options:
        return
    texts = [plain(option.text).strip() for option in item.options]
    line = item.options[0].line
    if len({text.endswith((".", "!", "?")) for text in texts}) > 1:
        yield line, "some options end in a period and some do not"
    if len({text[0].islower() for text in texts if text[:1].isalpha()}) > 1:
        yield line, "some options begin with a capital and some do not"
    if len({text.lower().startswith("to ") for text in texts}) > 1:
        yield line, "some options begin with 'To …' and some do not"
    openings = {words(option.text)[:1][0] for option in distractors(item) if words(option.text)}
    if len(openings) == 1 and all(words(option.text)[:1] != [*openings] for option in keys(item)):
        yield keys(item)[0].line, f"every option but the key begins with {next(iter(openings))!r}"
    numbers = [number(option.text) for option in item.options]
    units = {found[1] for found in numbers if found}
    if None not in numbers and len(units) > 1:
        yield line, f"numbers of different units: {', '.join(sorted(unit or 'none' for unit in units))}"


@item_rule("sorted", "numbers in order", "order saves readers a search, and hides the key")
def check_sorted(item: Item, bank: Bank) -> Iterator[tuple[int, str]]:
    found = [number(option.text) for option in item.options]
    values = [one[0] for one in found if one]
    if values and len(values) == len(found) and values not in (sorted(values), sorted(values, reverse=True)):
        yield item.options[0].line, "options that are numbers must be in order"


def mean_length(options: list[Option]) -> float:
    return fmean(len(plain(option.text)) for option in options)


def key_is_longest(item: Item) -> bool:
    """Whether the key of a multiple choice has more characters than each other option."""
    key = len(plain(keys(item)[0].text))
    return all(len(plain(option.text)) < key for option in distractors(item))


# --- what goes with an item -------------------------------------------------------------------------------


@item_rule("rationale", "15 to 60 words", "shorter explains nothing, longer is not read")
def check_rationale(item: Item, bank: Bank) -> Iterator[tuple[int, str]]:
    explained: list[Option | Step | Pair | Answer | Mistake] = [*item.options, *item.steps, *item.pairs]
    explained += [*item.mistakes, *([item.answer] if item.answer else [])]
    for part in explained:
        count = len(part.rationale.split())
        if not 15 <= count <= 60:
            yield part.line, f"the rationale has {count} words; 15 to 60 are right"


@item_rule("objective", f"is in {OBJECTIVES}", "an item that no objective asks for belongs elsewhere")
def check_objective(item: Item, bank: Bank) -> Iterator[tuple[int, str]]:
    if item.objective not in bank.objectives:
        yield item.line, f"the guide has no objective {item.objective}"


@item_rule("section", "is a label of a chapter", "readers who were wrong must be able to read it again")
def check_section(item: Item, bank: Bank) -> Iterator[tuple[int, str]]:
    if item.section not in bank.sections:
        yield item.section_line, f"no chapter has the label {item.section!r}"


SERVICE = re.compile(r"\b(Bedrock|SageMaker|Amazon (Nova|Titan)|Titan Text)\b")


@item_rule(
    "service", "is a fact of services.yml", "what a service does changes, and the item must change with it"
)
def check_service(item: Item, bank: Bank) -> Iterator[tuple[int, str]]:
    texts = [item.stem, *(option.text for option in item.options), *(step.text for step in item.steps)]
    texts += [text for pair in item.pairs for text in (pair.prompt, pair.match)]
    if item.service is not None and item.service not in bank.services:
        yield item.line, f"services.yml has no fact {item.service!r}"
    elif item.service is None and (match := SERVICE.search(" ".join(texts))):
        yield item.line, f"it names {match[0]}: name the fact of services.yml behind it (`service`)"


@item_rule("measured", "the committed output says the same", "a measured key must be what the code measures")
def check_measured(item: Item, bank: Bank) -> Iterator[tuple[int, str]]:
    if item.answer:
        try:
            value = measure(bank.root, item.answer)
        except LookupError as error:
            yield item.answer.line, str(error.args[0])
        else:
            if not abs(value - item.answer.value) <= item.answer.tolerance:
                yield (
                    item.answer.line,
                    f"the key is {item.answer.value:g}, and the notebook measures {value:g}, "
                    f"more than {item.answer.tolerance:g} away",
                )


def measure(root: Path, answer: Answer) -> float:
    """The number in the committed output of the answer's cell; raises LookupError where there is none."""
    source = answer.measured
    path = root / source.notebook
    if not path.is_file():
        raise LookupError(f"there is no notebook {source.notebook}")
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    cell = next((cell for cell in cells if cell.get("id") == source.cell), None)
    if cell is None:
        raise LookupError(f"{source.notebook} has no cell {source.cell!r}")
    match = re.search(source.find, printed(cell))
    if match is None or match[1] is None:
        raise LookupError(f"nothing in the output of cell {source.cell!r} matches {source.find!r}")
    try:
        return float(match[1].replace(",", ""))
    except ValueError:
        raise LookupError(f"cell {source.cell!r} gives {match[1]!r}, which is not a number") from None


def printed(cell: dict[str, Any]) -> str:
    """All text that a code cell has put out."""
    texts = [
        output.get("text") or output.get("data", {}).get("text/plain", "")
        for output in cell.get("outputs", [])
    ]
    return "\n".join("".join(text) for text in texts)


@bank_rule(
    "future", "no day after today", "nobody can have compared a key yet on a day that is still to come"
)
def check_future(bank: Bank) -> Iterator[tuple[str, int, str]]:
    today = date.today()
    for file, item in bank.items:
        if item.verified_on and item.verified_on > today:
            yield file, item.line, f"verified_on is {item.verified_on}, which is still to come"
    for fact in bank.services.values():
        if fact.verified_on > today.isoformat():  # 2026-11 is before each of its days
            yield SERVICES, 1, f"verified_on of {fact.id!r} is {fact.verified_on}, which is still to come"


@item_rule(
    "verified", "the day of the last comparison", "a key that nobody compared with its source may be wrong"
)
def check_verified(item: Item, bank: Bank) -> Iterator[tuple[int, str]]:
    if item.verified_on is None:
        yield item.line, "say when the key was last compared with what proves it (`verified_on`)"


# --- the bank as a whole ----------------------------------------------------------------------------------


@bank_rule("id", "once in the bank", "exports and mixed sets put items of several files together")
def check_id(bank: Bank) -> Iterator[tuple[str, int, str]]:
    taken: dict[str, str] = {}
    for file, item in bank.items:
        if item.id in taken:
            yield file, item.line, f"the id {item.id!r} is already used by an item of {taken[item.id]}"
        taken.setdefault(item.id, file)


@bank_rule("duplicate", "cosine of stems under 0.9", "the same question twice counts twice and teaches once")
def check_duplicate(bank: Bank) -> Iterator[tuple[str, int, str]]:
    items = bank.items
    close = np.triu(similarity([item.stem for _, item in items]), k=1)
    for first, second in np.argwhere(close >= 0.9):
        file, item = items[second]
        other_file, other = items[first]
        yield (
            file,
            item.line,
            f"the stem repeats that of {other.id!r} ({other_file}:{other.line}), "
            f"cosine {close[first, second]:.2f}",
        )


def similarity(texts: list[str]) -> np.ndarray:
    """The cosine of each two texts, (n, n), over their words weighted by TF-IDF: a word that is in df of
    them weighs ln((1 + n) / (1 + df)) + 1."""
    counts = [Counter(words(text)) for text in texts]
    vocabulary = {
        word: column for column, word in enumerate(sorted({word for one in counts for word in one}))
    }
    table = np.zeros((len(texts), len(vocabulary)))
    for row, one in enumerate(counts):
        for word, count in one.items():
            table[row, vocabulary[word]] = count
    table *= np.log((1 + len(texts)) / (1 + (table > 0).sum(axis=0))) + 1
    table /= np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-12)
    return np.asarray(table @ table.T)


@bank_rule(
    "test-wise", "chance + 10 points at most", "knowing only how items are written must not be enough to pass"
)
def check_test_wise(bank: Bank) -> Iterator[tuple[str, int, str]]:
    items = [(file, item) for file, item in bank.items if item.options]
    if len(items) < ENOUGH:
        return
    only = [item for _, item in items]
    limit = testwise.chance(only) + 0.10
    for name, habit in testwise.HABITS.items():
        score = testwise.score(only, habit)
        if score > limit:
            scores = [testwise.expected(item, habit(item)) for item in only]
            file, item = items[scores.index(max(scores))]
            yield (
                file,
                item.line,
                f"taking {name} scores {score:.0%}, over {limit:.0%}; start here",
            )


LEARNABLE = 100  # a classifier of fewer questions learns nothing that would hold for others


@bank_rule(
    "learned",
    f"chance + 10 points at most, from {LEARNABLE} items on",
    "a reader of many items learns how keys look, without learning the subject",
)
def check_learned(bank: Bank) -> Iterator[tuple[str, int, str]]:
    items = [(file, item) for file, item in bank.items if item.options]
    if len(items) < LEARNABLE:
        return
    only = [item for _, item in items]
    limit = testwise.chance(only) + 0.10
    for name, features in testwise.LEARNED.items():
        scores = testwise.learned(only, features)
        if fmean(scores) > limit:
            file, item = items[scores.index(max(scores))]
            yield (
                file,
                item.line,
                f"a classifier of {name} scores {fmean(scores):.0%}, over {limit:.0%}; start here",
            )


@bank_rule(
    "forms",
    "questions for two exams, half of them in no chapter",
    "an exam of known questions shows what was kept in mind, not what is understood",
)
def check_forms(bank: Bank) -> Iterator[tuple[str, int, str]]:
    if not (bank.root / EXAM_PAGE).is_file():
        return
    asked, reserve = usable(bank), bank.quizzes.keys() - shown(bank.root)
    for domain, count in shares(guide(bank.root).domains).items():
        own = [quiz for quiz, item in asked if item.objective.startswith(f"{domain.id}.")]
        hidden = sum(quiz in reserve for quiz in own)
        need = len(FORMS) * count
        if len(own) < need or hidden < need / 2:
            yield (
                OBJECTIVES,
                1,
                f"domain {domain.id} has {len(own)} questions for the forms, {hidden} of them in no chapter; "
                f"{need} are needed, half of them in no chapter",
            )


@bank_rule(
    "coverage", "3 for an owned objective, 1 for each page's", "what is taught is asked, and asked there"
)
def check_coverage(bank: Bank) -> Iterator[tuple[str, int, str]]:
    for objective in bank.objectives.values():
        within = [item for _, item in bank.items if item.objective == objective.id and not item.beyond]
        if objective.role == "owned" and objective.pages and len(within) < 3:
            yield (
                OBJECTIVES,
                objective.line,
                f"{objective.id} is owned and taught, and has {len(within)} of 3 items within the exam",
            )
        for page in objective.pages:
            led_to = {bank.sections[item.section].page for item in within if item.section in bank.sections}
            if page not in led_to:
                yield (
                    OBJECTIVES,
                    objective.line,
                    f"{objective.id} is taught on {page}, and no item leads there",
                )
