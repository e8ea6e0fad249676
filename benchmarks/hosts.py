"""Real host programs against our install command: each in a scratch home, asked what it lists.

    python benchmarks/hosts.py FOLDER [--install] [--schemas FOLDER]

FOLDER keeps the programs that `--install` fetches from npm (Node 22 among them; some 1.2 GB).
`--schemas` is a folder of official JSON schemas; manifests are checked against those it holds.
Needs this package installed in the environment that runs it.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from apparatus.programs import apart, folder_of, installed, printed
from apparatus.servers import OURS, tools_over_stdio

PACKAGES = ("node@22", "@anthropic-ai/claude-code", "@openai/codex", "@google/gemini-cli",
            "opencode-ai", "@anthropic-ai/mcpb")  # fmt: skip
ROOT = Path(__file__).parent.parent
MANIFESTS = ROOT / "manifests"
HOSTS = {
    "claude-code": (["claude", "mcp", "list"], {}),
    "codex": (["codex", "mcp", "list"], {}),
    "gemini-cli": (["gemini", "mcp", "list"], {}),
    "opencode": (["opencode", "mcp", "list"], {}),
}
VALIDATORS = {
    "Claude Code plugin": ["claude", "plugin", "validate", "{m}/claude-code/plugin", "--strict"],
    "Claude Code marketplace": ["claude", "plugin", "validate", "{m}/claude-code", "--strict"],
    "Gemini extension": ["gemini", "extensions", "validate", "{m}/gemini-cli"],
    "Claude Desktop bundle": ["mcpb", "validate", "{m}/bundle/manifest.json"],
    "Claude Desktop packing": ["mcpb", "pack", "{m}/bundle", "{m}/memory.mcpb"],
}
PLUGINS = {
    "claude": [
        ["claude", "plugin", "marketplace", "add", "{m}/claude-code"],
        ["claude", "plugin", "install", "mcp-memory@mcp-memory"],
        ["claude", "mcp", "list"],
    ],
    "codex": [
        ["codex", "plugin", "marketplace", "add", "{m}/claude-code"],
        ["codex", "plugin", "add", "mcp-memory@mcp-memory"],
        ["codex", "plugin", "list"],
    ],
    "gemini": [
        ["gemini", "extensions", "install", "{m}/gemini-cli", "--consent", "--skip-settings"],
        ["gemini", "mcp", "list"],
    ],
}
SCHEMAS = {
    "registry/server.json": "server.schema.2025-12-11.json",
    "claude-desktop/manifest.json": "mcpb-0.4.schema.json",
    "cursor/.cursor-plugin/plugin.json": "cursor-plugin.schema.json",
    "agent-plugin/plugin.json": "agent-plugins-1.0.0.plugin.schema.json",
    "agent-plugin/mcp.json": "agent-plugins-1.0.0.mcp.schema.json",
}


def scratch(programs: Path, home: Path) -> dict[str, str]:
    """An environment that sees the programs, our bank, and nothing of the user's own home."""
    return {**apart(home, programs), "MCP_MEMORY_HOME": str(home / "bank")}


def tools_of(home: Path, environment: dict[str, str]) -> list[str]:
    """What the command that `install` wrote answers."""
    held = json.loads((home / ".claude.json").read_text("utf-8"))["mcpServers"]["memory"]
    env = {**environment, **held.get("env", {})}
    return tools_over_stdio([held["command"], *held["args"]], env, home)[0]


def codex_connects(programs: Path, environment: dict[str, str], cwd: Path) -> list[str]:
    """The tools that Codex itself got from the server: its listing does not connect, this does."""
    process = subprocess.Popen(
        [str(programs / "codex"), "app-server"], env=environment, cwd=cwd,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()

    def ask(number: int, method: str, params: dict[str, object]) -> dict[str, object]:
        message = {"id": number, "method": method, "params": params}
        process.stdin.write(json.dumps(message).encode() + b"\n")
        process.stdin.flush()
        for line in process.stdout:
            answer = json.loads(line)
            if answer.get("id") == number:
                return answer
        return {}

    ask(1, "initialize", {"clientInfo": {"name": "hosts", "version": "1"}})
    answer = ask(2, "mcpServerStatus/list", {"detail": "full"})
    watchdog.cancel()
    process.kill()
    process.wait()
    servers = answer.get("result", {}).get("data", [])
    return sorted(tool for each in servers for tool in each["tools"] if each["name"] == "memory")


def listings(programs: Path, home: Path) -> int:
    """Install into every host, ask each for its servers, uninstall; the number of faults."""
    environment = scratch(programs, home)
    project = home / "project"
    project.mkdir()
    code, said = printed([*OURS, "install", *HOSTS, "--no-check"], environment, project)
    print(said)
    faults = int(code != 0)
    print("tools by the written command:", ", ".join(tools_of(home, environment)), "\n")
    for host, (argv, more) in HOSTS.items():
        start = time.perf_counter()
        code, said = printed([str(programs / argv[0]), *argv[1:]], {**environment, **more}, project)
        lines = [line for line in said.splitlines() if "memory" in line]
        print(f"{host}: exit {code}, {time.perf_counter() - start:.1f} s")
        print("\n".join(f"  {line}" for line in lines) or f"  NOT LISTED\n{said}")
        faults += int(code != 0 or not lines)
    seen = codex_connects(programs, environment, project)
    print("tools that Codex's app server got:", ", ".join(seen) or "NONE")
    faults += int(len(seen) != 6)
    start = time.perf_counter()
    code, said = printed([*OURS, "install", *HOSTS], environment, project, 300)
    print(f"\ninstall again, each host asked by us ({time.perf_counter() - start:.1f} s):\n{said}")
    code, said = printed([*OURS, "uninstall", *HOSTS], environment, project)
    print(said)
    return faults + int(code != 0)


def validators(programs: Path, home: Path) -> int:
    """Every official validator over a copy of our manifests, then the plugins; number of faults."""
    environment = scratch(programs, home)
    # The plugins start our programs by name: they are on the PATH of whoever installed them.
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
    copied = home / "manifests"
    shutil.copytree(MANIFESTS, copied)
    subprocess.run([sys.executable, ROOT / "scripts" / "bundle.py", copied / "bundle"], check=True)
    faults = 0
    tried = list(VALIDATORS.items())
    tried += [(f"{host} plugin", words) for host, steps in PLUGINS.items() for words in steps]
    for what, words in tried:
        argv = [word.format(m=copied) for word in words]
        code, said = printed([str(programs / argv[0]), *argv[1:]], environment, home)
        lines = said.strip().splitlines()
        shown = lines if len(lines) < 16 else [*lines[:4], "…", *lines[-8:]]
        print(f"{what}: {' '.join(argv[1:3])}: exit {code}", *shown, sep="\n  ")
        faults += int(code != 0)
    return faults


def schemas(folder: Path) -> int:
    """Manifests against official schemas; the number of faults."""
    import jsonschema

    faults = 0
    for manifest, schema in SCHEMAS.items():
        read = json.loads((folder / schema).read_text(encoding="utf-8"))
        held = json.loads((MANIFESTS / manifest).read_text(encoding="utf-8"))
        checker = jsonschema.validators.validator_for(read)(read)
        found = [error.message for error in checker.iter_errors(held)]
        print(f"{manifest} by {schema}:", "; ".join(found) or "valid")
        faults += len(found)
    return faults


def main() -> None:
    """Fetch what is asked for, then try every host."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--install", action="store_true", help="fetch the programs from npm first")
    parser.add_argument("--schemas", type=Path, help="folder of official JSON schemas")
    given = parser.parse_args()
    folder = given.folder.resolve()
    programs = installed(folder, PACKAGES) if given.install else folder_of(folder)
    with tempfile.TemporaryDirectory(prefix="hosts-", ignore_cleanup_errors=True) as name:
        home = Path(name)
        faults = listings(programs, home)
        faults += validators(programs, home)
    faults += schemas(given.schemas) if given.schemas else 0
    print(f"\nfaults: {faults}")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
