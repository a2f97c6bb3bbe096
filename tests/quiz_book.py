"""A small book with every page widget, and quizzes of all types, for the tests of the widgets."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import tiny

CHOICES = """\
- id: sum
  type: multiple-choice
  objective: 3.3.1
  section: the-sum
  bloom: understand
  stem: What is $1 + 1$?
  options:
    - text: One
      rationale: It forgets the second *one*.
    - text: Two
      correct: true
      rationale: One and one are two.
    - text: Three
      rationale: It counts the plus sign.
    - text: Four
      rationale: It adds twice.
- id: even
  type: multiple-response
  objective: 3.3.1
  section: the-sum
  bloom: understand
  stem: Which numbers are even?
  options:
    - {text: Six, correct: true, rationale: Three and three.}
    - {text: Seven, rationale: One is left over.}
    - {text: Eight, correct: true, rationale: Four and four.}
    - {text: Nine, rationale: One is left over.}
    - {text: Eleven, rationale: One is left over.}
"""

OTHERS = """\
- id: order
  type: ordering
  objective: 3.3.2
  section: the-sum
  bloom: apply
  stem: In which order is $1 + 1$ computed?
  steps:
    - {text: Write the result, place: 3, rationale: Only what is known can be written.}
    - {text: Read both numbers, place: 1, rationale: Nothing can be added before it is read.}
    - {text: Add the *numbers*, place: 2, rationale: It takes both numbers and gives the result.}
- id: names
  type: matching
  objective: 3.3.2
  section: the-sum
  bloom: remember
  stem: What is each sign called?
  pairs:
    - {prompt: "$+$", match: plus, shown: 2, rationale: It adds.}
    - {prompt: The one that takes one number from another, match: minus, shown: 3, rationale: It takes away.}
    - {prompt: "$\\\\times$", match: "times, the sign of a product of numbers of any size, $xy$", shown: 1,
       rationale: It multiplies.}
- id: floor
  type: numeric
  objective: 3.4.2
  beyond: true
  section: the-sum
  bloom: analyze
  stem: How high is the floor?
  answer:
    value: 0.43
    tolerance: 0.02
    unit: nats per token
    rationale: It is the entropy of the world.
    measured: {notebook: chapters/1-sums/adding.ipynb, cell: floor-value, find: "floor ([0-9.]+)"}
  mistakes:
    - {value: 0.62, rationale: These are bits.}
    - {value: 1.53, rationale: This is the perplexity.}
"""

INTRO = """# Sums

(the-sum)=
## The sum

Text.

## Quiz

```{quiz} sums
```
"""

CHAPTER = """# Adding up

Text.

## More questions

```{quiz} signs
```
"""

EXPLORER = """# A life

Text above the picture.

```{pipeline-explorer}
```

Text below the picture.
"""

MATH = r"""# Math

In a line: $\frac{1}{2}$, $-\log p$ and $\hat{y} \in \mathbb{R}^{d}$, as {eq}`the-floor` says.

| what | formula | value |
|---|---|---|
| a sum | $\sum_{i=1}^{n} x_i$ | $\tfrac{n(n+1)}{2}$ |
| a root | $\sqrt{d_k}$ | $\lVert x \rVert_2$ |

$$
L = -\frac{1}{N} \sum_{i=1}^{N} \log p_\theta\left(x_i \mid x_{<i}\right)
$$ (the-floor)

$$
\begin{pmatrix} a & b \\ c & d \end{pmatrix}
\begin{bmatrix} 1 & 0 \\ 0 & \frac{1}{2} \end{bmatrix}
= \left( \int_0^\infty e^{-x^2} \, dx \right)^2
$$

\begin{align}
\operatorname{softmax}(x)_i &= \frac{e^{x_i}}{\sum_j e^{x_j}} \\
\operatorname{attention}(Q, K, V) &= \operatorname{softmax}\left( \frac{QK^\top}{\sqrt{d_k}} \right) V
\qquad \text{for each head, and each layer}
\end{align}
"""

GUESS: dict[str, Any] = {
    "prompt": "Once upon a",
    "top": [{"word": "time", "p": 0.6}, {"word": "midnight", "p": 0.3}, {"word": "'s", "p": 0.05}],
    "model": "A small one.",
    "command": "fmkit pretrain 'a b'",
}


def look(step: int, wrong: bool) -> dict[str, Any]:
    """A snapshot of a run, whose story ends in *drum*: right or wrong."""
    text = f"Zoe lost a kite. She found the {'drum' if wrong else 'kite'}."
    return {
        "step": step,
        "tokens": 1000 * step,
        "learning_rate": 0.008 / step,
        "loss": 0.5 + 3 / step,
        "true": 0.5,
        "places": {
            "phrase": [1000, 1],
            "choice": [500, 0],
            "pronoun": [40, 10],
            "memory": [9, 3],
            "number": [0, 0],
        },
        "continued": [
            {
                "text": text,
                "wrong": [31, 36] if wrong else None,
                "expected": "expected: kite" if wrong else None,
            },
            {"text": text[:31], "wrong": [31, 31], "expected": "expected: kite"},
        ],
    }


COURSE: dict[str, Any] = {
    "command": "python -m course",
    "model": {"vocab_size": 1024},
    "floor": 0.43,
    "prompts": {"a toy": "Zoe lost a kite.", "a cut": "Zoe lost"},
    "runs": [
        {"command": "python -m course seed=0", "snapshots": [{"loss": 1.0}]},
        {
            "command": "python -m course steps=80",
            "snapshots": [look(step, wrong=step < 80) for step in (10, 20, 40, 60, 80)],
        },
    ],
}

METHODS = """# Methods

```{methods}
```

(life-techniques)=
## Techniques

(ft-task)=
## A task

(ft-instructions)=
## Instructions

(ft-adapters)=
## Adapters

(ft-preferences)=
## Preferences
"""

LESSON = """title: A life in a picture
purpose: One picture shows a <life>.
level: introductory
minutes: 12
chapter: ft-task
needs: [Nothing]
activities:
  - minutes: 5
    do: Press 1.
    see: An example.
  - minutes: 7
    do: Press 2.
    see: Another.
questions:
  - ask: How many?
    answer: Two.
sections: [ft-adapters]
sources: [hu2021]
"""

TOC = """format: jb-book
root: chapters/intro
chapters:
  - file: chapters/1-sums/adding
  - file: chapters/back/progress
  - file: chapters/back/explorer
  - file: chapters/back/guess
  - file: chapters/back/snapshots
  - file: chapters/back/calculator
  - file: chapters/back/payback
  - file: chapters/back/scaling
  - file: chapters/back/checklist
  - file: chapters/back/rank
  - file: chapters/back/replay
  - file: chapters/back/methods
  - file: chapters/back/soften
  - file: chapters/back/gaps
  - file: chapters/back/batching
  - file: chapters/back/parallel
  - file: chapters/back/threshold
  - file: chapters/back/annotate
  - file: chapters/back/crawl
  - file: chapters/back/overlap
  - file: chapters/back/traces
  - file: chapters/back/rater
  - file: chapters/back/business
  - file: chapters/back/math
  - file: chapters/back/inspector
  - file: chapters/back/tokens
  - file: chapters/back/attention
  - file: chapters/back/labs
"""


def write(folder: Path) -> Path:
    book = tiny.write(folder, INTRO)
    for quiz in (book / "assets/quizzes").glob("*.yml"):
        quiz.unlink()
    (book / "assets/quizzes/sums.yml").write_text(CHOICES)
    (book / "assets/quizzes/signs.yml").write_text(OTHERS)
    first = CHOICES.partition("- id: even")[0]
    many = "".join(first.replace("id: sum", f"id: sum-{number}") for number in range(12))
    (book / "assets/quizzes/many.yml").write_text(many)  # on no page: for the review alone
    (book / "chapters/1-sums").mkdir()
    (book / "chapters/1-sums/adding.md").write_text(CHAPTER)
    back = book / "chapters/back"
    (back / "progress.md").write_text((tiny.ROOT / "chapters/back/progress.md").read_text())
    (back / "explorer.md").write_text(EXPLORER)
    (back / "math.md").write_text(MATH)
    (back / "guess.md").write_text("# A guess\n\n```{guess} once\n```\n")
    (back / "snapshots.md").write_text("# A course\n\n```{snapshots} course\n```\n")
    (back / "methods.md").write_text(METHODS)
    labels = re.findall(r"section: (\S+)", (tiny.ROOT / "assets/checklist/questions.yml").read_text())
    taught = "".join(f"\n({label})=\n## {label}\n" for label in labels)
    (back / "checklist.md").write_text(f"# A checklist\n\n```{{checklist}}\n```\n{taught}")
    (back / "calculator.md").write_text("# What it takes\n\n```{calculator}\n```\n")
    (back / "payback.md").write_text("# Own or hosted\n\n```{payback}\n```\n")
    (back / "scaling.md").write_text("# What a budget buys\n\n```{scaling}\n```\n")
    (back / "rank.md").write_text("# Ranks\n\n```{rank}\n```\n")
    (back / "replay.md").write_text("# Replay\n\n```{replay}\n```\n")
    (back / "rater.md").write_text("# A rater\n\n```{rater}\n```\n")
    (back / "business.md").write_text("# A case\n\n```{business-case}\n```\n")
    (back / "annotate.md").write_text("# Answers\n\n```{annotate}\n```\n")
    (back / "crawl.md").write_text("# Twelve pages\n\n```{crawl}\n```\n")
    (back / "batching.md").write_text("# Batches\n\n```{batching}\n```\n")
    (back / "parallel.md").write_text("# Sharing\n\n```{parallel}\n```\n")
    (back / "gaps.md").write_text("# A gap\n\n```{gaps}\n```\n")
    (back / "soften.md").write_text("# A temperature\n\n```{soften}\n```\n")
    (back / "threshold.md").write_text("# A threshold\n\n```{threshold}\n```\n")
    (back / "traces.md").write_text("# Traces\n\n```{traces}\n```\n")
    (back / "overlap.md").write_text("# An overlap\n\n```{overlap}\n```\n")
    (book / "assets/runs").mkdir()
    for name in (
        "forgetting.json",
        "replay-texts.json",
        "serving.json",
        "agents.json",
        "lora-near.json",
        "lora-rank.json",
        "gaps.json",
        "soft-targets.json",
        "sorter.json",
    ):
        shutil.copy(tiny.ROOT / "assets/runs" / name, book / "assets/runs")
    (book / "assets/runs/course.json").write_text(json.dumps(COURSE))
    (book / "assets/guess/once.json").write_text(json.dumps(GUESS))
    (back / "inspector.md").write_text("# A record\n\n```{record-inspector}\n```\n")
    (back / "tokens.md").write_text("# Tokens\n\n```{tokens}\n```\n")
    (back / "attention.md").write_text("# Attention\n\n```{attention}\n```\n")
    for model in ("assistant", "base"):
        shutil.copytree(tiny.ROOT / "assets/models" / model, book / "assets/models" / model)
    (book / "assets/lessons").mkdir()
    for name in ("explorer", "guess-once"):
        (book / f"assets/lessons/{name}.yml").write_text(LESSON)
    (back / "labs.md").write_text("# Labs\n\n```{labs}\n```\n")
    shutil.copy(tiny.ROOT / "chapters/back/references.bib", back)
    (book / "_toc.yml").write_text(TOC)
    return book
