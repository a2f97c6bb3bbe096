"""The `quiz-downloads` directive: every quiz as files for a learning platform, for Anki and for paper.

    ```{quiz-downloads} exam
    ```

writes them into the site, under _static/quizzes/exam/, lists them with their sizes, and says how a platform
grades them (see `bookkit.quiz.exports`). With `partial`, only the formats whose grading differs.
"""

from pathlib import Path
from typing import Any

from bookkit.quiz.exports import EXAM, FORMATS, GRADED, GRADINGS, export
from bookkit.quiz.places import quiz_titles
from bookkit.site.page_widget import PageWidget

PLACE = "_static/quizzes"


class QuizDownloads(PageWidget):
    """A line for each quiz, with a link for each format."""

    widget = "downloads"
    required_arguments = 1

    def values(self) -> dict[str, Any]:
        root = Path(self.env.srcdir)
        self.env.note_reread()  # it depends on every quiz, and on the titles of other pages
        grading = self.arguments[0]
        if grading not in GRADINGS:
            raise self.error(f"no grading is called {grading!r}: it is {' or '.join(GRADINGS)}")
        place = f"{PLACE}/{grading}"
        formats = FORMATS if grading == EXAM else GRADED
        paths = export(root, Path(self.env.app.outdir, place), grading, formats)
        files: dict[str, list[dict[str, Any]]] = {}
        for path in paths:
            quiz, _, ending = path.name.partition(".")
            size = max(1, round(path.stat().st_size / 1000))
            file = {"name": path.name, "kind": FORMATS[f".{ending}"], "size": size}
            files.setdefault(quiz, []).append(file)
        rows = [(title, files[quiz]) for quiz, title in quiz_titles(root, files).items()]
        folder = "../" * self.env.docname.count("/") + place
        return {"rows": rows, "folder": folder, "whole": grading == EXAM}
