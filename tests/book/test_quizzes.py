"""The book's quizzes and its exam guide: no finding of the lint, and reports that count right."""

import re
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
import yaml

from bookkit.quiz.__main__ import ROOT, main
from bookkit.quiz.bank import load
from bookkit.quiz.forms import full_forms
from bookkit.quiz.lint import lint
from bookkit.quiz.objectives import guide, read_objectives
from bookkit.quiz.report import old, report
from bookkit.widgets import guess

RECORDS = sorted((ROOT / guess.FOLDER).glob("*.json"))


@pytest.mark.slow
def test_the_book_has_no_finding():
    assert [str(finding) for finding in lint(load(ROOT))] == []


def test_the_guide_is_whole():
    objectives, exam = read_objectives(ROOT), guide(ROOT)
    assert Counter(objective.domain for objective in objectives.values()) == {
        1: 17,
        2: 14,
        3: 19,
        4: 11,
        5: 8,
    }
    assert sum(domain.weight for domain in exam.domains) == 100
    owned = [objective.id for objective in objectives.values() if objective.role == "owned"]
    assert owned == [f"3.3.{n}" for n in (1, 2, 3)] + [f"3.4.{n}" for n in (1, 2, 3, 4, 5)]


@pytest.mark.slow
def test_the_report_counts_right(capsys):
    items = [
        item
        for path in sorted((ROOT / "assets/quizzes").glob("*.yml"))
        for item in yaml.safe_load(path.read_text())
    ]
    assert main(["report"]) == 0
    text = capsys.readouterr().out
    assert text.rstrip() == report(load(ROOT))
    domains = Counter(item["objective"][0] for item in items)
    usable = [item for item in items if item["type"] != "numeric" and not item.get("beyond")]
    asked = Counter(item["objective"][0] for item in usable)
    rows = re.findall(r"^\| (\d) .* \| \d+% \| (\d+) \| \d+% \| (\d+) \| (\d+) \| (\d+) \|$", text, re.M)
    assert len(rows) == 5
    for domain, *numbers in rows:
        count, usable_count, shown_count, reserve = map(int, numbers)
        assert count == domains[domain]
        assert usable_count == asked[domain] == shown_count + reserve
    within = Counter(item["objective"] for item in items if not item.get("beyond"))
    shown = re.findall(r"^\| (\d\.\d\.\d) \| .* \| (\d+) \| \d+ \|$", text, re.M)
    assert {id: int(count) for id, count in shown if int(count)} == dict(within)
    choices = [item for item in items if item["type"] == "multiple-choice"]
    letters = Counter(
        "ABCD"[[bool(o.get("correct")) for o in item["options"]].index(True)] for item in choices
    )
    assert f"| key at | {', '.join(f'{letter} {letters[letter]}' for letter in 'ABCD')} |" in text


@pytest.mark.slow
def test_two_full_exams_share_no_item():
    """By the domains' weights, over every objective; most questions are in no chapter."""
    bank = load(ROOT)
    forms = full_forms(bank)
    for asked in forms.values():
        assert Counter(item.objective[0] for _, item in asked) == {"1": 13, "2": 16, "3": 18, "4": 9, "5": 9}
        hidden = [quiz for quiz, _ in asked if quiz.startswith("domain-")]
        assert len(hidden) >= 33
    names = [(quiz, item.id) for asked in forms.values() for quiz, item in asked]
    assert len(set(names)) == len(names) == 130
    assert {item.objective for asked in forms.values() for _, item in asked} == set(bank.objectives)
    again = full_forms(load(ROOT))
    assert names == [(quiz, item.id) for asked in again.values() for quiz, item in asked]


@pytest.mark.slow
def test_old_facts_are_listed():
    bank = load(ROOT)
    assert "\n0 items" in f"\n{old(bank, date(2026, 12, 1))}"
    later = old(bank, date(2028, 1, 1))
    dated = [item for _, item in bank.items if item.service and bank.services.get(item.service)]
    assert all(f" | {item.id} | " in later for item in dated)


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_records_of_guesses(path: Path) -> None:
    recorded = guess.read_record(path, path.name)
    assert len(recorded.top) == guess.TOP
    assert "fmkit" in recorded.command
