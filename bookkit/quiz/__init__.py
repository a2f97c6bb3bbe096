"""Quizzes: the bank of items, the directives that show them, and what is made of the bank besides."""

from typing import Any


def setup(app: Any) -> None:
    from bookkit import exam, progress
    from bookkit.quiz import directive, downloads, guide

    app.add_directive("quiz", directive.Quiz)
    app.add_directive("exam", exam.Exam)
    app.add_directive("guide", guide.GuideNote)
    app.connect("missing-reference", directive.missing_target)
    downloads.setup(app)
    progress.setup(app)
