"""`mcp-memory serve`: the server as a host launches it, or as others reach it over the network."""

import sys

import click

from mcp_memory.cli import ending
from mcp_memory.server import collecting, logs
from mcp_memory.server.app import build_server
from mcp_memory.settings import Settings

TRANSPORTS = ("stdio", "streamable-http", "http", "sse")


@click.command("serve")
@click.option(
    "--transport",
    "transports",
    type=click.Choice(TRANSPORTS),
    multiple=True,
    default=("stdio",),
    show_default=True,
    help="How clients reach it; give `http` and `sse` for both on one port.",
)
@click.option("--host", default=None, help="Address to listen on (MCP_MEMORY_LISTEN_HOST).")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=None,
    help="Port to listen on (MCP_MEMORY_LISTEN_PORT).",
)
def serve_command(transports: tuple[str, ...], host: str | None, port: int | None) -> None:
    """Serve the six tools: over stdio until the host closes the input, else until it is stopped."""
    collecting.begin()
    given = {"listen_host": host, "listen_port": port}
    settings = Settings().model_copy(
        update={name: value for name, value in given.items() if value is not None}
    )
    if "stdio" in transports:
        if len(set(transports)) > 1:
            raise click.UsageError("stdio serves one host; run it in a process of its own.")
        server = build_server(settings)
        _log(settings)
        server.run("stdio")
        return
    _listen(settings, transports)


def _listen(settings: Settings, transports: tuple[str, ...]) -> None:
    # Web server and all that: not for a host that waits for its handshake.
    import anyio

    from mcp_memory.domain.errors import MemoryBankError
    from mcp_memory.server import listening

    wanted: set[listening.Transport] = {
        "sse" if name == "sse" else "streamable-http" for name in transports
    }

    async def run() -> None:
        _log(settings)
        async with listening.open_listener(settings, transports=sorted(wanted)) as listener:
            paths = {"streamable-http": listening.HTTP_PATH, "sse": listening.SSE_PATH}
            told = [f"{name} at {listener.url}{paths[name]}" for name in sorted(wanted)]
            told.append(f"page at {listener.view or f'{listener.url}/view/'}")
            click.echo(f"Listening: {', '.join(told)}", err=True)
            await listener.ended.wait()

    try:
        anyio.run(run)
    except MemoryBankError as error:
        raise ending.Failed(str(error)) from error
    except KeyboardInterrupt:
        sys.exit(130)


def _log(settings: Settings) -> None:
    logs.to_stderr(settings)
    logs.to_file(settings)
