"""From nothing to a question about the past answered, as on a fresh machine: how long, how much to read.

    python scripts/fresh_machine.py DIST HISTORY [pip|uv|bundle]...

DIST holds a wheel (`scripts/release.py`), HISTORY is copied as the home of the machine (`.claude`,
`.codex`). `uv` must be on the path, and stands for `uvx` and `uv tool`; the wheel is served by an index
of this script's own, on loopback, its dependencies by the usual one. The question is asked as a host
asks it: by the command that `setup` wrote into the host's own settings.
"""

import functools
import http.server
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import anyio
from mcp import Client, StdioServerParameters

sys.path.insert(0, str(Path(__file__).parent))
import bundle

QUESTION = "where did we leave off?"


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves a folder and says nothing."""

    def log_message(self, *_: object) -> None:
        """No line a request."""


def index(dist: Path, folder: Path) -> str:
    """A package index of one wheel, on loopback; its address."""
    place = folder / "simple" / "mcp-memory-evidence"
    place.mkdir(parents=True)
    (wheel,) = dist.glob("*.whl")
    shutil.copy(wheel, place)
    (place / "index.html").write_text(f'<a href="{wheel.name}">{wheel.name}</a>')
    serve = functools.partial(Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/simple"


def ran(command: list[str], env: dict[str, str]) -> str:
    """What a command said; it is shown where it failed."""
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{command}: {done.stdout}\n{done.stderr}")
    return done.stdout


async def answered(entry: dict[str, object], env: dict[str, str], cwd: str) -> int:
    """Ask as a host does; how many words came back."""
    server = StdioServerParameters(
        command=str(entry["command"]),
        args=[str(each) for each in entry.get("args", [])],  # type: ignore[union-attr]
        env={**env, **entry.get("env", {})},  # type: ignore[dict-item]
        cwd=cwd,
    )
    async with Client(server) as client:
        asked = {"query": QUESTION, "project": "*"}
        with anyio.fail_after(300):
            while True:
                found = await client.call_tool("search", asked)
                told = " ".join(getattr(each, "text", "") for each in found.content)
                if "t:" in told:
                    return len(told.split())
                await anyio.sleep(0.5)


def installed(way: str, dist: Path, env: dict[str, str], place: Path) -> tuple[str, list[str]]:
    """Install; the words that a user read and the program's path."""
    if way == "pip":
        ran([sys.executable, "-m", "venv", str(place / "venv")], env)
        (wheel,) = dist.glob("*.whl")
        told = ran([str(place / "venv/bin/pip"), "install", "-q", str(wheel)], env)
        return told, [str(place / "venv/bin/mcp-memory")]
    address = index(dist, place / "index")
    told = ran(["uv", "tool", "install", "-q", "--index", address, "mcp-memory-evidence"], env)
    where = ran(["uv", "tool", "dir", "--bin"], env).strip()
    ran(
        [
            "uvx",
            "-q",
            "--index",
            address,
            "--from",
            "mcp-memory-evidence",
            "mcp-memory",
            "--version",
        ],
        env,
    )
    return told, [str(Path(where) / "mcp-memory")]


def tried(way: str, dist: Path, history: Path) -> dict[str, object]:
    """One fresh machine."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        home = place / "home"
        shutil.copytree(history, home)
        kept = ("PATH", "LANG", "SSL_CERT_FILE", "UV_NATIVE_TLS", "UV_CACHE_DIR")
        env = {key: os.environ[key] for key in kept if key in os.environ}
        env |= {key: value for key, value in os.environ.items() if key.startswith("PIP_")}
        env |= {"HOME": str(home), "XDG_DATA_HOME": str(home / "share")}
        began = time.monotonic()
        if way == "bundle":
            folder = place / "extension"
            bundle.assemble(folder)
            manifest = json.loads((folder / "manifest.json").read_text())["server"]["mcp_config"]
            args = [each.replace("${__dirname}", str(folder)) for each in manifest["args"]]
            wanted = {**manifest["env"], "MCP_MEMORY_INDEX_SCOPE": "everything"}
            entry = {"command": manifest["command"], "args": args, "env": wanted}
            said, ready = "", time.monotonic()
        else:
            said, program = installed(way, dist, env, place)
            ready = time.monotonic()
            said += ran([*program, "setup", "--yes"], env)
            entry = json.loads((home / ".claude.json").read_text())["mcpServers"]["memory"]
        setup = time.monotonic()
        words = anyio.run(answered, entry, env, str(home))
        return {
            "way": way,
            "installed s": round(ready - began, 1),
            "set up s": round(setup - ready, 1),
            "answered s": round(time.monotonic() - setup, 1),
            "whole s": round(time.monotonic() - began, 1),
            "words read": len(said.split()),
            "words answered": words,
        }


if __name__ == "__main__":
    for each in sys.argv[3:] or ["pip", "uv", "bundle"]:
        print(json.dumps(tried(each, Path(sys.argv[1]), Path(sys.argv[2]))), flush=True)
