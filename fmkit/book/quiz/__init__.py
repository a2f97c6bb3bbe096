"""Quizzes: the bank of items, the directives that show them, and what is made of the bank besides."""

from typing import Any


def setup(app: Any) -> None:
    from fmkit.book.quiz import directive, progress

    app.add_directive("quiz", directive.Quiz)
    app.connect("warn-missing-reference", directive.missing_target)
    progress.setup(app)
