"""Papers: the small files of a home that all machines share, as rows of a table and copies in the folder.

What reads them goes on reading files: they are brought up to date before a call, and what a call
changed is told after it.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread

from mcp_memory.domain import privacy
from mcp_memory.domain.errors import StoreAway
from mcp_memory.domain.replacing import replace
from mcp_memory.store.away import reason

PAPERS = "papers"
SHARED = (
    "projects.json",
    "trust.json",
    "access/*.json",
    "store/meta.json",
    "store/tombstones",
    "store/purge.json",
    "store/purging-*.json",
)
"""By their names below the home; all others are a machine's own."""
_ONLY_GROWS = "store/tombstones"
_MOST_BYTES = 16 << 20
_KEEP = timedelta(minutes=5)
_TIDY_AFTER = 32


class Papers:
    """The shared papers of one home."""

    def __init__(self, table: Any, folder: Path) -> None:
        self._table = table
        self._folder = folder
        self._version = -1
        self._known: dict[str, str] = {}
        """Name to digest, as the table and this folder last agreed."""
        self._turn = anyio.Lock()
        self._changes = 0

    async def pull(self) -> None:
        """Bring the folder up to date; one request where nothing has changed.

        Raises:
            StoreAway: the store does not answer.
        """
        async with self._turn:
            try:
                await self._table.checkout_latest()
                version = await self._table.version()
                if version == self._version:
                    return
                rows = await self._table.query().to_list()
            except (RuntimeError, OSError, ValueError) as error:
                raise StoreAway("The bank's object store", reason(error)) from error
            newest = {row["name"]: row["content"] for row in sorted(rows, key=lambda r: r["at"])}
            await anyio.to_thread.run_sync(self._take, newest)
            self._version = version

    async def push(self) -> bool:
        """Tell what changed in the folder since; whether anything did.

        Raises:
            StoreAway: the store does not take it.
        """
        async with self._turn:
            changed, gone = await anyio.to_thread.run_sync(self._changed)
            if not changed and not gone:
                return False
            try:
                await self._tell(changed, gone)
            except (RuntimeError, OSError, ValueError) as error:
                raise StoreAway("The bank's object store", reason(error)) from error
            for name in gone:
                self._known.pop(name, None)
            self._known.update({name: _digest(content) for name, content in changed.items()})
            return True

    async def _tell(self, changed: Mapping[str, bytes], gone: set[str]) -> None:
        now = datetime.now(UTC)
        rows = [{"name": n, "content": c, "at": now} for n, c in sorted(changed.items())]
        if rows:
            merge = self._table.merge_insert("name").when_matched_update_all()
            await merge.when_not_matched_insert_all().execute(as_rows(rows))
        for name in sorted(gone):
            await self._table.delete(f"name = '{name}'")
        self._changes += 1
        if self._changes % _TIDY_AFTER == 0:
            with suppress(RuntimeError, OSError, ValueError):
                await self._table.optimize(cleanup_older_than=_KEEP)

    def _take(self, told: Mapping[str, bytes]) -> None:
        """Write what is told; a paper that is told no more goes, unless it was made here since."""
        for name, content in told.items():
            # Names come from a store that others write: none may lead anywhere else.
            if not is_shared(name) or len(content) > _MOST_BYTES:
                continue
            file = self._folder / name
            here = _content(file)
            whole = _joined(content, here) if name == _ONLY_GROWS and here else content
            if here != whole:
                privacy.make(file.parent)
                replace(file, whole)
            self._known[name] = _digest(content)
        for name in set(self._known) - set(told):
            del self._known[name]
            (self._folder / name).unlink(missing_ok=True)

    def _changed(self) -> tuple[dict[str, bytes], set[str]]:
        here = {
            name: content for name in self._names() if (content := _content(self._folder / name))
        }
        changed = {n: c for n, c in here.items() if self._known.get(n) != _digest(c)}
        return changed, set(self._known) - set(here)

    def _names(self) -> Iterator[str]:
        for pattern in SHARED:
            for file in sorted(self._folder.glob(pattern)):
                if file.is_file() and not file.is_symlink():
                    yield file.relative_to(self._folder).as_posix()


def is_shared(name: str) -> bool:
    """Whether a paper of this name is one that machines share."""
    plain = ".." not in name and not name.startswith("/") and "\\" not in name and "'" not in name
    return plain and any(
        fnmatchcase(name, each) and name.count("/") == each.count("/") for each in SHARED
    )


def as_rows(rows: list[dict[str, Any]]) -> Any:
    """Rows of the table; without any, the empty table."""
    import pyarrow as pa  # heavy: only once a store is opened

    schema = pa.schema(
        [("name", pa.string()), ("content", pa.binary()), ("at", pa.timestamp("us", tz="UTC"))]
    )
    return pa.Table.from_pylist(rows, schema)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


def _joined(told: bytes, here: bytes) -> bytes:
    """All lines of both, where both only ever grow."""
    lines = dict.fromkeys((*told.splitlines(), *here.splitlines()))
    if set(filter(None, told.splitlines())) == set(filter(None, lines)):
        return told
    return b"".join(b"\n" + line + b"\n" for line in lines if line)


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()
