"""A desktop bundle: it shares the command line's bank, reads history by consent, and asks all projects."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from tour_sessions import written

from mcp_memory.bank import open_bank
from mcp_memory.settings import Settings

BUNDLE = Path(__file__).parent.parent.parent / "manifests" / "claude-desktop" / "manifest.json"


def as_the_host_hands_on(*, consents: bool) -> dict[str, str]:
    """The bundle's environment, its settings put in as a host does."""
    env: dict[str, str] = json.loads(BUNDLE.read_text("utf-8"))["server"]["mcp_config"]["env"]
    told = {"${user_config.read_everything}": str(consents).lower()}
    return {name: told.get(value, value) for name, value in env.items()}


def test_the_bundles_bank_is_the_command_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    default = Settings().home
    for name, value in as_the_host_hands_on(consents=True).items():
        monkeypatch.setenv(name, value)
    assert Settings().home == default
    assert Settings().index_scope == "everything"
    monkeypatch.setenv("MCP_MEMORY_INDEX_SCOPE", "false")
    assert Settings().index_scope == "project"
    monkeypatch.setenv("MCP_MEMORY_HOME", "")
    assert Settings().home == default


async def test_a_bundle_in_its_own_folder_answers_from_every_project_and_keeps_in_a_named_one(
    settings: Settings, tmp_path: Path
) -> None:
    async with open_bank(settings, cwd=str(tmp_path)) as bank:
        await bank.index(written(tmp_path))
    extension = tmp_path / "extension"
    extension.mkdir()
    env = {
        **as_the_host_hands_on(consents=False),
        "MCP_MEMORY_HOME": str(settings.home),
        "MCP_MEMORY_EMBEDDING_MODEL": "hash",
    }
    parameters = StdioServerParameters(
        command=sys.executable, args=["-m", "mcp_memory", "serve"], env=env, cwd=extension
    )
    async with Client(stdio_client(parameters)) as client:
        found: Any = await client.call_tool("search", {"query": "invoice encoding"})
        assert found.structured_content["found"]
        nowhere = await client.call_tool("retain", {"text": "invoices are written as UTF-8"})
        assert nowhere.is_error
        assert "Name it in `project`" in nowhere.content[0].text
        kept = {"text": "invoices are written as UTF-8", "project": "shop"}
        assert not (await client.call_tool("retain", kept)).is_error
