"""`mcp-memory serve`: the server as a host launches it."""

import logging
import sys

import click

from mcp_memory.server.app import build_server
from mcp_memory.settings import Settings


@click.command("serve")
@click.option("--transport", type=click.Choice(["stdio"]), default="stdio", show_default=True)
def serve_command(transport: str) -> None:
    """Serve the six tools over stdio until the host closes the input."""
    del transport
    settings = Settings()
    server = build_server(settings)
    # The SDK boxes its tracebacks where `rich` is installed; hosts show stderr as it comes.
    logging.basicConfig(
        level=settings.log_level, stream=sys.stderr, format="%(levelname)s %(message)s", force=True
    )
    server.run("stdio")
