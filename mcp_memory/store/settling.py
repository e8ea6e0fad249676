"""Settling: what is acknowledged lies on the disk, and not in the system's memory alone."""

import logging
import os
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from pathlib import Path

from mcp_memory.store.rows import Table

logger = logging.getLogger(__name__)

TORN = ".torn"
_FOLDERS = ("data", "_deletions", "_versions")
_AT_ONCE = 8
"""A disk that is told to write eight things together takes a third of the time of one by one."""
_SLACK = 0.25
"""Seconds: clocks of file systems are coarse."""
HINT = "latest_version_hint.json"
"""Written anew with each version, and derived: not worth a wait."""
_MOST_KNOWN = 4_000
_known: dict[tuple[int, int, int], None] = {}
"""Files that this process has forced already, by device, number and time: they never change again."""
_MAGIC, _FOOTER = b"LANC", 16
_NAMED = re.compile(rb"(?:[01]{24}[0-9a-f]{26}|[0-9a-f]{8}-[0-9a-f-]{27})\.lance")
"""How data files are called; a manifest spells each, behind a byte for its length."""


def settle(root: Path, tables: Iterable[Table], *, since: float) -> None:
    """Force what was written to tables since a time to the disk; blocking, some milliseconds.

    In whatever order: who was told of it is told when all of it lies there, and a version whose
    files are not whole is no version (`put_torn_aside`).

    Raises:
        OSError: the disk does not take it.
    """
    files: list[Path] = []
    folders: list[Path] = []
    for folder in (root / f"{table}.lance" / name for table in tables for name in _FOLDERS):
        fresh = _since(folder, since - _SLACK)
        files += fresh
        folders += [folder] if fresh and os.name == "posix" else []
    _forget()
    # Names after what they name: by then most folders lie on the disk with them.
    list(_writers().map(lambda file: _force(file, os.O_RDWR), files))
    list(_writers().map(lambda folder: _force(folder, os.O_RDONLY), folders))


@cache
def _writers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_AT_ONCE, "force")


def put_torn_aside(root: Path) -> list[Path]:
    """Newest versions whose files a power cut left incomplete, renamed; what they are of was never said.

    A version whose predecessor is no better is left for a backup or a person to mend.
    """
    aside = []
    for folder in sorted(root.glob("*.lance")):
        # Numbers of versions count down: the newest is the first by name.
        (folder / "_versions" / HINT).unlink(missing_ok=True)
        manifests = sorted((folder / "_versions").glob("*.manifest"))
        whole = next((n for n, each in enumerate(manifests) if _whole(folder, each)), None)
        for manifest in manifests[:whole] if whole else ():
            logger.warning(
                "a version of %s that a power cut left half written is set aside", folder
            )
            aside.append(manifest.rename(manifest.with_name(manifest.name + TORN)))
    return aside


def _whole(folder: Path, manifest: Path) -> bool:
    told = manifest.read_bytes()
    if not told.endswith(_MAGIC):
        return False
    # Trap: before its own part a version tells how it came about, and there names the files that a
    # compaction replaced, which upkeep removes next. The footer says where its own part begins.
    begins = int.from_bytes(told[-_FOOTER : -_FOOTER + 8], "little")
    named = {name.decode() for name in _NAMED.findall(told[begins:])}
    return all(_ends(folder / "data" / name) for name in named)


def _ends(file: Path) -> bool:
    """Whether a data file was written to its end; one that is not there is none."""
    try:
        with file.open("rb") as data:
            data.seek(-len(_MAGIC), os.SEEK_END)
            return data.read() == _MAGIC
    except OSError:
        return False


def _since(folder: Path, moment: float) -> list[Path]:
    """Files written since a moment; what upkeep removes meanwhile needs none of this."""
    found = []
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for each in entries:
            with suppress(FileNotFoundError):
                told = each.stat()
                key = (told.st_dev, told.st_ino, told.st_mtime_ns)
                if told.st_mtime >= moment and key not in _known and each.name != HINT:
                    _known[key] = None
                    found.append(Path(each.path))
    return found


def _forget() -> None:
    """Only the youngest are kept: older files are not looked at again."""
    if len(_known) > _MOST_KNOWN:
        for key in list(_known)[: -_MOST_KNOWN // 2]:
            del _known[key]


def _force(place: Path, flags: int) -> None:
    try:
        handle = os.open(place, flags)
    except FileNotFoundError:
        return  # upkeep has replaced it already, by what it wrote itself
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
