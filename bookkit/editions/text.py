"""The text of a page for students: without solutions, and without what is not for them."""

import json
import re
from pathlib import Path
from typing import Any

FENCE = r"^(?P<{0}>`{{3,}}|:{{3,}})\{{{1}\}}.*?^(?P={0})[ \t]*$\n?"
SOLUTION = FENCE.format("solution", "solution")
HIDDEN = r"^% not for students$.*?^% for all$\n?"
ANSWERS = re.compile(f"{SOLUTION}|{HIDDEN}", re.MULTILINE | re.DOTALL)
LEFT = re.compile(
    r"\{solution|% not for students"
)  # in a page without answers: a mark that was not understood
QUIZ = re.compile(FENCE.format("quiz", "quiz"), re.MULTILINE | re.DOTALL)


def without_answers(name: str, text: str) -> str:
    """A page without the solutions of its exercises; `name` says by its ending whether it is a notebook."""
    return _without(ANSWERS, name, text)


def to_hand_out(name: str, text: str) -> str:
    """A page's source as students get it: no solutions, and no directive that only the site understands."""
    return _without(QUIZ, name, without_answers(name, text))


def _without(pattern: re.Pattern[str], name: str, text: str) -> str:
    if ".ipynb" not in Path(name).suffixes:
        return pattern.sub("", text)
    notebook = json.loads(text)
    cells = [(cell, _cell_without(pattern, cell)) for cell in notebook["cells"]]
    if all(before is after for before, after in cells):
        return text
    notebook["cells"] = [cell for _, cell in cells if cell["source"]]
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"  # as nbformat writes it


def _cell_without(pattern: re.Pattern[str], cell: dict[str, Any]) -> dict[str, Any]:
    source = "".join(cell["source"])
    if cell["cell_type"] != "markdown" or not pattern.search(source):
        return cell
    return cell | {"source": pattern.sub("", source).strip("\n").splitlines(keepends=True)}
