"""A class's progress files as one table: what browsers saved, and a line for what is wrong with some."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import quiz_book
from quiz_steps import PROGRESS, SIGNS, answer, measure, place

from bookkit.progress.__main__ import main
from bookkit.progress.merge import is_right
from bookkit.quiz.items import read_bank


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return quiz_book.write(tmp_path_factory.mktemp("book"))


def entry(version: str, *attempts: tuple[int, bool | None], answer: Any = None) -> dict[str, Any]:
    return {"version": version, "answer": answer, "history": [{"at": at, "right": r} for at, r in attempts]}


def write(path: Path, items: dict[str, Any], **more: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = {"format": "fmkit-progress", "schema": 1, "items": items, "pages": {}, "notes": {}} | more
    path.write_text(json.dumps(data))
    return path


def run(book: Path, *arguments: Path) -> tuple[int, list[dict[str, str]], str]:
    out = book / "table.csv"
    code = main(["merge", *map(str, arguments), "-o", str(out)], book)
    with out.open(newline="", encoding="utf-8") as file:
        return code, list(csv.DictReader(file)), out.with_suffix(".md").read_text(encoding="utf-8")


def test_files_that_browsers_saved(visit: Any, book: Path, tmp_path: Path) -> None:
    for name, letters, number in (("ada", "B", "0.43"), ("ben", "A", "1.53")):
        page = visit(name="chapters/intro")
        answer(page, 0, letters)
        page.goto(f"{page.url.partition('/chapters')[0]}/{SIGNS}.html")
        place(page, 0, "312")
        measure(page, number)
        page.goto(f"{page.url.partition('/chapters')[0]}/{PROGRESS}.html")
        with page.expect_download() as download:
            page.get_by_role("button", name="Save as JSON").click()
        download.value.save_as(
            tmp_path / f"{name}_12_assignsubmission_file" / download.value.suggested_filename
        )
    code, rows, summary = run(book, tmp_path)
    cells = {(row["student"], row["name"]): (row["answered"], row["right"]) for row in rows}
    assert code == 0
    assert cells["ada", "sums"] == ("1", "1")
    assert cells["ben", "sums"] == ("1", "0")
    assert (cells["ada", "signs"], cells["ben", "signs"]) == (("2", "2"), ("2", "1"))
    assert cells["ben", "3.4.2"] == ("1", "0")
    assert "| 3.4.2 |" in summary
    assert "| sums/sum | What is 1 + 1? | 1 | 2 |" in summary


def test_thirty_students_in_one_table(book: Path, tmp_path: Path) -> None:
    bank = read_bank(book)["sums"]
    for number in range(30):
        attempts = {f"sums/{item.id}": entry(item.version, (number + 1, number % 3 == 0)) for item in bank}
        write(tmp_path / f"student-{number:02}.json", attempts)
    _, rows, summary = run(book, tmp_path)
    of_quiz = [row for row in rows if row["name"] == "sums"]
    assert len(of_quiz) == 30
    assert sum(int(row["right"]) for row in of_quiz) == 10 * len(bank)
    assert {row["of"] for row in of_quiz} == {str(len(bank))}
    assert "Students: 30." in summary
    assert "| sums/sum | What is 1 + 1? | 20 | 30 |" in summary


def test_two_files_of_a_student(book: Path, tmp_path: Path, capsys: Any) -> None:
    item = read_bank(book)["sums"][0]
    name = f"sums/{item.id}"
    write(tmp_path / "ada/fmkit-progress-2026-11-20.json", {name: entry(item.version, (10, False))})
    write(
        tmp_path / "ada/fmkit-progress-2026-11-21.json", {name: entry(item.version, (10, False), (20, True))}
    )
    _, rows, _ = run(book, tmp_path)
    row = next(row for row in rows if row["by"] == "objective")
    assert (row["student"], row["attempts"], row["right"], row["right the first time"]) == (
        "ada",
        "2",
        "1",
        "0",
    )
    assert "one more file of ada: merged" in capsys.readouterr().err


def test_names_from_one_folder_stay_apart(book: Path, tmp_path: Path) -> None:
    item = read_bank(book)["sums"][0]
    for number in (1, 2):
        one = {f"sums/{item.id}": entry(item.version, (number, True))}
        write(tmp_path / f"fmkit-progress-2026-11-21 ({number}).json", one)
    write(tmp_path / "lovelaceada_123_4567_fmkit-progress-2026-11-21.json", one | {})
    _, rows, _ = run(book, tmp_path)
    assert len({row["student"] for row in rows}) == 3
    assert "lovelaceada" in {row["student"] for row in rows}


def test_what_is_wrong_takes_a_line(book: Path, tmp_path: Path, capsys: Any) -> None:
    item = read_bank(book)["sums"][0]
    good = {f"sums/{item.id}": entry(item.version, (5, True))}
    write(
        tmp_path / "ada.json", good | {"sums/old": entry("12345678", (6, True)), "sums/bad": {"version": 3}}
    )
    write(tmp_path / "copy.json", good | {"sums/old": entry("12345678", (6, True))})
    write(tmp_path / "later.json", good, schema=2)
    (tmp_path / "cut.json").write_text((tmp_path / "ada.json").read_text()[:60])
    (tmp_path / "other.json").write_text('{"format": "notes"}')
    (tmp_path / "deep.json").write_text("[" * 100_000)
    (tmp_path / "photo.png").write_bytes(b"\x89PNG\xff")
    code, rows, summary = run(book, tmp_path, tmp_path / "missing.json")
    said = capsys.readouterr().err.splitlines()
    assert code == 0
    assert {row["student"] for row in rows} == {"ada", "copy"}
    for name in ("later.json", "cut.json", "other.json", "deep.json", "photo.png", "missing.json"):
        assert len([line for line in said if f"{name}: left out: " in line]) == 1
    assert any("ada.json: damaged entries left out: sums/bad" in line for line in said)
    assert any("ada: not questions of this edition, kept in the table: sums/old" in line for line in said)
    assert "ada, copy: the same attempts at the same times" in said
    assert "the same attempts at the same times" in summary
    assert ("ada", "not in this edition") in {(row["student"], row["name"]) for row in rows}


def test_nothing_usable_writes_nothing(book: Path, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "a.txt").write_text("Dear professor")
    assert main(["merge", str(tmp_path), "-o", str(tmp_path / "out.csv")], book) == 2
    assert "nothing was written" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_ungraded_answers_are_graded(book: Path, tmp_path: Path) -> None:
    items = {item.id: item for items in read_bank(book).values() for item in items}
    right = {"sum": [1], "even": [0, 2], "order": [3, 1, 2], "names": [2, 3, 1], "floor": "0,44"}
    wrong = {"sum": [0], "even": [0], "order": [1, 2, 3], "names": [1, 2, 3], "floor": "0.62"}
    assert {name: is_right(items[name], given) for name, given in right.items()} == dict.fromkeys(right, True)
    assert {name: is_right(items[name], given) for name, given in wrong.items()} == dict.fromkeys(
        wrong, False
    )
    kept = entry(items["sum"].version[:8], (7, None), answer=[1])
    write(tmp_path / "ada.json", {"sums/sum": kept})
    _, rows, _ = run(book, tmp_path)
    assert [row["right"] for row in rows] == ["1", "1"]


def test_names_are_no_formulas(book: Path, tmp_path: Path) -> None:
    item = read_bank(book)["sums"][0]
    write(tmp_path / "=SUM(A1).json", {f"sums/{item.id}": entry(item.version, (5, True))})
    _, rows, _ = run(book, tmp_path)
    assert {row["student"] for row in rows} == {"'=SUM(A1)"}
