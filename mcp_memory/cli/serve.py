"""`mcp-memory serve`: the server as a host launches it."""

import click

from mcp_memory.server.app import build_server
from mcp_memory.settings import Settings


@click.command("serve")
@click.option("--transport", type=click.Choice(["stdio"]), default="stdio", show_default=True)
def serve_command(transport: str) -> None:
    """Serve the six tools over stdio until the host closes the input."""
    del transport
    build_server(Settings()).run("stdio")
