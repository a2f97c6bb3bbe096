"""The book: a Sphinx extension for its pages, and `python -m fmkit.book` to build and serve them."""

from typing import Any


def setup(app: Any) -> dict[str, Any]:
    """Sphinx calls this; whoever only imports fmkit needs no Sphinx."""
    from fmkit.book import diagrams, pages

    diagrams.setup(app)
    pages.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
