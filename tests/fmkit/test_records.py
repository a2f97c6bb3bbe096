"""Reading recorded runs, and tables."""

import json
from pathlib import Path

import pytest

from fmkit import FmkitError, records


def test_a_table_is_text_and_escaped_html() -> None:
    table = records.Table("a < b", ["of", "a&b"], [["x", "1"], ["longer", "22"]])
    assert repr(table).splitlines() == ["of      a&b", "x         1", "longer   22", "a < b"]
    page = table._repr_html_()
    assert "<figcaption>a &lt; b</figcaption>" in page
    assert page.count("<tr>") == 3
    assert '<th scope="col">of</th><th scope="col" class="text-end">a&amp;b</th>' in page
    assert '<th scope="row">longer</th><td class="text-end">22</td>' in page
    with pytest.raises(FmkitError, match="2 columns"):
        records.Table("", ["a", "b"], [["1", "2"], ["1"]])


def test_cards_have_their_columns_names() -> None:
    page = records.Table("a", ["of", "a&b"], [["x", "1"]], cards=True)._repr_html_()
    assert '<table class="table table-sm fm-cards">' in page
    assert '<td class="text-end" data-name="a&amp;b">1</td>' in page
    assert "data-name" not in records.Table("a", ["of", "b"], [["x", "1"]])._repr_html_()


def test_wrong_words_are_marked_in_tables() -> None:
    cell = records.Text("A lamp & a pillow, but", [(11, 18)])
    assert str(cell) == "A lamp & a »pillow,« but"
    assert cell.to_html() == 'A lamp &amp; a <mark class="fm-wrong">pillow,</mark> but'
    table = records.Table("one wrong", ["text", "expected", "n"], [[cell, records.Text("lamp"), "1"]])
    assert repr(table).splitlines()[1] == "A lamp & a »pillow,« but  lamp      1"
    page = table._repr_html_()
    assert '<th scope="col" class="fm-marked">expected</th><th scope="col" class="text-end">n</th>' in page
    assert '</mark> but</th><td class="fm-marked">lamp</td><td class="text-end">1</td>' in page


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        ((None, None), "2 runs"),
        ((None, 12.2), "2 runs, 12 CPU seconds in the one that was timed"),
        ((9.0, 12.2, None), "3 runs, 9 to 12 CPU seconds in the 2 that were timed"),
        ((12.4, 11.9), "2 runs, 12 CPU seconds each"),
    ],
)
def test_the_cost_of_a_record_is_as_timed(
    seconds: tuple[float | None, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "assets/runs").mkdir(parents=True)
    (tmp_path / "_toc.yml").touch()
    monkeypatch.chdir(tmp_path)
    runs = [{} if each is None else {"cpu_seconds": each} for each in seconds]
    (tmp_path / "assets/runs/one.json").write_text(json.dumps({"runs": runs}))
    assert records.made_by("one") == f"python -m bookkit.experiments one\n{said}"


def test_a_missing_record_names_its_command() -> None:
    with pytest.raises(FmkitError, match=r"python -m bookkit\.experiments no-such"):
        records.read_runs("no-such")


def test_curves_of_seeds_are_line_and_band() -> None:
    line = records.bundle("a", [[(1, 2.0), (2, 4.0)], [(1, 3.0), (2, 8.0)]], "finetuning", "--")
    assert (list(line.x), list(line.y)) == ([1, 2], [2.5, 6.0])
    assert line.spread == ([2.0, 4.0], [3.0, 8.0])
