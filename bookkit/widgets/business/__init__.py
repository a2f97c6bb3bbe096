"""The `business-case` directive: does an assistant pay, with the reader's own numbers?

    ```{business-case}
    ```

starts with a case of assets/business/cases.json. Twelve inputs, nearly all of them ranges, go through the
formulas of `fmkit.evaluation.business`, which business.js has once more. Out come costs and savings as
ranges, a verdict in words, and what moves it most. Without a script there is a table of the cases; on paper,
the case as the reader left it.
"""

import json
import math
from dataclasses import asdict, dataclass
from typing import Any

from sphinx.application import Sphinx

from bookkit.site.page_widget import PageWidget
from fmkit.errors import FmkitError
from fmkit.evaluation.business import draw, percentiles

CASES = "assets/business/cases.json"
DAYS = 30  # of a month
SURE = 0.9  # the share of draws from which the verdict is plain


@dataclass(frozen=True)
class Field:
    """An input: its name in `BusinessCase`, and how a reader sees it.

    What is typed, times `scale`, is the input. `limit` names a value of it at {}: "over 5", "under $20".
    """

    name: str
    label: str
    unit: str  # "$", "%" or none
    limit: str
    step: float = 1.0
    scale: float = 1.0


GROUPS = {
    "Today": (
        Field("volume", "Letters a day", "", "{} letters come a day", scale=DAYS),
        Field("minutes", "Minutes that a person needs", "", "people need {} minutes a letter"),
        Field("wage", "An hour of work costs", "$", "an hour of work costs {}"),
        Field(
            "people_errors", "People’s wrong answers", "%", "people get {} of their answers wrong", 0.5, 0.01
        ),
    ),
    "The assistant": (
        Field("handled", "Letters that it answers", "%", "it answers {} of the letters", 5, 0.01),
        Field("errors", "Its wrong answers", "%", "{} of its answers are wrong", 1, 0.01),
        Field("tokens", "Tokens a letter", "", "a letter takes {} tokens", 100),
        Field("price", "A million tokens cost", "$", "a million tokens cost {}", 0.5),
    ),
    "Money and time": (
        Field("error_cost", "A wrong answer costs", "$", "a wrong answer costs {}", 5),
        Field("build", "Building it costs", "$", "building it costs {}", 500),
        Field("keep", "A month’s upkeep costs", "$", "keeping it costs {} a month", 50),
        Field("months", "Months of use", "", "it is used for {} months"),
    ),
}
SINGLE = "months"  # has one number
FIELDS = {field.name: field for group in GROUPS.values() for field in group}


class Business(PageWidget):
    """Twelve inputs beside what follows from them."""

    widget = "business-case"

    def values(self) -> dict[str, Any]:
        cases = read(self.source(CASES).read_text(encoding="utf-8"), CASES)
        start = next(iter(cases.values()))["ranges"]
        return {
            "groups": GROUPS,
            "single": SINGLE,
            "fields": json.dumps({name: asdict(field) for name, field in FIELDS.items()}),
            "cases": json.dumps(cases),
            "first": {name: shown(FIELDS[name], ends) for name, ends in start.items()},
            "rows": [describe(case) for case in cases.values()],
        }


def read(text: str, file: str) -> dict[str, Any]:
    """The cases; raises FmkitError for one that cannot be computed."""
    cases: dict[str, Any] = json.loads(text)
    for name, case in cases.items():
        try:
            draw(case["ranges"])
        except FmkitError as error:
            raise FmkitError(f"{file}:1: {name}: {error}") from None
    return cases


def shown(field: Field, ends: list[float]) -> list[str]:
    """Both ends of a range as the reader's fields have them."""
    return [f"{end / field.scale:.6g}" for end in ends]


def describe(case: dict[str, Any]) -> dict[str, str]:
    """A case as a row of the table without a script."""
    drawn = draw(case["ranges"])
    ahead = float((drawn.net > 0).mean())  # type: ignore[union-attr]
    return {
        "title": case["title"],
        "about": case["about"],
        "person": span(percentiles(drawn.by_person)),
        "assisted": span(percentiles(drawn.per_interaction)),
        "saving": span(percentiles(drawn.saving)),
        "months": paid_back(percentiles(drawn.break_even_month)),
        "ahead": f"{100 * ahead:.0f} of 100",
        "verdict": "pays" if ahead >= SURE else "loses money" if ahead <= 1 - SURE else "may pay",
    }


def span(found: tuple[float, ...]) -> str:
    """From the 10th to the 90th percentile, in dollars."""
    return f"{money(found[0])} to {money(found[-1])}"


def paid_back(found: tuple[float, ...]) -> str:
    """After how many months, or never."""
    soon, late = found[0], found[-1]
    if math.isinf(soon):
        return "never"
    return f"{soon:.1f} months or never" if math.isinf(late) else f"{soon:.1f} to {late:.1f} months"


def money(value: float) -> str:
    """Dollars: cents below a hundred, and three digits above it, as a range deserves no more."""
    size = abs(value)
    return f"{'−' if value < 0 else ''}$" + (
        f"{size:.2f}" if size < 99.995 else f"{float(f'{size:.3g}'):,.0f}"
    )


def setup(app: Sphinx) -> None:
    app.add_directive("business-case", Business)
