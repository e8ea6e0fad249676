"""Auditing: who did what when to which refs, from the ledger and the tokens; no text of any record."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

import anyio.to_thread
import orjson

from mcp_memory.domain import refs
from mcp_memory.domain.access import OWNER, AccessTokens, TokenRecord
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.teams import Audited, Entry
from mcp_memory.rooms import Rooms
from mcp_memory.store.rows import LedgerRow

MOST_TOLD = 20_000
"""Entries that are told at a time."""


def part(entries: Sequence[Entry], start: int) -> Audited:
    """At most `MOST_TOLD` of them, from a place on; what is done meanwhile comes last."""
    end = start + MOST_TOLD
    return Audited(entries=tuple(entries[start:end]), more=end < len(entries))


async def audit(
    rooms: Rooms, since: datetime | None = None, *, tokens: Sequence[TokenRecord] | None = None
) -> list[Entry]:
    """All that was done since a moment, oldest first; tokens made, revoked and expired among it.

    `tokens`: by which the bank is reached, where they are not its own home's.
    """
    home = AccessTokens(rooms.settings.access_dir)
    records = await anyio.to_thread.run_sync(home.listed) if tokens is None else tokens
    known = {f"token:{one.id}": one.name for one in records}
    entries = [*_changes(await rooms.store.ledger(), known)]
    entries += [entry for one in records for entry in _of_token(one, known, rooms.now())]
    wanted = (one for one in entries if since is None or one.at >= _aware(since))
    return sorted(wanted, key=lambda one: (one.at, one.batch))


def line(entry: Entry) -> str:
    """An entry as one line."""
    who = f"{entry.name} ({entry.actor})" if entry.name else entry.actor
    parts = (
        entry.at.astimezone(UTC).isoformat(timespec="seconds"),
        who,
        entry.did if entry.completed else f"{entry.did} (never completed)",
        entry.token,
        entry.batch,
        f"undoes {entry.undoes}" if entry.undoes else "",
        " ".join(entry.refs),
        f"and {entry.names} by name" if entry.names else "",
    )
    return " · ".join(part for part in parts if part)


def _changes(rows: Iterable[LedgerRow], known: dict[str, str]) -> Iterator[Entry]:
    """One entry a batch: from its first row, with what its later ones know more."""
    batches: dict[str, list[LedgerRow]] = {}
    for row in rows:
        batches.setdefault(row.batch, []).append(row)
    for batch, phases in batches.items():
        first = phases[0]
        touched = dict.fromkeys(ref for row in phases for ref in row.refs)
        told = [ref for ref in touched if _is_ref(ref)]
        undoes = (orjson.loads(row.inverse).get("undoes", "") for row in phases)
        yield Entry(
            at=first.at,
            actor=first.actor,
            name=known.get(first.actor, ""),
            did=first.op,
            batch=batch,
            refs=tuple(told),
            names=len(touched) - len(told),
            undoes=str(next(filter(None, undoes), "")),
            completed=not any(row.phase == "reversed" for row in phases),
        )


def _of_token(one: TokenRecord, known: dict[str, str], now: datetime) -> Iterator[Entry]:
    """That a token was made, and how it ended."""
    reach = (one.scope, *one.projects, f"tenant {one.tenant}" if one.tenant else "")
    until = f"until {one.expires_at:%Y-%m-%d}" if one.expires_at else "without end"
    token = f"token:{one.id} {one.name}: {', '.join(filter(None, (*reach, until)))}"

    def entry(at: datetime, did: str, by: str) -> Entry:
        return Entry(at=at, actor=by or OWNER.name, name=known.get(by, ""), did=did, token=token)

    yield entry(one.created_at, "token made", one.made_by)
    if one.revoked_at:
        yield entry(one.revoked_at, "token revoked", one.revoked_by)
    elif one.expires_at and one.expires_at <= now:
        yield entry(one.expires_at, "token expired", "")


def _is_ref(text: str) -> bool:
    try:
        return bool(refs.parse(text))
    except InvalidInput:
        return False


def _aware(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at
