"""Every error a caller can catch, as one tree; each message says what happened, what is safe, what next.

MemoryBankError
├── UnknownRef(LookupError)             a ref that names nothing
│   └── NothingFits                     a filter that no record fits
├── InvalidInput(ValueError)            an argument that cannot be carried out
├── AdmissionRefused(ValueError)        the one door in said no
├── GateRefused(ValueError)             consolidation's gate said no
├── UnknownTranscript(ValueError)       no reader, or more than one, recognised a file
├── OutsideRoot(PermissionError)        a path left its root
├── EmbedderUnavailable(RuntimeError)   the embedding model cannot be loaded
├── StoreTooNew(RuntimeError)           the store was written by a newer version
├── StoreUnreadable(RuntimeError)       the store's files cannot be read
│   ├── StoreGone                       they were there, and somebody removed them
│   ├── StoreAway                       the object store that they lie in says no, or nothing
│   └── RecordUnreadable                one record's body cannot be read; all others can
├── StoreFull(OSError)                  the disk took no more
├── HomeRefused(PermissionError)        the home's folder may not be read or written
├── PurgeUnfinished(RuntimeError)       a purge was stopped half way; it goes on at the next opening
├── Busy(RuntimeError)                  another process holds a lock for longer than we wait
├── TookTooLong(TimeoutError)           an answer that only reads took longer than a host waits
├── CameTooLate(RuntimeError)           this process was paused, and others went on without it
├── AddressRefused(ValueError)          an address that is none, or cannot do what is asked
├── NotAllowed(PermissionError)         a caller's access does not reach so far
├── CannotReach(ConnectionError)         a remote bank was not reached, or did not answer as one
└── CannotListen(RuntimeError)          the server may not, or cannot, listen where it was asked to
"""

import errno
from collections.abc import Mapping, Sequence
from pathlib import Path

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What a system says when a disk, a quota or a file takes no more."""


class MemoryBankError(Exception):
    """The root of the tree; `str()` of any of them is fit to show to a model or a person."""


class UnknownRef(MemoryBankError, LookupError):
    """Raised when a ref names nothing in this bank, or nothing any more."""

    def __init__(self, ref: str) -> None:
        self.ref = ref
        known = (
            "Batches look like b:…: each change tells its own, and so does a listing of changes."
            if ref.startswith("b:")
            else "Refs look like m:… (memory), e:… (episode) or t:…#12-15 (steps): "
            "take one from an answer of `search`."
        )
        super().__init__(f"Nothing is known by the ref {ref!r}. Nothing was changed. {known}")


class PastTheEnd(UnknownRef):
    """Raised when a session has no step of so high a number."""

    def __init__(self, ref: str, last: int) -> None:
        self.ref = ref
        session = ref.partition("#")[0]
        MemoryBankError.__init__(
            self,
            f"{session} ends at #{last}: it has no steps {ref.partition('#')[2]}. Nothing was changed. "
            f"Its last ones are {session}#{max(1, last - 9)}-{last}.",
        )


class NothingFits(UnknownRef):
    """Raised when a filter fits no record."""

    def __init__(self, chosen: Mapping[str, object]) -> None:
        self.ref = ""
        told = ", ".join(f"{name} {value}" for name, value in chosen.items())
        MemoryBankError.__init__(
            self,
            f"No record fits {told}. Nothing was changed. "
            "Leave a condition out, or see which projects and sessions there are (`list`).",
        )


class InvalidInput(MemoryBankError, ValueError):
    """Raised when an argument cannot be carried out as given."""

    def __init__(self, what: str, *, next_step: str) -> None:
        super().__init__(f"{what} Nothing was changed. {next_step}")


class ExpressionRefused(InvalidInput):
    """Raised when a regular expression cannot be read, or not in time linear in the text."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The expression is not read: {reason}.",
            next_step="Match the words themselves, a backslash before each sign meant as itself; "
            "several calls may look for several things.",
        )


class AdmissionRefused(MemoryBankError, ValueError):
    """Raised when a record may not enter the bank."""

    def __init__(self, reason: str, *, next_step: str) -> None:
        super().__init__(f"Not kept: {reason} Nothing was changed. {next_step}")


class GateRefused(MemoryBankError, ValueError):
    """Raised when consolidation's gate refuses a batch; `reasons` has one line a fault."""

    def __init__(self, reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        listed = "\n".join(f"- {reason}" for reason in self.reasons)
        super().__init__(
            f"The gate refused this batch; nothing was changed.\n{listed}\n"
            "Mend these items, or leave them out, and apply again."
        )


class UnknownTranscript(MemoryBankError, ValueError):
    """Raised when not exactly one reader recognises a file; `formats` names those that did."""

    def __init__(self, path: Path, formats: Sequence[str] = ()) -> None:
        self.path = path
        self.formats = tuple(formats)
        fault = f"claimed by {' and '.join(self.formats)}" if self.formats else "of no known format"
        super().__init__(
            f"{path} is {fault}; it was left out and everything else goes on. "
            "`mcp-memory index --formats` lists what can be read."
        )


class OutsideRoot(MemoryBankError, PermissionError):
    """Raised when a path would leave the folder that it must stay in."""

    def __init__(self, path: object, root: object) -> None:
        super().__init__(
            f"{path} lies outside {root}; it was not opened and nothing was changed. "
            "Name a path inside that folder."
        )


class EmbedderUnavailable(MemoryBankError, RuntimeError):
    """Raised when the embedding model cannot be loaded or run."""

    def __init__(self, model: str, reason: str) -> None:
        super().__init__(
            f"The embedding model {model} cannot be used ({reason}). Nothing is lost: search "
            "goes on by words. Set MCP_MEMORY_EMBEDDING_MODEL to `default` for the bundled model."
        )


class StoreTooNew(MemoryBankError, RuntimeError):
    """Raised when a newer version of this program wrote the store."""

    def __init__(self, stored: int, known: int) -> None:
        super().__init__(
            f"The store has schema {stored}; this version knows {known}. It was not touched. "
            "Upgrade mcp-memory, or set MCP_MEMORY_HOME to another folder."
        )


class StoreUnreadable(MemoryBankError, RuntimeError):
    """Raised when the store's files cannot be read."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"The store in {path} cannot be read ({reason}). It was not touched. "
            "`mcp-memory doctor` says what is damaged, and `mcp-memory backup --restore FILE` "
            "brings a backup back; the archive beside it can still be read as files."
        )


class StoreGone(StoreUnreadable):
    """Raised when the store's files were removed while it was open."""

    def __init__(self, path: Path) -> None:
        MemoryBankError.__init__(
            self,
            f"The store in {path} was removed while it was in use. Nothing was changed by this "
            "call. Put it back (`mcp-memory backup --restore FILE`), or start again: the next start makes an "
            "empty one there.",
        )


class StoreAway(StoreUnreadable):
    """Raised when an object store did not answer, or refused what was asked of it."""

    def __init__(self, place: object, reason: str) -> None:
        MemoryBankError.__init__(
            self,
            f"{place} did not do what was asked ({reason}). What was acknowledged before is safe; "
            "this may not have been done: do it again. If it stays so, look whether the bucket is "
            "there and whether the credentials in this program's environment may read and write "
            "it.",
        )


class RecordUnreadable(StoreUnreadable):
    """Raised when one record cannot be read; `key` names it."""

    def __init__(self, key: str) -> None:
        self.key = key
        MemoryBankError.__init__(
            self,
            f"The record {key} cannot be read. Nothing was changed, and all others are safe. "
            "`mcp-memory doctor --repair` sets it aside.",
        )


class StoreFull(MemoryBankError, OSError):
    """Raised when the disk took no more bytes; what was acknowledged before is kept."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The disk took no more ({reason}). This write was not kept; everything "
            "acknowledged before it is safe. Free some space and do it again."
        )


class HomeRefused(MemoryBankError, PermissionError):
    """Raised when the system refuses to read or write a file of ours, for any reason but a full disk."""

    def __init__(self, path: object, reason: str) -> None:
        super().__init__(
            f"{path} could not be read or written ({reason}). What was acknowledged before is "
            "safe; this was not done. Give this user the right to it, or set MCP_MEMORY_HOME to "
            "another folder, and do it again."
        )


class PurgeUnfinished(MemoryBankError, RuntimeError):
    """Raised when a purge was begun and could not be brought to its end."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The purge is not finished: {reason} What it names is not shown any more and does not "
            "come back. It goes on by itself when the bank is opened next, or now by `mcp-memory "
            "doctor --repair`; that says whether anything is left."
        )


def of_system(error: OSError) -> MemoryBankError:
    """What an error of the operating system means for a bank."""
    reason = error.strerror or type(error).__name__
    if error.errno in FULL:
        return StoreFull(reason)
    return HomeRefused(error.filename or "A file of the bank", reason)


def only(group: ExceptionGroup[Exception]) -> MemoryBankError:
    """The first of our errors in a group that holds nothing else: channels are asked in parallel.

    Raises:
        ExceptionGroup: it holds something else.
    """
    known, rest = group.split((MemoryBankError, OSError))
    if known is None or rest is not None:
        raise group
    first: BaseException = known
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    if isinstance(first, MemoryBankError):
        return first
    assert isinstance(first, OSError)
    return of_system(first)


class Busy(MemoryBankError, RuntimeError):
    """Raised when another process held a lock for longer than we wait."""

    def __init__(self, work: str, waited: float) -> None:
        super().__init__(
            f"Another process is busy with {work}; gave up after {waited:.0f} s. "
            "Nothing was changed. Try again in a moment."
        )


class TookTooLong(MemoryBankError, TimeoutError):
    """Raised when an answer that only reads took longer than a host waits for one."""

    def __init__(self, waited: float) -> None:
        super().__init__(
            f"The answer was not there after {waited:.0f} s and was given up. Nothing was changed. Ask "
            "for less (one project, one question), or again in a moment; `mcp-memory doctor` says "
            "whether the disk or the indexes are to be looked after."
        )


class CameTooLate(MemoryBankError, RuntimeError):
    """Raised when a process was paused for so long that others took it for dead."""

    def __init__(self, work: str) -> None:
        super().__init__(
            f"This process stood still for too long while it was at {work}, and others went on "
            "without it. Nothing of this is kept, and nothing is lost. Do it again."
        )


class AddressRefused(MemoryBankError, ValueError):
    """Raised for an address that is none, and for what a bank at an address cannot do."""

    def __init__(self, what: str, *, next_step: str) -> None:
        super().__init__(f"{what} Nothing was changed. {next_step}")


class NotAllowed(MemoryBankError, PermissionError):
    """Raised when the access of a remote caller does not reach what it asks for."""

    def __init__(self, what: str, *, next_step: str) -> None:
        super().__init__(f"Not allowed: {what} Nothing was changed. {next_step}")


class CannotListen(MemoryBankError, RuntimeError):
    """Raised when the server may not, or cannot, listen where it was asked to."""

    def __init__(self, reason: str, *, next_step: str) -> None:
        super().__init__(f"The server was not started: {reason} {next_step}")


class CannotReach(MemoryBankError, ConnectionError):
    """Raised when a remote bank cannot be reached, or what answers is none."""

    def __init__(self, reason: str, *, next_step: str) -> None:
        super().__init__(
            f"The remote bank: {reason} What it acknowledged is kept, and nothing was changed here. "
            f"{next_step}"
        )
