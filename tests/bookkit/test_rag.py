"""The experiment `rag`: what counts as right and as faithful, and what its record must show."""

from random import Random

import pytest

from bookkit.experiments.rag import TOWNS, alter, cases_of, is_faithful, outcome, value_in
from fmkit.records import read_runs
from fmkit.world import Almanac
from fmkit.world.readings import UNKNOWN, Page, answer_to, pages, values

WORLD = Almanac(2)
BOOK, CASES = pages(WORLD), cases_of(WORLD)
RUNS = read_runs("rag")


def page_of(case) -> Page:
    return next(page for page in BOOK if case.told_by(page))


def test_outcomes() -> None:
    assert outcome("The mayor was Tom.", "The mayor was Tom.") == "right"
    assert outcome("The mayor was Ben.", "The mayor was Tom.") == "wrong"
    assert outcome(UNKNOWN, "The mayor was Tom.") == "abstains"


def test_a_value_is_found_in_its_answer() -> None:
    for case in CASES:
        for value in values(case.topic):
            assert value_in(answer_to(case.topic, value), case) == value
        assert value_in(UNKNOWN, case) == ""


def test_right_answers_are_faithful() -> None:
    for case in CASES:
        assert is_faithful(case.right, case, [page_of(case)])
        assert not is_faithful(case.right, case, [])
        assert not is_faithful(UNKNOWN, case, [page_of(case)])


def test_a_page_of_another_year_is_no_source() -> None:
    for case in CASES[:48]:
        later = [p for p in BOOK if p.town == case.town and p.year > case.year and case.topic in p.topics]
        assert not any(is_faithful(case.right, case, [page]) for page in later)


def test_an_altered_page_tells_another_value() -> None:
    rng = Random(0)
    for case in CASES:
        page = alter(case, page_of(case), rng)
        told = [v for v in values(case.topic) if is_faithful(answer_to(case.topic, v), case, [page])]
        assert len(told) == 1
        assert answer_to(case.topic, told[0]) != case.right


def test_invented_towns_are_in_no_almanac() -> None:
    assert not {*TOWNS} & {town for seed in range(30) for town in Almanac(seed).towns}


@pytest.mark.parametrize("run", RUNS, ids=lambda run: str(run["settings"]["almanac"]))
def test_more_pages_are_found_and_read_worse(run) -> None:
    recalls = [run["recall"][k] for k in ("1", "2", "3", "5")]
    rights = [run["reading"][f"k={k}"]["right"] for k in (1, 2, 3, 5)]
    assert recalls == sorted(recalls)
    assert rights == sorted(rights, reverse=True)


@pytest.mark.parametrize("run", RUNS, ids=lambda run: str(run["settings"]["almanac"]))
def test_the_reader_reads_one_page(run) -> None:
    assert run["reading"]["right"]["right"] >= 0.95
    assert run["reading"]["altered"]["faithful"] >= 0.95


def test_memory_ends_at_the_cutoff() -> None:
    years = RUNS[0]["reading"]["none"]["years"]
    right = [years.get(f"{year} right", 0) for year in (2021, 2022, 2023, 2024)]
    assert right[0] == right[1] == 48
    assert 24 >= right[2] > right[3]
