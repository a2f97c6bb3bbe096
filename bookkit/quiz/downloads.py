"""The `quiz-downloads` directive: every quiz as files for a learning platform, for Anki and for paper.

    ```{quiz-downloads}
    ```

writes them into the site, under _static/quizzes/, and lists them with their sizes.
"""

from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from bookkit.quiz.exports import FORMATS, export
from bookkit.quiz.places import quiz_titles
from bookkit.site.html import html, report, tag
from fmkit.errors import FmkitError

PLACE = "_static/quizzes"


class QuizDownloads(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        root = Path(self.env.srcdir)
        self.env.note_reread()  # it depends on every quiz, and on the titles of other pages
        try:
            paths = export(root, Path(self.env.app.outdir, PLACE))
        except FmkitError as error:
            report(error)
            return []
        files = [paths[start : start + len(FORMATS)] for start in range(0, len(paths), len(FORMATS))]
        rows = {row[0].name.partition(".")[0]: row for row in files}
        lines = [self.row(title, rows[quiz]) for quiz, title in quiz_titles(root, rows).items()]
        return [tag("ul", *lines, class_="fm-quiz-downloads")]

    def row(self, title: str, paths: list[Path]) -> html:
        up = "../" * self.env.docname.count("/")
        parts: list[nodes.Node | str] = [tag("b", title), ": "]
        for path, kind in zip(paths, FORMATS.values(), strict=True):
            link = tag("a", kind, href=f"{up}{PLACE}/{path.name}", download=path.name)
            comma = "" if path == paths[-1] else ", "
            parts += [link, f" ({max(1, round(path.stat().st_size / 1000))}\N{NO-BREAK SPACE}kB){comma}"]
        return tag("li", *parts)


def setup(app: Any) -> None:
    app.add_directive("quiz-downloads", QuizDownloads)
