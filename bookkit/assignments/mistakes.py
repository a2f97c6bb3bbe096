"""Wrong answers that the tests of a problem set must catch, with words that teach.

Each entry of `wrong` in a week's YAML file has

- `cell`: the name of the cell whose solution is replaced, what is between nbgrader's marks,
- `code`: what a student wrote instead,
- `says`: for each test that it fails, by name, words of the message that the student reads.

All other tests of the notebook must pass. Mistakes in different cells share a submission, so few are graded.
"""

import re
import textwrap
from collections import defaultdict
from typing import Any

import nbformat

SOLUTION = re.compile(r"^( *)### BEGIN SOLUTION\n(.*?)### END SOLUTION", re.DOTALL | re.MULTILINE)


def submissions(notebook: Any, wrong: list[dict[str, Any]]) -> list[tuple[Any, dict[str, str]]]:
    """Notebooks with every mistake in one of them, each with what its failed tests say: {test: words}."""
    rounds: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for mistake in wrong:
        rounds[sum(mistake["cell"] == m["cell"] for done in rounds.values() for m in done)].append(mistake)
    return [(answer_wrongly(notebook, mistakes), merged(mistakes)) for mistakes in rounds.values()]


def answer_wrongly(notebook: Any, mistakes: list[dict[str, Any]]) -> Any:
    """The notebook with its solutions, and with mistakes in place of some of them."""
    copy = nbformat.from_dict(notebook)
    by_id = {cell.id: cell for cell in copy.cells}
    for mistake in mistakes:
        cell = by_id[mistake["cell"]]
        before, indent, _, after = SOLUTION.split(cell.source)
        cell.source = before + textwrap.indent(mistake["code"], indent) + after
    return copy


def merged(mistakes: list[dict[str, Any]]) -> dict[str, str]:
    return {test: words for mistake in mistakes for test, words in mistake["says"].items()}
