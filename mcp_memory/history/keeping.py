"""History: what hosts keep on this machine, what of it is indexed, and what they will delete when."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio.to_thread

from mcp_memory import hosts
from mcp_memory.domain.models import Frozen
from mcp_memory.history.stamps import STAMPS, Stamps
from mcp_memory.readers import prompts
from mcp_memory.rooms import Rooms
from mcp_memory.settings import Settings
from mcp_memory.store.rows import PUSHED, SessionRow
from mcp_memory.text.counting import counted
from mcp_memory.trajectories.terms import Allowance, Stamp

SOON = timedelta(days=7)
OTHER = "other paths"


class Kept(Frozen):
    """The transcript files of one host, and how the bank stands to them."""

    host: str
    found: int
    """Files that are there."""
    indexed: int
    """Of these, as they were when they were indexed."""
    changed: int
    new: int
    """Not read yet."""
    left_out: int
    """Read, and nothing of them is kept: refused, excluded, empty, or all of it known already."""
    gone: int
    """Indexed, and no longer there: the archive keeps them."""
    keeps_days: float | None
    """How long the host keeps a file; None where it keeps them."""
    soon: int
    """Files that the host will delete within a week."""
    at_risk: int
    """Of these, new or changed: they go before the bank has them."""
    next_deletion: datetime | None


class History(Frozen):
    """What `mcp-memory history` answers."""

    hosts: tuple[Kept, ...]
    """Hosts that have, or had, transcripts here."""
    unused: tuple[str, ...]
    recovered: int
    """Sessions known by what was typed only: their transcripts went before they were indexed."""
    next_step: str


@dataclass(slots=True)
class _Known:
    """A file in the catalogue; each of its sessions was stamped when it last changed."""

    format: str
    stamps: set[Stamp] = field(default_factory=set)


@dataclass(slots=True)
class _Tally:
    """Counts over the files of one host."""

    host: str
    keeps: timedelta | None = None
    found: int = 0
    indexed: int = 0
    changed: int = 0
    left_out: int = 0
    gone: int = 0
    soon: int = 0
    at_risk: int = 0
    next_deletion: datetime | None = None

    def add(self, stamp: Stamp, known: _Known | None, now: datetime, *, fruitless: bool) -> None:
        """Count a file that is there; `fruitless` if reading it as it is gave nothing new."""
        safe = fruitless or (known is not None and stamp in known.stamps)
        self.found += 1
        self.indexed += known is not None and safe
        self.changed += known is not None and not safe
        self.left_out += known is None and safe
        if self.keeps is None:
            return
        end = datetime.fromtimestamp(stamp.mtime_ns // 10**9, UTC) + self.keeps
        self.next_deletion = min(end, self.next_deletion or end)
        if end - now <= SOON:
            self.soon += 1
            self.at_risk += not safe

    def told(self) -> Kept:
        """The counts as an answer."""
        return Kept(
            host=self.host,
            found=self.found,
            indexed=self.indexed,
            changed=self.changed,
            new=self.found - self.indexed - self.changed - self.left_out,
            left_out=self.left_out,
            gone=self.gone,
            keeps_days=None if self.keeps is None else self.keeps / timedelta(days=1),
            soon=self.soon,
            at_risk=self.at_risk,
            next_deletion=self.next_deletion,
        )


async def history(rooms: Rooms) -> History:
    """Compare the hosts' files with the catalogue; it costs their names and sizes, none is opened."""
    rows = await rooms.store.catalogue()
    return await anyio.to_thread.run_sync(_compare, rows, rooms.settings, rooms.now())


def _compare(rows: Sequence[SessionRow], settings: Settings, now: datetime) -> History:
    allowance = Allowance(settings.include, settings.exclude, None, settings.step_chars)
    known = _catalogued(rows)
    look = _Look(known, Stamps(settings.store_dir / STAMPS, allowance), now)
    seen = set(map(_whole, hosts.prompts()))
    tallies: dict[str, _Tally] = {}
    for host in hosts.HOSTS:
        tally = tallies[hosts.format_of(host)] = _Tally(host.NAME, hosts.retention(host))
        for name in map(_whole, host.transcripts()):
            if name not in seen and look.at(name, tally):
                seen.add(name)
    other = _Tally(OTHER)
    for name in sorted(known.keys() - seen):
        if not look.at(name, other):
            tallies.get(known[name].format, other).gone += 1
    told = [tally.told() for tally in (*tallies.values(), other)]
    return History(
        hosts=tuple(kept for kept in told if kept.found or kept.gone),
        unused=tuple(k.host for k in told if not (k.found or k.gone) and k.host != OTHER),
        recovered=sum(row.format in prompts.SESSIONS for row in rows),
        next_step=_next_step(told),
    )


@dataclass(frozen=True, slots=True)
class _Look:
    """What every file is compared with."""

    known: Mapping[str, _Known]
    stamps: Stamps
    now: datetime

    def at(self, name: str, tally: _Tally) -> bool:
        """Count a file under its host; False where it is not there."""
        path = Path(name)
        stamp = Stamp.seen(path)
        if stamp is None:
            return False
        fruitless = self.stamps.unchanged(path, stamp, None)
        tally.add(stamp, self.known.get(name), self.now, fruitless=fruitless)
        return True


def _catalogued(rows: Sequence[SessionRow]) -> dict[str, _Known]:
    known: dict[str, _Known] = {}
    for row in rows:
        if row.source_path.startswith(PUSHED):
            continue
        entry = known.setdefault(row.source_path, _Known(row.format))
        entry.stamps.add(Stamp(row.size, row.mtime_ns))
    return known


def _whole(path: Path) -> str:
    return os.path.abspath(path)  # noqa: PTH100 as the catalogue has it: links stay


def _next_step(told: Sequence[Kept]) -> str:
    waiting = sum(kept.new + kept.changed for kept in told if kept.host != OTHER)
    elsewhere = sum(kept.changed for kept in told if kept.host == OTHER)
    steps = []
    if waiting:
        steps.append(
            f"Run `mcp-memory index` to read the {counted(waiting, 'file')} that are new or changed."
        )
    if elsewhere:
        steps.append(
            f"Of the files once given by path {elsewhere} changed: `mcp-memory index PATH` reads them."
        )
    return " ".join(steps) or "Nothing is new or changed."
