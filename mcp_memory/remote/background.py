"""Background pushing: what a local server, or `index --watch`, sends to a remote bank unasked."""

import logging
from pathlib import Path

import anyio
import anyio.to_thread

from mcp_memory import hosts
from mcp_memory.domain import privacy, projects
from mcp_memory.domain.errors import Busy, MemoryBankError
from mcp_memory.remote import reaching
from mcp_memory.remote.memo import Memo
from mcp_memory.remote.outgoing import EVERYTHING, Terms
from mcp_memory.remote.pushing import push
from mcp_memory.remote.reports import Pushed
from mcp_memory.settings import Settings
from mcp_memory.store.locking import elected

logger = logging.getLogger(__name__)

LOCK = "push.lock"


def memo_of(settings: Settings, address: reaching.Address, terms: Terms) -> Memo:
    """What this home remembers of what was pushed to an address."""
    return Memo(settings.home / "pushed", address.base, terms)


async def keep_pushed(settings: Settings, cwd: str) -> None:
    """Push what is allowed to `push_url`, again and again, until cancelled.

    One process at a time does it. What stands in the way is logged, and tried again later.
    """
    while True:
        try:
            report = await push_once(settings, cwd)
            if report.sent or report.refused:
                logger.info("pushed %d sessions, %d refused", report.sent, len(report.refused))
        except Busy:
            logger.debug("another process is pushing")
        except (MemoryBankError, OSError) as error:
            logger.warning("background pushing stopped for now: %s", error)
        await anyio.sleep(settings.push_seconds)


async def push_once(settings: Settings, cwd: str) -> Pushed:
    """One push of the hosts' histories to `push_url`, of the projects that are allowed.

    Raises:
        Busy: another process is at it.
        MemoryBankError: the bank cannot be reached, or refuses.
    """
    address = reaching.address_of(settings.push_url, insecure=settings.remote_insecure)
    token = await anyio.to_thread.run_sync(reaching.token_of, settings.remote_token_file)
    terms = terms_of(settings, cwd)
    privacy.make(settings.locks_dir)
    async with elected(settings.locks_dir / LOCK, seconds=0, work="pushing"):
        paths = await anyio.to_thread.run_sync(histories, terms)
        memo = await anyio.to_thread.run_sync(memo_of, settings, address, terms)
        async with reaching.open_remote(address, token) as remote:
            return await push(remote, paths, terms, memo)


def terms_of(settings: Settings, cwd: str) -> Terms:
    """What may leave unasked: the projects that are named, else the one of this folder alone."""
    return Terms(
        include=settings.include,
        exclude=settings.exclude,
        only=settings.push_projects or (projects.project_of(cwd),),
    )


def histories(terms: Terms) -> list[Path]:
    """Transcripts of the hosts on this machine that may hold sessions of these terms."""
    one = terms.only[0] if len(terms.only) == 1 else EVERYTHING
    scope = one if Path(one).is_absolute() else None
    return [path for host in hosts.HOSTS for path in host.transcripts(scope)]
