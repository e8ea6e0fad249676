"""Overlay: this machine's bank over a team's, asked as one; without a team's bank none of it is loaded."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeVar

import anyio

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain import paths, projects, refs, teams
from mcp_memory.domain.access import acting
from mcp_memory.domain.asked import Query, Reading
from mcp_memory.domain.errors import InvalidInput, MemoryBankError, UnknownRef, only
from mcp_memory.domain.fetched import FetchResult
from mcp_memory.domain.hits import SearchResult
from mcp_memory.remote import merging, others
from mcp_memory.remote.team import Heard, Team, name_of, open_team
from mcp_memory.rooms import Rooms
from mcp_memory.settings import Settings

BYTES_PER_TOKEN = 4
LEAST_TOKENS = 100
LEAST_SECONDS = 0.5
"""What the team is given once this machine's own answer is there, however long that took."""
OWN_CALLERS = frozenset({"", "local"})
"""Callers that are this machine's user; nobody else is lent the token for the team's bank."""
NOTHING = SearchResult(found=False)

T = TypeVar("T")


class Overlay(MemoryBank):
    """A bank whose `search`, `recent` and `fetch` ask the team's too; all else is its own alone."""

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
        heard: Heard[FetchResult] = Heard()
        with anyio.move_on_after(self._team.seconds) as waited:
            await self._team.hear("fetch", told, FetchResult, heard)
        if waited.cancelled_caught:
            self._team.rest()
        if heard.answer is None:
            return None
        items = others.opened(heard.answer)
        left = {*heard.answer.unknown, *(text for text in unknown if text not in wanted)}
        return FetchResult(items=items, unknown=tuple(left))

    async def _both(
        self, read: teams.Read, query: Query, ask_own: Callable[[], Awaitable[SearchResult]]
    ) -> SearchResult:
        """Both banks asked at once; this one's faults are raised, the other's are a note."""
        if not self._asks(query.project or self.rooms.project):
            return await ask_own()
        heard: Heard[SearchResult] = Heard()
        own: SearchResult | None = None
        fault: MemoryBankError | OSError | None = None
        begun = anyio.current_time()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._team.hear, read, self._theirs(query), SearchResult, heard)
            try:
                own = await ask_own()
            except (MemoryBankError, OSError, ExceptionGroup) as error:
                fault = only(error) if isinstance(error, ExceptionGroup) else error
                if not (query.within and isinstance(fault, UnknownRef)):
                    tasks.cancel_scope.cancel()
            # A bank that has just been opened keeps the loop busy: that is not the team's silence.
            latest = max(begun + self._team.seconds, anyio.current_time() + LEAST_SECONDS)
            tasks.cancel_scope.deadline = latest
        if tasks.cancel_scope.cancelled_caught and fault is None:
            self._team.rest()
        if own is None and (fault is None or heard.answer is None or query.within == ""):
            raise fault or UnknownRef(query.within)
        own = own or NOTHING
        if heard.answer is None:
            return own.model_copy(update={"notes": (*own.notes, *filter(None, (heard.note,)))})
        theirs = await others.fit(self.rooms, heard.answer)
        room = (query.budget_tokens or self.rooms.settings.search_tokens) * BYTES_PER_TOKEN
        return merging.merged(own, theirs, query, room=room)

    def _asks(self, project: str) -> bool:
        """Whether the team's bank is asked: by this machine's user, of a project that it is for."""
        named = project if project == projects.EVERY else self.rooms.identities().asked(project)
        return _users_own() and self._team.answers_for(named)

    def _theirs(self, query: Query) -> Query:
        """The question as it leaves: the project by its folder's name, a file by its place in it."""
        project = query.project or self.rooms.project
        path = paths.relative(query.path, (self.rooms.project,)) if query.path else ""
        name = project if project in {projects.EVERY, projects.USER} else name_of(project)
        return query.model_copy(update={"project": name, "path": path, "explain": False})


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
