"""A sheet to print on A4, and the key on another."""

from html import escape
from pathlib import Path

from bookkit.quiz.exports import page
from bookkit.quiz.exports.quizzes import Question, Quiz
from bookkit.quiz.exports.text import printed

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
@page {{ size: A4; margin: 20mm 18mm; }}
body {{ font: 11pt/1.4 Georgia, "DejaVu Serif", serif; max-width: 174mm; margin: 0 auto; padding: 5mm;
  color: #000; background: #fff; }}
h1 {{ font-size: 15pt; margin: 0 0 4mm; }}
body > ol > li {{ break-inside: avoid; margin-bottom: 6mm; }}
body > ol > li::marker {{ font-weight: bold; }}
p {{ margin: 1mm 0; }}
li ol, li ul {{ margin: 1.5mm 0; padding-left: 8mm; }}
li li {{ margin-bottom: 1mm; break-inside: avoid; }}
.hint, .again {{ font-size: 9.5pt; font-style: italic; }}
.key {{ font-weight: bold; }}
.blank {{ display: inline-block; min-width: 14mm; border-bottom: .3mm solid #000; }}
.name .blank {{ min-width: 60mm; }}
@media print {{ body {{ padding: 0; }} a {{ color: inherit; text-decoration: none; }} }}
</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""


def write_questions(quiz: Quiz, path: Path) -> None:
    head = f'<p class="name">Name: {page.BLANK} Date: {page.BLANK}</p>'
    items = [page.question(question.item, printed) for question in quiz.questions]
    write(path, f"{quiz.book}: {quiz.title}", head, items)


def write_key(quiz: Quiz, path: Path) -> None:
    write(path, f"{quiz.book}: {quiz.title}, key", "", [key(question) for question in quiz.questions])


def key(question: Question) -> str:
    item = question.item
    return (
        f'<p class="stem">{printed(item.stem)}</p><p class="key">{page.answer(item, printed)}</p>'
        + page.reasons(item, printed)
        + page.again(question, printed)
    )


def write(path: Path, title: str, head: str, items: list[str]) -> None:
    body = f"{head}\n<ol>\n" + "".join(f"<li>{item}</li>\n" for item in items) + "</ol>"
    path.write_text(PAGE.format(title=escape(title), body=body), encoding="utf-8", newline="\n")
