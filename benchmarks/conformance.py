"""The official conformance suite and the inspector's command line against our server; needs npm.

    python benchmarks/conformance.py FOLDER

installs Node 22, the suite and the inspector from npm into FOLDER (330 MB, kept for the next time),
runs every server scenario for every protocol version over streamable HTTP, then lists and calls all
six tools with the inspector over stdio, SSE and streamable HTTP. Exits 1 where a scenario that
applies fails, one that does not apply passes, or a tool cannot be called.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from apparatus import conformance_fixture
from apparatus.programs import beside, installed
from apparatus.servers import OURS, free_port, listening, running

PACKAGES = (
    "node@22",
    "@modelcontextprotocol/conformance@0.2.0-alpha.12",
    "@modelcontextprotocol/inspector@2.12.0",
)
VERSIONS = ("2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28")
ASKS = "the server never asks the client for anything: several hosts could not answer"
NOT_APPLICABLE = {
    "logging-set-level": "protocol logging is deprecated; the server logs to stderr",
    "tools-call-with-logging": "protocol logging is deprecated; the server logs to stderr",
    "tools-call-sampling": ASKS,
    "tools-call-elicitation": ASKS,
    "elicitation-sep1034-defaults": ASKS,
    "elicitation-sep1330-enums": ASKS,
    "server-sse-polling": "streams are not resumed: an answer that was lost is asked for again",
    "resources-subscribe": "not offered before 2026-07-28, which listens instead",
    "resources-unsubscribe": "not offered before 2026-07-28, which listens instead",
    "http-custom-header-server-validation": "no tool takes an argument from a header",
}
FAMILIES = {
    "input-required-result-": ASKS,
    "tasks-": "an extension that the SDK does not have",
    "sep-2640-": "an extension: skills are the host's",
}
"""Kinds of scenarios that do not apply; some pass all the same, by failing as they should."""
CALLS = {
    "search": ("query=heron build",),
    "retain": ("text=The heron build needs LIBHERON_HOME.", "project=user"),
    "runbook": ("task=build the heron",),
    "consolidate": ("action=plan",),
    "fetch": ('refs=["{ref}"]',),
    "delete": ('refs=["{ref}"]',),
}
_LINE = re.compile(r"[✓✗] ([\w-]+): (\d+) passed, (\d+) failed")


def scenarios(programs: Path, folder: Path) -> list[str]:
    """Run the suite; one line a fault."""
    port, faults = free_port(), []
    url = f"http://127.0.0.1:{port}"
    fixture = [sys.executable, str(conformance_fixture.__file__), str(port)]
    env = beside(programs)
    with running(fixture, url, env):
        for version in VERSIONS:
            suite = [
                *(str(programs / "conformance"), "server", "--url", f"{url}/mcp"),
                *("--suite", "all", "--spec-version", version, "-o", str(folder / "results")),
            ]
            done = subprocess.run(
                suite, env=env, capture_output=True, text=True, timeout=170, check=False
            )
            found = {name: (int(a), int(b)) for name, a, b in _LINE.findall(done.stdout)}
            if not found:
                faults.append(f"{version}: the suite said nothing: {done.stderr[-300:]}")
            faults += [f"{version}: {fault}" for fault in judged(version, found)]
    return faults


def judged(version: str, found: dict[str, tuple[int, int]]) -> Iterator[str]:
    """Print what a version came to; what should not be so is yielded."""
    checks, apart = 0, dict[str, list[str]]()
    for name, (passed, failed) in sorted(found.items()):
        family = next((reason for key, reason in FAMILIES.items() if name.startswith(key)), "")
        reason = NOT_APPLICABLE.get(name, family)
        if reason:
            apart.setdefault(reason, []).append(name)
        if not reason and failed:
            yield f"{name}: {failed} checks failed"
        if name in NOT_APPLICABLE and not failed:
            yield f"{name}: said not to apply, and passes"
        checks += 0 if reason else passed
    left = sum(map(len, apart.values()))
    print(f"{version}: {len(found) - left} scenarios apply, {checks} checks pass; not: {left}")
    for reason, names in apart.items():
        print(f"    {reason}: {', '.join(names)}")


def inspected(programs: Path) -> list[str]:
    """List and call all tools over each transport; one line a fault."""
    faults = []
    with (
        tempfile.TemporaryDirectory() as home,
        listening(Path(home), "http", "sse", embedding_model="hash") as server,
    ):
        # The inspector hands a server that it starts little of its own environment.
        told = {"HOME": home, "EMBEDDING_MODEL": "hash", "INDEX_AUTO": "false"}
        given = [part for key in told for part in ("-e", f"MCP_MEMORY_{key}={told[key]}")]
        targets = {
            "stdio": [*given, *OURS, "serve"],
            "sse": ["--server-url", f"{server.url}/sse", "--transport", "sse"],
            "streamable-http": ["--server-url", f"{server.url}/mcp"],
        }
        for transport, target in targets.items():
            print(f"inspector over {transport}:")
            begun = [str(programs / "mcp-inspector"), "--cli", *target]
            faults += [f"{transport}: {fault}" for fault in called(begun, beside(programs))]
    return faults


def called(begun: list[str], env: dict[str, str]) -> Iterator[str]:
    """The six tools, listed and called."""
    listed = _run([*begun, "--method", "tools/list", "--strict"], env)
    names = [tool["name"] for tool in _json(listed).get("tools", ())]
    if listed.returncode or sorted(names) != sorted(CALLS):
        yield f"tools/list --strict: exit {listed.returncode}, {names} {listed.stderr[-300:]}"
    ref, good = "", 0
    for tool, arguments in CALLS.items():
        given = [part for text in arguments for part in ("--tool-arg", text.replace("{ref}", ref))]
        answer = _run([*begun, "--method", "tools/call", "--tool-name", tool, *given], env)
        told = _json(answer).get("structuredContent") or {}
        ref = told.get("ref", ref) if tool == "retain" else ref
        good += answer.returncode == 0 and bool(told)
        if answer.returncode or not told:
            yield f"{tool}: exit {answer.returncode} {answer.stdout[-200:]} {answer.stderr[-200:]}"
    print(f"    {len(names)} tools listed, {good} called")


def _run(command: list[str], env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)


def _json(answer: subprocess.CompletedProcess[str]) -> dict[str, object]:
    try:
        told = json.loads(answer.stdout[answer.stdout.index("{") :])
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the npm packages are kept")
    folder = parser.parse_args().folder.absolute()
    programs = installed(folder, PACKAGES)
    faults = [*scenarios(programs, folder), *inspected(programs)]
    for fault in faults:
        print(f"FAULT {fault}")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
