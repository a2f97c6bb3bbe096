"""The recorded runs of scaling laws and compute budgets are what the pages say of them."""

import itertools

import numpy as np
import pytest

from bookkit.experiments.isoflop import WIDTHS
from bookkit.experiments.scaling import shape
from fmkit.flops import num_parameters
from fmkit.records import read_runs
from fmkit.scaling import ScalingLaw, fit_power_law, fit_scaling_law, fit_valley, forecast_largest


@pytest.mark.parametrize("name", ["scaling", "isoflop"])
def test_no_loss_is_below_the_entropy(name):
    for run in read_runs(name):
        assert min(run["loss"]) > run["truth"]


def test_recorded_losses_fall_with_size():
    """But for the smallest model, which has hardly any use for more text: on one chain it ends worse."""
    smallest = []
    for run in read_runs("scaling"):
        losses = np.array(run["loss"]).reshape(5, 4)  # by sizes and amounts of text
        assert (np.diff(losses, axis=0) < 0).all()
        assert (np.diff(losses[1:], axis=1) < 0).all()
        smallest.append(losses[0])
    assert np.mean(smallest, axis=0)[0] > np.mean(smallest, axis=0)[-1]
    assert [float(losses[0]) < losses[-1] for losses in smallest] == [True, False, False, False, False]


@pytest.mark.slow
def test_recorded_laws_are_fitted_again():
    run = read_runs("scaling")[0]
    data = run["parameters"], run["tokens"], run["loss"]
    assert pytest.approx(run["law"]["E"], abs=0.01) == fit_scaling_law(*data).E
    assert forecast_largest(*data).law == pytest.approx(run["forecast"]["law"], abs=0.002)


def test_recorded_laws_find_the_entropy():
    for run in read_runs("scaling"):
        assert abs(run["law"]["E"] - run["truth"]) < min(run["loss"]) - run["truth"]
        low, high = run["interval"]
        assert run["scores"]["covered"] == (low <= run["truth"] <= high)


def test_two_ways_to_the_best_size_agree():
    """The lowest of the models of one budget, and the optimum of the law of other models of that world."""
    laws = {run["settings"]["world"]: ScalingLaw(**run["law"]) for run in read_runs("scaling")}
    for run in read_runs("isoflop"):
        optimum, _ = laws[run["settings"]["world"]].compute_optimal(run["settings"]["flops"])
        assert run["scores"]["best"] == pytest.approx(optimum, rel=0.25)


def test_more_compute_wants_a_larger_model():
    runs = read_runs("isoflop")
    for run in runs:
        assert 0 < int(np.argmin(run["loss"])) < len(run["loss"]) - 1
    worlds = {run["settings"]["world"] for run in runs}
    assert len(worlds) == 3
    for world in worlds:
        mine = [run for run in runs if run["settings"]["world"] == world]
        for less, more in itertools.pairwise(sorted(mine, key=lambda run: run["settings"]["flops"])):
            assert less["scores"]["best"] < more["scores"]["best"]
            assert less["scores"]["lowest_loss"] > more["scores"]["lowest_loss"]


def test_exponent_depends_on_embeddings():
    """To either side of one half, the exponent of Hoffmann et al.: the runs do not say which grows faster."""
    runs = read_runs("isoflop")
    for world in {run["settings"]["world"] for run in runs}:
        mine = [run for run in runs if run["settings"]["world"] == world]
        powers = []
        for tables in (True, False):
            best = []
            for run in mine:
                shapes = [shape(width) for width in WIDTHS[run["settings"]["flops"]]]
                sizes = [num_parameters(each, embeddings=tables) for each in shapes]
                best.append(fit_valley(sizes, run["loss"]).best)
            powers.append(fit_power_law([run["settings"]["flops"] for run in mine], best)[1])
        assert powers[0] < 0.45 < 0.55 < powers[1]
