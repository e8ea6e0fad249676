"""Overlay: this machine's bank over a team's, asked as one; without a team's bank none of it is loaded."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import anyio
from pydantic import BaseModel

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain import paths, projects, refs, teams
from mcp_memory.domain.access import acting
from mcp_memory.domain.asked import Inspection, Query, Reading, Task
from mcp_memory.domain.errors import InvalidInput, MemoryBankError, UnknownRef, only
from mcp_memory.domain.fetched import FetchResult
from mcp_memory.domain.hits import SearchResult
from mcp_memory.domain.models import Runbook
from mcp_memory.remote import advice, experience, merging, others
from mcp_memory.remote.team import Heard, Team, name_of, open_team
from mcp_memory.rooms import Rooms
from mcp_memory.runbook import asking
from mcp_memory.settings import Settings

BYTES_PER_TOKEN = 4
LEAST_TOKENS = 100
LEAST_SECONDS = 0.5
"""What the team is given once this machine's own answer is there, however long that took."""
OWN_CALLERS = frozenset({"", "local"})
"""Callers that are this machine's user; nobody else is lent the token for the team's bank."""
NOTHING = SearchResult(found=False)

T = TypeVar("T")
Lent = TypeVar("Lent", bound=BaseModel)
Asked = TypeVar("Asked", Query, Task, teams.About)


class Overlay(MemoryBank):
    """A bank whose reading questions ask the team's too; all else is its own."""

    def __init__(self, rooms: Rooms, team: Team) -> None:
        super().__init__(rooms)
        self._team = team

    async def search(self, query: Query) -> SearchResult:
        """What bears on the questions here and at the team's bank, best first."""
        return await self._both("search", query, partial(super().search, query))

    async def recent(self, query: Query) -> SearchResult:
        """The newest sessions here and at the team's bank."""
        return await self._both("recent", query, partial(super().recent, query))

    async def fetch(self, asked: Reading) -> FetchResult:
        """The text behind refs; what is unknown here is asked of the team's bank."""
        own, unknown, fault = None, asked.refs, None
        try:
            own = await super().fetch(asked)
            unknown = own.unknown
        except UnknownRef as error:
            fault = error
        theirs = await self._fetched(asked, unknown, own) if unknown and _users_own() else None
        if theirs is None or not theirs.items:
            if own is None:
                raise fault or UnknownRef(asked.refs[0][:80])
            return own
        left = tuple(text for text in unknown if text in theirs.unknown)
        items = (*(own.items if own else ()), *theirs.items)
        return FetchResult(folder=own.folder if own else None, items=items, unknown=left)

    async def runbook(self, task: Task) -> Runbook:
        """Instructions for one task from both banks, the team's lines labelled."""
        if not self._asks(task.project or self.rooms.project) or asking.names_nothing(task):
            return await super().runbook(task)
        heard: Heard[Runbook] = Heard()
        ask_team = partial(self._team.hear, "runbook", self._theirs(task), Runbook, heard)
        own, fault = await self._at_once(
            "runbook", partial(asking.gather, self.rooms, task), ask_team
        )
        if own is None:
            raise fault or MemoryBankError("The runbook was called off.")
        if heard.answer is not None:
            every = await advice.beside(self.rooms, own, heard.answer)
        else:
            every = replace(own, notes=(*own.notes, *filter(None, (heard.note,))))
        made = asking.put_together(self.rooms, every)
        await asking.note_shown(self.rooms, made, own)
        return made

    async def told(
        self,
        name: teams.Told,
        asked: teams.About,
        own: Callable[[], Awaitable[experience.Experience]],
    ) -> experience.Experience:
        """What this machine's sessions say of an error, a purpose or a file, and then the team's."""
        if not self._asks(asked.project or self.rooms.project):
            return await own()
        heard: Heard[Any] = Heard()
        kind = experience.KINDS[name]
        ask_team = partial(self._team.hear, name, self._theirs(asked), kind, heard)
        found, fault = await self._at_once(name, own, ask_team)
        if found is None:
            raise fault or MemoryBankError("The question was called off.")
        if heard.answer is None:
            return experience.noted(found, *filter(None, (heard.note,)))
        return await experience.beside(self.rooms, found, heard.answer, asked.limit)

    async def inspect(self, ref: str, asked: Inspection) -> str:
        """Steps of a session; of one that is unknown here, as the team's bank has them."""
        try:
            return await super().inspect(ref, asked)
        except UnknownRef:
            known = await others.known_here(self.rooms, [_bare(ref)])
            if known or not _users_own():
                raise
            looking = teams.Looking(ref=ref, asked=asked)
            shown = await self._lent("inspect", looking, teams.Steps)
            if shown is None:
                raise
        return others.shown(shown.text, asked.cap)

    async def _lent(self, read: teams.Read, asked: teams.Asked, kind: type[Lent]) -> Lent | None:
        """What the team's bank answers in its time."""
        heard: Heard[Lent] = Heard()
        with anyio.move_on_after(self._team.seconds) as waited:
            await self._team.hear(read, asked, kind, heard)
        if waited.cancelled_caught:
            self._team.rest(read)
        return heard.answer

    async def _fetched(
        self, asked: Reading, unknown: Sequence[str], own: FetchResult | None
    ) -> FetchResult | None:
        """What the team's bank has behind refs that this machine never knew."""
        known = await others.known_here(self.rooms, [_bare(text) for text in unknown])
        wanted = tuple(text for text in unknown if _bare(text) not in known)
        if not wanted:
            return None
        spent = sum(len(item.text.encode()) for item in own.items) if own else 0
        whole = asked.budget_tokens or self.rooms.settings.fetch_tokens
        rest = max(LEAST_TOKENS, whole - spent // BYTES_PER_TOKEN)
        told = asked.model_copy(update={"refs": wanted, "budget_tokens": rest})
        answer = await self._lent("fetch", told, FetchResult)
        if answer is None:
            return None
        items = others.opened(answer)
        left = {*answer.unknown, *(text for text in unknown if text not in wanted)}
        return FetchResult(items=items, unknown=tuple(left))

    async def _both(
        self, read: teams.Read, query: Query, ask_own: Callable[[], Awaitable[SearchResult]]
    ) -> SearchResult:
        """Both banks asked at once; this one's faults are raised, the other's are a note."""
        if not self._asks(query.project or self.rooms.project):
            return await ask_own()
        heard: Heard[SearchResult] = Heard()
        ask_team = partial(self._team.hear, read, self._theirs(query), SearchResult, heard)
        own, fault = await self._at_once(
            read, ask_own, ask_team, waits=lambda each: bool(query.within) and _unknown(each)
        )
        if own is None and (fault is None or heard.answer is None or query.within == ""):
            raise fault or UnknownRef(query.within)
        own = own or NOTHING
        if heard.answer is None:
            return own.model_copy(update={"notes": (*own.notes, *filter(None, (heard.note,)))})
        theirs = await others.fit(self.rooms, heard.answer)
        room = (query.budget_tokens or self.rooms.settings.search_tokens) * BYTES_PER_TOKEN
        return merging.merged(own, theirs, query, room=room)

    async def _at_once(
        self,
        read: teams.Read,
        ask_own: Callable[[], Awaitable[T]],
        ask_team: Callable[[], Coroutine[Any, Any, None]],
        *,
        waits: Callable[[Exception], bool] = lambda _: False,
    ) -> tuple[T | None, Exception | None]:
        """What this bank answers, or why it does not, while the team is asked no longer than it may be.

        `waits`: whether the team is heard although this bank has no answer.
        """
        own: T | None = None
        fault: Exception | None = None
        begun = anyio.current_time()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask_team)
            try:
                own = await ask_own()
            except (MemoryBankError, OSError, ExceptionGroup) as error:
                fault = only(error) if isinstance(error, ExceptionGroup) else error
                if not waits(fault):
                    tasks.cancel_scope.cancel()
            # A bank that has just been opened keeps the loop busy: that is not the team's silence.
            latest = max(begun + self._team.seconds, anyio.current_time() + LEAST_SECONDS)
            tasks.cancel_scope.deadline = latest
        if tasks.cancel_scope.cancelled_caught and fault is None:
            self._team.rest(read)
        return own, fault

    def _asks(self, project: str) -> bool:
        """Whether the team's bank is asked: by this machine's user, of a project that it is for."""
        named = project if project == projects.EVERY else self.rooms.identities().asked(project)
        return _users_own() and self._team.answers_for(named)

    def _theirs(self, asked: Asked) -> Asked:
        """The question as it leaves: the project by its folder's name, a file by its place in it."""
        project = asked.project or self.rooms.project
        name = project if project in {projects.EVERY, projects.USER} else name_of(project)
        if isinstance(asked, Task):
            files = tuple(map(self._placed, asked.files))
            return asked.model_copy(update={"project": name, "files": files})
        if isinstance(asked, teams.About):
            return asked.model_copy(update={"project": name})
        return asked.model_copy(
            update={"project": name, "path": self._placed(asked.path), "explain": False}
        )

    def _placed(self, path: str) -> str:
        return paths.relative(path, (self.rooms.project,)) if path else ""


def _unknown(fault: Exception) -> bool:
    return isinstance(fault, UnknownRef)


def _users_own() -> bool:
    """Whether this machine's user asks, and not a caller of its server nor another bank."""
    return acting.get() in OWN_CALLERS and not teams.alone.get()


def _bare(text: str) -> str:
    """A ref without the place in a step at which reading goes on."""
    try:
        ref = refs.parse(text.partition("@")[0])
    except InvalidInput:
        return text
    return f"t:{ref.id}" if ref.kind in {"trajectory", "episode"} else str(ref)


@asynccontextmanager
async def open_overlaid(
    settings: Settings, *, cwd: str | None = None, actor: str = "library"
) -> AsyncIterator[MemoryBank]:
    """The bank in `settings.home` over the team's at `settings.team_url`.

    Raises:
        StoreTooNew: a newer version wrote this machine's.
        StoreUnreadable: its files are damaged.
    """
    async with open_team(settings, clock=time.monotonic) as team:
        build = partial(Overlay, team=team)
        async with open_bank(settings, cwd=cwd, actor=actor, build=build) as bank:
            yield bank
