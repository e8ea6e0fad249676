"""What is there of somebody whose tokens were revoked: found for `token revoke`, `distrust` and `delete`."""

from collections.abc import Sequence

import click

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain.access import AccessTokens, TokenRecord
from mcp_memory.domain.errors import InvalidInput, MemoryBankError
from mcp_memory.forgetting import leaver
from mcp_memory.forgetting.leaver import Left
from mcp_memory.settings import Settings


async def refs_of(bank: MemoryBank, name: str) -> tuple[str, ...]:
    """All that a bank holds of the person whose tokens have this name, or of one token's id.

    Raises:
        InvalidInput: there never was such a token, or nothing is theirs.
    """
    tokens = AccessTokens(bank.rooms.settings.access_dir).named(name)
    found = await leaver.left(bank.rooms, {each.access.caller for each in tokens})
    if not found.refs:
        raise InvalidInput(
            f"The bank holds nothing of {name}.", next_step="There is nothing to do."
        )
    return found.refs


async def told(settings: Settings, revoked: Sequence[TokenRecord]) -> dict[str, Left]:
    """What each tenant's bank holds of these tokens' person, by the tenant; said where it is not known."""
    found: dict[str, Left] = {}
    for tenant in dict.fromkeys(each.tenant for each in revoked):
        own = settings.of_tenant(tenant)
        if not (own.address or own.store_dir.is_dir()):
            continue
        callers = {each.access.caller for each in revoked if each.tenant == tenant}
        try:
            async with open_bank(own, actor="cli") as bank:
                found[tenant] = await leaver.left(bank.rooms, callers)
        except (MemoryBankError, OSError) as error:
            click.echo(f"What the bank holds of it was not looked up: {error}", err=True)
    return found


def say(which: str, tenant: str, left: Left) -> None:
    """What a bank holds of them, and what may be done with it."""
    where = f"The bank of tenant {tenant}" if tenant else "The bank"
    if not left.refs:
        click.echo(f"{where} holds nothing of {which}.")
        return
    click.echo(f"{where} holds of {which}: {left.told}.")
    if tenant:
        click.echo("It is theirs alone: keep the tenant's folder, or remove it.")
        return
    click.echo("Keep it: there is nothing to do.")
    click.echo(f"Tell it no more, undoably: mcp-memory distrust --from '{which}'")
    click.echo(f"Forget it, restorably: mcp-memory delete --from '{which}' --mode forget")
    click.echo(f"Erase it for good: mcp-memory delete --from '{which}', then --mode purge")
