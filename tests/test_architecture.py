"""The rules of the house, read off the imports."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import aix

ROOT = Path(aix.__file__).parent
FILES = sorted(path for path in ROOT.rglob("*.py") if "prompts" not in path.relative_to(ROOT).parts[:1])

FLOORS = {"cli": 6, "app": 5, "api": 6, "app_prompts": 4, "evals": 4, "serve": 4, "health": 4, "lint": 4, "runs": 3} | {
    "library": 2,
    "formats": 2,
    "llm": 2,
    "config": 1,
}
"""Imports point down; `messages` and `errors` are the ground, and what is not named here stands on the ground too."""

DOORS = {
    "typer": "cli/",
    "rich": "cli/console.py",
    "markdown_it": "cli/console.py",
    "questionary": "cli/ask.py",
    "prompt_toolkit": "cli/ask.py",
    "jinja2": "library/templates/jinja.py",
    "jsonschema": "runs/schema.py",
    "referencing": "runs/schema.py",
    "yaml": "config/yaml.py",
    "httpx": "llm/client.py",
    "certifi": "llm/network.py",
}
GATES = ("__main__", "__init__")
"""Where a program comes in: they stand above all rooms."""

LATE = {
    "__init__.py",
    "__main__.py",
    "app.py",
    "app_prompts.py",
    "cli/console.py",
    "cli/ask.py",
    "cli/completion/__init__.py",
}
"""The files that import while they work: the entry, the factory, the doors to slow libraries, what only a Tab needs."""


def place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            yield base, node.lineno
            if base == "aix" or base.count(".") == 1:
                yield from ((f"{base}.{alias.name}", node.lineno) for alias in node.names)


@pytest.fixture(params=FILES, ids=place)
def file(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_imports_point_down(file: Path) -> None:
    own = place(file).split("/")[0].removesuffix(".py")
    for module, line in imports(tree_of(file)):
        if module.startswith("aix.") and room(module) != own and own not in GATES:
            above = FLOORS.get(room(module), 0) >= FLOORS.get(own, 0)
            assert not above or FLOORS.get(own, 0) == FLOORS.get(room(module), 0) == 0, (
                f"{file}:{line} imports {module}"
            )


def test_each_library_has_one_door(file: Path) -> None:
    for module, line in imports(tree_of(file)):
        door = DOORS.get(module.split(".")[0])
        assert door is None or place(file).startswith(door), f"{file}:{line} imports {module}; its door is {door}"


def test_the_ground_floor_imports_only_the_standard_library() -> None:
    for name in ("messages.py", "errors.py"):
        found = {module for module, _ in imports(tree_of(ROOT / name))}
        assert not {module for module in found if module.startswith("aix") or module in DOORS}


def test_imports_stand_at_the_top(file: Path) -> None:
    if place(file) in LATE:
        return
    tree = tree_of(file)
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            late = [node.lineno for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom)]
            assert not late, f"{file}:{late[0]} imports inside a function"


def names_used(tree: ast.AST) -> set[str]:
    """Bare names that are called, and `module.attribute` wherever it stands."""
    calls = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    attributes = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    return calls | {f"{node.value.id}.{node.attr}" for node in attributes if isinstance(node.value, ast.Name)}


def test_below_the_command_line_nothing_prints_asks_or_ends_the_process(file: Path) -> None:
    if place(file).startswith("cli/") or place(file) == "__main__.py":
        return
    handed_over = {"os.environ"} if place(file).startswith("api/") else set[str]()
    forbidden = {
        "print",
        "input",
        "exit",
        "sys.argv",
        "sys.exit",
        "sys.stdout",
        "sys.stderr",
        "sys.stdin",
        "os.environ",
    }
    assert names_used(tree_of(file)) & forbidden <= handed_over


def test_no_module_is_longer_than_400_lines(file: Path) -> None:
    assert len(file.read_text().splitlines()) <= 400
