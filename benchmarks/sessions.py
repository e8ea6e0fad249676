"""Whole sessions in real hosts with a scripted model on loopback: tools, hooks, transcript, children.

    python benchmarks/sessions.py FOLDER [HOST...]

FOLDER holds the programs that `benchmarks/hosts.py FOLDER --install` fetched. In a scratch home our
own command installs server and hooks; the model then searches, retains what it found, fails a
command and writes a file that has a gotcha. One line a host says what happened; exit 1 for faults.
Hosts that are no program of npm (Cursor, VS Code, Windsurf, Zed, Goose, Claude Desktop) are not run.
"""

import html
import json
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import anyio

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))
from apparatus.programs import apart, each_host, folder_of
from apparatus.scripted_model import Model, Tool, Turn
from apparatus.servers import OURS
from failing_session import ERROR, gotcha, session

from mcp_memory.bank import open_bank
from mcp_memory.domain.asked import Query
from mcp_memory.hooks import diary, ledger, spool
from mcp_memory.settings import Settings

FAILING = "pytest -q"
"""What the sessions in the bank ran too; here a script that prints what it printed there."""
KEPT = "The till's first pytest run fails until flask is there."
MARKS = {"briefing": "<recalled mcp-memory briefing ", "error": "<recalled mcp-memory error ",
         "gotcha": "<recalled mcp-memory file "}  # fmt: skip
SECONDS = 150
PROMPT = "mend the till"
NOT_RUN = "Cursor, VS Code, Windsurf, Zed, Goose, Claude Desktop: no program in a package registry"


class Driven(NamedTuple):
    """How one host is run once without its user."""

    argv: tuple[str, ...]
    version: tuple[str, ...]
    events: frozenset[str]
    """The hooks' events that must be called; `handed over` is the spool's note."""
    marks: frozenset[str]
    """What of our hooks must reach the model."""


HOSTS = {
    "claude-code": Driven(
        ("claude", "-p", PROMPT, "--allowedTools", "Bash,Write,Edit,mcp__memory"),
        ("claude", "--version"),
        frozenset({"session-start", "tool-failed", "before-edit", "handed over"}),
        frozenset(MARKS),
    ),
    "codex": Driven(
        ("codex", "exec", "--skip-git-repo-check", "--dangerously-bypass-hook-trust",
         "-c", "model_provider=scripted", "-m", "gpt-5.5", "--sandbox", "workspace-write", PROMPT),
        ("codex", "--version"),
        frozenset({"session-start", "tool-failed", "before-edit", "handed over"}),
        frozenset(MARKS),
    ),
    "gemini-cli": Driven(
        ("gemini", "-p", PROMPT, "-y", "-m", "gemini-2.5-flash"),
        ("gemini", "--version"),
        frozenset({"session-start", "tool-failed", "before-edit", "handed over"}),
        frozenset(MARKS),
    ),
    # Its hooks are a plugin in its own language; its database is read, nothing is handed over.
    "opencode": Driven(
        ("opencode", "run", "-m", "anthropic/claude-sonnet-4-5", PROMPT),
        ("opencode", "--version"),
        frozenset({"session-start", "prompt", "tool-failed", "before-edit"}),
        frozenset(MARKS),
    ),
}  # fmt: skip


def main() -> None:
    faults = each_host(__doc__, tuple(HOSTS), _all_of)
    print(f"not run: {NOT_RUN}\nfaults: {faults}")
    sys.exit(bool(faults))


def _all_of(name: str, folder: Path, programs: Path) -> tuple[str, list[str]]:
    said, wrong = anyio.run(driven, name, folder, programs)
    if name == "claude-code":
        again, more = anyio.run(forgotten, folder / "compacted", programs)
        said, wrong = f"{said}\n{again}", [*wrong, *more]
    return said, wrong


async def driven(name: str, folder: Path, programs: Path) -> tuple[str, list[str]]:
    """One host's session, and all that is asked of it afterwards: its line, and its faults."""
    host, home = HOSTS[name], folder / "home"
    settings = Settings(home=folder / "bank", embedding_model="none")
    async with open_bank(settings, cwd=str(folder / "shop")) as bank:
        await bank.index([session(folder, "0c8a6e3e-0000-4000-8000-000000000001")])
        await gotcha(bank)
        again = session(folder, "0c8a6e3e-0000-4000-8000-000000000002", "make the tests pass")
        await bank.index([again])
    model = Model(turns(folder / "shop"), WAIT)
    environment = scratch(home, programs, model.address)
    prepared(name, home, environment, model.address)
    start = time.perf_counter()
    ran = subprocess.run(
        [str(folder_of(programs) / host.argv[0]), *host.argv[1:]],
        cwd=folder / "shop", env=environment, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, check=False, timeout=SECONDS,
    )  # fmt: skip
    seconds = time.perf_counter() - start
    left = children(home)
    model.shutdown()
    (folder / "requests.jsonl").write_text("\n".join(model.seen), "utf-8")
    (folder / "printed.txt").write_text(f"{ran.stdout}\n--\n{ran.stderr}", "utf-8")
    called = {line["e"] for line in ledger_lines(settings.home)}
    called |= {"handed over"} if spool.waiting(settings.spool_dir) else set()
    shown = {
        word
        for word, mark in MARKS.items()
        if any(mark in html.unescape(each) for each in model.seen)
    }
    answered = answers(model.results)
    version = subprocess.run(
        [str(folder_of(programs) / host.version[0]), *host.version[1:]],
        env=environment, capture_output=True, text=True, check=False,
    ).stdout.strip()  # fmt: skip
    indexed, wrong = await after(settings, environment, folder)
    printed = f"{ran.stdout}\n{ran.stderr}"
    checks = {
        f"exit {ran.returncode}: {ran.stderr.strip()[-300:]}": ran.returncode == 0,
        f"the host has no tool like {sorted(model.lacking)}": not model.lacking,
        f"answered: {answered}": all(answered.values()),
        f"hooks not called: {sorted(host.events - called)}": host.events <= called,
        f"not shown to the model: {sorted(host.marks - shown)}": host.marks <= shown,
        "a hook is complained of": not re.search(r"(?i)hook[^\n]{0,80}(fail|error)", printed),
        f"left running: {left}": not left,
    }
    wrong += [fault for fault, well in checks.items() if not well]
    said = (
        f"{name} {version}: {seconds:.1f} s, {len(model.seen)} requests, {model.waits} waits; "
        + "; ".join(
            (
                f"called and answered: {', '.join(each for each, well in answered.items() if well)}",
                f"hooks: {', '.join(sorted(called)) or 'none'}",
                f"shown to the model: {', '.join(sorted(shown)) or 'nothing'}",
                indexed,
                f"{len(left)} processes left",
            )
        )
    )
    return said, wrong


async def forgotten(folder: Path, programs: Path) -> tuple[str, list[str]]:
    """Claude Code resumed twice, compacted and resumed: the briefing is told at first, and once anew."""
    settings = Settings(home=folder / "bank", embedding_model="none")
    async with open_bank(settings, cwd=str(folder / "shop")) as bank:
        await bank.index([session(folder, "0c8a6e3e-0000-4000-8000-000000000001")])
        await gotcha(bank)
    model, home = Model([], WAIT), folder / "home"
    environment = scratch(home, programs, model.address)
    prepared("claude-code", home, environment, model.address)
    told = []
    for more in (("begin",), ("-c", "go on"), ("-c", "and on"), ("-c", "/compact"), ("-c", "on")):
        before = len(list(diary.entries(settings.home)))
        subprocess.run(
            [str(folder_of(programs) / "claude"), "-p", *more], cwd=folder / "shop",
            env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=True,
            timeout=SECONDS,
        )  # fmt: skip
        told.append(len(list(diary.entries(settings.home))) - before)
    model.shutdown()
    held = html.unescape(model.seen[-1]).count(MARKS["briefing"])
    said = f"claude-code, compacted: briefings told {told}, in the last request {held}"
    return said, [] if (told, held) == ([1, 0, 0, 1, 0], 1) else [said]


def turns(project: Path) -> list[Turn]:
    """Search, retain what was found, fail, write the file that has a gotcha."""

    def search(*_: object) -> dict[str, Any]:
        return {"query": "ModuleNotFoundError No module named flask", "kinds": ["step"]}

    def retain(_: Tool, results: str) -> dict[str, Any]:
        ref = re.search(r"t:\w+#\d+", results)
        return {"text": KEPT, "evidence": [{"ref": ref[0] if ref else "t:none#1"}]}

    def shell(tool: Tool, _: str) -> dict[str, Any]:
        return command(tool, FAILING)

    def write(tool: Tool, _: str) -> dict[str, Any]:
        if tool.name == "apply_patch":
            patch = "*** Begin Patch\n*** Add File: src/db.py\n+lock = None\n*** End Patch\n"
            return {"input": patch}
        file = "filePath" if tool.name == "write" else "file_path"
        return {file: str(project / "src" / "db.py"), "content": "lock = None\n"}

    return [
        Turn(re.compile(r"memory_+search$"), search),
        Turn(re.compile(r"memory_+retain$"), retain),
        Turn(SHELL, shell),
        Turn(re.compile(r"(?i)^_(write|write_file|apply_patch)$"), write),
    ]


def command(tool: Tool, line: str) -> dict[str, Any]:
    """Arguments of a host's shell tool."""
    if tool.name == "exec_command":
        return {"cmd": line, "login": False}
    if tool.name == "shell":
        return {"command": ["bash", "-lc", line]}
    return {"command": line, "description": "try it"}


SHELL = re.compile(r"^_(?i:bash|exec_command|shell|shell_command|run_shell_command)$")
WAIT = Turn(
    re.compile(f"_WaitForMcpServers$|{SHELL.pattern}"),
    lambda tool, _: {} if tool.name.startswith("Wait") else command(tool, "sleep 2"),
)


def scratch(home: Path, programs: Path, model: str) -> dict[str, str]:
    """An environment that sees the programs and nothing of the user's own home."""
    (home / "bin").mkdir(parents=True)
    script = home / "bin" / "pytest"
    script.write_text(f'#!/bin/sh\necho "{ERROR}"\nexit 1\n', encoding="utf-8")
    script.chmod(0o755)
    return {
        **apart(home, home / "bin", folder_of(programs)),
        "ANTHROPIC_BASE_URL": model,
        "ANTHROPIC_API_KEY": "dummy",
        "GOOGLE_GEMINI_BASE_URL": model,
        "GEMINI_API_KEY": "dummy",
        "OPENCODE_DISABLE_MODELS_FETCH": "1",
        "OPENCODE_DISABLE_AUTOUPDATE": "1",
    }


def prepared(name: str, home: Path, environment: Mapping[str, str], model: str) -> None:
    """What a user has set up before us, then our own command."""
    if name == "codex":
        (home / ".codex").mkdir()
        (home / ".codex" / "config.toml").write_text(
            f'[model_providers.scripted]\nname = "scripted"\nbase_url = "{model}"\n'
            'wire_api = "responses"\n',
            encoding="utf-8",
        )
    elif name == "gemini-cli":
        chosen = {"security": {"auth": {"selectedType": "gemini-api-key"}}}
        (home / ".gemini").mkdir()
        (home / ".gemini" / "settings.json").write_text(json.dumps(chosen), encoding="utf-8")
    elif name == "opencode":
        chosen = {"provider": {"anthropic": {"options": {"baseURL": f"{model}/v1"}}}}
        (home / ".config" / "opencode").mkdir(parents=True)
        file = home / ".config" / "opencode" / "opencode.json"
        file.write_text(json.dumps(chosen), encoding="utf-8")
    hooks = ["--hooks"] if HOSTS[name].events else []
    subprocess.run(
        [*OURS, "install", name, *hooks, "--no-check"],
        env={**environment, "MCP_MEMORY_HOME": str(home.parent / "bank")},
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip


def answers(results: list[str]) -> dict[str, bool]:
    """Which calls came back with what they should."""
    expected = {"search": r"t:\w+#\d+", "retain": r"m:\w+", "shell": "ModuleNotFoundError",
                "write": r"db\.py|rote file"}  # fmt: skip
    padded = [*results, "", "", "", ""]
    return {
        name: bool(re.search(pattern, said))
        for (name, pattern), said in zip(expected.items(), padded, strict=False)
    }


def children(home: Path, seconds: float = 5) -> list[str]:
    """Processes that still run in a scratch home after a short grace; Linux only."""
    until = time.monotonic() + seconds
    while True:
        left = []
        for each in Path("/proc").glob("[0-9]*"):
            try:
                if f"HOME={home}".encode() in (each / "environ").read_bytes().split(b"\0"):
                    left.append((each / "cmdline").read_bytes().replace(b"\0", b" ").decode()[:120])
            except OSError:
                continue
        if not left or time.monotonic() > until:
            return left
        time.sleep(0.1)


def ledger_lines(home: Path) -> list[dict[str, Any]]:
    """What the hooks noted, one line a call."""
    file = home / "hooks" / ledger.NAME
    lines = file.read_text("utf-8").splitlines() if file.is_file() else []
    return [line for line in map(json.loads, lines) if "e" in line]


async def after(
    settings: Settings, environment: Mapping[str, str], folder: Path
) -> tuple[str, list[str]]:
    """`mcp-memory index` with what the host left, then a later search: what came, and faults."""
    done = subprocess.run(
        [*OURS, "index"],
        env={**environment, "MCP_MEMORY_HOME": str(settings.home),
             "MCP_MEMORY_EMBEDDING_MODEL": "none"},
        capture_output=True, text=True, check=False, cwd=folder,
    )  # fmt: skip
    async with open_bank(settings) as bank:
        ours = Query(texts=(PROMPT,), kinds=("step", "episode"), project="*")
        found = await bank.search(ours)
        kept = await bank.search(
            Query(texts=("till pytest run flask",), kinds=("fact",), project="*")
        )
    rows = [
        path.read_text("utf-8")
        for path in settings.archive_dir.rglob("steps.jsonl")
        if PROMPT in path.read_text("utf-8")
    ]
    wrong = {
        f"index: {done.stdout}{done.stderr}": done.returncode == 0,
        f"{len(rows)} sessions indexed": len(rows) == 1,
        "the session is not found by its request": found.found,
        "what was retained is not found": any(KEPT in hit.text for hit in kept.hits),
        "our own words were indexed": not any("recalled mcp-memory" in each for each in rows),
        "an old session's words came in again": not any("pip install flask" in x for x in rows),
        "notes are left": not spool.waiting(settings.spool_dir),
    }
    told = f"indexed: {done.stdout.splitlines()[0] if done.stdout else 'nothing'}"
    return told, [fault for fault, well in wrong.items() if not well]


if __name__ == "__main__":
    main()
