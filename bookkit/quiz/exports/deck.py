"""An Anki package, by genanki (Anki: File → Import; AnkiDroid and AnkiMobile open the file).

A note is known by its guid, made of the key of the question, so a later import changes the card and keeps
what the learner has practiced. Anki takes a note only if it is newer than the one it has, so the notes carry
the time of the last change of the bank.
"""

import hashlib
import os
import subprocess
import tempfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import genanki

from bookkit.quiz.exports.files import write_zip
from bookkit.quiz.exports.parts import parts, tags
from bookkit.quiz.exports.questions import Question, Quiz
from bookkit.quiz.exports.text import rich
from bookkit.quiz.items import FOLDER

STYLE = """
.card { font: 18px/1.45 sans-serif; text-align: left; max-width: 40em; margin: 0 auto; padding: .5em; }
.hint, .again { font-size: .85em; opacity: .8; }
.key { font-weight: bold; }
li { margin: .4em 0; }
.blank { display: none; }
"""
MODEL = genanki.Model(
    1609352047,  # any number, but always the same: Anki knows the note type by it
    "Training Foundation Models: question",
    fields=[{"name": "Question"}, {"name": "Answer"}, {"name": "Key"}],
    templates=[
        {"name": "Card", "qfmt": "{{Question}}", "afmt": "{{FrontSide}}<hr id=answer>{{Answer}}"},
    ],
    css=STYLE,
    sort_field_index=2,
)
NEVER = datetime(2026, 1, 1, tzinfo=UTC)  # where nothing tells when the bank last changed


def write(quiz: Quiz, path: Path, changed: int) -> None:
    """`changed` is in seconds since 1970 (see `last_change`)."""
    decks: dict[str, genanki.Deck] = {}
    for question in quiz.questions:
        name = f"{quiz.book}::{question.quiz}"
        decks.setdefault(name, genanki.Deck(number(name), name)).add_note(note(question))
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder, "package")
        genanki.Package(list(decks.values())).write_to_file(package, timestamp=changed)
        with zipfile.ZipFile(package) as archive:  # which carries the time of day
            write_zip(path, {name: archive.read(name) for name in archive.namelist()})


def note(question: Question) -> genanki.Note:
    item, html = question.item, parts(rich)
    answer = f'<p class="key">{html.answer(item)}</p>{html.reasons(item)}{html.again(question)}'
    return genanki.Note(
        MODEL,
        [field(html.question(question)), field(answer), question.key],
        guid=genanki.guid_for("training-foundation-models", question.key),
        tags=tags(question),
    )


def field(html: str) -> str:
    """Square brackets as entities: Anki reads [sound:…] and [latex] in the text of a field as commands."""
    return str(html).replace("[", "&#91;")


def number(name: str) -> int:
    """A deck's id, below 2³¹ as Anki's."""
    return int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) >> 1


def last_change(root: Path) -> int:
    """When the bank last changed: SOURCE_DATE_EPOCH if it is set (reproducible-builds.org), else the last
    commit of its folder, else a fixed day."""
    if epoch := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(epoch)
    command = ["git", "log", "-1", "--format=%ct", "--", FOLDER]
    try:
        found = subprocess.run(command, cwd=root, capture_output=True, text=True).stdout.strip()
    except OSError:  # no git here
        found = ""
    return int(found or NEVER.timestamp())
