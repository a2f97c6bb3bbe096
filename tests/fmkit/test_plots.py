"""Figures fit the page: its colors, its text, light and dark."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from fmkit.plots import (
    COLORS,
    INK,
    Bar,
    Line,
    Matrix,
    plot_accuracy,
    plot_bars,
    plot_lines,
    plot_matches,
    plot_matrices,
    plot_shares,
    plot_stacks,
    running_mean,
)
from fmkit.run import TrainingRun

STYLES = (Path(__file__).parents[2] / "bookkit/site/book.css").read_text()


def a_run() -> TrainingRun:
    run = TrainingRun()
    for step in range(1, 101):
        run.history.append({"step": step, "tokens": 512 * step, "loss": 7.0 / step**0.3})
    run.history[-1]["validation_loss"] = 2.0
    return run


def test_figures_and_pages_share_colors():
    for name, color in COLORS.items():
        assert re.search(rf"--fm-{name}: (#\w+);", STYLES)[1] == color


def test_figure_takes_the_color_of_its_page():
    svg = a_run().plot(floor=1.0).svg
    assert INK not in svg
    assert "currentColor" in svg
    colors = set(re.findall(r"(?<!, )#[0-9a-f]{6}", svg))  # all but the fallbacks of variables
    assert colors == set()
    for name in ("own-run", "evaluation", "floor"):
        assert f"var(--fm-{name}, " in svg
    assert "<metadata" not in svg
    assert "font-family" not in svg


@pytest.mark.parametrize(
    "plot",
    [
        a_run().plot(floor=0.1),
        plot_lines([Line("leak", [1, 9], [7.0, 0.0])], "", "x", "y", level=(0.3, "floor 0.30")),
        plot_lines([Line("true", [1, 9], [0.1, 0.5])], "", "x", "y", True, level=(0.52, "a coin 52%")),
        plot_lines([Line("gone", [1, 9], [7.0, 8e6])], "", "x", "y", level=(6.9, "7"), log_y=True),
        plot_lines([Line("back", [1, 9], [8e6, 7.0])], "", "x", "y", level=(6.9, "7"), log_y=True),
    ],
)
def test_names_stand_clear_of_lines_and_axes(plot):
    figure = plot.figure
    figure.draw_without_rendering()
    axes = figure.axes[0]
    boxes = {text.get_text(): text.get_window_extent() for text in axes.texts}
    assert len(boxes) >= 2
    for name, box in boxes.items():
        assert box.x0 > axes.bbox.x1 or box.y0 > axes.bbox.y0, name
        for line in axes.lines[1:]:  # all but the pale one of the single steps
            points = axes.transData.transform(line.get_xydata())
            assert not any(box.contains(x, y) for x, y in points), name
        assert not any(box.overlaps(other) for other in boxes.values() if other is not box)


def test_the_sentence_is_made_from_the_data():
    run = a_run()
    assert repr(run.plot()) == "loss 7.0 → 1.8 over 100 steps, validation 2.0"
    assert repr(run.plot(floor=0.43)).endswith("; the floor is 0.43")
    run.history[0]["loss"] = 9.0
    assert repr(run.plot()).startswith("loss 9.0")
    assert repr(TrainingRun()) == "no steps yet"


def test_running_mean_has_no_start_up_bias():
    assert running_mean([3.0] * 10, share=0.5) == pytest.approx([3.0] * 10)
    assert running_mean([1.0, 2.0]) == pytest.approx([1.0, 2.0])  # too few to smooth


def test_accuracies_are_compared_in_words():
    """In words that another processor's last digits do not change."""
    good, poor = TrainingRun(), TrainingRun()
    for step in (10, 20):
        good.history.append({"step": step, "accuracy": 0.6 + step / 100})
        poor.history.append({"step": step, "accuracy": 0.55})
    plot = plot_accuracy({"from scratch": poor.history, "pre-trained": good.history}, (0.5, "chance 50%"))
    expected = "accuracy on held-out examples at the last step: pre-trained > from scratch > chance 50%"
    assert repr(plot) == expected
    for label in ("pre-trained", "from scratch", "chance 50%"):
        assert f">{label}</text>" in plot.svg


def test_percentages_have_one_form():
    """On an axis as in the text, without a space."""
    for plot in (
        plot_lines([Line("a", [1, 2], [0.1, 0.2])], "", "x", "y", percent=True),
        plot_shares({"a": 0.2}, "", "x"),
    ):
        assert "20%" in plot.svg
        assert " %" not in plot.svg


def test_line_names_do_not_overlap():
    lines = [Line(name, [1, 2], [0.0, 0.5 + n / 1000], "floor") for n, name in enumerate("abc")]
    axes = plot_lines(lines, "three lines", "x", "y", percent=True).figure.axes[0]
    heights = sorted(text.xy[1] for text in axes.texts)
    assert all(upper - lower >= 0.07 for lower, upper in pairwise(heights))


def test_points_may_have_names():
    line = Line("a", [1, 2], [0.1, 0.2], names=["low", "high"])
    texts = [text.get_text() for text in plot_lines([line], "", "x", "y").figure.axes[0].texts]
    assert texts == ["low", "high", "a"]


def test_names_inside_stand_above_the_axis():
    lines = [Line("short", [1, 2], [0.0, 0.0]), Line("long", [1, 9], [0.2, 0.9])]
    figure = plot_lines(lines, "", "x", "y", percent=True).figure
    figure.draw_without_rendering()
    axes = figure.axes[0]
    inside = next(text for text in axes.texts if text.get_text() == "short")
    assert inside.get_window_extent().y0 > axes.bbox.y0


def test_an_axis_begins_at_zero_or_below():
    above = plot_lines([Line("a", [1, 2], [3.0, 2.0])], "", "x", "y").figure.axes[0]
    assert above.get_ylim()[0] == 0
    wide = Line("b", [1, 2], [3.0, 2.0], spread=([1.0, -4.0], [4.0, 3.0]))
    below = plot_lines([wide], "", "x", "y", level=(-1.0, "before")).figure.axes[0]
    assert below.get_ylim()[0] < -4


def test_bars_have_their_labels_above_them():
    bars = [Bar("good", 0.9, "90%"), Bar("good", 0.1, "10%", hatch="///"), Bar("bad", 0.5, "50%")]
    plot = plot_bars(bars, "three bars", "right", percent=True, level=(0.5, "chance 50%"))
    heights = {text.get_text(): text.xy[1] for text in plot.figure.axes[0].texts}
    above = [heights[name] for name in ("chance 50%", "good", "90%", "10%", "bad", "50%")]
    assert above == sorted(above, reverse=True)
    assert repr(plot) == "three bars"


def test_a_level_crosses_no_label():
    bars = [Bar("first", 0.2, "20%"), Bar("second", 0.7, "70%")]
    axes = plot_bars(bars, "two bars", "right", percent=True, level=(0.02, "floor 2%")).figure.axes[0]
    heights = [text.xy[1] for text in axes.texts if text.get_text() in ("first", "second")]
    pieces = [[y for _, y in piece] for piece in axes.collections[0].get_segments()]
    assert len(pieces) == 3
    assert not any(min(piece) < height < max(piece) for piece in pieces for height in heights)


def test_a_narrow_figure_fits_a_phone():
    """The page's style keeps three quarters of a figure's width; a phone of 390 pixels has room for 350."""
    line, bar = Line("a", [1, 3], [0.1, 1.0]), Bar("good", 1.0, "a rather long text")
    for plot in (plot_lines([line], "", "x", "y", width=4.0), plot_bars([bar], "", "right", width=4.0)):
        width = re.search(r'width="(\d+)"', plot.svg)
        assert width
        assert 0.75 * int(width[1]) <= 350


@pytest.mark.parametrize(
    ("points", "log", "numbered"),
    [
        ([0, 1, 2, 3], False, True),
        ([50, 100, 400], True, True),
        ([1, 2, 100], False, False),  # the first two would touch
        (list(range(20)), False, False),
        ([0.5, 1.5], False, False),
    ],
)
def test_a_few_points_have_ticks(points, log, numbered):
    plot = plot_lines([Line("a", points, points)], "one line", "x", "y", log_x=log)
    assert (list(plot.figure.axes[0].get_xticks()) == points) == numbered


def test_ticks_of_counts_are_whole_numbers():
    axes = plot_lines([Line("a", [1, 2, 3], [0.1, 0.5, 1.0])], "", "references", "y").figure.axes[0]
    assert all(float(tick).is_integer() for tick in axes.get_xticks())


def test_far_apart_numbers_share_a_figure():
    """As dots: a bar on a logarithmic axis has no honest length."""
    bars = [Bar("one answer", 1e7, "10⁷"), Bar("training", 1e12, "10¹²")]
    axes = plot_bars(bars, "two dots", "FLOPs", log_x=True).figure.axes[0]
    low, high = axes.get_xlim()
    assert low < 1e7 < 1e12 < high
    assert [dot.get_xdata()[0] for dot in axes.lines] == [1e7, 1e12]
    assert not axes.patches


def test_shares_are_bars_with_percentages():
    plot = plot_shares({"seen": 0.985, "new": 0.5}, "two shares", "right", "finetuning", (0.5, "a coin"))
    axes = plot.figure.axes[0]
    texts = {text.get_text(): text.xy[0] for text in axes.texts}
    assert texts == {"seen": 0, "98%": 0.985, "new": 0, "50%": 0.5, "a coin": 0.5}
    assert axes.get_xlim() == (0, 1)


def test_parts_of_a_stack_are_end_to_end():
    parts = [Bar("weights", 2, "", "pretraining"), Bar("AdamW", 6, "8 GB", "finetuning", "///")]
    plot = plot_stacks({"full": parts, "LoRA": [Bar("weights", 2, "2 GB")]}, "two ways", "GB")
    axes = plot.figure.axes[0]
    spans = {(bar.get_x(), bar.get_x() + bar.get_width()) for bar in axes.patches}
    assert spans == {(0, 2), (2, 8)}
    texts = {text.get_text(): text.xy[0] for text in axes.texts}
    assert texts == {"full": 0, "weights": 0, "AdamW": 2, "8 GB": 8, "LoRA": 0, "2 GB": 2}


def test_matrices_are_drawn_to_one_scale():
    plot = plot_matrices([Matrix("B", [[1.0], [-2.0]]), Matrix("A", [[0.0, 1.0, 0.5]], "·")], "a product")
    axes = plot.figure.axes[0]
    widths = [image.get_extent()[1] - image.get_extent()[0] for image in axes.images]
    assert widths == pytest.approx([1, 3])
    b = axes.images[0].get_array()
    assert b[1, 0, 3] == 1.0 > b[0, 0, 3], "the larger the number, the stronger"
    assert tuple(b[0, 0, :3]) != tuple(b[1, 0, :3]), "signs differ in hue"
    assert {"B\n2 × 1", "·", "A\n1 × 3"} <= {text.get_text() for text in axes.texts}


def test_best_matches_are_marked():
    """A mark for each row and each column, where its largest number is."""
    plot = plot_matches([[0.9, 0.2, 0.1], [0.8, 0.3, 0.4]], ["no", "tea"], ["not", "a", "cup"], "")
    rows, columns = plot.figure.axes[0].lines
    assert list(zip(*rows.get_data(), strict=True)) == [(0, 0), (0, 1)]
    assert list(zip(*columns.get_data(), strict=True)) == [(0, 0), (1, 1), (2, 1)]
    assert all(f">{number}<" in plot.svg for number in (90, 20, 10, 80, 30, 40))
