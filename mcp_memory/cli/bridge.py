"""`mcp-memory bridge`: a bank elsewhere, served over stdio."""

import logging
from pathlib import Path

import click

from mcp_memory.cli import remote
from mcp_memory.cli.door import command


@click.command("bridge")
@click.argument("url")
@remote.reaching
@command
async def bridge_command(url: str, token_file: Path | None, insecure: bool) -> None:
    """Serve the bank at URL over stdio until the host closes the input."""
    from mcp_memory.remote import bridging

    there = remote.there(url, token_file, insecure=insecure)
    for name in ("mcp", "httpx2", "httpcore2"):  # they tell messages below WARNING
        logging.getLogger(name).setLevel(logging.WARNING)
    await bridging.bridge(there.address, there.token)
