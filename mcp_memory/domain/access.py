"""Access: who may do what in which bank, and the bearer tokens that say so; only hashes are kept."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from contextvars import ContextVar
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from mcp_memory.domain import privacy
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.models import Frozen
from mcp_memory.domain.replacing import replace

Scope = Literal["read", "write", "approve", "admin"]
SCOPES: tuple[Scope, ...] = ("read", "write", "approve", "admin")
"""Each holds those before it: who may write may read."""
PREFIX = "mcpm_"
_TOKEN = re.compile(r"mcpm_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_TENANT = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_NAME = re.compile(r"[\w .@:/-]{1,80}")
_LONGEST_RECORD = 1 << 16


acting: ContextVar[str] = ContextVar("acting", default="")
"""Who asked for what is being done, where that is not the process itself; the ledger names it."""


class Person(Frozen):
    """Who proposes or decides: two tokens of one name are one person's."""

    id: str
    name: str

    def is_also(self, other: "Person") -> bool:
        """Whether both are the same one, by id or by name."""
        return self.id == other.id or self.name.casefold() == other.name.casefold()


OWNER = Person(id="local", name="owner")
"""Whoever works on the bank's own machine."""


class Access(Frozen):
    """What a caller may do: the most powerful scope, the projects and the bank it reaches."""

    caller: str
    """What logs and limits know the caller by; never the token."""
    name: str = ""
    """What people know the caller by: the name of its token."""
    scope: Scope
    projects: tuple[str, ...] = ()
    """The only projects it reaches; empty means all of the bank."""
    tenant: str = ""
    """Whose bank; empty means the server's own."""

    @property
    def person(self) -> Person:
        """Who it is among a team's people."""
        return Person(id=self.caller, name=self.name or self.caller)

    def holds(self, scope: Scope) -> bool:
        """Whether this access is enough for a scope."""
        return SCOPES.index(scope) <= SCOPES.index(self.scope)


class TokenRecord(Frozen):
    """What is kept of a token: enough to know it again, not enough to use it."""

    id: str
    name: str
    hash: str
    scope: Scope
    projects: tuple[str, ...] = ()
    tenant: str = ""
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    made_by: str = ""
    """Which caller made it on the page; empty: somebody on the bank's own machine."""
    revoked_by: str = ""

    def standing(self, now: datetime) -> Literal["live", "expired", "revoked"]:
        """Whether it opens the door now."""
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at is not None and self.expires_at <= now:
            return "expired"
        return "live"

    @property
    def access(self) -> Access:
        """What it allows."""
        return Access(
            caller=f"token:{self.id}",
            name=self.name,
            scope=self.scope,
            projects=self.projects,
            tenant=self.tenant,
        )


class Wanted(Frozen):
    """What a new token is to allow."""

    name: str
    scope: Scope = "write"
    projects: tuple[str, ...] = ()
    tenant: str = ""
    expires_at: datetime | None = None


class AccessTokens:
    """The tokens of one server: one small file each, so that making and revoking need no lock."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def any(self) -> bool:
        """Whether a token was ever made; a revoked one still says that the server is not open."""
        return any(self._folder.glob("*.json"))

    def make(self, wanted: Wanted, *, now: datetime) -> tuple[TokenRecord, str]:
        """A new token, told this once, and what is kept of it.

        Raises:
            InvalidInput: the name or the tenant is not one, or the expiry has passed.
        """
        _check(wanted, now)
        id_, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        record = TokenRecord(
            **wanted.model_dump(),
            id=id_,
            hash=_hash(secret),
            created_at=now,
            made_by=acting.get(),
        )
        self._write(record)
        return record, f"{PREFIX}{id_}_{secret}"

    def listed(self) -> list[TokenRecord]:
        """All tokens, oldest first, revoked ones included."""
        found = (self._read(file.stem) for file in sorted(self._folder.glob("*.json")))
        return sorted((each for each in found if each), key=lambda each: each.created_at)

    def revoke(self, which: str, *, now: datetime) -> list[TokenRecord]:
        """Close the door to the tokens of this id or name, at once and for good.

        Raises:
            InvalidInput: there is no such token that is not revoked yet.
        """
        found = [
            each for each in self.listed() if which in {each.id, each.name} and not each.revoked_at
        ]
        if not found:
            raise InvalidInput(
                f"There is no token {which[:80]!r} to revoke.",
                next_step="`mcp-memory token list` shows ids and names.",
            )
        told = {"revoked_at": now, "revoked_by": acting.get()}
        revoked = [each.model_copy(update=told) for each in found]
        for each in revoked:
            self._write(each)
        return revoked

    def named(self, which: str) -> list[TokenRecord]:
        """The tokens of this id or name, revoked ones too.

        Raises:
            InvalidInput: there never was one.
        """
        found = [each for each in self.listed() if which in {each.id, each.name}]
        if not found:
            raise InvalidInput(
                f"There never was a token {which[:80]!r}.",
                next_step="`mcp-memory token list` shows ids and names.",
            )
        return found

    def verify(self, token: str, *, now: datetime) -> TokenRecord | None:
        """The record of a token that is whole, known, live; None says no more than that."""
        spelled = _TOKEN.fullmatch(token)
        if spelled is None:
            return None
        record = self._read(spelled[1])
        # Compared also where nothing is known, so that time does not tell which ids exist.
        same = hmac.compare_digest(_hash(spelled[2]), record.hash if record else _hash(""))
        return record if record and same and record.standing(now) == "live" else None

    def _read(self, id_: str) -> TokenRecord | None:
        try:
            with (self._folder / f"{id_}.json").open("rb") as stream:
                return TokenRecord.model_validate_json(stream.read(_LONGEST_RECORD))
        except (OSError, ValidationError):
            return None

    def _write(self, record: TokenRecord) -> None:
        privacy.make(self._folder)
        replace(
            self._folder / f"{record.id}.json",
            record.model_dump_json(exclude_defaults=True).encode(),
        )


def scope_of(names: Sequence[str]) -> Scope | None:
    """The most powerful scope among names such as `write` or `memory:write`; None if none is."""
    told = {name.removeprefix("memory:") for name in names}
    held = [scope for scope in SCOPES if scope in told]
    return held[-1] if held else None


def _hash(secret: str) -> str:
    # 256 random bits: nothing to guess, so a slow hash would protect nothing.
    return hashlib.sha256(secret.encode()).hexdigest()


def _check(wanted: Wanted, now: datetime) -> None:
    if not _NAME.fullmatch(wanted.name):
        raise InvalidInput(
            f"{wanted.name[:80]!r} is no name for a token.",
            next_step="Use up to 80 letters, digits, blanks or . @ : / - _",
        )
    if wanted.tenant and not _TENANT.fullmatch(wanted.tenant):
        raise InvalidInput(
            f"{wanted.tenant[:80]!r} is no name for a tenant.",
            next_step="Use up to 40 small letters, digits and hyphens.",
        )
    if wanted.expires_at is not None and wanted.expires_at <= now:
        raise InvalidInput("The token would have expired already.", next_step="Choose a later end.")
