"""Advice: every command, option and setting that a message names is there to be followed."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from mcp_memory.cli import COMMANDS, cli
from mcp_memory.settings import TOKEN_VARIABLE, Settings

PACKAGE = Path(__file__).parent.parent.parent / "mcp_memory"
NAMED = re.compile(r"`(mcp-memory|doctor)((?: [^`]*)?)`")
SPELLED = re.compile(r"\bMCP_MEMORY_[A-Z_]+\b")


def texts(tree: ast.AST) -> Iterator[str]:
    """Every string of a module, pieces of formatted ones joined."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            parts = (p.value if isinstance(p, ast.Constant) else "X" for p in node.values)
            yield "".join(map(str, parts))


@cache
def said() -> tuple[tuple[str, str], ...]:
    """Each text of the package with the file that it stands in."""
    files = sorted(PACKAGE.rglob("*.py"))
    return tuple(
        (file.relative_to(PACKAGE).as_posix(), text)
        for file in files
        for text in texts(ast.parse(file.read_text(encoding="utf-8")))
    )


def fault(words: list[str]) -> str:
    """Why a command line that is advised cannot be typed; empty where it can."""
    if not words:
        return ""
    if words[0] not in COMMANDS:
        return f"there is no command {words[0]}"
    found = cli.get_command(click.Context(cli), words[0])
    assert found is not None
    context = click.Context(found)
    if isinstance(found, click.Group):
        names = [word for word in words[1:] if word in found.list_commands(context)]
        if len(words) > 1 and not names:
            return f"{words[0]} has no {words[1]}"
        found = found.get_command(context, names[0]) if names else found
    options = {opt for each in found.params for opt in (*each.opts, *each.secondary_opts)}
    strange = [word for word in words if word.startswith("-") and word not in options]
    return f"{words[0]} takes no {', '.join(strange)}" if strange else ""


def test_every_command_line_that_is_advised_can_be_typed() -> None:
    faults = []
    for file, text in said():
        for program, line in NAMED.findall(text):
            words = line.replace("=", " ").split()
            words = ["doctor", *words] if program == "doctor" else words
            why = fault([word.rstrip(".,;:") for word in words])
            faults += [f"{file}: `{program}{line}`: {why}"] if why else []
    assert not faults, "\n".join(faults)


def test_every_setting_that_is_named_is_one() -> None:
    known = {f"MCP_MEMORY_{name.upper()}" for name in Settings.model_fields} | {TOKEN_VARIABLE}
    faults = [
        f"{file}: {name}"
        for file, text in said()
        for name in SPELLED.findall(text)
        if name not in {*known, "MCP_MEMORY_X"} and not name.endswith("_")
    ]
    assert not faults


@pytest.mark.parametrize(
    ("line", "why"),
    [("dcotor", "no command"), ("doctor --heal", "takes no"), ("token forge", "has no")],
)
def test_what_cannot_be_typed_is_seen(line: str, why: str) -> None:
    assert why in fault(line.split())
