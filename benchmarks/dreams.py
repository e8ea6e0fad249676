"""`mcp-memory dream` with the real hosts and a scripted model on loopback: what each keeps, and what is left.

    python benchmarks/dreams.py FOLDER [HOST...]

FOLDER holds the programs that `benchmarks/hosts.py FOLDER --install` fetched. In a scratch home two
sessions met one error and got past it. The model plans, reads, offers a memory that the gate refuses
and one that it takes, and tries a second batch. One line a host; exit 1 for faults.
"""

import json
import re
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import anyio

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))
from apparatus.programs import each_host
from apparatus.scripted_model import Model, Tool, Turn
from apparatus.servers import OURS
from failing_session import session
from sent_host import BAD, GOOD
from sessions import WAIT, children, prepared, scratch

from mcp_memory.bank import open_bank
from mcp_memory.hosts.headless import HOSTS
from mcp_memory.settings import Settings

MODELS = {
    "claude-code": "",
    "codex": "gpt-5.5",
    "gemini-cli": "gemini-2.5-flash",
    "opencode": "anthropic/claude-sonnet-4-5",
}
OUTSIDE = re.compile(
    r"(?i)bash|exec|shell|stdin|write|edit|replace|read_file|^read$|^grep|^glob|list_dir"
    r"|web|task$|invoke_agent|memory_+(?:retain|delete|runbook)$"
)
REF = re.compile(r"t:\w+#\d+-\d+")


def main() -> None:
    sys.exit(bool(each_host(__doc__, tuple(HOSTS), partial(anyio.run, dreamt))))


async def dreamt(name: str, folder: Path, programs: Path) -> tuple[str, list[str]]:
    """One host's dream: its line, and its faults."""
    home, settings = folder / "home", Settings(home=folder / "bank", embedding_model="none")
    async with open_bank(settings, cwd=str(folder / "shop")) as bank:
        for number in (1, 2):
            id_ = f"0c8a6e3e-0000-4000-8000-00000000000{number}"
            asked = f"make the tests pass, {number}"
            await bank.index([session(folder, id_, asked, f"2026-03-0{number}")])
    model = Model(turns(), WAIT)
    environment = scratch(home, programs, model.address)
    # Installed as by a user, so that it shows which of the two servers a dream is given.
    prepared(name, home, environment, model.address)
    named = ["--model", MODELS[name]] if MODELS[name] else []
    started = time.perf_counter()
    ran = subprocess.run(
        [*OURS, "dream", "--host", name, "--minutes", "2", "--json", *named],
        cwd=folder / "shop", capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        env={**_chosen(name, environment), "MCP_MEMORY_HOME": str(settings.home),
             "MCP_MEMORY_EMBEDDING_MODEL": "none"},
    )  # fmt: skip
    seconds = time.perf_counter() - started
    left = children(home)
    model.shutdown()
    (folder / "requests.jsonl").write_text("\n".join(model.seen), "utf-8")
    (folder / "printed.txt").write_text(f"{ran.stdout}\n--\n{ran.stderr}", "utf-8")
    told = json.loads(ran.stdout) if ran.stdout.startswith("{") else {}
    results = [*model.results, *[""] * 5]
    own = await sessions_of(settings, folder, environment)
    checks = {
        f"exit {ran.returncode}: {ran.stdout[-300:]} {ran.stderr[-600:]}": ran.returncode == 0,
        f"the host has no tool like {sorted(model.lacking)}": not model.lacking,
        "it was not given the plan": "No module named" in results[0],
        "it could not read": "pip install flask" in results[1],
        "the gate let the bad one in": "refused this batch" in results[2],
        "the good one was not kept": bool(told.get("batch")) and told["batch"] in results[3],
        "a second batch was taken": "has its batch" in results[4],
        f"refused {told.get('refused')}, {len(told.get('memories', ()))} kept": (
            told.get("refused") == 1 and len(told.get("memories", ())) == 1
        ),
        f"left running: {left}": not left,
        f"its own session became history: {own}": own == 2,
        f"it had other tools: {sorted(others(model.seen))}": not others(model.seen),
        "its folder is left": not any(settings.dreams_dir.iterdir()),
    }
    said = (
        f"{name}: {seconds:.1f} s, {len(model.seen)} requests, {model.waits} waits; "
        f"{told.get('tokens')} tokens read, refused {told.get('refused')}, "
        f"kept {[one['standing'] for one in told.get('memories', ())]}; {len(left)} processes left"
    )
    return said, [fault for fault, well in checks.items() if not well]


def others(seen: list[str]) -> set[str]:
    """Tools that act or read elsewhere and were offered to the model beside ours."""
    names = set()
    for body in map(json.loads, seen):
        for tool in body.get("tools", []):
            inner = tool.get("functionDeclarations") or tool.get("tools") or [tool]
            names |= {each.get("name", "") for each in inner}
    return {name for name in names if OUTSIDE.search(name)}


def _chosen(name: str, environment: dict[str, str]) -> dict[str, str]:
    """What a user would have in a profile: Codex is told by its settings alone which model to ask."""
    if name == "codex":
        file = Path(environment["CODEX_HOME"]) / "config.toml"
        file.write_text(f'model_provider = "scripted"\n{file.read_text("utf-8")}', "utf-8")
    return environment


async def sessions_of(settings: Settings, folder: Path, environment: dict[str, str]) -> int:
    """How many sessions the bank has after all history of the scratch home was indexed."""
    subprocess.run(
        [*OURS, "index"], cwd=folder, check=False, capture_output=True,
        env={**environment, "MCP_MEMORY_HOME": str(settings.home),
             "MCP_MEMORY_EMBEDDING_MODEL": "none"},
    )  # fmt: skip
    async with open_bank(settings) as bank:
        return len(await bank.listing("sessions"))


def turns() -> list[Turn]:
    """Plan, read, offer a bad and a good memory, and try again."""

    def plan(*_: object) -> dict[str, Any]:
        return {"action": "plan"}

    def read(_: Tool, results: str) -> dict[str, Any]:
        return {"refs": sorted(set(REF.findall(results)))}

    def bad(*_: object) -> dict[str, Any]:
        return {"action": "apply", "memories": [BAD]}

    def good(_: Tool, results: str) -> dict[str, Any]:
        evidence = [{"ref": ref} for ref in sorted(set(REF.findall(results)))]
        return {"action": "apply", "memories": [{**GOOD, "evidence": evidence}]}

    consolidate = re.compile(r"memory_+consolidate$")
    return [
        Turn(consolidate, plan),
        Turn(re.compile(r"memory_+fetch$"), read),
        Turn(consolidate, bad),
        Turn(consolidate, good),
        Turn(consolidate, good),
    ]


if __name__ == "__main__":
    main()
