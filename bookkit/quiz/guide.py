"""The `guide` directive: which edition of the exam guide a page follows, and what on it goes beyond the exam.

    ```{guide}
    :beyond: ex-loop ex-floor
    ```

It is folded. The page's objectives are those of assets/exam/objectives.yml that name it among their `pages`;
`beyond` lists the labels of the exercises that ask for more than the exam does.
"""

from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective

from bookkit.quiz.objectives import OBJECTIVES, Objective, guide, read_objectives
from bookkit.site.page_widget import report
from fmkit.errors import FmkitError


class GuideNote(SphinxDirective):
    option_spec: ClassVar[dict[str, Any]] = {"beyond": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        root = Path(self.env.srcdir)
        self.env.note_dependency(str(root / OBJECTIVES))
        try:
            exam, objectives = guide(root), read_objectives(root)
        except FmkitError as error:
            report(error)
            return []
        taught = [one for one in objectives.values() if self.env.docname in one.pages]
        day = f"{exam.published:%B} {exam.published.day}, {exam.published.year}"
        sentence = f"This page follows version {exam.version} of the {exam.code} exam guide ({day})"
        if not taught:
            sentence += ", which has no objective for it: all of it goes beyond the exam."
        else:
            sentence += ", and teaches these of its objectives, named in our own words:"
        title, text = nodes.title("", "For the exam"), nodes.paragraph("", sentence)
        note = nodes.admonition("", title, text, classes=["fm-box", "fm-box-guide", "dropdown"])
        if taught:
            note += nodes.bullet_list("", *map(self.line, taught))
        if "beyond" in self.options:
            note += nodes.paragraph("", "", *self.beyond(self.options["beyond"].split()))
        return [note]

    def line(self, objective: Objective) -> nodes.list_item:
        number = nodes.strong("", objective.id)
        return nodes.list_item("", nodes.paragraph("", "", number, nodes.Text(f" {objective.title}")))

    def beyond(self, labels: list[str]) -> list[nodes.Node]:
        parts: list[nodes.Node] = []
        for number, label in enumerate(labels):
            last = number == len(labels) - 1
            parts += [nodes.Text("" if not number else " and " if last else ", "), self.reference(label)]
        verb = "goes" if len(labels) == 1 else "go"
        return [*parts, nodes.Text(f" {verb} beyond the exam, which requires no coding.")]

    def reference(self, label: str) -> nodes.Node:
        return addnodes.pending_xref(
            "",
            nodes.inline("", label),
            refdomain="std",
            reftype="ref",
            reftarget=label,
            refexplicit=False,
            refwarn=True,
            refdoc=self.env.docname,
        )
