"""The book: a Sphinx extension for its pages, and `python -m bookkit` to build and serve them."""

from pathlib import Path
from typing import Any

SITE = (
    "assets",
    "pages",
    "sharing",
    "icons",
    "boxes",
    "exercises",
    "formulas",
    "diagrams",
    "parts",
    "sources",
    "syllabus",
    "page_widget",
    "embeds",
    "offline",
    "search",
    "notebook_widgets",
    "light",
)
PARTS = ("editions", "engine", "quiz", "exam", "progress")
KERNEL_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "",  # what is committed and compared are a CPU's numbers
    "TQDM_DISABLE": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
}


def setup(app: Any) -> dict[str, Any]:
    """Sphinx calls this. Every folder of widgets/ is a page widget and an extension by itself."""
    widgets = sorted(path.parent.name for path in Path(__file__).parent.glob("widgets/*/__init__.py"))
    extensions = [f"site.{name}" for name in SITE] + [*PARTS] + [f"widgets.{name}" for name in widgets]
    for name in extensions:
        app.setup_extension(f"bookkit.{name}")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
