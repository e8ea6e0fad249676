"""The bank elsewhere that `push`, `pull` and `bridge` speak with: its options, address and token."""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import click

from mcp_memory.cli import options
from mcp_memory.cli.door import some
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.remote.reaching import Address, address_of, token_of
from mcp_memory.settings import Settings

reaching = options.several(
    click.option(
        "--token-file",
        type=click.Path(path_type=Path),
        default=None,
        help="File with the access token; else MCP_MEMORY_REMOTE_TOKEN_FILE, or the token itself "
        "in MCP_MEMORY_REMOTE_TOKEN.",
    ),
    click.option("--insecure", is_flag=True, help="Allow http beyond this machine."),
)


class There(NamedTuple):
    """What is needed to speak with it."""

    settings: Settings
    address: Address
    token: str


def there(url: str, token_file: Path | None, *, insecure: bool) -> There:
    """The bank at an address, with the token that was given or is set."""
    settings = _settings()
    address = address_of(url, insecure=insecure or settings.remote_insecure)
    return There(settings, address, token_of(token_file or settings.remote_token_file))


def team(url: str, token_file: Path | None, *, insecure: bool) -> There:
    """The bank that a team shares: at an address, else where the settings say.

    Raises:
        InvalidInput: neither names one.
    """
    settings = Settings()
    if not (url or settings.team_url):
        raise InvalidInput(
            "No team's bank is named.", next_step="Give its address, or set MCP_MEMORY_TEAM_URL."
        )
    return there(
        url or settings.team_url, token_file or settings.team_token_file, insecure=insecure
    )


def _settings() -> Settings:
    settings = Settings()
    logging.basicConfig(
        level=settings.log_level, stream=sys.stderr, format="%(levelname)s %(message)s", force=True
    )
    # They would tell addresses with what was asked.
    for name in ("httpx2", "httpcore2"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return settings


def name(refused: Sequence[tuple[str, str]], what: str, *, done: bool) -> None:
    """Say what did not go through, and why."""
    if not refused:
        return
    click.echo(f"{len(refused)} {what}{'; everything else was' if done else ''}:")
    for line in some([f"{each}: {reason}" for each, reason in refused]):
        click.echo(line)
