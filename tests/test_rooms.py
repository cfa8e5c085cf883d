"""The rooms of `docs/internals.md`: a file imports only from those above its own, and none in a circle."""

from __future__ import annotations

import ast
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "internals.md").read_text(encoding="utf-8")
ROWS = [
    (re.findall(r"`([a-z_]+)(?:/|\.py)`", rooms), [item.strip("`/").replace("/", ".") for item in unknown.split(", ")])
    for rooms, unknown in re.findall(r"^\| (`[^|]+) \| [^|]+ \| ?([^|]*?) ?\|$", PAGE, re.M)
]
ROOMS = [room for rooms, _ in ROWS for room in rooms]
BARRED = [
    (room, item)
    for rooms, unknown in ROWS
    for room in rooms
    for item in unknown
    if item == "torch" or item.split(".")[0] in ROOMS
]


def imports(name: str, tree: ast.AST) -> set[str]:
    """Modules that a module imports anywhere in it, and of `from a import b` both `a` and `a.b`."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{name} imports by a relative name"
            found |= {str(node.module)} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def modules() -> dict[str, ast.Module]:
    """Each module of the package but its door, by name."""
    paths = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in ROOT.glob("facegen/**/*.py")}
    trees = {name.removesuffix(".__init__"): ast.parse(path.read_text()) for name, path in paths.items()}
    del trees["facegen"]
    return trees


TREES = modules()
GRAPH = {name: imports(name, tree) for name, tree in TREES.items()}


def rank(name: str) -> int:
    return ROOMS.index(name.split(".")[1])


def test_the_page_names_every_room() -> None:
    assert len(set(ROOMS)) == len(ROOMS)
    assert {name.split(".")[1] for name in TREES} == set(ROOMS)
    assert ("fitting", "pictures") in BARRED and ("mesh", "torch") in BARRED


def test_imports_go_up_the_list_of_rooms() -> None:
    down = [(name, other) for name in GRAPH for other in GRAPH[name] & set(TREES) if rank(other) > rank(name)]
    assert down == []


@pytest.mark.parametrize(("room", "other"), BARRED)
def test_a_room_does_not_import_what_it_knows_nothing_of(room: str, other: str) -> None:
    barred = "torch" if other == "torch" else f"facegen.{other}"
    for name, found in GRAPH.items():
        if name.split(".")[1] == room:
            assert not [each for each in found if f"{each}.".startswith(f"{barred}.")], name


def test_no_files_import_each_other_in_a_circle() -> None:
    first = {name: (imports(name, _outermost(tree)) & set(TREES)) - {name} for name, tree in TREES.items()}
    try:
        TopologicalSorter(first).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def _outermost(tree: ast.Module) -> ast.Module:
    """What runs when a module is imported: not its functions, and not what is imported for types alone."""
    kept = [node for node in tree.body if not isinstance(node, ast.FunctionDef | ast.ClassDef)]
    return ast.Module([node for node in kept if "TYPE_CHECKING" not in ast.dump(node)], [])
