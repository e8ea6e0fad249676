"""The benchmarks: each has its line in their README, imports what there is, and makes nothing twice."""

import ast
import importlib
import json
import re
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "benchmarks"
SCRIPTS = sorted(FOLDER.glob("*.py"))
APPARATUS = sorted((FOLDER / "apparatus").glob("*.py"))
PLAYED = {"conformance_fixture", "scripted_model"}
"""Parts that one script each sets up: their names are their own."""


def trees(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def made_in(path: Path) -> set[str]:
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return {node.name for node in trees(path).body if isinstance(node, kinds)}


def test_each_script_has_one_line_in_the_readme_and_each_line_its_script() -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\| `(\w+\.py)` \|[^|]+\|[^|]+\|[^|]+\|$", readme, re.MULTILINE)
    assert lines == [path.name for path in SCRIPTS], (
        "benchmarks/README.md: what it shows, what it needs, how long it takes; by name"
    )


@pytest.mark.parametrize("path", [*SCRIPTS, *APPARATUS], ids=lambda path: path.stem)
def test_what_a_benchmark_imports_of_ours_is_there(path: Path) -> None:
    for node in ast.walk(trees(path)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mcp_memory"):
            module = importlib.import_module(str(node.module))
            for alias in node.names:
                if not hasattr(module, alias.name):
                    importlib.import_module(f"{node.module}.{alias.name}")


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_makes_nothing_that_stands_in_the_apparatus(path: Path) -> None:
    shared = {name for each in APPARATUS if each.stem not in PLAYED for name in made_in(each)}
    assert not made_in(path) & shared, "import it from apparatus"
    assert ast.get_docstring(trees(path)), "open with what it shows"


@pytest.fixture
def structure(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module("structure")


def laid(folder: Path, **imported: str) -> Path:
    for name, line in imported.items():
        path = folder / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{line}\n", encoding="utf-8")
    return folder


def test_structure_counts_rooms_arrows_and_floors(structure, tmp_path: Path) -> None:
    told = structure.counted(
        laid(
            tmp_path,
            bank="from mcp_memory.search import words, fusion",
            search__words="from mcp_memory.text.cut import cut",
            search__fusion="def late():\n    import mcp_memory.text.cut",
            text__cut="import re",
        )
    )
    assert (told["rooms"], told["arrows between rooms"], told["floors of rooms"]) == (3, 2, 3)
    assert (told["modules"], told["arrows between modules"], told["floors of modules"]) == (4, 4, 3)
    assert told["circles between modules"] == told["circles between folders"] == 0


def test_structure_sees_a_circle_between_folders_that_is_none_between_files(
    structure, tmp_path: Path
) -> None:
    told = structure.counted(
        laid(
            tmp_path,
            a__one="from mcp_memory.b import two",
            b__two="from mcp_memory.a import three",
            a__three="",
        )
    )
    assert told["circles between modules"] == 0
    assert told["circles between folders"] == 1
    assert told["floors of rooms"] == 1


def test_a_walk_is_each_function_once_where_it_is_first_called_from(structure) -> None:
    calls = {"": ["a:ask"], "a:ask": ["b:find", "a:order", "b:show"], "b:find": ["c:read"]}
    walk = structure.Tracer("/", calls=calls).walk()
    assert walk == ["a", "b", "c", "a", "b"]
    assert structure.returns(walk) == (3, 2)


@pytest.fixture
def harness(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module("longmemeval_v2")


RUNS = FOLDER.parent / "tests" / "samples" / "longmemeval_v2" / "ordinary.jsonl"
AGENT = """
import json, pathlib
asked = json.loads(pathlib.Path("question.json").read_text())
assert list(asked) == ["question"], asked
assert pathlib.Path("archive/README.md").is_file()
span = {"trajectory_id": "r1", "start_state_index": 1, "end_state_index": 1}
wide = {"trajectory_id": "r1", "start_state_index": 0, "end_state_index": 90}
pathlib.Path("memory_module_output.json").write_text(
    json.dumps({"memory_markdown": "See the order.", "trajectory_spans": [span, wide]})
)
"""


def test_the_harness_inserts_a_run_once_and_is_handed_its_steps(harness, tmp_path: Path) -> None:
    runs = [json.loads(line) for line in RUNS.read_text(encoding="utf-8").splitlines()]
    memory = harness.Memory({"home": str(tmp_path), "form": "pools"})
    try:
        for run in [*runs, runs[0]]:
            memory.insert(run)
        with pytest.raises(ValueError, match="another one"):
            memory.insert({**runs[0], "goal": "Another."})
        told = memory.query('How is the "address" of an order changed? Name the link.')
        assert {item["type"] for item in told} == {"text"}
        assert any("click('227')" in item["value"] for item in told)
        assert 1 <= memory.queries <= 5
        memory.configure_runtime(form="files", agent=[sys.executable, "-c", AGENT])
        written, span = memory.query("Which link leads to the order?")
    finally:
        memory.close()
    assert written["value"] == "See the order."
    assert "http://shop.test/1" in span["value"]


def test_an_action_is_told_with_the_line_of_the_page_that_it_was_done_to(harness) -> None:
    state = {"action": "click('227')"}
    before = "[12] link 'Home'\n  [227] link 'My Account', clickable\n"
    assert harness.annotated(state, before) == "click('227') # [227] link 'My Account', clickable"
    assert harness.annotated({"action": "go_back()"}, before) == "go_back()"
