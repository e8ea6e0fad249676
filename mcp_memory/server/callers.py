"""Callers: what each may do, verb by verb and project by project; the only way from a tool to a bank."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Unpack, cast

import anyio
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken

from mcp_memory.domain import projects
from mcp_memory.domain.access import Access, Scope, acting
from mcp_memory.domain.asked import ANYTHING, Filter, Manner, Planning, Query, Reading, Task
from mcp_memory.domain.contract import Bank, Listable
from mcp_memory.domain.errors import NotAllowed, TookTooLong, UnknownRef
from mcp_memory.domain.fetched import FetchResult
from mcp_memory.domain.hits import SearchResult
from mcp_memory.domain.models import (
    Consolidation,
    Deletion,
    Draft,
    Listed,
    Outcome,
    Retained,
    Runbook,
)
from mcp_memory.server.held import Banks

EVERYTHING = "*"
ANSWER_SECONDS = 55.0
"""How long an answer that only reads may take: most hosts give a call up after a minute."""


class Verified(AccessToken):
    """The SDK's verified token, with what it allows here."""

    access: Access


class Caller(Bank):
    """A bank as one caller may use it; without `access` it is a local one, who may do everything.

    Every verb may raise, besides its own errors, `NotAllowed`: the access does not reach so far.
    """

    def __init__(self, banks: Banks, access: Access | None) -> None:
        self._banks = banks
        self._access = access

    async def search(self, query: Query) -> SearchResult:
        """Needs `read`."""
        async with self._reading() as bank:
            project = await self._readable(bank, query.project)
            return await bank.search(query.model_copy(update={"project": project}))

    async def fetch(self, asked: Reading) -> FetchResult:
        """Needs `read`; a ref of another project is as unknown as one that does not exist."""
        async with self._reading() as bank:
            found = await bank.fetch(asked)
            bounds = await self._bounds(bank)
            if bounds is None:
                return found
            shown = tuple(item for item in found.items if item.project in (*bounds, projects.USER))
            if not shown:
                raise UnknownRef(asked.refs[0][:80])
            named = (*found.unknown, *(i.ref for i in found.items if i not in shown))
            return found.model_copy(update={"items": shown, "unknown": named})

    async def runbook(self, task: Task) -> Runbook:
        """Needs `read`."""
        async with self._reading() as bank:
            project = await self._readable(bank, task.project)
            return await bank.runbook(task.model_copy(update={"project": project}))

    async def retain(self, draft: Draft) -> Retained:
        """Needs `write`; where what others write is reviewed, it is a proposal."""
        async with self._entered("write") as bank:
            bounded = await self._bounded(bank, draft)
            if self._access is None or not self._reviewed:
                return await bank.retain(bounded)
            # Loaded here, for the bank is open by now: not before a server's handshake.
            from mcp_memory.memories import promotion

            rooms = cast("Any", bank).rooms
            return await promotion.propose(rooms, bounded, by=self._access.person)

    async def feedback(self, used: Sequence[str], outcome: Outcome) -> Retained:
        """Needs `write`."""
        async with self._entered("write") as bank:
            await self._owned(bank, used)
            return await bank.feedback(used, outcome)

    async def plan(self, asked: Planning = ANYTHING) -> Consolidation:
        """Needs `read`."""
        async with self._entered("read") as bank:
            project = await self._readable(bank, asked.project)
            return await bank.plan(asked.model_copy(update={"project": project}))

    async def apply(self, drafts: Sequence[Draft], *, retire: Sequence[str] = ()) -> Consolidation:
        """Needs `write`; where what others write is reviewed, `approve`."""
        async with self._entered("approve" if self._reviewed else "write") as bank:
            await self._owned(bank, retire)
            bounded = [await self._bounded(bank, draft) for draft in drafts]
            return await bank.apply(bounded, retire=retire)

    async def undo(self, batch: str) -> Consolidation:
        """Needs `admin`: a batch may be anybody's."""
        async with self._entered("admin") as bank:
            await self._owned(bank, (batch,))
            return await bank.undo(batch)

    async def delete(
        self, refs: Sequence[str], chosen: Filter | None = None, **how: Unpack[Manner]
    ) -> Deletion:
        """Needs `admin`, for a preview as well."""
        async with self._entered("admin") as bank:
            await self._owned(bank, refs)
            if chosen is not None and await self._bounds(bank) is not None:
                project = await self._writable(bank, chosen.project or None)
                chosen = chosen.model_copy(update={"project": project})
            return await bank.delete(refs, chosen, **how)

    async def listing(self, what: Listable, *, project: str = "*", limit: int = 50) -> list[Listed]:
        """Needs `read`, for changes `admin`."""
        async with self._entered("admin" if what == "changes" else "read") as bank:
            bounds = await self._bounds(bank)
            if bounds is None:
                return await bank.listing(what, project=project, limit=limit)
            if what == "projects":
                return [each for each in await bank.listing(what) if each.ref in bounds]
            if what == "changes":
                raise self._outside("the changes of the whole bank")
            found = [
                each
                for one in bounds
                for each in await bank.listing(what, project=one, limit=limit)
            ]
            return found[:limit]

    async def owners(self, texts: Sequence[str]) -> Mapping[str, str]:
        """Needs `read`."""
        async with self._entered("read") as bank:
            await self._owned(bank, texts)
            return await bank.owners(texts)

    @property
    def _reviewed(self) -> bool:
        """Whether what this caller writes waits for somebody who may approve."""
        return self._banks.reviewed and not (self._access is None or self._access.holds("approve"))

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[Bank]:
        """Entered to read; given up while the host still listens, so that it hears why."""
        with anyio.move_on_after(ANSWER_SECONDS) as answering:
            async with self._entered("read") as bank:
                yield bank
        if answering.cancelled_caught:
            raise TookTooLong(ANSWER_SECONDS)

    @asynccontextmanager
    async def _entered(self, scope: Scope) -> AsyncIterator[Bank]:
        access = self._access
        if access is not None and not access.holds(scope):
            raise NotAllowed(
                f"this token may {access.scope}; the call needs `{scope}`.",
                next_step="Go on without it, or ask the bank's owner for another token.",
            )
        tenant = access.tenant if access else ""
        async with self._banks.lent(tenant, writes=scope != "read") as bank:
            marked = acting.set(access.caller if access else "")
            try:
                yield bank
            finally:
                acting.reset(marked)

    async def _bounds(self, bank: Bank) -> tuple[str, ...] | None:
        """The projects it reaches, as the bank spells them; None for all."""
        if self._access is None or not self._access.projects:
            return None
        known = [each.ref for each in await bank.listing("projects")]
        return tuple(projects.resolve(name, known) or name for name in self._access.projects)

    async def _readable(self, bank: Bank, asked: str | None) -> str | None:
        """The project to look in: a remote caller stands in none, so all of the bank's are meant."""
        bounds = await self._bounds(bank)
        if bounds is None:
            return asked or (EVERYTHING if self._access else None)
        return self._within(bounds, asked)

    async def _writable(self, bank: Bank, asked: str | None) -> str | None:
        """The project to write to; a remote caller must say which, unless only one is open to it."""
        if self._access is None:
            return asked
        bounds = await self._bounds(bank)
        if bounds is not None:
            return self._within(bounds, asked)
        if not asked:
            raise NotAllowed(
                "over the network nothing says which project this belongs to.",
                next_step="Name it in `project` (its folder's name will do), or 'user'.",
            )
        return asked

    def _within(self, bounds: tuple[str, ...], asked: str | None) -> str:
        if not asked and len(bounds) == 1:
            return bounds[0]
        within = projects.resolve(asked, bounds) if asked else None
        if within is None:
            raise self._outside("that project")
        return within

    async def _bounded(self, bank: Bank, draft: Draft) -> Draft:
        cited = [each.ref for each in draft.evidence]
        await self._owned(bank, [*cited, *filter(None, (draft.supersedes,))])
        return draft.model_copy(update={"project": await self._writable(bank, draft.project)})

    async def _owned(self, bank: Bank, texts: Sequence[str]) -> None:
        """Refuse what is not the caller's, in the words for what does not exist."""
        bounds = await self._bounds(bank)
        if bounds is None or not texts:
            return
        for text, owner in (await bank.owners(texts)).items():
            if owner not in bounds:
                raise UnknownRef(text[:80])

    def _outside(self, what: str) -> NotAllowed:
        reached = ", ".join(self._access.projects) if self._access else ""
        return NotAllowed(
            f"this token does not reach {what}.",
            next_step=f"Name one of its projects in `project`: {reached}.",
        )


def caller(banks: Banks) -> Caller:
    """Who makes the request that is being answered.

    Raises:
        NotAllowed: the server is guarded, and nothing says who it is.
    """
    return Caller(banks, shown_access(banks))


def shown_access(banks: Banks) -> Access | None:
    """What the maker of the request that is being answered may do; None for a local one.

    Raises:
        NotAllowed: the server is guarded, and nothing says who it is.
    """
    token = get_access_token()
    if isinstance(token, Verified):
        return token.access
    if token is not None or banks.guarded:
        raise NotAllowed("nothing says who is calling.", next_step="Send an access token.")
    return None


def tenant() -> str:
    """Whose bank the request that is being answered is about."""
    token = get_access_token()
    return token.access.tenant if isinstance(token, Verified) else ""
