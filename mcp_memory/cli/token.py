"""`mcp-memory token`: access tokens of the remote server, made, listed and revoked."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar, get_args

import anyio
import anyio.to_thread
import click

from mcp_memory.cli import ending, options
from mcp_memory.cli.door import print_json
from mcp_memory.domain.access import AccessTokens, Scope, TokenRecord, Wanted
from mcp_memory.domain.errors import MemoryBankError
from mcp_memory.settings import Settings
from mcp_memory.store.address import home_of

T = TypeVar("T")

DAYS = 90


@click.group("token")
def token_command() -> None:
    """Access tokens of the remote server; only their hashes are kept."""


@token_command.command("make")
@click.argument("name")
@click.option(
    "--scope",
    type=click.Choice(get_args(Scope)),
    default="write",
    show_default=True,
    help="read: search, fetch, runbook, plan. write: and retain, apply, push, propose. "
    "approve: and decide of others' proposals. admin: and delete, undo.",
)
@click.option(
    "--project", "projects", multiple=True, help="The only projects it reaches; may be repeated."
)
@click.option("--tenant", default="", help="Whose bank it opens; by default the server's own.")
@click.option(
    "--days",
    type=click.IntRange(1, 3650),
    default=DAYS,
    show_default=True,
    help="How many days it lives.",
)
@click.option("--no-expiry", is_flag=True, help="Let it live until it is revoked.")
@options.as_json
def make(
    name: str,
    scope: Scope,
    projects: tuple[str, ...],
    tenant: str,
    days: int,
    no_expiry: bool,
    as_json: bool,
) -> None:
    """Make a token called NAME and print it, this once, on standard output."""
    now = datetime.now(UTC)
    wanted = Wanted(
        name=name,
        scope=scope,
        projects=projects,
        tenant=tenant,
        expires_at=None if no_expiry else now + timedelta(days=days),
    )
    try:
        record, token = _with_tokens(lambda tokens: tokens.make(wanted, now=now))
    except MemoryBankError as error:
        raise ending.Failed(str(error)) from error
    if as_json:
        print_json({**_shown(record, now), "token": token})
        return
    click.echo(f"{_line(record, now)}\nIt is shown this once:", err=True)
    click.echo(token)


@token_command.command("list")
@options.as_json
def list_(as_json: bool) -> None:
    """List the tokens, revoked and expired ones too."""
    now = datetime.now(UTC)
    records = _with_tokens(AccessTokens.listed)
    if as_json:
        print_json([_shown(record, now) for record in records])
        return
    for record in records:
        click.echo(_line(record, now))
    if not records:
        click.echo("No tokens; `mcp-memory token make NAME` makes one.", err=True)


@token_command.command("revoke")
@click.argument("which")
@options.as_json
def revoke(which: str, as_json: bool) -> None:
    """Revoke the token with this id, or all of this name; a running server refuses it at once."""
    now = datetime.now(UTC)
    try:
        revoked = _with_tokens(lambda tokens: tokens.revoke(which, now=now))
    except MemoryBankError as error:
        raise ending.Failed(str(error)) from error
    from mcp_memory.cli import leaving  # it opens the bank: not for making a token

    records = _with_tokens(lambda tokens: tokens.named(which))
    held = anyio.run(leaving.told, Settings(embedding_model="none"), records)
    if as_json:
        shown = {tenant or "own": left for tenant, left in held.items()}
        print_json({"revoked": [_shown(record, now) for record in revoked], "held": shown})
        return
    for record in revoked:
        click.echo(_line(record, now))
    for tenant, left in held.items():
        leaving.say(which, tenant, left)


def _with_tokens(work: Callable[[AccessTokens], T]) -> T:
    """Do it to this home's tokens; at an address, to those that all replicas share."""
    settings = Settings()
    tokens = AccessTokens(settings.access_dir)
    if not settings.address:
        return work(tokens)
    from mcp_memory.store.sharing import sharing  # LanceDB: only for a bank at an address

    async def shared() -> T:
        async with sharing(home_of(settings)):
            return await anyio.to_thread.run_sync(work, tokens)

    return anyio.run(shared)


def _shown(record: TokenRecord, now: datetime) -> dict[str, object]:
    """What may be told of a token: never what it is made of."""
    names = {"id", "name", "scope", "projects", "tenant", "expires_at"}
    told = record.model_dump(mode="json", include=names)
    return {**told, "standing": record.standing(now)}


def _line(record: TokenRecord, now: datetime) -> str:
    parts = (
        record.id,
        record.name,
        record.standing(now),
        record.scope,
        f"projects {', '.join(record.projects)}" if record.projects else "all projects",
        f"tenant {record.tenant}" if record.tenant else "",
        f"until {record.expires_at:%Y-%m-%d}" if record.expires_at else "without end",
    )
    return " · ".join(part for part in parts if part)
