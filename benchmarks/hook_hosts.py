"""Hooks in real hosts: a session against a scripted model on loopback; what the model was shown.

    python benchmarks/hook_hosts.py FOLDER

FOLDER holds the programs that `benchmarks/hosts.py --install` fetched. Claude Code is driven through
a failing command and an edit; our hooks are put in by `mcp-memory install --hooks`.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import anyio

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from test_digests import gotcha, session

from mcp_memory import ledger, spool
from mcp_memory.asked import Query
from mcp_memory.bank import open_bank
from mcp_memory.settings import Settings

FAILING = 'python3 -c "raise ModuleNotFoundError(\\"No module named \'flask\'\\")"'
MARKS = {
    "session start or prompt": "<recalled mcp-memory digest>",
    "failed command": "<recalled mcp-memory error>",
    "before the edit": "<recalled mcp-memory file>",
}


class Model(ThreadingHTTPServer):
    """A model that fails a command, writes a file, and is done; it keeps what it was sent."""

    def __init__(self, file: Path) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.seen: list[str] = []
        self.turns: list[list[dict[str, Any]]] = [
            [{"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {"command": FAILING}}],
            [
                {
                    "type": "tool_use",
                    "id": "toolu_2",
                    "name": "Write",
                    "input": {"file_path": str(file), "content": "lock = None\n"},
                }
            ],
            [{"type": "text", "text": "done"}],
        ]


class Answer(BaseHTTPRequestHandler):
    """The Messages API, as far as one session needs it."""

    protocol_version = "HTTP/1.1"
    server: Model

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""

    def do_HEAD(self) -> None:  # noqa: D102
        self._send(b"", "text/plain")

    def do_GET(self) -> None:  # noqa: D102
        self._send(b'{"data": []}', "application/json")

    def do_POST(self) -> None:  # noqa: D102
        raw = self.rfile.read(int(self.headers.get("content-length", 0))) or b"{}"
        body = json.loads(raw)
        if "count_tokens" in self.path:
            self._send(b'{"input_tokens": 10}', "application/json")
            return
        self.server.seen.append(json.dumps(body))
        done = sum('"tool_result"' in json.dumps(each) for each in body.get("messages", []))
        blocks = self.server.turns[min(done, 2)] if body.get("tools") else self.server.turns[2]
        stop = "tool_use" if blocks[0]["type"] == "tool_use" else "end_turn"
        usage = {"input_tokens": 5, "output_tokens": 5}
        said = {"id": f"msg_{done}", "type": "message", "role": "assistant",
                "model": body.get("model"), "content": blocks, "stop_reason": stop,
                "stop_sequence": None, "usage": usage}  # fmt: skip
        if not body.get("stream"):
            self._send(json.dumps(said).encode(), "application/json")
            return
        events: list[tuple[str, dict[str, Any]]] = [
            ("message_start", {"message": {**said, "content": [], "stop_reason": None}})
        ]
        for place, block in enumerate(blocks):
            empty = {**block, "input": {}} if stop == "tool_use" else {"type": "text", "text": ""}
            part = (
                {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
                if stop == "tool_use"
                else {"type": "text_delta", "text": block["text"]}
            )
            events += [
                ("content_block_start", {"index": place, "content_block": empty}),
                ("content_block_delta", {"index": place, "delta": part}),
                ("content_block_stop", {"index": place}),
            ]
        told = {
            "delta": {"stop_reason": stop, "stop_sequence": None},
            "usage": {"output_tokens": 5},
        }
        events += [("message_delta", told), ("message_stop", {})]
        lines = (f"event: {n}\ndata: {json.dumps({'type': n, **d})}\n\n" for n, d in events)
        self._send("".join(lines).encode(), "text/event-stream")

    def _send(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("programs", type=Path)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        settings = Settings(home=folder / "bank", embedding_model="none")
        anyio.run(stocked, folder, settings)
        model = Model(folder / "shop" / "src" / "db.py")
        threading.Thread(target=model.serve_forever, daemon=True).start()
        driven(folder, told.programs, model)
        for event, mark in MARKS.items():
            shown = sum(mark in each for each in model.seen)
            print(f"{event}: in {shown} of {len(model.seen)} requests to the model")
        print("handed over:", [note.transcript.name for note in spool.waiting(settings.spool_dir)])
        anyio.run(indexed, settings)
        for row in ledger.as_table(ledger.summary(settings.home)):
            print(row)


async def stocked(folder: Path, settings: Settings) -> None:
    """A bank that knows a mended error and a gotcha of src/db.py."""
    async with open_bank(settings, cwd=str(folder / "shop")) as bank:
        await bank.index([session(folder, "0c8a6e3e-0000-4000-8000-000000000001")])
        await gotcha(bank)


def driven(folder: Path, programs: Path, model: Model) -> None:
    """Hooks put in by our own command, then one session of the host."""
    home = folder / "home"
    (home / ".claude").mkdir(parents=True)
    env = {
        **os.environ,
        "HOME": str(home),
        "PATH": f"{programs / 'node_modules' / '.bin'}{os.pathsep}{os.environ['PATH']}",
        "MCP_MEMORY_HOME": str(folder / "bank"),
        "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{model.server_port}",
        "ANTHROPIC_API_KEY": "dummy",
        "DISABLE_TELEMETRY": "1",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
    }
    put = [sys.executable, "-m", "mcp_memory", "install", "claude-code", "--hooks", "--no-check"]
    subprocess.run(put, env=env, check=True, stdout=subprocess.DEVNULL)
    ran = subprocess.run(
        ["claude", "-p", "mend the till", "--allowedTools", "Bash,Write,Edit"],
        cwd=folder / "shop", env=env, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    version = subprocess.run(
        ["claude", "--version"], env=env, capture_output=True, text=True, check=False
    )
    print(f"Claude Code {version.stdout.strip()}: exit {ran.returncode}, said {ran.stdout.strip()!r}"
          f"{' ' + ran.stderr.strip()[:300] if ran.returncode else ''}")  # fmt: skip


async def indexed(settings: Settings) -> None:
    """What was handed over goes in; what our hooks said in it does not."""
    async with open_bank(settings) as bank:
        notes = spool.waiting(settings.spool_dir)
        reports = await bank.index([note.transcript for note in notes])
        print("indexed:", [(each.status, each.steps, dict(each.skipped)) for each in reports])
        rows = [path.read_text("utf-8") for path in settings.archive_dir.rglob("steps.jsonl")]
        print(
            "archive files that repeat a hook:",
            sum("<recalled mcp-memory" in each for each in rows),
        )
        found = await bank.search(Query(texts=("mend the till",), kinds=("step",), project="*"))
        print("the session is found by its request:", found.found)


if __name__ == "__main__":
    main()
