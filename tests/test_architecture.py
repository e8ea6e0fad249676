"""The house holds: imports point down, no circles, one owner a library, pure rooms pure, short functions."""

import ast
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "mcp_memory"
SOURCES = sorted(PACKAGE.rglob("*.py"))

FOLDERS = (
    "settings", "domain", "text", "readers", "hosts", "store", "embedding", "trajectories", "archive",
    "rooms", "search", "memories", "runbook", "hooks", "history", "forgetting", "importing", "checkup",
    "bank", "evals", "remote", "viewer", "server", "cli", "__main__",
)  # fmt: skip
"""Lowest first; a file imports from folders below its own, and from its own."""
PURE = (
    "domain/models", "domain/hits", "domain/asked", "domain/errors", "domain/refs", "domain/paths",
    "text/redaction", "text/guard",
    "text/powers", "text/power_words", "text/unmasking", "text/shingles", "text/typed",
    "text/wording", "text/identifiers", "text/signatures", "text/tokens",
    "trajectories/", "archive/inspection", "archive/parts", "archive/reading", "archive/remembered",
    "archive/shortening", "search/fusion", "search/ranking", "search/confidence", "search/restating",
    "search/passages", "search/overtaken", "search/consensus", "search/telling", "search/repeats",
    "search/composing", "search/voicing",
    "memories/superseding", "memories/users_word", "memories/bearing", "memories/likeness",
    "memories/gate", "memories/planning", "memories/experience", "memories/mended", "memories/settled",
    "memories/links", "memories/grounds", "memories/faults", "memories/ruling",
    "memories/recurring", "memories/clashes", "runbook/assembling", "runbook/attempts", "runbook/changed",
    "runbook/commands", "runbook/mends", "runbook/premises", "runbook/remembered", "runbook/rulings",
    "runbook/sentences", "text/courtesies", "text/running",
    "hooks/digests", "hooks/lines", "hooks/briefing", "hooks/binding",
    "hooks/checking", "hooks/mendings", "hooks/undoing", "hooks/touching", "text/fencing", "history/wire",
    "server/answers",
)  # fmt: skip
"""Files by how their path begins: no async, no I/O, no clock."""
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
    "lancedb": ("store/",),
    "lance": ("store/",),
    "pyarrow": ("store/",),
    "fastembed": ("embedding/",),
    "tokenizers": ("embedding/",),
    "numpy": ("embedding/", "store/"),
    "mcp": ("server/", "cli/", "remote/"),
    "click": ("cli/", "__main__"),
    "filelock": ("store/", "history/"),
    "pydantic_settings": ("settings",),
    "platformdirs": ("settings", "hooks/spool"),
    "watchfiles": ("history/watching",),
    "starlette": ("server/", "viewer/"),
    "jinja2": ("viewer/rendering",),
    "uvicorn": ("server/",),
    "jwt": ("server/",),
    "rich": ("cli/",),
    "yaml": ("hosts/installing/", "text/front_matter"),
    "dateparser": ("text/periods",),
    "dulwich": ("memories/repository",),
    "regex": ("archive/inspection", "search/exact"),
    "zstandard": ("readers/opening",),
    "ahocorasick_rs": ("text/",),
    "ray": ("history/bulk/cluster",),
}
HEAVY = {
    "lancedb", "pyarrow", "fastembed", "tokenizers", "numpy", "dateparser", "dulwich", "rich",
    "ray",
}  # fmt: skip
BROAD_DOORS = ("history/indexer", "cli/")
FUNCTION_LINES, FILE_LINES, PARAMETERS, ROOT_ENTRIES = 40, 400, 6, 27
LONG_SIGNATURES = ("server/tools", "cli/")
FORBIDDEN = {"utils", "common", "core", "base", "manager", "service", "helpers"}


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def place_of(path: Path) -> str:
    """`search/fusion`, as the lists above spell a file."""
    return path.relative_to(PACKAGE).with_suffix("").as_posix()


def folder_of(path: Path) -> str:
    return place_of(path).split("/")[0]


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path) for path in SOURCES}


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
    return imports_of(path) & MODULES - {"mcp_memory", module_of(path)}


def libraries_of(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Import):
        return {alias.name.split(".")[0] for alias in node.names}
    if isinstance(node, ast.ImportFrom) and node.module:
        return {node.module.split(".")[0]}
    return set()


def opens_with_one_sentence_that_says_what_it_is(path: Path) -> None:
    docstring = ast.get_docstring(tree_of(path))
    assert docstring, f"open {path.name} with a docstring of one sentence: what is this room?"
    assert docstring.splitlines()[0].endswith((".", ":", "?")), "end that line as a sentence"


def has_no_more_than_four_hundred_lines(path: Path) -> None:
    count = len(path.read_text(encoding="utf-8").splitlines())
    assert count <= FILE_LINES, f"{count} lines: find the second noun in it, give it a file"


def is_not_named_after_nothing(path: Path) -> None:
    assert path.stem not in FORBIDDEN, "name the file after the noun that it holds"


def imports_point_down_only(path: Path) -> None:
    folder = folder_of(path)
    if folder == "__init__":
        return
    for name in internal_imports(path):
        other = name.split(".")[1]
        assert other == folder or FOLDERS.index(other) < FOLDERS.index(folder), (
            f"{place_of(path)} imports {name} from above: move what it needs into a folder "
            f"below {folder}/, or hand it in as an argument"
        )


def each_library_has_one_owner(path: Path) -> None:
    for name in imports_of(path):
        owners = OWNERS.get(name.split(".")[0])
        assert owners is None or place_of(path).startswith(owners), (
            f"{name} belongs to {', '.join(owners or ())}: call that room instead"
        )


def heavy_libraries_are_imported_inside_functions(path: Path) -> None:
    heavy = {name for node in tree_of(path).body for name in libraries_of(node)} & HEAVY
    assert not heavy, f"import {heavy} where it is used: a server starts without them"


def functions_are_short_with_few_parameters(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    for node in ast.walk(tree_of(path)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        head = "\n".join(lines[max(0, node.lineno - 2) : node.body[0].lineno])
        assert _length(node) <= FUNCTION_LINES or "PLR0915" in head, (
            f"{node.name} has {_length(node)} lines: divide it, or say why beside PLR0915"
        )
        free = place_of(path).startswith(LONG_SIGNATURES) or "PLR0913" in head
        assert free or _parameters(node) <= PARAMETERS, (
            f"{node.name} has {_parameters(node)} parameters: make those that travel together "
            "one value, or say why beside PLR0913"
        )


def nothing_is_imported_for_typing_only(path: Path) -> None:
    assert "TYPE_CHECKING" not in path.read_text(encoding="utf-8"), (
        "a typing-only import hides a circle: import it, or move the type down"
    )


def any_exception_is_caught_at_the_outer_doors_only(path: Path) -> None:
    if place_of(path).startswith(BROAD_DOORS):
        return
    lines = path.read_text(encoding="utf-8").splitlines()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ExceptHandler) and isinstance(node.type, ast.Name):
            broad = node.type.id in {"Exception", "BaseException"}
            reraised = any(isinstance(each, ast.Raise) for each in node.body)
            assert not broad or reraised or "BLE001" in lines[node.lineno - 1], (
                f"line {node.lineno}: catch what can happen, or say why beside BLE001"
            )


def a_pure_room_does_no_io_and_owns_no_clock(path: Path) -> None:
    if not place_of(path).startswith(PURE):
        return
    impure = {name.split(".")[0] for name in imports_of(path)} & IMPURE_LIBRARIES
    assert not impure, f"{place_of(path)} is pure: leave {impure} to its callers"
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\bopen\(|datetime\.now|time\.time|\.read_text|\.write_text", text)
    asynchronous = [n for n in ast.walk(tree_of(path)) if isinstance(n, ast.AsyncFunctionDef)]
    assert not asynchronous, f"{place_of(path)} is pure: await in its callers"


RULES = (
    opens_with_one_sentence_that_says_what_it_is,
    has_no_more_than_four_hundred_lines,
    is_not_named_after_nothing,
    imports_point_down_only,
    each_library_has_one_owner,
    heavy_libraries_are_imported_inside_functions,
    functions_are_short_with_few_parameters,
    nothing_is_imported_for_typing_only,
    any_exception_is_caught_at_the_outer_doors_only,
    a_pure_room_does_no_io_and_owns_no_clock,
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_file(rule: Callable[[Path], None]) -> None:
    """One test a rule, not one a file and rule: there are thousands of those, and all faults show."""
    faults = []
    for path in SOURCES:
        try:
            rule(path)
        except AssertionError as fault:
            faults.append(f"{place_of(path)}: {str(fault).splitlines()[0]}")
    assert not faults, "\n".join(faults)


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


def circles(graph: dict[str, set[str]]) -> list[str]:
    """Each way that comes back to where it began, once."""
    done: set[str] = set()
    found: list[str] = []

    def visit(name: str, trail: tuple[str, ...]) -> None:
        if name in trail:
            found.append(" -> ".join((*trail[trail.index(name) :], name)))
        elif name not in done:
            for other in sorted(graph.get(name, ())):
                visit(other, (*trail, name))
            done.add(name)

    for name in sorted(graph):
        visit(name, ())
    return found


def test_there_are_no_circles_between_files() -> None:
    graph = {module_of(path): internal_imports(path) for path in SOURCES}
    assert not circles(graph), "move what both need into a third file below them"


def test_there_are_no_circles_between_folders() -> None:
    graph: dict[str, set[str]] = {}
    for path in SOURCES:
        folder = path.parent.relative_to(ROOT).as_posix() if path.parent != PACKAGE else None
        if folder:
            others = {_folder_of_module(name) for name in internal_imports(path)}
            graph.setdefault(folder, set()).update(others - {folder, "mcp_memory"})
    assert not circles(graph), "move what both folders need into a folder below them"


def _folder_of_module(name: str) -> str:
    path = ROOT / Path(*name.split("."))
    return (path if path.is_dir() else path.parent).relative_to(ROOT).as_posix()


def test_every_folder_and_file_of_the_root_has_its_place() -> None:
    entries = {p.stem for p in PACKAGE.iterdir() if p.suffix == ".py" or p.is_dir()}
    entries -= {"__init__", "__pycache__"}
    assert entries == set(FOLDERS), "put a new folder where it belongs in FOLDERS, lowest first"
    names = [p.name for p in PACKAGE.iterdir() if p.name != "__pycache__"]
    assert len(names) <= ROOT_ENTRIES, f"{len(names)} entries: which two are one subject?"


def test_a_test_lies_in_the_folder_of_what_it_tests() -> None:
    folders = {p.name for p in (ROOT / "tests").iterdir() if p.is_dir() and p.name != "__pycache__"}
    assert folders - {"support", "samples"} <= set(FOLDERS), "tests/ has the folders of mcp_memory/"


def test_the_design_draws_every_folder() -> None:
    drawn = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    drawn = drawn[drawn.index("## The rooms") : drawn.index("## The store")]
    for name in FOLDERS:
        assert re.search(rf"^{name}(/|\.py)?\s", drawn, re.MULTILINE), (
            f"draw {name} in docs/design.md"
        )


def test_every_module_stands_in_the_drawing_of_its_room() -> None:
    drawing = (ROOT / "docs" / "design.md").read_text(encoding="utf-8").partition("\n__main__")[2]
    named = set(re.findall(r"\w+", drawing.partition("```")[0]))
    told_by_their_folder = ("readers/", "cli/", "evals/", "hosts/")
    missing = [
        place_of(path)
        for path in SOURCES
        if path.stem not in named
        and path.stem not in ("__init__", "__main__")
        and not place_of(path).startswith(told_by_their_folder)
    ]
    assert missing == [], "name them in docs/design.md, where a newcomer looks for them"
