"""Backups: a whole bank as one file, made while others write; checked to the last byte when it is read."""

import hashlib
import io
import os
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import anyio.to_thread
from pydantic import Field, ValidationError

from mcp_memory.domain import identities, privacy
from mcp_memory.domain.errors import InvalidInput, StoreTooNew, of_system
from mcp_memory.domain.models import Frozen
from mcp_memory.domain.replacing import FRESH
from mcp_memory.domain.vacancy import must_be_vacant
from mcp_memory.rooms import Rooms
from mcp_memory.store.home import META, TOMBSTONES, note_backup
from mcp_memory.store.schema import SCHEMA

FORMAT = "mcp-memory-backup/1"
LIST = "backup.json"
"""The last member: what the file holds. Without it the file was cut off."""
MOST_BYTES = 1 << 40
_PAPERS = (META, TOMBSTONES)
_KEPT = (identities.FILE, "everything-allowed", "access", "spool", "archive", "set-aside.jsonl")
"""Of the home besides the store; locks, stamps and what hooks say are made anew."""
_CHUNK = 1 << 20


class Member(Frozen):
    """One file in a backup."""

    size: int = Field(ge=0, le=MOST_BYTES)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Contents(Frozen):
    """What a backup holds."""

    format: str
    made_at: datetime
    schema_version: int
    files: Mapping[str, Member]


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was made."""

    file: Path
    files: int
    bytes: int


async def back_up(rooms: Rooms, file: Path, *, replace: bool = False) -> Backup:
    """Write the bank as it is at one moment; other processes go on writing meanwhile.

    Raises:
        InvalidInput: the file is there already, and is not to be replaced.
        StoreFull: the disk took no more; nothing is half there.
        Busy: upkeep does not end.
    """
    await anyio.to_thread.run_sync(lambda: must_be_vacant(file, force=replace))
    async with rooms.store.survey.snapshot() as store:
        made = await anyio.to_thread.run_sync(_write, rooms, file, store)
    await anyio.to_thread.run_sync(note_backup, rooms.settings.home, file)
    return made


def _write(rooms: Rooms, file: Path, store: list[Path]) -> Backup:
    fresh = file.with_name(f"{FRESH}{file.name}")
    try:
        with privacy.private(), fresh.open("wb") as raw:
            members = _packed(rooms, raw, store)
            raw.flush()
            os.fsync(raw.fileno())
        fresh.replace(file)
    except OSError as error:
        raise of_system(error) from error
    finally:
        fresh.unlink(missing_ok=True)
    return Backup(file, len(members), file.stat().st_size)


def _packed(rooms: Rooms, raw: io.BufferedWriter, store: list[Path]) -> dict[str, Member]:
    home, members = rooms.settings.home, {}
    with tarfile.open(fileobj=raw, mode="w:gz", compresslevel=1) as tar:
        for path in (*_papers(rooms), *store, *_others(home)):
            name = path.relative_to(home).as_posix()
            opened = _opened(path)
            if opened is not None:
                with opened:
                    members[name] = _added(tar, name, opened)
        contents = Contents(
            format=FORMAT, made_at=rooms.now(), schema_version=SCHEMA, files=members
        )
        _added(tar, LIST, io.BytesIO(contents.model_dump_json().encode()))
    return members


def _papers(rooms: Rooms) -> list[Path]:
    return [rooms.settings.store_dir / name for name in _PAPERS]


def _others(home: Path) -> Iterator[Path]:
    for name in _KEPT:
        place = home / name
        yield from (place,) if place.is_file() else sorted(place.rglob("*"))


def _opened(path: Path) -> BinaryIO | None:
    """A file to be read; None for a folder, a link, a file half written, and one that is gone."""
    if path.is_symlink() or path.name.startswith(FRESH):
        return None
    try:
        return path.open("rb") if path.is_file() else None
    except FileNotFoundError:
        return None


def _added(tar: tarfile.TarFile, name: str, content: BinaryIO) -> Member:
    told = tarfile.TarInfo(name)
    told.size, told.mode = content.seek(0, os.SEEK_END), privacy.FILE
    content.seek(0)
    hashing = _Hashing(content)
    tar.addfile(told, hashing)
    return Member(size=told.size, sha256=hashing.digest.hexdigest())


class _Hashing(io.RawIOBase):
    """What is read of a file, hashed on its way."""

    def __init__(self, content: BinaryIO) -> None:
        self._content = content
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """The next piece."""
        piece = self._content.read(size)
        self.digest.update(piece)
        return piece


def unpack(file: Path, folder: Path) -> Contents:
    """Put a backup's files into an empty folder, each checked; blocking.

    Raises:
        InvalidInput: it is no backup, was cut off, or holds what its list does not name.
        StoreTooNew: a newer version made it.
        StoreFull: the disk took no more.
    """
    seen: dict[str, Member] = {}
    told = b""
    try:
        with privacy.private(), tarfile.open(file, mode="r:gz") as tar:
            for each in tar:
                if each.name == LIST:
                    told = _content(tar, each, 256 << 20)
                else:
                    seen[each.name] = _put(tar, each, folder)
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise _unfit(file, "it is no backup, or was cut off") from error
    except OSError as error:
        if error.errno is None:  # gzip's own: bytes that do not unpack
            raise _unfit(file, "it is no backup, or was changed") from error
        raise of_system(error) from error
    return _checked(file, told, seen)


def _checked(file: Path, told: bytes, seen: Mapping[str, Member]) -> Contents:
    try:
        contents = Contents.model_validate_json(told)
    except ValidationError as error:
        raise _unfit(file, "its list of files is missing: it was cut off") from error
    if contents.schema_version > SCHEMA:
        raise StoreTooNew(contents.schema_version, SCHEMA)
    if contents.format != FORMAT or dict(contents.files) != dict(seen):
        raise _unfit(file, "what it holds is not what its list says")
    return contents


def _put(tar: tarfile.TarFile, each: tarfile.TarInfo, folder: Path) -> Member:
    names = PurePosixPath(each.name).parts
    plain = bool(names) and all(name not in {"..", "/", "."} for name in names)
    if not (plain and each.isreg()) or "\\" in each.name or each.name.startswith("/"):
        raise ValueError(each.name)
    place = folder.joinpath(*names)
    privacy.make(place.parent)
    digest = hashlib.sha256()
    source = tar.extractfile(each)
    assert source is not None
    with place.open("xb") as out:
        while piece := source.read(_CHUNK):
            digest.update(piece)
            out.write(piece)
    return Member(size=each.size, sha256=digest.hexdigest())


def _content(tar: tarfile.TarFile, each: tarfile.TarInfo, most: int) -> bytes:
    source = tar.extractfile(each) if each.isreg() and each.size <= most else None
    if source is None:
        raise ValueError(each.name)
    return source.read()


def _unfit(file: Path, reason: str) -> InvalidInput:
    return InvalidInput(
        f"{file} cannot be restored: {reason}.", next_step="Take another backup of this bank."
    )
