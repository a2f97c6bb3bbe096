"""The names of the tests: short enough to be read in a list, and typed after `pytest -k`."""

import ast
from pathlib import Path

LONGEST = 40


def test_names_are_short() -> None:
    names = [
        f"{path.name}::{node.name}"
        for path in Path(__file__).parent.rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and len(node.name) > LONGEST
    ]
    assert not names
