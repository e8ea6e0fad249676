"""The reference pages, made from the code itself: commands, tools, settings.

python scripts/reference.py           # write docs/reference/*.md
python scripts/reference.py --check   # 1 where a page is not what the code says
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import click

from mcp_memory.cli import COMMANDS, MEANT, SECTIONS, cli, ending, settings_table

FOLDER = Path(__file__).parent.parent / "docs" / "reference"
_MADE = "*Made by `scripts/reference.py` from the code; a test fails on drift.*\n"


def commands() -> str:
    """Every command with its help page, by what one wants."""
    lines = ["# Commands", "", _MADE]
    lines += ["`mcp-memory COMMAND --help` says the same.", "", "## Exit status", ""]
    lines += ["| status | meaning |", "|---|---|"]
    lines += [f"| {code} | {told} |" for code, told in ending.MEANINGS.items()]
    lines += ["", _PARTS, "", "| command | a part of it |", "|---|---|"]
    lines += [f"| `{name}` | {told} |" for name, told in ending.PARTS.items()]
    lines += ["", "## On a terminal and in a pipe", "", _TERMINAL]
    placed = {name for names in SECTIONS.values() for name in names}
    rest = tuple(name for name in COMMANDS if name not in placed)
    for title, names in {**SECTIONS, "More": rest}.items():
        lines += ["", f"## {title}"]
        for name in names:
            if name in COMMANDS:
                lines += list(_command(name))
    return "\n".join(lines) + "\n"


def _command(name: str) -> Iterator[str]:
    with click.Context(cli, info_name="mcp-memory", **cli.context_settings) as parent:
        command = cli.get_command(parent, name)
        assert command is not None
        others = sorted(word for word, meant in MEANT.items() if meant == name)
        yield from ("", f"### {name}", "")
        if others:
            yield f"Others call it {', '.join(others)}."
            yield ""
        yield from _page(command, parent, name)
        if isinstance(command, click.Group):
            with click.Context(command, parent=parent, info_name=name) as within:
                for each in command.list_commands(within):
                    below = command.get_command(within, each)
                    assert below is not None
                    yield from ("", f"#### {name} {each}", "")
                    yield from _page(below, within, each)


def _page(command: click.Command, parent: click.Context, name: str) -> Iterator[str]:
    # A fixed width: the page is the same on every terminal.
    context = click.Context(command, info_name=name, parent=parent, max_content_width=88)
    context.terminal_width = 88
    yield from ("```text", command.get_help(context), "```")


_PARTS = """Where a command is to do many things and some are refused, the others are done all the same. The refused
parts are counted and named with why, and the status is 3; where all of them were refused, nothing was
done, and it is 2. Every other command does all that was asked or nothing. A file that was refused before
and did not change is not read again, and counts as unchanged."""

_TERMINAL = """A terminal gets colours (not where `NO_COLOR` is set), tables that fit its width, relative
days, words of the question marked, and a pager (`PAGER`; `PAGER=cat` for none) where an answer is
longer than the screen. A pipe gets the compact text that an agent's tools get: recalled text fenced as
data, ISO days, nothing cut. `--json` is for programs; its fields are those of the tools.

Times (`--since`, `--until`) are given as people write them: `2w`, `3 days ago`, `yesterday`,
`last monday`, `last week`, `2026-06`, `2026-06-12`, `2026-06-12T10:00`. A day or a month counts whole.
Steps are named `5-9` wherever they are named: `t:…#5-9`, `--span 5-9`.

Completion of the shell: `eval "$(_MCP_MEMORY_COMPLETE=bash_source mcp-memory)"` (or `zsh_source`) in the
shell's own file; for fish `_MCP_MEMORY_COMPLETE=fish_source mcp-memory | source`."""


async def _tools() -> list[Any]:
    from mcp import Client

    from mcp_memory.server.app import build_server
    from mcp_memory.settings import Settings

    async with Client(build_server(Settings(home=Path("/nowhere"), index_auto=False))) as client:
        return list((await client.list_tools()).tools)


def tools() -> str:
    """The six tools as a host shows them to its model."""
    told = anyio.run(_tools)
    listed = [_schema(tool) for tool in told]
    size = len(json.dumps(listed, separators=(",", ":"), ensure_ascii=False))
    lines = ["# Tools", "", _MADE]
    lines += [f"Names, descriptions and input schemas of all six are {size:,} characters.", ""]
    for tool in told:
        lines += [f"## {tool.name}", "", tool.description or "", ""]
        lines += ["| argument | type | meaning |", "|---|---|---|"]
        needed = tool.input_schema.get("required", [])
        for name, schema in tool.input_schema.get("properties", {}).items():
            mark = " (needed)" if name in needed else ""
            lines.append(f"| `{name}`{mark} | {_type(schema)} | {_cell(schema)} |")
        lines.append("")
    return "\n".join(lines)


def _schema(tool: Any) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.description, "inputSchema": tool.input_schema}


def _type(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(f"`{each}`" for each in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    return str(schema.get("type", "object"))


def _cell(schema: dict[str, Any]) -> str:
    told = str(schema.get("description", "")).replace("|", "\\|").replace("\n", " ")
    default = schema.get("default")
    return f"{told} Default: `{json.dumps(default)}`." if default not in (None, "", []) else told


def settings() -> str:
    """Every setting with its default and its sentence."""
    intro = "Every setting is an environment variable; `mcp-memory settings` shows what holds now."
    return f"# Settings\n\n{_MADE}\n{intro}\n\n{settings_table.markdown()}\n"


PAGES = {"commands.md": commands, "tools.md": tools, "settings.md": settings}


def main(*, check: bool) -> int:
    """Write the pages, or say which are not what the code says."""
    stale = []
    for name, made in PAGES.items():
        page, file = made(), FOLDER / name
        if check:
            if not file.exists() or file.read_text(encoding="utf-8") != page:
                stale.append(name)
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(page, encoding="utf-8")
    if stale:
        print(f"Not what the code says: {', '.join(stale)}. Run scripts/reference.py.")
    return bool(stale)


if __name__ == "__main__":
    raise SystemExit(main(check="--check" in sys.argv[1:]))
