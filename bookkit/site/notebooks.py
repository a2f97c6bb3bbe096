"""Re-execute notebooks and normalize them, so that two runs leave the same bytes."""

import os
import re
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from bookkit import KERNEL_ENVIRONMENT

ADDRESS = re.compile(r" at 0x[0-9a-f]{6,}")
TIMEOUT = 600  # seconds for one cell


def execute_all(paths: list[Path]) -> int:
    """Execute and rewrite each notebook; 0 if all ran."""
    os.environ.update(KERNEL_ENVIRONMENT)
    failed = 0
    for path in paths:
        started = time.monotonic()
        notebook = nbformat.read(path, as_version=4)
        try:
            execute(notebook, path.parent)
        except CellExecutionError as error:
            print(f"{path}: {error}", file=sys.stderr)
            failed += 1
            continue
        normalize(notebook)
        nbformat.write(notebook, path)
        print(f"{path}: {time.monotonic() - started:.0f} s", flush=True)
    return 1 if failed else 0


def execute(notebook: Any, folder: Path) -> None:
    client = NotebookClient(
        notebook,
        timeout=TIMEOUT,
        kernel_name="python3",
        record_timing=False,
        store_widget_state=True,
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute()


def normalize(notebook: Any) -> None:
    """Drop what differs from one run, machine or editor to another."""
    widgets = notebook.metadata.get("widgets")
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    if widgets:
        notebook.metadata["widgets"] = without_modules(widgets)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    count, here = 0, str(Path.cwd())
    for number, cell in enumerate(notebook.cells):
        cell.setdefault("id", f"cell-{number}")
        cell.metadata = nbformat.from_dict(
            {k: v for k, v in cell.metadata.items() if k in ("tags", "mystnb")}
        )
        if cell.cell_type != "code":
            continue
        count += 1
        cell.execution_count = count
        cell.outputs = [clean_output(output, count, here) for output in merge_streams(cell.outputs)]


def without_modules(widgets: Any) -> Any:
    """Saved widgets without their scripts and styles, which the page finds by the widget's name.

    So a change of a script changes no notebook.
    """
    for kind in widgets.values():
        for model in kind["state"].values():
            for source in ("_esm", "_css"):
                model["state"].pop(source, None)
    return widgets


def merge_streams(outputs: list[Any]) -> list[Any]:
    """One output per run of the same stream: how a kernel cuts its text into messages is chance."""
    merged: list[Any] = []
    for output in outputs:
        last = merged[-1] if merged else None
        if last and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
        else:
            merged.append(output)
    return merged


def clean_output(output: Any, count: int, here: str) -> Any:
    if "execution_count" in output:
        output.execution_count = count
    if output.output_type == "stream":
        output.text = clean_text(output.text, here)
    for kind, data in output.get("data", {}).items():
        if isinstance(data, str) and kind.startswith("text/"):
            output.data[kind] = clean_text(data, here)
    return output


def clean_text(text: str, here: str) -> str:
    return ADDRESS.sub("", text).replace(here + os.sep, "").replace(here, ".")
