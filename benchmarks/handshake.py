"""Cold start over stdio: a bare SDK server with one tool and ours, in turn; medians and their ratio."""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from apparatus.servers import environment, tools_over_stdio
from apparatus.timing import machine

BARE = '''
from mcp.server import MCPServer
server = MCPServer("bare")
@server.tool()
def noop() -> str:
    """Nothing."""
    return "ok"
server.run("stdio")
'''


def main() -> None:
    """Print both medians and the ratio of each pair."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10)
    runs = parser.parse_args().runs
    ours = [str(Path(sys.executable).parent / "mcp-memory"), "serve"]
    with tempfile.TemporaryDirectory() as home:
        env = {**environment(Path(home), index_auto="true"), "HOME": home}
        pairs = [
            (tools_over_stdio([sys.executable, "-c", BARE], env)[1], tools_over_stdio(ours, env)[1])
            for _ in range(runs + 1)
        ][1:]
    bare, full = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(b / a for a, b in pairs)
    print(f"{machine()} · {runs} cold starts each, in turn, after one warm-up")
    print(f"bare SDK server  {bare:.3f} s")
    print(f"mcp-memory       {full:.3f} s")
    print(f"ratio, median of pairs {ratio:.3f} (budget 1.15)")


if __name__ == "__main__":
    main()
