"""A change to a host's settings: planned, shown, written with a backup, and taken back."""

import copy
import difflib
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mcp_memory.domain.errors import InvalidInput
from mcp_memory.hosts.installing import jsonc
from mcp_memory.hosts.installing.launch import Launch, is_ours
from mcp_memory.hosts.installing.targets import Entry, Target, command_of
from mcp_memory.text.redaction import redact

Kind = Literal["added", "updated", "unchanged", "removed", "restored", "absent"]
_BACKUP = ".before-mcp-memory"


@dataclass(frozen=True, slots=True)
class Change:
    """What would be written to one file; `after` is None where the file goes altogether."""

    target: Target
    server: str
    file: Path
    kind: Kind
    before: bytes | None
    after: bytes | None
    suffix: str = _BACKUP
    note: str = ""
    """What its user is still to do, and the host says nowhere."""

    @property
    def backup(self) -> Path:
        """Where the file as it was before us is kept, beside it."""
        return self.file.with_name(self.file.name + self.suffix)

    def shown(self) -> Iterator[str]:
        """The lines that come and go, secrets in neighbouring lines masked."""
        old, new = (
            (side or b"").decode("utf-8").splitlines() for side in (self.before, self.after)
        )
        for line in list(difflib.unified_diff(old, new, n=0, lineterm=""))[2:]:
            if not line.startswith("@@"):
                yield redact(line).text


def plan_install(target: Target, launch: Launch, server: str = "") -> Change:
    """The change that gives a host our server, idempotent; a moved installation is followed.

    Raises InvalidInput where the file cannot be read or edited safely, or the name is another's.
    """
    server = server or target.server
    file = real(target.file())
    before = raw(file)
    text = decoded(file, before)
    path = (target.table, server)
    held = _at(_loaded(target, file, text), path)
    entry = target.entry(launch)
    if held is None:
        after = _edited(target, file, text, (path, entry))
    elif not isinstance(held, Mapping) or not is_ours(command_of(held)):
        raise InvalidInput(
            f"{target.title} has another server called {server!r} in {file}.",
            next_step=f"Give ours another name: `mcp-memory install {target.name} --name …`.",
        )
    else:
        after = _edited(target, file, text, (path, _merged(held, entry)))
    kind: Kind = "added" if held is None else "unchanged" if after == text else "updated"
    return Change(target, server, file, kind, before, after.encode("utf-8"))


def plan_uninstall(target: Target, server: str = "") -> Change:
    """The change that takes our server out: byte for byte as before us where nothing else changed.

    Raises InvalidInput where the file cannot be read or edited safely.
    """
    server = server or target.server
    file = real(target.file())
    before = raw(file)
    path = (target.table, server)
    text = decoded(file, before)
    held = _at(_loaded(target, file, text), path)
    if not isinstance(held, Mapping) or not is_ours(command_of(held)):
        return Change(target, server, file, "absent", before, before)
    kept = raw(file.with_name(file.name + _BACKUP))
    was = decoded(file, kept)
    if _at(_loaded(target, file, was), path) is None and _same(target, was, text, path, held):
        return Change(target, server, file, "restored", before, kept)
    after = _edited(target, file, text, (path, None))
    return Change(target, server, file, "removed", before, after.encode("utf-8"))


def apply(change: Change) -> None:
    """Write a change, whole or not at all, the first file we meet kept beside as it was.

    Raises InvalidInput where the file changed since the plan was made.
    """
    if change.before == change.after:
        return
    if raw(change.file) != change.before:
        raise InvalidInput(
            f"{change.file} was changed by another program just now.",
            next_step="Run the command again.",
        )
    if change.kind == "added" and change.before is not None:
        _written(change.backup, change.before, change.file)
    if change.after is None:
        change.file.unlink()
    else:
        _written(change.file, change.after, change.file)
    if change.kind == "restored":
        change.backup.unlink(missing_ok=True)


def _same(target: Target, was: str, text: str, path: tuple[str, str], held: Any) -> bool:
    """Whether a text is another with our entry put in, and nothing else."""
    try:
        return bool(target.form.put(was, path, held) == text)
    except ValueError:
        return False


def _merged(held: Mapping[str, Any], entry: Entry) -> Entry:
    """Our entry over the one that is there: what the user added to it stays."""
    merged = {**held, **entry}
    for name in ("env", "environment", "envs"):
        if isinstance(held.get(name), Mapping) and isinstance(entry.get(name), Mapping):
            merged[name] = {**held[name], **entry[name]}
    for name in ("enabled", "timeout", "description", "name"):
        if name in held:
            merged[name] = held[name]
    return merged


def _edited(
    target: Target, file: Path, text: str, edit: tuple[tuple[str, str], Entry | None]
) -> str:
    """The edited text, read again: it must say what it said before, our entry apart."""
    path, entry = edit
    wanted = copy.deepcopy(target.form.load(text))
    try:
        if entry is None:
            after = str(target.form.drop(text, path))
            del wanted[path[0]][path[1]]
        else:
            after = _put(target, text, path, entry)
            wanted.setdefault(path[0], {})
            wanted[path[0]] = {**(wanted[path[0]] or {}), path[1]: entry}
        read = target.form.load(after)
    except (ValueError, TypeError) as error:
        raise unfit(target, file, str(error)) from error
    if _full(read) != _full(wanted):
        raise unfit(target, file, "it is written in a way that this edit does not fit")
    return after


def _put(target: Target, text: str, path: tuple[str, str], entry: Entry) -> str:
    """Put an entry in; in one that is there, only what differs, so that its comments stay."""
    held = _at(target.form.load(text), path)
    if target.form is not jsonc or held is None:
        return str(target.form.put(text, path, entry))
    for name, value in entry.items():
        text = jsonc.put(text, (*path, name), value)
    return text


def _full(read: Mapping[str, Any]) -> dict[str, Any]:
    """Without empty tables at the top: TOML and YAML lose theirs with the last entry."""
    return {name: value for name, value in read.items() if value not in ({}, None)}


def _loaded(target: Target, file: Path, text: str) -> Mapping[str, Any]:
    try:
        read = target.form.load(text)
    except ValueError as error:
        raise unfit(target, file, str(error)) from error
    if not isinstance(read, Mapping):
        raise unfit(target, file, "it holds no object")
    return read


def unfit(target: Target, file: Path, reason: str) -> InvalidInput:
    """Why a file is left as it is."""
    return InvalidInput(
        f"{target.title}'s settings {file} cannot be edited safely ({redact(reason).text}).",
        next_step="Put our entry in, or take it out, by hand: "
        f"`mcp-memory install {target.name} --print` shows it.",
    )


def _at(read: Mapping[str, Any], path: tuple[str, str]) -> Any:
    table = read.get(path[0])
    return table.get(path[1]) if isinstance(table, Mapping) else None


def real(file: Path) -> Path:
    """The file itself where settings are a link into a folder of dotfiles."""
    return file.resolve() if file.is_symlink() else file


def raw(file: Path) -> bytes | None:
    """What a file holds; None where there is none. Raises InvalidInput where it cannot be read."""
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InvalidInput(
            f"{file} cannot be read ({error.strerror}).", next_step="Look at its permissions."
        ) from error


def decoded(file: Path, held: bytes | None) -> str:
    """The text of a file. Raises InvalidInput where it is not UTF-8."""
    try:
        return (held or b"").decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"{file} is not UTF-8.", next_step="Save it as UTF-8, or mend it by hand."
        ) from error


def _written(file: Path, content: bytes, like: Path) -> None:
    """Write beside and move into place, with the mode of the file that it follows."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, fresh = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            if like.exists():
                Path(fresh).chmod(like.stat().st_mode & 0o7777)
            Path(fresh).replace(file)
        except BaseException:
            Path(fresh).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InvalidInput(
            f"{file} cannot be written ({error.strerror}).", next_step="Look at its permissions."
        ) from error
