"""The `methods` directive: the ways to customize a model on one ladder, and which of them fits a case.

    ```{methods}
    ```

shows what each method changes, what it learns from, what it costs and what it is for, the cheapest first.
Four questions rule methods out, each with its reason, and the first that is left is named. An adapter is
no method of its own, so it is named beside the one that it trains. The scripts, methods.js over sift.js,
only compare the reader's answers with what the template says of each method; without a script, and on
paper, the ladder is all that there is.
"""

from dataclasses import dataclass
from typing import Any

from sphinx.application import Sphinx

from bookkit.site.page_widget import PageWidget

# The questions, with the answers to each: the name that methods refer to, and what the reader sees.
NEEDS = {
    "facts": "Facts that it does not know",
    "task": "One task with fixed answers",
    "answers": "The form or tone of its answers",
    "better": "A sense of which answer is better",
    "field": "The language of a field",
    "price": "Nothing: it is slow and expensive",
}
PROMPTED = {"no": "Not yet", "yes": "Yes: it is not enough"}
SOURCES = {
    "handful": "A handful of examples",
    "documents": "Documents with the facts",
    "examples": "Hundreds of examples with answers",
    "pairs": "Thousands of compared answers",
    "raw": "Much raw text of the field",
    "teacher": "A large model that does it well",
}
MEMORY = {"part": "A small part of the weights", "all": "All weights"}
QUESTIONS = {
    "need": ("What is missing?", NEEDS),
    "prompted": ("Have you measured a prompt with examples?", PROMPTED),
    "source": ("What is there to learn from?", SOURCES),
    "memory": ("What can you afford to train and store?", MEMORY),
}


@dataclass(frozen=True)
class Method:
    """A rung of the ladder. `cost` is 1 to 5, our judgment; `new` are the filled parts of its picture."""

    name: str
    label: str  # of the section that teaches it
    new: tuple[str, ...]
    changes: str
    source: str
    cost: int
    best_for: str
    exam: str
    needs: tuple[str, ...]
    sources: tuple[str, ...]
    unfit: str  # why, where the need is another
    lacks: str  # what it wants, where there is something else to learn from
    trains: bool = True

    @property
    def fits(self) -> dict[str, tuple[str, ...]]:
        """The answers that leave it, by their questions; a prompt is left until it was measured."""
        return {"need": self.needs, "source": self.sources} if self is not PROMPT else {"prompted": ("no",)}

    @property
    def reasons(self) -> dict[str, str]:
        """What rules it out, by the question."""
        if self is PROMPT:
            return {"prompted": "you have measured it, and it is not enough."}
        return {"need": self.unfit, "source": self.lacks}


PROMPT = Method(
    name="Prompting",
    label="life-techniques",
    new=("prompt",),
    changes="no weight; the prompt",
    source="an example or two",
    cost=1,
    best_for="Always first: say what you want, and show an example or two.",
    exam="prompt engineering; zero-shot, few-shot, in-context learning",
    needs=tuple(NEEDS),
    sources=tuple(SOURCES),
    unfit="",
    lacks="",
    trains=False,
)
RETRIEVAL = Method(
    name="Retrieval (RAG)",
    label="life-techniques",
    new=("documents", "prompt"),
    changes="no weight; passages in the prompt",
    source="your documents",
    cost=2,
    best_for="Facts that change, or that must be cited.",
    exam="Retrieval Augmented Generation (RAG), knowledge base",
    needs=("facts",),
    sources=("documents", "examples", "raw"),
    unfit="It looks up facts and teaches no skill.",
    lacks="It needs documents that hold the facts.",
    trains=False,
)
ADAPTER = Method(
    name="An adapter (LoRA)",
    label="ft-adapters",
    new=("adapter",),
    changes="a few added weights",
    source="the same as the methods below",
    cost=2,
    best_for="A cheaper way to run one of the methods below; many tasks on one model.",
    exam="parameter-efficient fine-tuning (PEFT), low-rank adaptation (LoRA)",
    needs=("task", "answers", "better", "field", "price"),
    sources=("examples", "pairs", "raw", "teacher"),
    unfit="Facts are easier to look up than to train.",
    lacks="It learns from what the methods below need.",
)
TASK = Method(
    name="Fine-tuning for a task",
    label="ft-task",
    new=("head", "model"),
    changes="a new head, and the weights below",
    source="hundreds of texts with labels",
    cost=3,
    best_for="One task with fixed answers: sorting, scoring.",
    exam="fine-tuning on labeled data, transfer learning",
    needs=("task",),
    sources=("examples",),
    unfit="It picks one of its labels and writes no answers.",
    lacks="It needs hundreds of texts with labels.",
)
INSTRUCTIONS = Method(
    name="Instruction tuning",
    label="ft-instructions",
    new=("model",),
    changes="all weights",
    source="requests with the answers wanted",
    cost=3,
    best_for="Answers in your form or tone, to requests of many kinds.",
    exam="instruction tuning, instruction-based fine-tuning",
    needs=("answers",),
    sources=("examples",),
    unfit="It teaches a way of answering, and this needs something else.",
    lacks="It needs hundreds of requests with answers.",
)
PREFERENCES = Method(
    name="Learning from preferences",
    label="ft-preferences",
    new=("model",),
    changes="all weights",
    source="answers that people compared",
    cost=4,
    best_for="The better of answers that are all possible: kinder, safer, clearer.",
    exam="reinforcement learning from human feedback (RLHF), alignment",
    needs=("better",),
    sources=("pairs",),
    unfit="It chooses among answers that the model gives already.",
    lacks="It needs thousands of answers that people compared.",
)
DISTILLATION = Method(
    name="Distillation",
    label="life-techniques",
    new=("small",),
    changes="all weights of a smaller model",
    source="a large model’s answers",
    cost=4,
    best_for="A task that works, made cheaper and faster for every answer.",
    exam="model distillation; teacher and student",
    needs=("price",),
    sources=("teacher",),
    unfit="It makes a good model cheaper, and no model better.",
    lacks="It needs a large model that does it well.",
)
CONTINUED = Method(
    name="Continuous pre-training",
    label="life-techniques",
    new=("model",),
    changes="all weights",
    source="much raw text without labels",
    cost=5,
    best_for="A field with a language of its own: law, medicine.",
    exam="continuous (or continued) pre-training, domain adaptation",
    needs=("field",),
    sources=("raw",),
    unfit="It teaches the language of a field, and this needs something else.",
    lacks="It needs much raw text of the field.",
)
METHODS = (
    PROMPT,
    RETRIEVAL,
    ADAPTER,
    TASK,
    INSTRUCTIONS,
    PREFERENCES,
    DISTILLATION,
    CONTINUED,
)
# Cases of the shop and its neighbors, with their answers to the questions in order, and what fits.
CASES = (
    ("A first try, six sample answers", ("answers", "no", "handful", "all"), PROMPT, False),
    ("Rules that change monthly", ("facts", "yes", "documents", "all"), RETRIEVAL, False),
    ("Forty letters a day to sort", ("task", "yes", "examples", "all"), TASK, False),
    ("A bot in the shop’s tone", ("answers", "yes", "examples", "all"), INSTRUCTIONS, False),
    ("Three bots, one small server", ("answers", "yes", "examples", "part"), INSTRUCTIONS, True),
    ("Right answers, but rude", ("better", "yes", "pairs", "all"), PREFERENCES, False),
    ("A law office’s contracts", ("field", "yes", "raw", "all"), CONTINUED, False),
    ("Twenty labels, nothing else", ("task", "yes", "handful", "part"), None, False),
)


class Methods(PageWidget):
    """The ladder of methods, and four questions."""

    widget = "methods"

    def values(self) -> dict[str, Any]:
        cases = [(name, answers) for name, answers, *_ in CASES]
        return {"methods": METHODS, "questions": QUESTIONS, "cases": cases, "adapter": ADAPTER}


def setup(app: Sphinx) -> None:
    app.add_directive("methods", Methods)
