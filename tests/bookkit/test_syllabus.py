"""The syllabus: courses with the chapters' own numbers, in which nothing is used before it is taught."""

from pathlib import Path

import pytest
import tiny

from bookkit.site.syllabus import FILE, facts, read_courses, table
from fmkit.errors import FmkitError

ROOT = Path(__file__).parents[2]


def test_longest_course_is_the_whole_book() -> None:
    taught = [chapter for session in read_courses(ROOT)["14"] for chapter in session.chapters]
    book = [
        path.relative_to(ROOT / "chapters").with_suffix("") for path in ROOT.glob("chapters/[0-4]*/*.ipynb")
    ]
    assert sorted(taught) == sorted(map(str, book))


@pytest.mark.parametrize("weeks", ["4", "8", "14"])
def test_weeks_and_sets_are_in_order(weeks: str) -> None:
    sessions = read_courses(ROOT)[weeks]
    assert sorted({one.week for one in sessions}) == list(range(1, int(weeks) + 1))
    assert [one.week for one in sessions] == sorted(one.week for one in sessions)
    sets = [one.work for one in sessions if one.work.startswith("problem set")]
    assert sets == [f"problem set {number}" for number in (1, 2, 3, 4)]


@pytest.mark.parametrize("weeks", ["4", "8", "14"])
def test_what_is_needed_comes_before(weeks: str) -> None:
    taught = [chapter.split("/")[1] for session in read_courses(ROOT)[weeks] for chapter in session.chapters]
    before = {"choosing": "rag", "rag": "data", "adapters": "hyperparameters", "scaling": "predicting"}
    before |= {"business": "words", "support-case": "business", "continuing": "hyperparameters"}
    for later, earlier in before.items():
        if later in taught:
            assert taught.index(earlier) < taught.index(later)


def test_numbers_are_the_chapters_own() -> None:
    sessions = read_courses(ROOT)["4"][:1]
    life, run = (facts(ROOT, chapter) for chapter in sessions[0].chapters)
    row = table(ROOT, sessions)[-1]
    assert (life.minutes, run.cpu) == (30, 45)
    minutes, cpu = life.minutes + run.minutes, (life.cpu + run.cpu) / 60
    assert f"| {minutes} | {cpu:.1f} | {life.questions + run.questions} |" in row


def test_fault_of_a_syllabus_has_its_line(tmp_path: Path) -> None:
    book = tiny.write(tmp_path, "# A course\n\n```{syllabus} 2\n```\n")
    (book / FILE).write_text('"2":\n  - {week: 1, chapters: [1-sums/none]}\n')
    with pytest.raises(FmkitError, match=rf"{FILE}:2: there is no chapter '1-sums/none'"):
        read_courses(book)
    _, warnings = tiny.read(book, "site.syllabus")
    assert f"{FILE}:2: " in warnings
