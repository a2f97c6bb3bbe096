"""The `exam` directive: a practice exam from the book's bank (exam-rules.js draws and scores, exam.js shows).

    ```{exam}
    ```

The page says how many questions the bank has for each domain of the exam and holds them, unseen; the script
draws some by the domains' weights. Questions that go beyond the exam are left out.
"""

import json
from pathlib import Path

from docutils import nodes

from bookkit.quiz.directive import Questions
from bookkit.quiz.items import Item, read_bank
from bookkit.quiz.objectives import OBJECTIVES, Domain, Guide, guide, read_objectives
from bookkit.site.html import html, report, tag
from fmkit.errors import FmkitError

UNSCRIPTED = (
    "Drawing questions and keeping time take JavaScript. The same questions stand in the chapters' quizzes."
)


class Exam(Questions):
    def run(self) -> list[nodes.Node]:
        root = Path(self.env.srcdir)
        self.env.note_dependency(str(root / OBJECTIVES))
        try:
            exam, objectives = guide(root), read_objectives(root)
        except FmkitError as error:
            report(error)
            return []
        return [
            tag(
                "section",
                tag("div", *self.start(exam, len(objectives)), class_="fm-exam-start"),
                tag("div", class_="fm-exam-stage fm-scripted"),
                self.bank(),
                asset="store quiz exam-rules exam",
                class_="fm-exam fm-quiz",
                aria_label="Practice exam",
                data_objectives=json.dumps({one.id: one.title for one in objectives.values()}),
            )
        ]

    def items(self, quiz: str) -> list[Item]:
        """Those that the exam could ask."""
        return [item for item in super().items(quiz) if not item.beyond]

    def start(self, exam: Guide, objectives: int) -> list[html]:
        try:
            quizzes = read_bank(Path(self.env.srcdir))
        except FmkitError:  # reported by `bank`
            quizzes = {}
        items = [item for quiz in quizzes.values() for item in quiz if not item.beyond]
        count = {
            domain: sum(item.objective.startswith(f"{domain.id}.") for item in items)
            for domain in exam.domains
        }
        return [
            tag("p", honest(items, count, objectives), class_="fm-exam-bank"),
            table(count),
            tag("p", UNSCRIPTED, class_="fm-unscripted"),
        ]


def honest(items: list[Item], count: dict[Domain, int], objectives: int) -> str:
    """What the bank has, and what it lacks."""
    asked = len({item.objective for item in items})
    have = f"{len(items)} question{'' if len(items) == 1 else 's'}"
    said = f"The bank has {have} so far, on {asked} of the exam's {objectives} objectives."
    missing = [domain for domain, some in count.items() if not some]
    if not missing:
        return said
    *most, last = (str(domain.id) for domain in missing)
    which = f"domains {', '.join(most)} and {last}" if most else f"domain {last}"
    share = sum(domain.weight for domain in missing)
    return f"{said} It has none on {which}, {share} % of the real exam: prepare for that elsewhere."


def table(count: dict[Domain, int]) -> html:
    heads = ("Domain", "Real exam", "In the bank", "Drawn")
    rows = [
        tag(
            "tr",
            tag("th", f"{domain.id} · {domain.title}", scope="row"),
            tag("td", f"{domain.weight} %"),
            tag("td", str(some) if some else "none yet"),
            tag("td", class_="fm-scripted"),
            data_domain=domain.id,
            data_weight=domain.weight,
            data_title=domain.title,
        )
        for domain, some in count.items()
    ]
    columns = [
        tag("th", head, scope="col", class_="fm-scripted" if head == heads[-1] else None) for head in heads
    ]
    return tag(
        "table",
        tag("caption", "Questions by domain"),
        tag("thead", tag("tr", *columns)),
        tag("tbody", *rows),
        class_="fm-exam-table",
    )
