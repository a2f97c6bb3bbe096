"""The book: a Sphinx extension for its pages, and `python -m bookkit` to build and serve them."""

from typing import Any

# For whatever executes a notebook, before its kernel starts: one thread, so that the digits are the same
# everywhere, and no progress bars, which redraw themselves.
KERNEL_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}


def setup(app: Any) -> dict[str, Any]:
    """Sphinx calls this; whoever only imports fmkit needs no Sphinx."""
    from bookkit import quiz
    from bookkit.site import assets, boxes, diagrams, html, pages, sources, widgets
    from bookkit.widgets import explorer, guess

    assets.setup(app)
    boxes.setup(app)
    diagrams.setup(app)
    explorer.setup(app)
    guess.setup(app)
    html.setup(app)
    pages.setup(app)
    quiz.setup(app)
    sources.setup(app)
    widgets.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
