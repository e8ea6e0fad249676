"""Pushing: sessions of this machine to a remote bank; what it holds is not sent again."""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import anyio.to_thread

from mcp_memory.domain.errors import InvalidInput, MemoryBankError
from mcp_memory.history import wire
from mcp_memory.history.wire import Holding, Part, Receipt
from mcp_memory.remote import memo as memos
from mcp_memory.remote.memo import Memo
from mcp_memory.remote.outgoing import Found, Names, Outgoing, Terms, outgoing
from mcp_memory.remote.reaching import Remote
from mcp_memory.remote.reports import Pushed
from mcp_memory.trajectories.terms import Stamp

logger = logging.getLogger(__name__)

WINDOW_BYTES = 8 * 1024 * 1024
WINDOW_FILES = 64
"""Transcripts are read until either is reached, then asked about and sent together."""
FILL = 0.75
"""How much of the largest request one delivery takes: a proxy in front may count otherwise."""
MOST_FILL = 4 * 1024 * 1024


Progress = Callable[[Path, Pushed], None]


@dataclass(slots=True)
class _File:
    """A transcript whose sessions are on their way."""

    path: Path
    stamp: Stamp
    found: Found
    refused: dict[str, str] = field(default_factory=dict)


async def push(
    remote: Remote,
    paths: Iterable[Path],
    terms: Terms,
    memo: Memo,
    *,
    again: bool = False,
    progress: Progress | None = None,
) -> Pushed:
    """Push the sessions of transcripts, each whole or only what is new of it; the rest is counted.

    What is cut off is taken up by the next push. With `again`, what the bank refused is tried once
    more.

    Raises:
        CannotReach: the bank went away; what it acknowledged is kept.
        NotAllowed: the token does not reach so far.
    """
    run = _Run(remote, terms, memo, again=again)
    try:
        await run.over(list(dict.fromkeys(paths)), progress)
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(memo.save)
    return run.report


class _Run:
    """One push: files are read into a window, which is asked about and then sent."""

    def __init__(self, remote: Remote, terms: Terms, memo: Memo, *, again: bool) -> None:
        self.report = Pushed()
        self._remote = remote
        self._terms = terms
        self._memo = memo
        self._again = again
        # Only who names one project and its name says that two of this machine are one there.
        joined = bool(terms.name) and len(terms.only) == 1
        self._names = Names(terms.name, {} if joined else memo.names)
        self._window: list[_File] = []

    async def over(self, paths: Sequence[Path], progress: Progress | None) -> None:
        """Push the transcripts in their order."""
        stamps = await anyio.to_thread.run_sync(_stamps, paths)
        known = {
            path: pushed for path, now in stamps.items() if (pushed := self._memo.pushed(path, now))
        }
        # The first question also shows whether the bank can be reached, before anything is read.
        held, _ = await self._ask([id_ for each in known.values() for id_ in each.marks])
        for path in paths:
            self.report.files += 1
            before = known.get(path)
            if before is not None and memos.unchanged(before, held, again=self._again):
                self.report.unchanged += 1
                self.report.held += len(before.marks)
                self.report.refused.extend(before.refused.items())
            elif path in stamps:
                await self._read(path, stamps[path])
            if progress is not None:
                progress(path, self.report)
        await self._send()

    async def _read(self, path: Path, stamp: Stamp) -> None:
        if not self._terms.opens(path):
            self.report.excluded += 1
            return
        try:
            found = await anyio.to_thread.run_sync(outgoing, path, self._terms, self._names)
        except (MemoryBankError, OSError, ValueError, RecursionError) as error:
            self.report.refused.append((path.name, str(error)))
            self._memo.note(path, stamp, marks={}, refused={path.name: str(error)})
            return
        self.report.excluded += found.excluded
        self.report.refused.extend(found.refused)
        self.report.masked += sum(one.masked for one in found.sessions)
        self._window.append(_File(path, stamp, found, dict(found.refused)))
        size = sum(one.size for file in self._window for one in file.found.sessions)
        if size > WINDOW_BYTES or len(self._window) >= WINDOW_FILES:
            await self._send()

    async def _send(self) -> None:
        """Send what the bank lacks of the window, and note the files."""
        window, self._window = self._window, []
        every = [one for file in window for one in file.found.sessions]
        # Two transcripts may tell of one session: the longer one counts.
        sessions = {one.id: one for one in sorted(every, key=lambda one: len(one.steps))}
        if not window:
            return
        held, most = await self._ask(list(sessions))
        queues: dict[str, deque[Part]] = {}
        refused: dict[str, str] = {}
        for one in sessions.values():
            try:
                queues[one.id] = deque(one.missing(held.get(one.id), most=most))
            except InvalidInput as error:
                refused[one.id] = str(error)
        for id_, queue in queues.items():
            self.report.held += not queue
            self.report.grown += bool(queue and id_ in held and queue[0].first > 1)
        refused.update(await self._deliver(queues, most))
        self.report.refused.extend((f"t:{id_}", why) for id_, why in refused.items())
        for file in window:
            self._note(file, sessions, refused)

    async def _deliver(self, queues: Mapping[str, deque[Part]], most: int) -> dict[str, str]:
        """Empty the queues, a part of each session at a time; why sessions were not taken."""
        refused: dict[str, str] = {}
        waiting = {id_ for id_, queue in queues.items() if queue}
        while waiting:
            load: list[tuple[str, Part]] = []
            room = most
            for id_ in sorted(waiting):
                size = wire.size_of(queues[id_][0].model_dump(mode="json"))
                if load and (size > room or len(load) == wire.MOST_PARTS):
                    break
                room -= size
                load.append((id_, queues[id_][0]))
            receipt = await self._remote.deliver([part for _, part in load])
            self.report.requests += 1
            self.report.bytes += most - room
            taken = self._count(receipt, dict(load))
            told = {each.id: each.reason for each in receipt.refused}
            for id_, _ in load:
                if id_ in taken:
                    queues[id_].popleft()
                else:
                    refused[id_] = told.get(id_, "it was not acknowledged")
                    queues[id_].clear()
                if not queues[id_]:
                    waiting.discard(id_)
                    self.report.sent += id_ in taken
        return refused

    def _count(self, receipt: Receipt, load: Mapping[str, Part]) -> set[str]:
        taken = {each.id for each in receipt.taken if each.id in load}
        self.report.steps += sum(len(load[id_].steps) for id_ in taken)
        self.report.masked_there += sum(each.masked for each in receipt.taken)
        return taken

    def _note(
        self, file: _File, sessions: Mapping[str, Outgoing], refused: Mapping[str, str]
    ) -> None:
        its = [one.id for one in file.found.sessions]
        why = {**file.refused, **{f"t:{id_}": refused[id_] for id_ in its if id_ in refused}}
        marks = {id_: sessions[id_].mark for id_ in its if id_ not in refused}
        self._memo.note(file.path, file.stamp, marks=marks, refused=why)

    async def _ask(self, ids: Sequence[str]) -> tuple[dict[str, Holding], int]:
        """What the bank holds of these sessions, and how much one delivery may be."""
        held: dict[str, Holding] = {}
        room = MOST_FILL
        for at in range(0, max(1, len(ids)), wire.MOST_IDS):
            told = await self._remote.holdings(tuple(ids[at : at + wire.MOST_IDS]))
            held.update(told.held)
            room = min(room, int(told.request_bytes * FILL))
        return held, room


def _stamps(paths: Sequence[Path]) -> dict[Path, Stamp]:
    """The transcripts that are there, as they are now."""
    return {path: stamp for path in paths if (stamp := Stamp.seen(path)) is not None}
