"""`mcp-memory view`: the page where a person looks at the memory, in this machine's browser."""

import webbrowser

import anyio
import click

from mcp_memory.cli.door import command
from mcp_memory.settings import Settings


@click.command("view")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port; 0: any that is free.")
@click.option("--no-browser", is_flag=True, help="Only print the link.")
@click.option("--read-only", is_flag=True, help="Show, and change nothing.")
@command
async def view_command(port: int, no_browser: bool, read_only: bool) -> None:
    """Look at the memory in a browser: what it knows, why, and what waits for you.

    Listens on loopback until it is stopped (Ctrl-C). The link lets one browser in, once.
    """
    # Web server and templates: for nobody who only asks.
    from mcp_memory.server.listening import open_viewer

    settings = Settings().model_copy(update={"listen_host": "127.0.0.1", "listen_port": port})
    async with open_viewer(settings, read_only=read_only) as listener:
        click.echo(listener.view)
        if not no_browser:
            await anyio.to_thread.run_sync(webbrowser.open, listener.view)
        await listener.ended.wait()
