"""The `quiz-downloads` directive: every quiz as files for a learning platform, for Anki and for paper.

    ```{quiz-downloads}
    ```

writes them into the site, under _static/quizzes/, and lists them with their sizes.
"""

from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from fmkit.book.html import html, report, tag
from fmkit.book.quiz.exports import FORMATS, export
from fmkit.book.quiz.exports.quizzes import title
from fmkit.book.quiz.items import FOLDER
from fmkit.errors import FmkitError

PLACE = "_static/quizzes"


class QuizDownloads(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        root = Path(self.env.srcdir)
        for file in sorted((root / FOLDER).glob("*.yml")):
            self.env.note_dependency(str(file))
        try:
            paths = export(root, Path(self.env.app.outdir, PLACE))
        except FmkitError as error:
            report(error)
            return []
        rows = [paths[start : start + len(FORMATS)] for start in range(0, len(paths), len(FORMATS))]
        return [tag("ul", *map(self.row, rows), class_="fm-quiz-downloads")]

    def row(self, paths: list[Path]) -> html:
        up = "../" * self.env.docname.count("/")
        parts: list[nodes.Node | str] = [tag("b", title(paths[0].name.partition(".")[0])), ": "]
        for path, name in zip(paths, FORMATS.values(), strict=True):
            link = tag("a", name, href=f"{up}{PLACE}/{path.name}", download=path.name)
            comma = "" if path == paths[-1] else ", "
            parts += [link, f" ({max(1, round(path.stat().st_size / 1000))}\N{NO-BREAK SPACE}kB){comma}"]
        return tag("li", *parts)


def setup(app: Any) -> None:
    app.add_directive("quiz-downloads", QuizDownloads)
