"""The `quiz-downloads` directive: every quiz as files for a learning platform, for Anki and for paper.

    ```{quiz-downloads}
    ```

writes them into the site, under _static/quizzes/, and lists them with their sizes.
"""

from pathlib import Path
from typing import Any

from bookkit.quiz.exports import FORMATS, export
from bookkit.quiz.places import quiz_titles
from bookkit.site.page_widget import PageWidget

PLACE = "_static/quizzes"


class QuizDownloads(PageWidget):
    """A line for each quiz, with a link for each format."""

    widget = "downloads"

    def values(self) -> dict[str, Any]:
        root = Path(self.env.srcdir)
        self.env.note_reread()  # it depends on every quiz, and on the titles of other pages
        paths = export(root, Path(self.env.app.outdir, PLACE))
        files: dict[str, list[dict[str, Any]]] = {}
        for path in paths:
            quiz, _, ending = path.name.partition(".")
            size = max(1, round(path.stat().st_size / 1000))
            file = {"name": path.name, "kind": FORMATS[f".{ending}"], "size": size}
            files.setdefault(quiz, []).append(file)
        rows = [(title, files[quiz]) for quiz, title in quiz_titles(root, files).items()]
        return {"rows": rows, "folder": "../" * self.env.docname.count("/") + PLACE}
