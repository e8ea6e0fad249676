"""The store's own papers beside its tables: schema version, model, tombstones, a purge begun."""

import os
import secrets
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import orjson

from mcp_memory.domain import privacy
from mcp_memory.domain.errors import StoreTooNew, StoreUnreadable, of_system
from mcp_memory.store.schema import SCHEMA

META = "meta.json"
TOMBSTONES = "tombstones"
PURGE = "purge.json"
BACKUPS = "backups.json"
FORMER = "store.schema-*"
"""What lies beside a store that an older version wrote, from its first opening by this one on."""
_MARK_CHARS = 64


@dataclass(frozen=True, slots=True)
class Meta:
    """What the store says of itself."""

    schema: int
    model: str
    dim: int
    key: str
    """Hex of the key that tombstones are hashed with."""


def secure(folder: Path) -> None:
    """A folder that only its owner can enter (elsewhere than on POSIX the profile protects it)."""
    privacy.make(folder)
    if os.name == "posix":
        folder.chmod(privacy.FOLDER)


def read_meta(path: Path) -> Meta | None:
    """The store's papers; None for a store that is still to be made.

    Raises:
        StoreTooNew: a newer version wrote it.
        StoreUnreadable: the papers are damaged.
        HomeRefused: the system does not let this user read them.
    """
    file = path / META
    try:
        meta = Meta(**orjson.loads(file.read_bytes()))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise of_system(error) from error
    except (orjson.JSONDecodeError, TypeError) as error:
        raise StoreUnreadable(file, str(error)) from error
    if meta.schema > SCHEMA:
        raise StoreTooNew(meta.schema, SCHEMA)
    return meta


def new_meta(path: Path, *, model: str, dim: int) -> Meta:
    """Papers for a new store."""
    meta = Meta(SCHEMA, model, dim, secrets.token_hex(32))
    write_meta(path, meta)
    return meta


def write_meta(path: Path, meta: Meta) -> None:
    """Replace the papers in one step."""
    _write(path / META, orjson.dumps(asdict(meta)))


def _write(file: Path, content: bytes) -> None:
    fresh = file.with_name(f"{file.name}.new")
    try:
        with fresh.open("wb") as written:
            written.write(content)
            written.flush()
            os.fsync(written.fileno())
        if os.name == "posix":
            fresh.chmod(privacy.FILE)
        fresh.replace(file)
    except OSError as error:
        raise of_system(error) from error


def begin_purge(path: Path, effects: str) -> None:
    """Note which rows are being erased, by their names, never their text."""
    _write(path / PURGE, effects.encode())


def pending_purge(path: Path) -> str | None:
    """What a purge was about to erase when it was killed."""
    file = path / PURGE
    return file.read_text(encoding="utf-8") if file.exists() else None


def end_purge(path: Path) -> None:
    """Nothing is left to be erased."""
    (path / PURGE).unlink(missing_ok=True)


def back_up(path: Path, meta: Meta) -> Path:
    """A copy of an older store beside it, before it is migrated; an earlier copy is kept.

    Raises:
        StoreFull: there is no room for it; the older store is as it was.
        HomeRefused: it may not be made.
    """
    backup = path.with_name(f"{path.name}.schema-{meta.schema}")
    if not backup.exists():
        fresh = backup.with_name(f"{backup.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        try:
            shutil.copytree(path, fresh, copy_function=_copied)
            fresh.replace(backup)
        except _Uncopied as stopped:
            shutil.rmtree(fresh, ignore_errors=True)  # half a copy takes the room of the next try
            raise of_system(stopped.error) from stopped.error
        except OSError as error:
            raise of_system(error) from error
    return backup


class _Uncopied(Exception):
    """Carries the first error out of a copy, which else goes on and gathers words of them all."""

    def __init__(self, error: OSError) -> None:
        self.error = error


def _copied(source: str, target: str) -> None:
    try:
        shutil.copy2(source, target)
    except OSError as error:
        raise _Uncopied(error) from error


def migrated(path: Path, meta: Meta) -> Meta:
    """Note that the store has the current schema."""
    now = replace(meta, schema=SCHEMA)
    write_meta(path, now)
    return now


def add_tombstones(path: Path, marks: set[str]) -> None:
    """Keyed hashes of what must not come back; each line is whole or ignored.

    Raises:
        StoreFull: the disk took no more.
    """
    try:
        with (path / TOMBSTONES).open("ab") as file:
            file.write("".join(f"\n{mark}\n" for mark in sorted(marks)).encode())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise of_system(error) from error


def read_tombstones(path: Path) -> frozenset[str]:
    """All keyed hashes that were added."""
    file = path / TOMBSTONES
    if not file.exists():
        return frozenset()
    lines = file.read_text(encoding="ascii", errors="replace").split()
    return frozenset(line for line in lines if len(line) == _MARK_CHARS)


def note_backup(home: Path, file: Path) -> None:
    """Remember where a backup was written to, for a purge to name."""
    told = sorted({*backups_of(home), str(file.absolute())})
    _write(home / BACKUPS, orjson.dumps(told))


def backups_of(home: Path) -> list[str]:
    """Where backups of this home were written to."""
    try:
        told = orjson.loads((home / BACKUPS).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return []
    return [each for each in told if isinstance(each, str)] if isinstance(told, list) else []
