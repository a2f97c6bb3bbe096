"""Exercises are numbered within their chapter, from 1; sphinx-exercise counts through the book."""

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment


def number_by_page(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Replace the numbers that Sphinx has just given; no further page has to be written for it."""
    for figures in env.toc_fignumbers.values():
        exercises = figures.get("exercise", {})
        exercises.update({name: (number,) for number, name in enumerate(exercises, start=1)})
    return []


def setup(app: Sphinx) -> None:
    app.connect("env-get-updated", number_by_page, priority=600)  # Sphinx's own numbering has 500
