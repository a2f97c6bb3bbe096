"""What the bank covers and what it gives away, as Markdown: `make quiz-report`."""

from collections import Counter
from collections.abc import Iterable

from bookkit.quiz import testwise
from bookkit.quiz.bank import Bank, position
from bookkit.quiz.items import BLOOM, TYPES, Item
from bookkit.quiz.lint import key_is_longest
from bookkit.quiz.objectives import guide


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
    ]
    return "\n\n".join(parts)


def by_domain(bank: Bank) -> str:
    rows = []
    for domain in guide(bank.root).domains:
        items = [item for _, item in bank.items if item.objective.startswith(f"{domain.id}.")]
        share = f"{len(items) / max(len(bank.items), 1):.0%}"
        rows.append((f"{domain.id} {domain.title}", f"{domain.weight}%", len(items), share))
    return table(("domain", "weight on the exam", "items", "share of the bank"), rows)


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
    return table(("", ""), rows)


def listed(found: Counter[str], names: Iterable[str]) -> str:
    return ", ".join(f"{name} {found[name]}" for name in names)


def table(head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
