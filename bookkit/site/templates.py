"""Templates for HTML and XML: Jinja2 files beside the Python that fills them, always with escaping on."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

PACKAGE = Path(__file__).parents[1]

_environment = Environment(
    loader=FileSystemLoader(PACKAGE),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def render(template: str, **values: Any) -> str:
    """Fill `template`, a path within bookkit such as "quiz/quiz.html"."""
    return _environment.get_template(template).render(values)


def macros(template: str, **values: Any) -> Any:
    """The macros of a template as functions that return HTML; `values` are what they can use besides."""
    return _environment.get_template(template).make_module(values)
