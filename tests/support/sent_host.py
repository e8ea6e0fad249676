"""A stand-in for a host that is sent: it starts our server as its settings say, and follows a script."""

import json
import os
import re
import sys
from pathlib import Path

import anyio
from mcp import Client, StdioServerParameters

GOOD = {
    "kind": "gotcha",
    "text": "pytest -q fails with ModuleNotFoundError: No module named 'flask' until "
    "`pip install flask` was run.",
    "when_to_use": "pytest -q of the shop cannot import flask",
}
BAD = {"text": "It works on Kubernetes 1.31 now.", "kind": "fact"}


async def main() -> None:
    """Plan, read, be refused, apply, and try once more; what it saw stands beside."""
    config = Path(sys.argv[sys.argv.index("--mcp-config") + 1])
    server = json.loads(config.read_text("utf-8"))["mcpServers"]["memory"]
    started = StdioServerParameters(
        command=server["command"], args=server["args"], env={**os.environ, **server["env"]}
    )
    seen: dict[str, object] = {"argv": sys.argv[1:], "cwd": str(Path.cwd())}
    async with Client(started) as client:
        seen["tools"] = sorted(tool.name for tool in (await client.list_tools()).tools)

        async def called(name: str, **given: object) -> str:
            return str((await client.call_tool(name, given)).content[0].text)

        seen["plan"] = plan = await called("consolidate", action="plan")
        refs = list(dict.fromkeys(re.findall(r"t:\w+#\d+-\d+", plan)))
        seen["read"] = await called("fetch", refs=refs)
        evidence = [{"ref": ref} for ref in refs]
        seen["refused"] = await called("consolidate", action="apply", memories=[BAD])
        good = {**GOOD, "evidence": evidence}
        if os.environ.get("SENT_HOST") != "gives up":
            seen["kept"] = await called("consolidate", action="apply", memories=[good])
            seen["again"] = await called("consolidate", action="apply", memories=[good])
    Path(os.environ["SENT_HOST_SAW"]).write_text(json.dumps(seen), "utf-8")


if __name__ == "__main__":
    anyio.run(main)
