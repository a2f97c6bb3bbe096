"""The book's quizzes and its exam guide: no finding of the lint, and reports that count right."""

import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

from bookkit.quiz.__main__ import ROOT, main
from bookkit.quiz.bank import load
from bookkit.quiz.lint import lint
from bookkit.quiz.objectives import guide, read_objectives
from bookkit.quiz.report import report
from bookkit.widgets import guess

RECORDS = sorted((ROOT / guess.FOLDER).glob("*.json"))


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
    for line in re.findall(r"^\| (\d) .* \| \d+% \| (\d+) \| \d+% \|$", text, re.M):
        assert domains[line[0]] == int(line[1])
    within = Counter(item["objective"] for item in items if not item.get("beyond"))
    shown = re.findall(r"^\| (\d\.\d\.\d) \| .* \| (\d+) \| \d+ \|$", text, re.M)
    assert {id: int(count) for id, count in shown if int(count)} == dict(within)
    choices = [item for item in items if item["type"] == "multiple-choice"]
    letters = Counter(
        "ABCD"[[bool(o.get("correct")) for o in item["options"]].index(True)] for item in choices
    )
    assert f"| key at | {', '.join(f'{letter} {letters[letter]}' for letter in 'ABCD')} |" in text


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_records_of_guesses(path: Path) -> None:
    recorded = guess.read_record(path, path.name)
    assert len(recorded.top) == guess.TOP
    assert "fmkit" in recorded.command
