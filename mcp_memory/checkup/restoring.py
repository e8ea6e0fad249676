"""Restoring: a backup in a home's place; what was there is kept beside it, and nothing purged comes back."""

import shutil
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from mcp_memory.checkup import backups
from mcp_memory.checkup.backups import Contents
from mcp_memory.domain import privacy
from mcp_memory.domain.errors import Busy, InvalidInput, of_system
from mcp_memory.domain.replacing import FRESH
from mcp_memory.settings import Settings
from mcp_memory.store.address import home_of
from mcp_memory.store.home import TOMBSTONES, add_tombstones, read_meta, read_tombstones
from mcp_memory.store.locking import others_alive


def restore(
    settings: Settings, file: Path, *, now: datetime, replace: bool = False
) -> tuple[Contents, Path | None]:
    """Put a backup into the home; what it holds, and where the former bank lies now. Blocking.

    The backup is unpacked and checked beside the home before anything is moved. Of a bank of the
    same key, what was purged since the backup is buried in it, so that the doctor erases it again.

    Raises:
        InvalidInput: it is no backup, or there is a bank and it is not to be replaced.
        Busy: another process has the bank open.
        StoreTooNew: a newer version made it.
        StoreFull: the disk took no more; the home is as it was.
    """
    home_of(settings).must_be_folder(
        "take a backup in", instead="Restore it into a folder, and `mcp-memory export` from there."
    )
    home = settings.home
    there = is_used(home)
    if there and not replace:
        raise InvalidInput(
            f"There is a bank in {home}.",
            next_step="Give --replace to put it aside, or set MCP_MEMORY_HOME to another folder.",
        )
    if there and others_alive(settings.locks_dir, ""):
        raise Busy("this bank: a server or a command has it open. Stop it first", 0)
    fresh = home.with_name(f"{FRESH}{home.name}-{uuid4().hex[:8]}")
    try:
        privacy.make(fresh)
        contents = backups.unpack(file, fresh)
        _bury(home / "store", fresh / "store")
        former = home.with_name(f"{home.name}.before-{now:%Y%m%d-%H%M%S}") if there else None
        if former is not None:
            home.rename(former)
        elif home.is_dir():
            home.rmdir()
        fresh.rename(home)
    except OSError as error:
        raise of_system(error) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return contents, former


def is_used(home: Path) -> bool:
    """Whether anything lies in a home."""
    return home.is_dir() and any(home.iterdir())


def _bury(here: Path, fresh: Path) -> None:
    """Tombstones of the bank that is there, where both hash with the same key."""
    ours, its = read_meta(here) if here.is_dir() else None, read_meta(fresh)
    if ours is not None and its is not None and ours.key == its.key:
        marks = read_tombstones(here) - read_tombstones(fresh)
        if marks:
            add_tombstones(fresh, set(marks))
            (fresh / TOMBSTONES).chmod(privacy.FILE)
