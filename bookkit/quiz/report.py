"""What the bank covers and what it gives away, as Markdown: `make quiz-report`."""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from statistics import fmean

from bookkit.quiz import testwise
from bookkit.quiz.bank import Bank, position
from bookkit.quiz.forms import usable
from bookkit.quiz.items import BLOOM, TYPES, Item
from bookkit.quiz.lint import key_is_longest
from bookkit.quiz.objectives import guide, proof
from bookkit.quiz.places import shown

AWS = "aws.amazon.com"


def report(bank: Bank) -> str:
    """Coverage by domain and objective, and the marks of form that a test-wise reader could use."""
    exam = guide(bank.root)
    items = [item for _, item in bank.items]
    parts = [
        "# The quiz bank",
        f"{len(items)} items in {len(bank.quizzes)} files, for the {exam.code} guide v{exam.version} of "
        f"{exam.published:%Y-%m-%d}; {sum(item.beyond for item in items)} go beyond the exam.",
        "## By domain",
        by_domain(bank),
        "## By objective",
        "Objectives that the book owns, that a page teaches, or that an item is about.",
        by_objective(bank),
        "## By type, level and difficulty",
        counts(items),
        "## What the form gives away",
        form(bank),
        "## To compare again",
        old(bank, date.today()),
    ]
    return "\n\n".join(parts)


def by_domain(bank: Bank) -> str:
    rows, asked, reserve = [], usable(bank), bank.quizzes.keys() - shown(bank.root)
    for domain in guide(bank.root).domains:
        items = [item for _, item in bank.items if item.objective.startswith(f"{domain.id}.")]
        share = f"{len(items) / max(len(bank.items), 1):.0%}"
        own = [quiz for quiz, item in asked if item.objective.startswith(f"{domain.id}.")]
        hidden = sum(quiz in reserve for quiz in own)
        row = (f"{domain.id} {domain.title}", f"{domain.weight}%", len(items), share)
        rows.append((*row, len(own), len(own) - hidden, hidden))
    head = ("domain", "weight on the exam", "items", "share of the bank")
    return table((*head, "an exam can ask", "in a chapter", "in none"), rows)


def by_objective(bank: Bank) -> str:
    rows = []
    for objective in bank.objectives.values():
        items = [item for _, item in bank.items if item.objective == objective.id]
        if items or objective.pages or objective.role == "owned":
            pages = ", ".join(page.rpartition("/")[2] for page in objective.pages)
            within = sum(not item.beyond for item in items)
            rows.append((objective.id, objective.title, objective.role, pages, within, len(items) - within))
    return table(("objective", "", "role", "taught in", "items", "beyond the exam"), rows)


def counts(items: list[Item]) -> str:
    types = Counter(item.type for item in items)
    levels = Counter(item.bloom for item in items)
    difficulties = Counter(item.difficulty or "none" for item in items)
    rows = [("type", listed(types, TYPES)), ("level", listed(levels, BLOOM))]
    rows.append(("difficulty", listed(difficulties, ("easy", "medium", "hard", "none"))))
    return table(("", "items"), rows)


def form(bank: Bank) -> str:
    choices = [item for _, item in bank.choices]
    letters = Counter(position(item) for item in choices)
    rows = [("key at", listed(letters, "ABCD"))]
    if choices:
        long = sum(key_is_longest(item) for item in choices)
        rows.append(("key is the longest option", f"{long} of {len(choices)}, {long / len(choices):.0%}"))
    answered = [item for _, item in bank.items if item.options]
    if answered:
        rows.append(("score of pure guessing", f"{testwise.chance(answered):.0%}"))
        for name, habit in testwise.HABITS.items():
            rows.append((f"score of taking {name}", f"{testwise.score(answered, habit):.0%}"))
        learned = testwise.LEARNED | {"all words of the options, also of the subject": testwise.wording}
        for name, features in learned.items():
            score = fmean(testwise.learned(answered, features))
            rows.append((f"score of a classifier of {name}", f"{score:.0%}"))
    return table(("", ""), rows)


def old(bank: Bank, today: date) -> str:
    """The items about services that were last compared over a year ago, and how many nobody has dated."""
    year = today.replace(year=today.year - 1, day=min(today.day, 28)).isoformat()
    rows = []
    for file, item in bank.items:
        source, day = proof(item, bank.services)
        about = item.service or (source and source.url and source.title.endswith(AWS))
        if about and day and day < year[: len(day)]:
            rows.append((day, f"{file}:{item.line}", item.id, source.title if source else ""))
    undated = sum(item.verified_on is None for _, item in bank.items)
    said = f"{len(rows)} items about services were last compared with their source over 12 months ago."
    listed = table(("compared", "place", "item", "source"), sorted(rows)) if rows else ""
    return "\n\n".join(filter(None, (said, listed, f"{undated} items have no `verified_on`.")))


def listed(found: Counter[str], names: Iterable[str]) -> str:
    return ", ".join(f"{name} {found[name]}" for name in names)


def table(head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
