"""The house holds: floors, library owners, no circles, pure rooms pure, short functions and files."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "mcp_memory"
SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if "data" not in path.parts)

FLOORS: tuple[tuple[str, ...], ...] = (
    ("version", "models", "asked", "errors", "settings", "settings_table", "spool", "refs", "redaction",
     "redaction_rules", "guard", "tokens", "naming", "signatures", "identifiers", "decisions",
     "fusion", "access", "wording", "paths", "ready", "ledger", "mending", "wire"),
    ("admission", "episodes", "ranking", "confidence", "periods", "rendering", "inspection", "marks",
     "restating", "projects", "embedder", "reranker", "store", "readers", "linking", "foreign"),
    ("catalogues", "commits", "hook", "digests"),
    ("archive", "consolidation", "runbook", "forgetting", "evidence", "answers", "hosts", "contract"),
    ("indexing", "installing"),
    ("verbs",),
    ("crew", "stamps"),
    ("indexer", "exchange", "history", "repositories"),
    ("watching", "receiving"),
    ("bank",),
    ("evals", "remote"),
    ("server",),
    ("cli",),
    ("__main__",),
)  # fmt: skip
"""Lowest first; a room imports from floors below, and from its own folder."""
PURE = (
    "models", "asked", "errors", "refs", "redaction", "redaction_rules", "guard", "tokens", "naming",
    "signatures", "identifiers", "decisions", "fusion", "wording", "confidence", "admission",
    "episodes", "ranking", "rendering", "inspection", "catalogues", "linking", "foreign",
    "consolidation", "runbook", "forgetting", "evidence", "marks", "restating", "answers", "paths", "mending",
    "digests", "wire",
)  # fmt: skip
IMPURE_LIBRARIES = {
    "anyio",
    "asyncio",
    "os",
    "time",
    "random",
    "socket",
    "subprocess",
    "filelock",
    "io",
}
OWNERS = {
    "lancedb": {"store"},
    "lance": {"store"},
    "pyarrow": {"store"},
    "fastembed": {"embedder", "reranker"},
    "onnxruntime": {"embedder"},
    "numpy": {"embedder", "store"},
    "mcp": {"server", "cli", "remote"},
    "click": {"cli", "__main__"},
    "filelock": {"store", "indexer"},
    "pydantic_settings": {"settings"},
    "platformdirs": {"settings", "spool"},
    "watchfiles": {"watching"},
    "starlette": {"server"},
    "uvicorn": {"server"},
    "jwt": {"server"},
    "yaml": {"installing"},
    "dateparser": {"periods"},
    "regex": {"inspection"},
}
HEAVY = {"lancedb", "pyarrow", "fastembed", "onnxruntime", "numpy", "dateparser"}
FUNCTION_LINES, FILE_LINES, PARAMETERS = 40, 400, 6
LONG_SIGNATURES = {"server/tools.py", "cli"}


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def internal_imports(path: Path) -> set[str]:
    modules = {module_of(source) for source in SOURCES}
    named = {name for name in imports_of(path) if name in modules}
    return {name for name in named if name not in {"mcp_memory", module_of(path)}}


def floor_of(room: str) -> int:
    return next(number for number, rooms in enumerate(FLOORS, 1) if room in rooms)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
class TestEveryFile:
    def test_opens_with_one_sentence_that_says_what_it_is(self, path: Path) -> None:
        docstring = ast.get_docstring(tree_of(path))
        assert docstring, "no opening sentence"
        assert docstring.splitlines()[0].endswith((".", ":", "?"))

    def test_has_no_more_than_four_hundred_lines(self, path: Path) -> None:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= FILE_LINES

    def test_imports_point_down_only(self, path: Path) -> None:
        room = room_of(path)
        if room == "__init__":
            return
        for name in internal_imports(path):
            other = name.split(".")[1]
            if other == room:
                continue
            below = floor_of(other) < floor_of(room)
            ground = floor_of(other) == floor_of(room) == 1
            assert below or ground, f"{room} imports {other}"

    def test_each_library_has_one_owner(self, path: Path) -> None:
        for name in imports_of(path):
            library = name.split(".")[0]
            if library in OWNERS:
                assert room_of(path) in OWNERS[library], f"{library} in {path.name}"

    def test_heavy_libraries_are_imported_inside_functions(self, path: Path) -> None:
        for node in tree_of(path).body:
            names: set[str] = set()
            if isinstance(node, ast.Import):
                names = {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = {node.module.split(".")[0]}
            assert not names & HEAVY

    def test_functions_are_short_with_few_parameters(self, path: Path) -> None:
        relative = path.relative_to(PACKAGE).as_posix()
        lines = path.read_text(encoding="utf-8").splitlines()
        for node in ast.walk(tree_of(path)):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if relative.startswith(tuple(LONG_SIGNATURES)):
                continue
            assert _length(node) <= FUNCTION_LINES, f"{node.name}: {_length(node)} lines"
            if "PLR0913" not in lines[node.lineno - 1]:
                assert _parameters(node) <= PARAMETERS, (
                    f"{node.name}: {_parameters(node)} parameters"
                )

    def test_nothing_is_imported_for_typing_only(self, path: Path) -> None:
        assert "TYPE_CHECKING" not in path.read_text(encoding="utf-8")

    def test_any_exception_is_caught_at_the_outer_doors_only(self, path: Path) -> None:
        if room_of(path) in {"indexer", "cli"}:
            return
        lines = path.read_text(encoding="utf-8").splitlines()
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ExceptHandler) and isinstance(node.type, ast.Name):
                broad = node.type.id in {"Exception", "BaseException"}
                line = lines[node.lineno - 1]
                reraised = any(isinstance(each, ast.Raise) for each in node.body)
                assert not broad or reraised or "BLE001" in line, f"line {node.lineno}"


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    assert node.end_lineno is not None
    first = node.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    docstring = (first.end_lineno or 0) - first.lineno + 1 if documented else 0
    return node.end_lineno - node.lineno + 1 - docstring


def _parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    arguments = node.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return len([argument for argument in named if argument.arg not in {"self", "cls"}])


def test_every_room_stands_on_a_floor() -> None:
    rooms = {room_of(path) for path in SOURCES} - {"__init__"}
    assert rooms <= {room for floor in FLOORS for room in floor}


def test_there_are_no_import_circles() -> None:
    graph = {module_of(path): internal_imports(path) for path in SOURCES}
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " -> ".join((*trail, module))
        if module in done:
            return
        for other in graph.get(module, ()):
            visit(other, (*trail, module))
        done.add(module)

    for module in graph:
        visit(module, ())


@pytest.mark.parametrize("room", PURE)
def test_pure_rooms_do_no_io_and_own_no_clock(room: str) -> None:
    paths = [path for path in SOURCES if room_of(path) == room]
    for path in paths:
        assert not {name.split(".")[0] for name in imports_of(path)} & IMPURE_LIBRARIES
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\bopen\(|datetime\.now|time\.time|\.read_text|\.write_text", text)
        for node in ast.walk(tree_of(path)):
            assert not isinstance(node, ast.AsyncFunctionDef)


def test_no_file_is_named_after_nothing() -> None:
    forbidden = {"utils", "common", "core", "base", "manager", "service", "helpers"}
    assert not {path.stem for path in SOURCES} & forbidden
