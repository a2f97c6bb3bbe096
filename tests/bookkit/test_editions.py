"""The editions: the students' has no answer anywhere, the instructor's has all of them."""

import gzip
import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import quiz_book
import tiny
import yaml
from bs4 import BeautifulSoup
from leaks import LENGTH, WORD, Secrets, leaks
from playwright.sync_api import Page, expect

from bookkit.__main__ import main
from bookkit.editions import INSTRUCTOR, PUBLIC, STUDENT, chosen
from bookkit.editions.packs import make_student, write_parts
from bookkit.editions.text import to_hand_out
from bookkit.quiz.items import Item, read_bank
from bookkit.quiz.places import SHOWN
from bookkit.quiz.sections import markdown
from bookkit.site.build import fingerprint, toc_pages

ROOT = tiny.ROOT
SOLUTION = re.compile(r"(`{3,}|:{3,})\{solution\}")
SENTENCE = re.compile(r"[|\n·;:]|\. ")

PAGE = """# Sums

(the-sum)=
## The sum

See [the exam](back/exam.md), {doc}`back/exam` and {ref}`exam-rules`.

```{exercise} Try
:label: ex-try
Add one and one, and explain to a friend what you did.
```

````{solution} ex-try
:class: dropdown
```python
print("the sum of both numbers, computed here, is", 1 + 1)
```
You take the first number, and then you count on as far as the second says.
````

% not for students
Only a teacher reads these words, which are between two comments.

% for all

After the exercise.

```{quiz} sums
```

```{quiz} signs
```
"""
EXAM = "# Exam\n\n(exam-rules)=\n## Rules\n\n```{exam}\n```\n"
RATIONALES = (quiz_book.CHOICES + quiz_book.OTHERS).count("rationale:")


def small_book(folder: Path) -> Path:
    """A page with an exercise and two quizzes, one for the progress, and one that students do without."""
    book = tiny.write(folder, PAGE)
    for quiz in (book / "assets/quizzes").glob("*.yml"):
        quiz.unlink()
    (book / "assets/quizzes/sums.yml").write_text(quiz_book.CHOICES)
    (book / "assets/quizzes/reserve.yml").write_text(quiz_book.CHOICES)  # on no page
    others = quiz_book.OTHERS.replace("chapters/1-sums/adding.ipynb", "chapters/intro.md")
    (book / "assets/quizzes/signs.yml").write_text(others)
    (book / "chapters/back/exam.md").write_text(EXAM)
    (book / "chapters/back/progress.md").write_text((ROOT / "chapters/back/progress.md").read_text())
    with (book / "_toc.yml").open("a") as toc:
        toc.write("chapters:\n- file: chapters/back/exam\n- file: chapters/back/progress\n")
    return book


# --- one page, two editions ---


def seen(book: Path, edition: str) -> str:
    """The HTML of the page in an edition, which is built without a warning."""
    with chosen(edition):
        page, warnings = tiny.read(book, "editions")
    assert not [line for line in warnings.splitlines() if "toctree" not in line]
    return page


def test_students_see_no_answer(tmp_path: Path) -> None:
    page = seen(small_book(tmp_path), STUDENT)
    assert "count on as far" not in page
    assert "Only a teacher" not in page
    assert "After the exercise." in page
    assert page.count("data-item=") == 5
    assert "See the exam, Exam and Rules." in page
    assert not (tmp_path / "_build/html/chapters/back/exam.html").exists()
    assert not re.search(r"data-correct|fm-quiz-key|counts the plus sign|counts as right", page)


def test_the_public_page_keeps_answers(tmp_path: Path) -> None:
    page = seen(small_book(tmp_path), PUBLIC)
    for words in ("count on as far", "Only a teacher", "counts the plus sign", "Anything within 0.02"):
        assert words in page
    assert page.count('class="fm-quiz-reason"') == RATIONALES


@pytest.mark.parametrize(("old", "new"), [("% for all", ""), ("````{sol", "  ````{sol")])
def test_an_answer_without_an_end_is_told(tmp_path: Path, old: str, new: str) -> None:
    book = small_book(tmp_path)
    (book / "chapters/intro.md").write_text(PAGE.replace(old, new, 1))
    with chosen(STUDENT):
        _, warnings = tiny.read(book, "editions")
    assert re.search(r"chapters/intro\.md: WARNING: students would see it: .* has no end", warnings)


def test_a_version_says_nothing_of_the_key(tmp_path: Path) -> None:
    """Whoever tries all keys finds the same beginning for each."""

    def item(quiz: str) -> Item:
        (tmp_path / "assets/quizzes").mkdir(parents=True, exist_ok=True)
        (tmp_path / "assets/quizzes/sums.yml").write_text(quiz)
        return read_bank(tmp_path)["sums"][0]

    right = "      correct: true\n"
    first = item(quiz_book.CHOICES)
    other = item(quiz_book.CHOICES.replace(right, "").replace("text: One\n", "text: One\n" + right, 1))
    assert first.wording == other.wording
    assert first.version != other.version
    assert first.version.startswith(first.wording)


def test_editions_have_pages_of_their_own(tmp_path: Path) -> None:
    book = small_book(tmp_path)
    for folder in ("chapters/teaching", "instructor"):
        (book / folder).mkdir()
        (book / folder / "sums.md").write_text("# Sums\n")
    with (book / "_toc.yml").open("a") as toc:
        toc.write("- file: chapters/teaching/sums\n")
    pages, prints = {}, set()
    for edition in (PUBLIC, STUDENT, INSTRUCTOR):
        with chosen(edition):
            pages[edition] = {*toc_pages(book)}
            prints.add(fingerprint(book))
    assert pages[PUBLIC] - pages[STUDENT] == {"chapters/back/exam", "chapters/teaching/sums"}
    assert pages[INSTRUCTOR] - pages[PUBLIC] == {"instructor/sums"}
    assert len(prints) == 3


def test_an_unknown_edition_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FMKIT_EDITION", "pupil")
    assert main(["build"]) == 2
    told = "FMKIT_EDITION=pupil: there is no such edition; it is public, student, instructor\n"
    assert capsys.readouterr().err == told


@pytest.mark.slow
@pytest.mark.parametrize("seed", ["", "seven"])
def test_the_pack_needs_a_seed(seed: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["instructor", seed]) == 2
    assert "as in SEED=7" in capsys.readouterr().err


def test_only_solutions_leave_a_notebook() -> None:
    """What is not a solution or a quiz is, byte for byte, as it was."""
    path = ROOT / "chapters/4-evaluation/rag.ipynb"
    text = path.read_text()
    before, after = json.loads(text), json.loads(to_hand_out(path.name, text))
    assert after["metadata"] == before["metadata"]
    changed = {cell["id"]: cell for cell in after["cells"]}
    for cell in before["cells"]:
        if cell != changed.get(cell["id"]):
            source = "".join(cell["source"])
            assert "{solution}" in source or "{quiz}" in source
            assert "".join(changed[cell["id"]]["source"]).startswith(source[:40])
    assert not re.search(r"\{(solution|quiz)\}", "".join(map(str, after["cells"])))


# --- a student at work ---


@pytest.fixture(scope="module")
def student_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with chosen(STUDENT):
        return tiny.build(small_book(tmp_path_factory.mktemp("students")))


@pytest.mark.slow
def test_an_answer_is_kept_not_graded(student_site: Path) -> None:
    with tiny.opened(student_site) as (browser, address):
        page = browser.new_page()
        page.goto(f"{address}/chapters/intro.html")
        form = page.locator(".fm-quiz form").first
        form.get_by_text("Three").click()
        form.get_by_role("button", name="Keep my answer").click()
        expect(form.get_by_role("status")).to_have_text("Kept.")
        page.reload()
        expect(form.get_by_label("Three")).to_be_checked()
        form.get_by_role("button", name="Change it").click()
        form.get_by_text("Two").click()
        form.get_by_role("button", name="Keep my answer").click()
        quiz = page.locator(".fm-quiz").first
        assert "1 of 2 answered." in quiz.inner_text()
        assert not re.search("[✓✗]|right|wrong", quiz.inner_text())
        page.goto(f"{address}/chapters/back/progress.html")
        expect(page.locator("[data-of=sums]")).to_have_text("1 of 2")
        assert not page.locator("[data-of=reserve]").count()
        with page.expect_download() as saved:
            page.get_by_role("button", name="Save as JSON").click()
        kept = json.loads(saved.value.path().read_text())["items"]["sums/sum"]
    assert kept["answer"] == [1]
    assert [attempt["right"] for attempt in kept["history"]] == [None, None]


@pytest.mark.slow
def test_a_handed_in_answer_is_graded(visit: Any) -> None:
    """By the public book, which knows the key."""
    page: Page = visit()
    wording = str(page.locator(".fm-quiz form").first.get_attribute("data-version"))[:8]
    kept = {"version": wording, "answer": [1], "history": [{"at": 1_700_000_000_000, "right": None}]}
    page.evaluate("kept => localStorage.setItem('fmkit/1/item/sums/sum', JSON.stringify(kept))", kept)
    page.reload()
    expect(page.locator(".fm-quiz form").first.get_by_role("status")).to_have_text("✓ Right.")


# --- the instructor's pack ---


@pytest.mark.slow
def test_the_keys_are_those_of_the_bank(tmp_path: Path) -> None:
    book = small_book(tmp_path)
    with (book / "chapters/intro.md").open("a") as page:
        page.write("\n```{keys} sums\n```\n\n```{keys} signs\n```\n")
    rows = BeautifulSoup(tiny.read(book)[0], "html.parser").select(".fm-keys tbody tr")
    told = [[cell.get_text(" ", strip=True) for cell in row.find_all("td")] for row in rows]
    assert told.pop(3)[2].startswith(r"B \(+\) : plus C The one that takes one number from another: minus A ")
    assert told == [
        ["1", "sum", "B Two"],
        ["2", "even", "A Six C Eight"],
        ["1", "order", "1 Read both numbers 2 Add the numbers 3 Write the result"],
        ["3", "floor", "0.43 ± 0.02 nats per token"],
    ]


def test_each_quiz_of_a_week_has_its_keys() -> None:
    chapters = "\n".join(text for path in ROOT.glob("chapters/[1-4]-*/*") for text in markdown(path))
    keys = "\n".join(path.read_text() for path in ROOT.glob("instructor/*.md"))
    assert sorted(re.findall(r"^```{keys} (\S+)$", keys, re.M)) == sorted(SHOWN.findall(chapters))


@pytest.mark.slow
def test_the_pack_has_all_that_it_names(tmp_path: Path) -> None:
    """Links lead to pages of the edition and to files; the hidden tests are in one of two folders."""
    with chosen(INSTRUCTOR):
        write_parts(ROOT, tmp_path, seed=7)
        html = {f"html/{page}.html" for page in toc_pages(ROOT)} | {"html/index.html"}
    links = set(re.findall('href="(.*?)"', (tmp_path / "README.html").read_text()))
    assert len(links) > 3 * 36
    assert [link for link in links if link not in html and not (tmp_path / link).exists()] == []
    hidden = [
        path for path in (tmp_path / "assignments").rglob("*.ipynb") if "HIDDEN TESTS" in path.read_text()
    ]
    assert {path.parts[-3] for path in hidden} == {"source"}
    keys = {path.name for path in (tmp_path / "banks/forms").glob("*-key.html")}
    assert keys >= {"practice-exam-form-a-key.html", "practice-exam-form-b-key.html"}


# --- leaks ---


def split(page: str) -> tuple[str, list[str]]:
    """The Markdown of a page without its solutions, and the solutions; read line by line."""
    left: list[str] = []
    solutions: list[list[str]] = []
    fence = ""
    for line in page.splitlines():
        if not fence and (begun := SOLUTION.match(line)):
            fence = begun[1]
            solutions.append([])
        elif fence and line.strip() == fence:
            fence = ""
        else:
            (solutions[-1] if fence else left).append(line)
    return "\n".join(left), ["\n".join(lines) for lines in solutions]


def pages(root: Path) -> Iterator[tuple[str, str]]:
    """The name and texts of each page for readers: Markdown, cells, outputs, saved widgets."""
    for path in sorted((root / "chapters").rglob("*")):
        if path.suffix == ".md" and path.parent.name != "teaching":
            yield path.stem, path.read_text()
        elif path.suffix == ".ipynb":
            notebook = json.loads(path.read_text())
            yield path.stem, json.dumps(notebook["metadata"], ensure_ascii=False)
            for cell in notebook["cells"]:
                yield path.stem, "".join(cell["source"])
                yield path.stem, json.dumps(cell.get("outputs"), ensure_ascii=False)


def questions(item: Item) -> str:
    """What a student reads of a question."""
    pairs = " ".join(f"{pair.prompt} | {pair.match}" for pair in item.pairs)
    return " | ".join([item.stem, *(one.text for one in item.options + item.steps), pairs])


def rationales(item: Item) -> list[str]:
    parts = [*item.options, *item.steps, *item.pairs, *item.mistakes, *([item.answer] if item.answer else [])]
    return [part.rationale for part in parts]


def sentences(text: str) -> list[str]:
    """The sentences and cells of a table that are long enough to be nobody else's."""
    return [one for one in SENTENCE.split(text) if len(WORD.findall(one)) >= LENGTH]


def secret_texts(root: Path) -> Iterator[tuple[str, str]]:
    """Every reason of the bank, solution, sentence of a teacher's page, and answer of a lesson plan."""
    for quiz, items in read_bank(root).items():
        for item in items:
            for one in (item, *item.variants):
                yield from ((f"reason of {quiz}/{item.id}", reason) for reason in rationales(one))
    for name, text in pages(root):
        yield from ((f"solution in {name}", solution) for solution in split(text)[1])
    for path in [*(root / "instructor").glob("*.md"), *(root / "chapters/teaching").glob("*.md")]:
        yield from ((f"{path.parent.name}/{path.name}", one) for one in sentences(path.read_text()))
    for path in (root / "assets/lessons").glob("*.yml"):
        for question in yaml.safe_load(path.read_text())["questions"]:
            yield f"answer in {path.name}", question["answer"]


def known_texts(root: Path) -> Iterator[str]:
    """What students may read: the chapters but for their solutions, questions, sources, labs, code, data."""
    yield from (split(text)[0] for _, text in pages(root))
    yield (root / "chapters/back/references.bib").read_text()
    for items in read_bank(root).values():
        yield from (questions(item) for item in items)
    for path in [*(root / "bookkit").rglob("*"), *(root / "fmkit").rglob("*"), *(root / "assets").rglob("*")]:
        secret = {"quizzes", "lessons", "assignments", "node_modules"} & set(path.parts)
        if path.suffix in (".py", ".js", ".html", ".yml", ".toml", ".json") and not secret:
            yield path.read_text()


@pytest.fixture(scope="module")
def secrets() -> Secrets:
    return Secrets(secret_texts(ROOT), known_texts(ROOT))


@pytest.mark.slow
def test_every_secret_would_be_found(secrets: Secrets) -> None:
    """Each has a passage of its own, which nothing that students may read has."""
    names = {name for name, text in secret_texts(ROOT) if len(WORD.findall(text)) >= LENGTH}
    assert names <= set(secrets.names.values())


@pytest.mark.slow
def test_the_students_edition_has_no_leak(secrets: Secrets) -> None:
    """In no file: page, source, script, search index, notebook, archive."""
    made = make_student(ROOT)[0].parent
    assert len([*(made / "html/chapters").rglob("*.html")]) > 40
    assert leaks(made, secrets) == []


SECRET = "Nothing can be added before it is read, and so both numbers come first."


def zipped(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("chapters/sums.ipynb", content)
    return buffer.getvalue()


PLANTED = {
    "page.html": b"<p>Nothing can be <em>added</em> before it&#32;is read, and so both numbers come</p>",
    "attribute.html": b'<i data-why="Nothing can be added before it is read, and so">x</i>',
    "script.js": b'define("<p>Nothing can be\\nadded before it \\u0069s read, and so</p>")',
    "source.md": b"NOTHING *can* be {term}`added` before\nit is read, and so",
    "notebooks.zip": zipped(zipped(b'"Nothing can be added before ", "it is read, and so"')),
    "data.json.gz": gzip.compress(SECRET.encode()),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_leak_is_found(tmp_path: Path, name: str) -> None:
    secrets = Secrets([("reason of signs/order", SECRET)], ["it is read, and so both numbers come first"])
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/innocent.html").write_text(
        "<p>Both numbers come first: nothing can be added before.</p>"
    )
    assert leaks(tmp_path, secrets) == []
    (tmp_path / "sub" / name).write_bytes(PLANTED[name])
    found = leaks(tmp_path, secrets)
    assert found
    assert all(line.startswith(f"sub/{name}") and "reason of signs/order" in line for line in found)


@pytest.mark.parametrize(
    "mark",
    [
        "<li data-correct>",
        '<li data-tolerance=\\"0.02\\">',
        '<div class="solution dropdown">',
        '"```{solution} ex-1"',
    ],
)
def test_a_mark_of_a_key_is_found(tmp_path: Path, mark: str) -> None:
    (tmp_path / "page.html").write_text(f"<p>{mark}</p>")
    assert leaks(tmp_path, Secrets([]))


@pytest.mark.slow
def test_only_the_public_edition_leaks(tmp_path: Path) -> None:
    """The whole way, with a book of one page: what is found in one edition is not in the other."""
    book = small_book(tmp_path)
    secrets = Secrets(secret_texts(book))
    seen(book, STUDENT)
    assert leaks(tmp_path / "_build/html", secrets) == []
    seen(book, PUBLIC)
    found = "\n".join(leaks(tmp_path / "_build/html", secrets))
    for place in (
        "chapters/intro.html: reason of signs/order",
        "_sources/chapters/intro.md.txt: solution in intro",
    ):
        assert place in found
