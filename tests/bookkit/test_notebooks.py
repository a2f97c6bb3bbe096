"""Executing and normalizing notebooks: two runs leave the same bytes, and what fails is told."""

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from bookkit.site.notebooks import execute_all, normalize


def normalized(*cells: Any, **metadata: Any) -> Any:
    notebook = new_notebook(cells=list(cells), metadata=metadata)
    normalize(notebook)
    return notebook


def stream(text: str, name: str = "stdout") -> Any:
    return new_output("stream", name=name, text=text)


def test_foreign_metadata_is_dropped() -> None:
    cell = new_code_cell("1", metadata={"tags": ["hide-input"], "collapsed": True}, execution_count=17)
    notebook = normalized(
        cell,
        kernelspec={"display_name": "mine", "name": "mine"},
        language_info={"name": "python", "version": "3.11.2"},
    )
    assert notebook.metadata.kernelspec.name == "python3"
    assert notebook.metadata.language_info == {"name": "python"}
    assert notebook.cells[0].metadata == {"tags": ["hide-input"]}
    assert notebook.cells[0].execution_count == 1


def test_one_output_for_one_stream() -> None:
    """How a kernel cuts its text into messages is chance."""
    parts = [stream("a\n"), stream("b\n"), stream("c\n", "stderr"), stream("d\n")]
    outputs = normalized(new_code_cell("", outputs=parts)).cells[0].outputs
    assert [output.text for output in outputs] == ["a\nb\n", "c\n", "d\n"]


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("<Thing at 0x7f3a9c0d1e20>", "<Thing>"),
        (f"{Path.cwd()}/assets/runs", "assets/runs"),
        (f"in {Path.cwd()}", "in ."),
    ],
)
def test_addresses_are_taken_out(text: str, clean: str) -> None:
    result = new_output("execute_result", data={"text/plain": text}, execution_count=9)
    outputs = normalized(new_code_cell("", outputs=[stream(text), result])).cells[0].outputs
    assert outputs[0].text == outputs[1].data["text/plain"] == clean
    assert outputs[1].execution_count == 1


def test_widgets_are_saved_without_scripts() -> None:
    """So a change of a script changes no notebook."""
    state = {"state": {"one": {"state": {"_esm": "export", "_css": "p {}", "steps": 200}}}}
    notebook = normalized(new_markdown_cell("# A"), widgets={"application/x": state})
    assert notebook.metadata.widgets["application/x"]["state"]["one"]["state"] == {"steps": 200}


@pytest.mark.slow
def test_two_runs_leave_the_same_bytes(tmp_path: Path) -> None:
    path = tmp_path / "one.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell("print(object())\n1 + 1", id="sum")]), path)
    assert execute_all([path]) == 0
    first = path.read_bytes()
    assert execute_all([path]) == 0
    assert path.read_bytes() == first
    assert nbformat.read(path, as_version=4).cells[0].outputs[1].data["text/plain"] == "2"


@pytest.mark.slow
def test_a_failing_notebook_stays_as_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bad.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell("1 / 0", id="bad")]), path)
    before = path.read_bytes()
    assert execute_all([path]) == 1
    assert path.read_bytes() == before
    assert "ZeroDivisionError" in capsys.readouterr().err
