"""The `exam` directive: a practice exam from the book's bank.

exam-rules.js draws and scores, exam.js asks, exam-report.js says what came out.

    ```{exam}
    ```

The page says how many questions the bank has for each domain of the exam; the script loads them when an exam
or practice starts. Forms A and B are fixed (see `bookkit.quiz.forms`), other exams are drawn by the domains'
weights. Left out are questions that go beyond the exam, and those that ask for a measured number.
"""

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from bookkit.quiz.bank import Bank
from bookkit.quiz.directive import Questions
from bookkit.quiz.forms import QUESTIONS, full_forms
from bookkit.quiz.items import NUMERIC, Item
from bookkit.quiz.objectives import OBJECTIVES, Domain, Objective, guide, read_objectives
from bookkit.quiz.places import shown


class Exam(Questions):
    """The bank's questions by domain, and the place where the exam is taken."""

    widget = "exam"

    def values(self) -> dict[str, Any]:
        root = Path(self.env.srcdir)
        self.source(OBJECTIVES)
        exam, objectives = guide(root), read_objectives(root)
        quizzes = self.bank()
        items = [item for quiz in quizzes.values() for item in quiz]
        count = {
            domain: sum(item.objective.startswith(f"{domain.id}.") for item in items)
            for domain in exam.domains
        }
        reserve = sorted(quizzes.keys() - shown(root))
        forms = full_forms(Bank(root, quizzes, objectives, {}, {}))
        return {
            "quizzes": quizzes,
            "bank": self.later_name(),
            "count": count,
            "asked": {item.objective for item in items},
            "summary": summary(items, sum(len(quizzes[quiz]) for quiz in reserve), count, len(objectives)),
            "taught": {one.id: teaching(one) for one in objectives.values()},
            "titles": {one.id: one.title for one in objectives.values()},
            "reserve": reserve,
            "forms": {
                form: [f"{quiz}/{item.id}" for quiz, item in asked]
                for form, asked in forms.items()
                if len(asked) == QUESTIONS
            },
        }

    def bank(self) -> dict[str, list[Item]]:
        """Those that the exam could ask."""
        asked = {
            name: [item for item in items if not item.beyond and item.type != NUMERIC]
            for name, items in super().bank().items()
        }
        return {name: items for name, items in asked.items() if items}


PAGES = 4  # that the report names of an objective
GENERAL = ("overview", "wrap-up")  # pages that teach some of everything


def teaching(objective: Objective) -> list[str]:
    """The pages that teach it, as far as the report names them: those about a subject come first."""
    return sorted(objective.pages, key=lambda page: page.rpartition("/")[2] in GENERAL)[:PAGES]


def summary(items: list[Item], reserve: int, count: dict[Domain, int], objectives: int) -> str:
    """What the bank has, and what it lacks."""
    asked = len({item.objective for item in items})
    have = f"{len(items)} question{'' if len(items) == 1 else 's'}"
    part = "all" if asked == objectives else f"{asked}"
    said = f"The bank has {have}, on {part} of the exam’s {objectives} objectives; "
    said += f"{reserve} of them are in no chapter."
    missing = [domain for domain, some in count.items() if not some]
    if not missing:
        return said
    *most, last = (str(domain.id) for domain in missing)
    which = f"domains {', '.join(most)} and {last}" if most else f"domain {last}"
    share = sum(domain.weight for domain in missing)
    return f"{said} It has none on {which}, {share}% of the real exam: prepare for that elsewhere."


def setup(app: Sphinx) -> None:
    app.add_directive("exam", Exam)
