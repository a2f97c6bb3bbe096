"""The house has floors: a module imports from its own and those below."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "fmkit"
FLOORS = [
    {"errors", "config", "defaults", "flops", "footprint", "scaling"},
    {"data"},
    {"attention", "losses", "optim", "checkpoint", "model", "lora", "generation"},
    {"objectives", "trainer", "run"},
    {"evaluation", "plots"},
    {"recipes"},
    {"lab", "experiments", "models", "widgets", "book", "commands", "cli"},
]
LEVEL = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}
UPWARD = {("run", "plots")}  # the one stair that goes up: run.plot(), imported when it is called


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def test_imports_go_down_only():
    for path in PACKAGE.rglob("*.py"):
        if path == PACKAGE / "__init__.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module == "fmkit":
                names = [f"fmkit.{alias.name}" for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                target = name.split(".")[1] if name.startswith("fmkit.") else None
                if target in LEVEL and (room(path), target) not in UPWARD:
                    assert LEVEL[target] <= LEVEL[room(path)], f"{path.name} imports {name}"


def test_every_room_has_its_floor():
    rooms = {room(path) for path in PACKAGE.rglob("*.py")} - {"__init__"}
    assert rooms <= LEVEL.keys(), rooms - LEVEL.keys()
