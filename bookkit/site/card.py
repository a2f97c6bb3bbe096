"""The picture that others show beside a link to the book: `python -m bookkit.site.card` draws it."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
CARD = ROOT / "assets/images/card.png"
WIDTH, HEIGHT = 1200, 630  # pixels, as the sites that show it ask for
DOTS = 100  # an inch
TEXT = "A loss falls to a dashed line, the floor: Training Foundation Models, a textbook that you can run."
GROUND, INK, LINE, FLOOR = "#121212", "#e8eaed", "#6cb8f0", "#a9b1bc"  # of the book's dark pages


def draw() -> None:
    """Draw the title beside the loss of the book's longest run, which falls to the floor."""
    from matplotlib.figure import Figure

    from fmkit.records import read_record

    record = read_record("pretraining")
    course = max(record["runs"], key=lambda run: len(run["snapshots"]))["snapshots"]
    figure = Figure(figsize=(WIDTH / DOTS, HEIGHT / DOTS), dpi=DOTS, facecolor=GROUND)
    figure.text(0.06, 0.70, "Training\nFoundation\nModels", color=INK, size=44, weight="bold", va="center")
    figure.text(0.06, 0.30, "A textbook that you can run", color=FLOOR, size=21, va="center")
    axes = figure.add_axes((0.54, 0.16, 0.40, 0.66), facecolor=GROUND)
    axes.plot([one["tokens"] for one in course], [one["loss"] for one in course], color=LINE, linewidth=5)
    axes.axhline(record["floor"], color=FLOOR, linestyle="--", linewidth=3)
    axes.annotate(
        "the floor",
        (1, record["floor"]),
        (0, -24),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        ha="right",
        color=FLOOR,
        size=17,
    )
    axes.set(xscale="log", xticks=[], yticks=[], ylim=(-0.6, None), xlabel="tokens read", ylabel="loss")
    axes.xaxis.label.set(color=FLOOR, size=17)
    axes.yaxis.label.set(color=FLOOR, size=17)
    axes.minorticks_off()
    for side, spine in axes.spines.items():
        spine.set(visible=side in ("left", "bottom"), color=FLOOR, linewidth=1.5)
    figure.savefig(CARD, metadata={"Software": None})


if __name__ == "__main__":
    draw()
