"""The `exam` directive: a practice exam from the book's bank.

exam-rules.js draws and scores, exam.js asks, exam-report.js says what came out.

    ```{exam}
    ```

The page says how many questions the bank has for each domain of the exam; the script loads them when an exam
starts, and draws some by the domains' weights. Questions that go beyond the exam are left out.
"""

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from bookkit.quiz.directive import Questions
from bookkit.quiz.items import Item
from bookkit.quiz.objectives import OBJECTIVES, Domain, guide, read_objectives


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
        return {
            "quizzes": quizzes,
            "bank": self.later_name(),
            "count": count,
            "asked": len({item.objective for item in items}),
            "summary": summary(items, count, len(objectives)),
            "titles": {one.id: one.title for one in objectives.values()},
        }

    def bank(self) -> dict[str, list[Item]]:
        """Those that the exam could ask."""
        asked = {name: [item for item in items if not item.beyond] for name, items in super().bank().items()}
        return {name: items for name, items in asked.items() if items}


def summary(items: list[Item], count: dict[Domain, int], objectives: int) -> str:
    """What the bank has, and what it lacks."""
    asked = len({item.objective for item in items})
    have = f"{len(items)} question{'' if len(items) == 1 else 's'}"
    said = f"The bank has {have} so far, on {asked} of the exam’s {objectives} objectives."
    missing = [domain for domain, some in count.items() if not some]
    if not missing:
        return said
    *most, last = (str(domain.id) for domain in missing)
    which = f"domains {', '.join(most)} and {last}" if most else f"domain {last}"
    share = sum(domain.weight for domain in missing)
    return f"{said} It has none on {which}, {share}% of the real exam: prepare for that elsewhere."


def setup(app: Sphinx) -> None:
    app.add_directive("exam", Exam)
