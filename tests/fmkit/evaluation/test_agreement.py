"""Agreement and kappa are what their definitions say."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fmkit import FmkitError
from fmkit.evaluation.agreement import agreement, cohen_kappa, krippendorff_alpha
from fmkit.world import annotate

PAIRS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1)


@given(PAIRS)
def test_kappa_by_definition(pairs):
    first, second = zip(*pairs, strict=True)
    shares = [(first.count(label) / len(pairs), second.count(label) / len(pairs)) for label in range(3)]
    by_chance = sum(a * b for a, b in shares)
    assume(by_chance < 1)
    observed = sum(a == b for a, b in pairs) / len(pairs)
    assert agreement(first, second) == observed
    assert cohen_kappa(first, second) == pytest.approx((observed - by_chance) / (1 - by_chance))


def test_kappa_of_cohens_own_table():
    """Cohen 1960, table 1: 200 patients, three diagnoses; the agreement is .70, by chance .41, kappa .49."""
    table = [[88, 14, 18], [10, 40, 10], [2, 6, 12]]
    pairs = [(i, j) for i, row in enumerate(table) for j, count in enumerate(row) for _ in range(count)]
    first, second = zip(*pairs, strict=True)
    assert agreement(first, second) == pytest.approx(0.70)
    assert cohen_kappa(first, second) == pytest.approx(0.492, abs=0.001)


def test_labels_at_random_agree_by_chance():
    truth = ["yes", "no"] * 5_000
    first, second = (annotate(truth, ("yes", "no"), 0.5, seed=seed) for seed in (0, 1))
    assert cohen_kappa(first, second) == pytest.approx(0, abs=0.03)
    assert cohen_kappa(first, first) == 1


@pytest.mark.parametrize("measure", [agreement, cohen_kappa])
@pytest.mark.parametrize(("first", "second"), [([], []), ([1], [1, 2])])
def test_unequal_lists_are_one_line(measure, first, second):
    with pytest.raises(FmkitError, match="give two for each item"):
        measure(first, second)


def test_one_label_has_no_kappa():
    with pytest.raises(FmkitError, match="gave every item the same label"):
        cohen_kappa(["yes"] * 5, ["yes"] * 5)


RATINGS = st.lists(st.lists(st.sampled_from([None, "a", "b", "c"]), min_size=3, max_size=3), min_size=1)


@given(RATINGS)
def test_alpha_by_definition(items):
    """From all ordered pairs within an item and between any two ratings that were compared."""
    columns = [[value for value in item if value is not None] for item in items]
    compared = [column for column in columns if len(column) > 1]
    values = [value for column in compared for value in column]
    assume(len(set(values)) > 1)
    within = sum(
        sum(a != b for i, a in enumerate(c) for j, b in enumerate(c) if i != j) / (len(c) - 1)
        for c in compared
    ) / len(values)
    pairs = [(a, b) for i, a in enumerate(values) for j, b in enumerate(values) if i != j]
    between = sum(a != b for a, b in pairs) / len(pairs)
    assert krippendorff_alpha(list(zip(*items, strict=True))) == pytest.approx(1 - within / between)


def test_interval_alpha_forgives_near_misses():
    near, far = [[1, 2, 3, 4, 5], [1, 2, 3, 4, 4]], [[1, 2, 3, 4, 5], [1, 2, 3, 4, 1]]
    assert krippendorff_alpha(near, "interval") > krippendorff_alpha(far, "interval")


@pytest.mark.parametrize(
    ("ratings", "said"),
    [
        ([[1, 2], [1]], "different lengths"),
        ([], "different lengths"),
        ([[1, None], [None, 1]], "no item has two ratings"),
        ([[1, 1], [1, None]], "all ratings are the same"),
    ],
)
def test_no_alpha_is_one_line(ratings, said):
    with pytest.raises(FmkitError, match=said):
        krippendorff_alpha(ratings)
