"""Quizzes: the bank of items, the directives that show them, and the exports that are made of them."""

from typing import Any


def setup(app: Any) -> None:
    from bookkit.quiz import directive, downloads, guide

    app.add_node(directive.later_questions, html=(directive.visit_later, directive.depart_later))
    app.add_directive("quiz", directive.Quiz)
    app.add_directive("keys", directive.Keys)
    app.add_directive("guide", guide.GuideNote)
    app.add_directive("quiz-downloads", downloads.QuizDownloads)
    app.connect("missing-reference", directive.missing_target)
