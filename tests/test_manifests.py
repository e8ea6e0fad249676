"""The manifests say what this version is and does, and start nothing that may be somebody else's."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from mcp_memory import VERSION
from mcp_memory.hosts.installing.targets import TARGETS, command_of
from mcp_memory.server.gate import OPEN_PATHS
from mcp_memory.server.listening import GRACE_SECONDS
from mcp_memory.server.tools import TOOLS
from mcp_memory.settings import misspelt

ROOT = Path(__file__).parent.parent
MANIFESTS = ROOT / "manifests"
FILES = sorted(file for file in MANIFESTS.rglob("*") if file.suffix in {".json", ".toml", ".yaml"})
EVENTS = {
    "before-command",
    "session-start",
    "prompt",
    "tool-failed",
    "before-edit",
    "before-compaction",
    "session-end",
}
BY_HAND = {
    "codex": "codex/config.toml",
    "cursor": "cursor/mcp.json",
    "vscode": "vscode/mcp.json",
    "claude-desktop": "claude-desktop/claude_desktop_config.json",
    "opencode": "opencode/opencode.json",
    "windsurf": "windsurf/mcp_config.json",
    "zed": "zed/settings.json",
    "goose": "goose/config.yaml",
    "claude-code": "claude-code/plugin/.mcp.json",
    "gemini-cli": "gemini-cli/gemini-extension.json",
}


def read(file: Path) -> Any:
    text = file.read_text(encoding="utf-8")
    readers = {".json": json.loads, ".toml": tomllib.loads, ".yaml": yaml.safe_load}
    return readers[file.suffix](text)


def walked(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, list):
        return [pair for each in value for pair in walked(each)]
    if not isinstance(value, dict):
        return []
    return [pair for key, each in value.items() for pair in ((key, each), *walked(each))]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(MANIFESTS)))
class TestEveryFile:
    def test_names_this_version_wherever_it_names_one(self, file: Path) -> None:
        told = [value for key, value in walked(read(file)) if key == "version"]
        assert set(told) <= {VERSION}

    def test_starts_our_own_programs_only_and_fetches_none_by_name(self, file: Path) -> None:
        pairs = walked(read(file))
        for key, value in pairs:
            if key in {"command", "cmd"}:
                program = (value if isinstance(value, list) else value.split())[0]
                assert program in {"mcp-memory", "mcp-memory-hook", "uv"}
        assert not re.search(r"uvx|npx|pipx run|--from", file.read_text(encoding="utf-8"))


def test_every_manifest_that_has_a_version_is_known() -> None:
    versioned = {
        str(file.relative_to(MANIFESTS).as_posix())
        for file in FILES
        if any(key == "version" for key, _ in walked(read(file)))
    }
    assert versioned == {
        "registry/server.json",
        "claude-desktop/manifest.json",
        "claude-code/.claude-plugin/marketplace.json",
        "claude-code/plugin/.claude-plugin/plugin.json",
        "cursor/.cursor-plugin/plugin.json",
        "agent-plugin/plugin.json",
        "gemini-cli/gemini-extension.json",
    }


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_what_install_writes_and_what_is_put_in_by_hand_have_one_form(target: Any) -> None:
    table = read(MANIFESTS / BY_HAND[target.name])[target.table]
    assert list(table) == [target.server]
    assert list(command_of(table[target.server])) == ["mcp-memory", "serve"]


@pytest.mark.parametrize(
    ("file", "silent"),
    [
        ("claude-code/plugin/hooks/hooks.json", set()),
        # What is said before a tool does not reach Gemini's model.
        ("gemini-cli/hooks/hooks.json", {"before-command"}),
    ],
)
def test_hooks_call_each_event(file: str, silent: set[str]) -> None:
    commands = [value for key, value in walked(read(MANIFESTS / file)) if key == "command"]
    assert set(commands) == {f"mcp-memory-hook {event}" for event in set(EVENTS) - silent}


def test_the_desktop_bundle_lists_the_tools_that_there_are() -> None:
    listed = [tool["name"] for tool in read(MANIFESTS / "claude-desktop/manifest.json")["tools"]]
    assert sorted(listed) == sorted(tool.call.__name__ for tool in TOOLS)


def test_the_skill_is_the_same_for_every_host_and_named_as_its_folder() -> None:
    skills = list(MANIFESTS.rglob("SKILL.md"))
    texts = {skill.read_text(encoding="utf-8") for skill in skills}
    assert len(skills) == 4
    assert len(texts) == 1
    head = yaml.safe_load(texts.pop().split("---")[1])
    assert {skill.parent.name for skill in skills} == {head["name"]}


def test_commands_say_the_same_in_both_hosts() -> None:
    for name in ("recall", "retain", "consolidate"):
        plugin = (MANIFESTS / f"claude-code/plugin/commands/{name}.md").read_text(encoding="utf-8")
        gemini = read(MANIFESTS / f"gemini-cli/commands/memory/{name}.toml")
        _, head, body = plugin.split("---\n", 2)
        assert yaml.safe_load(head)["description"] == gemini["description"]
        assert body.strip().replace("$ARGUMENTS", "{{args}}") == gemini["prompt"].strip()


def test_the_registrys_limits_are_kept() -> None:
    told = read(MANIFESTS / "registry/server.json")
    assert len(told["description"]) <= 100
    assert re.fullmatch(r"[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+", told["name"])


DEPLOY = ROOT / "deploy"


def documents() -> list[Any]:
    files = sorted(DEPLOY.rglob("*.yaml"))
    return [each for file in files for each in yaml.safe_load_all(file.read_text("utf-8"))]


def test_every_variable_that_is_deployed_is_a_setting() -> None:
    told = {key for doc in documents() for key, _ in walked(doc) if key.startswith("MCP_MEMORY_")}
    assert {"MCP_MEMORY_ADDRESS", "MCP_MEMORY_HOME", "MCP_MEMORY_DRAIN_SECONDS"} <= told
    assert misspelt(told) == {}


def test_every_probe_asks_what_the_server_answers() -> None:
    paths = {v["path"] for doc in documents() for k, v in walked(doc) if k == "httpGet"}
    assert paths == set(OPEN_PATHS)


def test_a_pod_has_time_to_drain_and_a_replica_stays_while_another_goes() -> None:
    of = {doc["kind"]: doc for doc in documents() if "kind" in doc}
    pod = of["Deployment"]["spec"]["template"]["spec"]
    drain = float(of["ConfigMap"]["data"]["MCP_MEMORY_DRAIN_SECONDS"])
    assert pod["terminationGracePeriodSeconds"] > drain + GRACE_SECONDS
    assert of["Deployment"]["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    # A folder of ours below the volume: the volume's own cannot be closed to others by us.
    home = Path(of["ConfigMap"]["data"]["MCP_MEMORY_HOME"])
    mounts = [Path(each["mountPath"]) for each in pod["containers"][0]["volumeMounts"]]
    assert home.parent in mounts


def test_no_credential_stands_in_what_is_deployed() -> None:
    for doc in documents():
        for key, value in walked(doc):
            assert not (key.endswith(("SECRET_ACCESS_KEY", "_TOKEN")) and value), key
