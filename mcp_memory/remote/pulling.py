"""Pulling: a remote project's archive as files here, for grep; only what changed is fetched."""

import contextlib
import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import anyio
import anyio.to_thread
import orjson

from mcp_memory.archive.files import Archive
from mcp_memory.domain.errors import CannotReach, InvalidInput, MemoryBankError, OutsideRoot
from mcp_memory.history import wire
from mcp_memory.history.wire import ListedFile, Listing
from mcp_memory.remote.reaching import Remote
from mcp_memory.remote.reports import Pulled

PULLED = ".mcp-memory-pulled.json"
"""Which files of the folder were pulled, by project: only those are ever removed."""
AT_A_TIME = 4
PASSES = 3
"""How often files that change while they are fetched are asked for anew."""
MOST_TOTAL = 8 * 1024 * 1024 * 1024
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,150}")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)
_DEPTH = 3

Progress = Callable[[str, int], None]


async def pull(
    remote: Remote, project: str | None, folder: Path, *, progress: Progress | None = None
) -> Pulled:
    """Bring a folder in line with a remote project's archive; other files in it are left alone.

    Raises:
        InvalidInput: the bank has no such project, or the folder is no place for it.
        CannotReach: the bank went away; what was written is whole.
        NotAllowed: the token does not reach so far.
    """
    run = _Run(remote, folder, progress)
    await run.over(project)
    return run.report


class _Run:
    """One pull of one project."""

    def __init__(self, remote: Remote, folder: Path, progress: Progress | None) -> None:
        self.report = Pulled()
        self._remote = remote
        self._folder = folder.absolute()
        self._archive = Archive(folder)
        self._progress = progress
        self._before: dict[str, list[str]] = {}
        self._pulled: set[str] = set()

    async def over(self, project: str | None) -> None:
        """List, fetch what differs, and remove what is no longer listed."""
        self._before = await anyio.to_thread.run_sync(_pulled, self._folder)
        self._pulled = {path for paths in self._before.values() for path in paths}
        listing = await self._remote.listing(project)
        self.report.project = listing.project
        missed = {each.path for each in listing.files}
        for _ in range(PASSES):
            accepted = await anyio.to_thread.run_sync(self._accepted, listing)
            missed = await self._fetch(listing, [each for each in accepted if each.path in missed])
            if not missed:
                break
            listing = await self._remote.listing(listing.project)
        changing = "it changed while it was fetched; pull again"
        self.report.refused.extend((path, changing) for path in sorted(missed))
        await anyio.to_thread.run_sync(self._tidy, listing)

    def _accepted(self, listing: Listing) -> list[ListedFile]:
        """The files that may be written here, noted as pulled before they are; the others are named."""
        accepted: dict[str, ListedFile] = {}
        refused: dict[str, str] = {}
        total = 0
        for each in listing.files:
            reason = _fault(each) or self._taken(each)
            if each.path.casefold() in accepted:
                reason = "another file has that name, but for capitals"
            elif total + each.size > MOST_TOTAL:
                reason = f"all together are more than {MOST_TOTAL:,} bytes"
            if reason:
                refused[each.path[:200]] = reason
                continue
            total += each.size
            accepted[each.path.casefold()] = each
        self.report.refused = list(refused.items())
        mine = {*self._before.get(listing.project, ()), *(each.path for each in accepted.values())}
        self._remember(listing.project, mine)
        return list(accepted.values())

    def _taken(self, listed: ListedFile) -> str:
        """Why a file would take the place of one that is not from here; empty where it does not."""
        if listed.path in self._pulled:
            return ""
        try:
            here = self._archive.digest(listed.path)
            place = self._archive.place_of(listed.path)
        except (OutsideRoot, OSError) as error:
            return str(error)
        own = place.exists() and here != (listed.size, listed.sha256)
        return "a file that was not pulled is in its place; move it away" if own else ""

    def _remember(self, project: str, paths: set[str]) -> None:
        self._before[project] = sorted(paths)
        self._pulled |= paths
        self._archive.put(PULLED, orjson.dumps(self._before, option=orjson.OPT_SORT_KEYS))

    async def _fetch(self, listing: Listing, files: list[ListedFile]) -> set[str]:
        """Write the files that differ; the paths of those that were not as listed."""
        missed: set[str] = set()
        send, receive = anyio.create_memory_object_stream[ListedFile](0)

        async def work(queue: anyio.abc.ObjectReceiveStream[ListedFile]) -> None:
            async with queue:
                async for each in queue:
                    if not await self._brought(listing.project, each):
                        missed.add(each.path)

        try:
            async with anyio.create_task_group() as tasks, send:
                for _ in range(AT_A_TIME):
                    tasks.start_soon(work, receive.clone())
                receive.close()
                for each in files:
                    await send.send(each)
        except* MemoryBankError as errors:
            raise _first(errors) from None
        return missed

    async def _brought(self, project: str, listed: ListedFile) -> bool:
        """Whether the file is here now as it is listed."""
        try:
            here = await anyio.to_thread.run_sync(self._archive.digest, listed.path)
            if here == (listed.size, listed.sha256):
                self.report.unchanged += 1
                self._note(listed)
                return True
            content = await self._remote.file(project, listed)
            if content is None or hashlib.sha256(content).hexdigest() != listed.sha256:
                return False
            await anyio.to_thread.run_sync(self._archive.put, listed.path, content)
        except OutsideRoot as error:
            self.report.refused.append((listed.path, str(error)))
            return True
        except OSError as error:
            if isinstance(error, MemoryBankError):
                raise
            self.report.refused.append((listed.path, f"{type(error).__name__}: {error.strerror}"))
            return True
        self.report.written += 1
        self.report.bytes += len(content)
        self._note(listed)
        return True

    def _note(self, listed: ListedFile) -> None:
        if self._progress is not None:
            self._progress(listed.path, listed.size)

    def _tidy(self, listing: Listing) -> None:
        """Remove what was pulled once and is listed no more; remember what is here."""
        listed = {each.path for each in listing.files}
        others = {
            path
            for name, paths in self._before.items()
            if name != listing.project
            for path in paths
        }
        mine = set(self._before[listing.project])
        for path in sorted(mine - listed - others):
            with contextlib.suppress(OutsideRoot, OSError):
                if not _fault_of_path(path):
                    self.report.removed += self._archive.drop(path)
        self._remember(listing.project, mine & listed)


def _fault(listed: ListedFile) -> str:
    if listed.size > wire.LARGEST_FILE:
        return f"it is larger than {wire.LARGEST_FILE:,} bytes"
    return _fault_of_path(listed.path)


def _fault_of_path(path: str) -> str:
    """Why a path is none that an archive has; empty where it is one."""
    names = path.split("/")
    plain = all(
        _NAME.fullmatch(name) and not _RESERVED.fullmatch(name) and not name.endswith(".")
        for name in names
    )
    return "" if plain and len(names) <= _DEPTH else "its name is none that an archive has"


def _pulled(root: Path) -> dict[str, list[str]]:
    """What was pulled into a folder before, by project.

    Raises:
        InvalidInput: the folder holds a bank's own archive.
    """
    if (root.parent / "store").is_dir() and root.name == "archive":
        raise InvalidInput(
            f"{root} is the archive of a bank on this machine.",
            next_step="Pull into a folder of its own.",
        )
    try:
        told = orjson.loads((root / PULLED).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    found = told if isinstance(told, dict) else {}
    return {
        name: [path for path in paths if isinstance(path, str)]
        for name, paths in found.items()
        if isinstance(paths, list)
    }


def _first(errors: BaseExceptionGroup[MemoryBankError]) -> MemoryBankError:
    """One error of those that workers met at the same time."""
    for each in errors.exceptions:
        return _first(each) if isinstance(each, BaseExceptionGroup) else each
    return CannotReach("it went away.", next_step="Pull again.")
