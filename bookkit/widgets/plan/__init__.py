"""The `plan` directive: the ways to evaluate, and which of them make a plan for a case.

    ```{plan}
    ```

shows what each way judges, what it says and what it misses, in the order in which one uses them: with each
change, before the first use, in use. Three questions leave the ways that fit a case; what is left is the
plan. The scripts, plan.js over sift.js, only compare the reader's answers with what the template says of each
way; without a script, and on paper, the list is all that there is.
"""

from dataclasses import dataclass
from typing import Any

from sphinx.application import Sphinx

from bookkit.site.page_widget import PageWidget

# The questions, with the answers to each: the name that ways refer to, and what the reader sees.
JUDGED = {
    "model": "A model, before its use",
    "texts": "Summaries, translations",
    "free": "Texts good in many ways",
    "labels": "Labels: sorting, yes or no",
    "retrieval": "Answers from documents",
    "agent": "A task with tools",
    "business": "Whether it pays",
}
REFERENCE = {"yes": "Yes", "no": "No"}
STAKES = {
    "annoying": "It annoys",
    "expensive": "It costs money",
    "harmful": "It harms somebody",
}
QUESTIONS = {
    "judged": ("What is judged?", JUDGED),
    "reference": ("Is there a right answer to compare with?", REFERENCE),
    "stakes": ("What does a wrong answer do?", STAKES),
}


@dataclass(frozen=True)
class Way:
    """A way to evaluate; `reference` says whether it compares with a right answer, `least` from which stakes
    on it is worth its cost, and `section` where it is taught."""

    name: str
    section: str
    judged: tuple[str, ...]
    says: str
    misses: str
    reference: bool = False
    least: str = "annoying"

    @property
    def fits(self) -> dict[str, tuple[str, ...]]:
        """The answers that leave it in the plan, by their questions."""
        fits = {"judged": self.judged}
        if self.reference:
            fits["reference"] = ("yes",)
        if self.least != "annoying":
            fits["stakes"] = tuple(STAKES)[list(STAKES).index(self.least) :]
        return fits

    @property
    def reasons(self) -> dict[str, str]:
        """Why it is left out, by the question."""
        *others, last = (WORDS[one] for one in self.judged)
        harm = "harms somebody" if self.least == "harmful" else "costs money or harms somebody"
        return {
            "judged": f"it is for {', '.join(others)} and {last}." if others else f"it is for {last}.",
            "reference": "it needs a right answer to compare with.",
            "stakes": f"worth its cost only where a wrong answer {harm}.",
        }


WORDS = {
    "model": "a model",
    "texts": "summaries and translations",
    "free": "free texts",
    "labels": "labels",
    "retrieval": "answers from documents",
    "agent": "tasks with steps",
    "business": "the business",
}
# When a way is used, and the ways.
WAYS = {
    "With each change": (
        Way(
            "Perplexity",
            "ev-meanings",
            ("model",),
            "how well the model predicts held-out text",
            "whether its answers are any good; models with other tokenizers",
            reference=True,
        ),
        Way(
            "ROUGE and BLEU",
            "ev-words",
            ("texts",),
            "how many words match a reference",
            "paraphrase, and one wrong number",
            reference=True,
        ),
        Way(
            "BERTScore",
            "ev-meanings",
            ("texts",),
            "how close the words' meanings are to a reference",
            "negation and numbers",
            reference=True,
        ),
        Way(
            "Precision, recall and F1",
            "ev-meanings",
            ("labels",),
            "how many alarms are real, and how many cases are found",
            "how sure it was, and who bears the errors",
            reference=True,
        ),
        Way(
            "Recall@k of the retriever",
            "ev-rag",
            ("retrieval",),
            "how often the right passage is found",
            "what the model makes of it",
            reference=True,
        ),
        Way(
            "Task completion and right tool",
            "ev-agents",
            ("agent",),
            "how often the task ends well, and at which step it fails",
            "what customers feel",
            reference=True,
        ),
    ),
    "Before it is used": (
        Way(
            "Benchmark datasets",
            "ev-judges",
            ("model",),
            "how models rank on public questions",
            "your task, and what a model has seen before",
        ),
        Way(
            "LLM-as-a-judge",
            "ev-judges",
            ("model", "texts", "free", "retrieval", "agent"),
            "what a model with a rubric thinks of many answers",
            "its own bias for place and length, unless answers are swapped",
        ),
        Way(
            "Human evaluation",
            "ev-judges",
            ("model", "texts", "free", "retrieval", "agent"),
            "what people with a rubric think of a sample",
            "what is rare; it is slow and expensive",
            least="expensive",
        ),
        Way(
            "Calibration",
            "ev-meanings",
            ("labels",),
            "whether 90% sure means right nine times in ten",
            "which labels are wrong",
            reference=True,
            least="expensive",
        ),
        Way(
            "Results by group",
            "ev-responsible",
            ("free", "labels", "retrieval", "agent"),
            "for whom it is worse",
            "groups that the test lacks",
            least="harmful",
        ),
        Way(
            "A test for memorized data",
            "ev-responsible",
            ("model",),
            "whether private texts can be drawn out of it",
            "what nobody tried",
            least="harmful",
        ),
    ),
    "In use": (
        Way(
            "Faithfulness of each answer",
            "ev-rag",
            ("retrieval",),
            "whether the answer is in the passages",
            "whether the passages are right",
            least="expensive",
        ),
        Way(
            "Approval by a person",
            "ev-agents",
            ("agent",),
            "whether this step may be taken",
            "what the person waves through",
            least="expensive",
        ),
        Way(
            "Review of each case by a person",
            "ev-responsible",
            ("free", "labels", "retrieval"),
            "whether this answer or label may be used",
            "what the person waves through",
            least="harmful",
        ),
        Way(
            "Completion, satisfaction, cost per interaction",
            "ev-business",
            ("free", "retrieval", "agent", "business"),
            "what customers and the owner get",
            "the reason",
        ),
        Way(
            "A/B test",
            "ev-business",
            ("business",),
            "whether the change caused it",
            "effects that are slow or small",
        ),
        Way(
            "Energy and carbon",
            "ev-footprint",
            ("model", "business"),
            "what it takes from the planet, as a range",
            "what the provider does not publish",
            least="expensive",
        ),
    ),
}
# Cases of the shop and its neighbors, with their answers to the questions in order.
CASES = (
    ("Summaries of long letters", ("texts", "yes", "annoying")),
    ("Friendly replies to praise", ("free", "no", "annoying")),
    ("Praise or complaint?", ("labels", "yes", "expensive")),
    ("Prices from the price list", ("retrieval", "yes", "expensive")),
    ("A bot that sends refunds", ("agent", "yes", "expensive")),
    ("Which model to rent?", ("model", "no", "expensive")),
    ("Sorting job applications", ("labels", "yes", "harmful")),
    ("Advice on medicines", ("free", "no", "harmful")),
    ("Is the bot worth its price?", ("business", "no", "expensive")),
)


class Plan(PageWidget):
    """The ways to evaluate, and three questions."""

    widget = "plan"

    def values(self) -> dict[str, Any]:
        return {"ways": WAYS, "questions": QUESTIONS, "cases": CASES}


def setup(app: Sphinx) -> None:
    app.add_directive("plan", Plan)
