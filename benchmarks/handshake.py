"""Cold start over stdio: a bare SDK server with one tool and ours, in turn; medians and their ratio."""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BARE = '''
from mcp.server import MCPServer
server = MCPServer("bare")
@server.tool()
def noop() -> str:
    """Nothing."""
    return "ok"
server.run("stdio")
'''
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "benchmark", "version": "0"},
    },
}


def handshake(command: list[str], env: dict[str, str]) -> float:
    """Seconds from spawning to the answer of `tools/list`."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env
    )
    assert process.stdin is not None
    assert process.stdout is not None

    def say(message: dict[str, object]) -> None:
        process.stdin.write(json.dumps(message).encode() + b"\n")
        process.stdin.flush()

    say(INITIALIZE)
    process.stdout.readline()
    say({"jsonrpc": "2.0", "method": "notifications/initialized"})
    say({"jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {}})
    listed = json.loads(process.stdout.readline())
    took = time.perf_counter() - started
    assert listed["result"]["tools"]
    process.stdin.close()
    process.wait(timeout=20)
    return took


def main() -> None:
    """Print both medians and the ratio of each pair."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10)
    runs = parser.parse_args().runs
    ours = [str(Path(sys.executable).parent / "mcp-memory"), "serve"]
    with tempfile.TemporaryDirectory() as home:
        env = {**os.environ, "MCP_MEMORY_HOME": home, "HOME": home}
        pairs = [
            (handshake([sys.executable, "-c", BARE], env), handshake(ours, env))
            for _ in range(runs + 1)
        ][1:]
    bare, full = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(b / a for a, b in pairs)
    print(f"machine {platform.node()} · {runs} cold starts each, in turn, after one warm-up")
    print(f"bare SDK server  {bare:.3f} s")
    print(f"mcp-memory       {full:.3f} s")
    print(f"ratio, median of pairs {ratio:.3f} (budget 1.15)")


if __name__ == "__main__":
    main()
