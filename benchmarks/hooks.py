"""Hooks: whole-process time of each event with a full bank behind it, the digest's tokens, silence."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import anyio
from apparatus import banks, tables
from apparatus.rows import evidence
from apparatus.servers import READY_SECONDS, listening
from apparatus.timing import machine, middle, seconds

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain.asked import Reading
from mcp_memory.domain.models import Draft, Evidence, MemoryKind
from mcp_memory.hooks import ledger, ready
from mcp_memory.hooks.speaking import written
from mcp_memory.settings import Settings
from mcp_memory.text import tokens

COMMAND = "python -m shop.export --out orders.csv"
ERROR = "UnicodeEncodeError: 'charmap' codec can't encode character '\\u20ac' in position 17"
FAILED = f"Traceback (most recent call last):\n{ERROR}: character maps to <undefined>"
LESSON = "Always name the encoding when you open a file in this project."
COLUMNS = ("event", "silent", "with something to say")
EVENTS = (
    "session-start",
    "prompt",
    "before-edit",
    "before-command",
    "tool-failed",
    "before-compaction",
    "session-end",
)
NATIVE = {
    "session-start": "SessionStart",
    "prompt": "UserPromptSubmit",
    "before-edit": "PreToolUse",
    "before-command": "PreToolUse",
    "tool-failed": "PostToolUseFailure",
    "before-compaction": "PreCompact",
    "session-end": "SessionEnd",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000, help="rows of evidence in the bank")
    parser.add_argument("--runs", type=int, default=30, help="runs of each event")
    parser.add_argument("--command", nargs="+", default=_command(), help="what starts the hook")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        anyio.run(filled, folder, chosen.rows)
        print(f"{machine()}; {' '.join(chosen.command)}")
        print(f"bare interpreter: {_bare(chosen.runs)}, median of {chosen.runs}\n")
        tables.begin(*COLUMNS)
        for event in EVENTS:
            measured(folder, event, chosen.command, chosen.runs)
        with serving(folder):
            print("\nwith a server running:\n")
            tables.begin(*COLUMNS)
            for event in EVENTS[:5]:
                measured(folder, event, chosen.command, chosen.runs, session="served")
        told(folder)
        silence(folder, chosen.command)


async def filled(folder: Path, rows: int) -> None:
    """A bank of one project with two real sessions, memories that stand, and rows of other ones."""
    banks.project(folder, "other")
    shop = banks.project(folder, "shop")
    paths = [folder / f"{name}.jsonl" for name in ("invoices", "orders")]
    for path in paths:
        path.write_text(banks.sample(path.stem, shop), "utf-8")
    # An error that an edit mended is nobody else's to mend: hooks tell of a command's other form.
    for number in (1, 2):
        name = f"0c8a6e3e-0000-4000-8000-00000000000{number}"
        path = folder / f"{name}.jsonl"
        path.write_text(
            banks.mended(name, shop, COMMAND, FAILED, f"PYTHONUTF8=1 {COMMAND}"), "utf-8"
        )
        paths.append(path)
    async with open_bank(Settings(home=folder / "home", embedding_model="none")) as bank:
        for start in range(0, rows, 10_000):
            async with bank.rooms.store.change("index") as change:
                await change.add(evidence=[evidence(n) for n in range(start, start + 10_000)])
        await bank.index(paths)
        await remembered(bank, str(shop))
        await bank.maintain()


async def remembered(bank: MemoryBank, project: str) -> None:
    """Twenty memories that the user's own words bear out, one of them of a file."""
    for listed in await bank.listing("sessions"):
        asked = Reading(refs=tuple(f"{listed.ref}#{n}" for n in range(1, 8)), budget_tokens=20_000)
        opened = (await bank.fetch(asked)).items
        said = next((each.ref for each in opened if LESSON in each.text), None)
        if said is None:
            continue
        cites = (Evidence(ref=said, quote=LESSON),)
        for place in range(20):
            draft = Draft(
                text=LESSON,
                title=f"encoding, {'abcdefghijklmnopqrst'[place]}",
                kind=MemoryKind.GOTCHA if place % 2 else MemoryKind.PREFERENCE,
                when_to_use="opening a file",
                not_when="reading bytes",
                files=("shop/export.py",) if place == 1 else (),
                evidence=cites,
                project=project,
            )
            await bank.retain(draft)


def measured(
    folder: Path, event: str, command: Sequence[str], runs: int, session: str = "alone"
) -> None:
    """Silent: a project that nothing is known of; else sessions that were not told yet."""
    silent, speaking, answers = [], [], 0
    for number in range(runs):
        took, _ = called(folder, event, command, f"{session}-{event}-{number}", "other")
        silent.append(took)
        took, answer = called(folder, event, command, f"{session}-{event}-{number}", "shop")
        speaking.append(took)
        answers += bool(answer)
    tables.line(event, middle(silent), f"{middle(speaking)} ({answers} of {runs} spoke)")


def called(
    folder: Path, event: str, command: Sequence[str], session: str, project: str
) -> tuple[float, bytes]:
    """Seconds of one whole hook, and what it printed."""
    said = {
        "session_id": session,
        "transcript_path": str(folder / "orders.jsonl"),
        "cwd": str(folder / project),
        "hook_event_name": NATIVE[event],
        "tool_name": "Edit" if event == "before-edit" else "Bash",
        "tool_input": {
            "command": COMMAND,
            "file_path": str(folder / project / "shop" / "export.py"),
            "content": "x = 1\n" * 2_000,
        },
        "error": f"Exit code 1\n{FAILED}",
    }
    env = {**os.environ, "MCP_MEMORY_HOME": str(folder / "home")}
    started = time.perf_counter()
    done = subprocess.run(
        [*command, event], input=json.dumps(said).encode(), capture_output=True, env=env, check=True
    )
    took = time.perf_counter() - started
    assert not done.stderr, done.stderr
    return took, done.stdout


def told(folder: Path) -> None:
    """The digest, its tokens, and the files that hold all of it."""
    home = folder / "home"
    made = ready.read(home, str(folder / "shop"))
    assert made is not None
    size = ready.file_of(home, made.project).stat().st_size
    print(f"\nbriefing: {tokens.estimate(written(made.briefing))} tokens, {len(made.briefing)} lines; "
          f"ready file: {size} bytes, {len(made.errors)} errors, {len(made.files)} files")  # fmt: skip


def silence(folder: Path, command: Sequence[str]) -> None:
    """Ten sessions, every event of each, in a project that nothing is known of."""
    before = ledger.summary(folder / "home")
    said = [
        called(folder, event, command, f"quiet-{number}", "other")[1]
        for number in range(10)
        for event in EVENTS
    ]
    after = ledger.summary(folder / "home")
    noted = sum(after[event].silent - before[event].silent for event in EVENTS)
    print(f"ten sessions in silence: {sum(map(bool, said))} of {len(said)} calls printed anything; "
          f"{noted} noted as silent")  # fmt: skip


@contextmanager
def serving(folder: Path) -> Iterator[None]:
    """`mcp-memory serve` with its bank open, until the block is left."""
    home = folder / "home"
    note = ready.folder(home) / "server.json"
    with listening(home, cwd=folder, embedding_model="none"):
        until = time.monotonic() + READY_SECONDS
        while not note.exists() and time.monotonic() < until:
            time.sleep(0.05)
        assert note.exists(), "the server opened no door"
        yield


def _bare(runs: int) -> str:
    bare = [sys.executable, "-c", "pass"]
    return middle([seconds(lambda: subprocess.run(bare, check=True)) for _ in range(runs)])


def _command() -> list[str]:
    script = Path(sys.executable).with_name("mcp-memory-hook")
    return [str(script)] if script.exists() else [sys.executable, "-m", "mcp_memory.hooks.hook"]


if __name__ == "__main__":
    print(datetime.now(UTC).date().isoformat())
    main()
