"""The threat model: every promise names tests, and every test that it names is there."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
NAMED = re.compile(r"(tests/[\w/]+\.py)::(\w+)")


def promises() -> list[tuple[str, str]]:
    """Each promise with what stands beside it."""
    part = PAGE[PAGE.index("## What we promise") : PAGE.index("## What we do not promise")]
    rows = re.findall(r"^\| (?!promise \||---)(.+?) \| (.+) \|$", part, re.MULTILINE)
    return [row for row in rows if row[0] != "promise"]


@cache
def named_in(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))


def test_every_promise_names_a_test() -> None:
    assert len(promises()) > 20
    without = [promise for promise, beside in promises() if not NAMED.search(beside)]
    assert not without, "a promise without a test is a hope: name one, or say that it is none"


def test_every_test_that_is_named_is_there() -> None:
    missing = [
        f"{file}::{name}"
        for _, beside in promises()
        for file, name in NAMED.findall(beside)
        if not (ROOT / file).is_file() or name not in named_in(file)
    ]
    assert not missing
