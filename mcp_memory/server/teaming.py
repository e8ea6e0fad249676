"""Teaming: the routes by which a team's people ask their bank from beside their own."""

import logging
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Protocol, cast

import anyio.to_thread
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mcp_memory.domain import teams
from mcp_memory.domain.access import OWNER, Person
from mcp_memory.domain.asked import Inspection, Query, Reading, Task
from mcp_memory.domain.contract import Bank
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.hits import SearchResult
from mcp_memory.domain.models import Draft, Retained
from mcp_memory.server.app import Guard
from mcp_memory.server.callers import EVERYTHING, Caller, shown_access
from mcp_memory.server.held import Banks
from mcp_memory.server.sharing import body_of, guarded, told_as_json

logger = logging.getLogger(__name__)


class Remembering(Bank, Protocol):
    """A bank that tells where work was left off, and whose rooms a review works in."""

    rooms: Any

    def silent(self) -> AbstractAsyncContextManager[None]:
        """Hooks say nothing while memories change; what they say, and files, are made anew after."""
        ...

    async def recent(self, query: Query) -> SearchResult:
        """The newest sessions as they were left, within what the query says."""
        ...

    async def inspect(self, ref: str, asked: Inspection) -> str:
        """Steps of a session within a cap of characters."""
        ...


class Teammate(Caller):
    """A team's bank as one of its people may use it from beside a bank of their own."""

    async def answer(self, question: teams.Question) -> BaseModel:
        """Needs `read`.

        Raises:
            InvalidInput: the question has the parts of another.
        """
        match question.read, question.asked:
            case "search", Query() as query:
                return await self.search(query)
            case "recent", Query() as query:
                return await self.recent(query)
            case "fetch", Reading() as asked:
                return await self.fetch(asked)
            case "runbook", Task() as task:
                return await self.runbook(task)
            case ("fix" | "how" | "blame") as name, teams.About() as about:
                return await self.told(name, about)
            case "inspect", teams.Looking() as looking:
                return await self.inspect(looking)
        raise InvalidInput("These are the parts of another question.", next_step="Ask anew.")

    async def recent(self, query: Query) -> SearchResult:
        """Needs `read`."""
        async with self._entered("read") as lent:
            bank = cast("Remembering", lent)
            project = await self._readable(bank, query.project)
            return await bank.recent(query.model_copy(update={"project": project}))

    async def told(self, name: teams.Told, asked: teams.About) -> BaseModel:
        """Needs `read`."""
        async with self._entered("read") as lent:
            from mcp_memory.server.reads import read

            project = await self._readable(lent, asked.project)
            parts = {teams.ABOUT[name]: asked.about, "project": project, "limit": asked.limit}
            return await read(cast("Any", lent), name, parts)

    async def inspect(self, looking: teams.Looking) -> teams.Steps:
        """Needs `read`; a ref of another project is as unknown as one that does not exist."""
        async with self._entered("read") as lent:
            await self._owned(lent, (looking.ref,))
            cap = min(looking.asked.cap, teams.MOST_CAP)
            asked = looking.asked.model_copy(update={"cap": cap})
            return teams.Steps(text=await cast("Remembering", lent).inspect(looking.ref, asked))

    async def propose(self, draft: Draft) -> Retained:
        """Needs `write`."""
        async with self._entered("write") as lent:
            # Loaded here, for the bank is open by now: not before a server's handshake.
            from mcp_memory.memories import promotion

            bank = cast("Remembering", lent)
            bounded = await self._bounded(bank, draft)
            return await promotion.propose(bank.rooms, bounded, by=self._person)

    async def decide(self, decision: teams.Decision) -> Retained:
        """Needs `approve`."""
        async with self._entered("approve") as lent:
            from mcp_memory.memories import promotion

            bank = cast("Remembering", lent)
            await self._owned(bank, (decision.ref,))
            async with bank.silent():
                return await promotion.decide(bank.rooms, decision.ref, decision, by=self._person)

    async def proposals(self, project: str | None) -> teams.Proposals:
        """Needs `read`."""
        async with self._entered("read") as lent:
            from mcp_memory.memories import promotion

            bank = cast("Remembering", lent)
            one = await self._readable(bank, project)
            bounds = None if one in {None, EVERYTHING} else [str(one)]
            return teams.Proposals(waiting=await promotion.waiting(bank.rooms, bounds))

    async def audit(self, since: datetime | None, start: int) -> BaseModel:
        """Needs `admin`, and a token that is bound to no project: who did what is of the whole bank."""
        async with self._entered("admin") as lent:
            from mcp_memory.memories import auditing

            bank = cast("Remembering", lent)
            if await self._bounds(bank) is not None:
                raise self._outside("the changes of the whole bank")
            tenant = self._access.tenant if self._access else ""
            tokens = await anyio.to_thread.run_sync(self._banks.tokens, tenant)
            entries = await auditing.audit(bank.rooms, since, tokens=tokens)
            logger.info("the audit was told to %s", self._person.id)
            return auditing.part(entries, start)

    @property
    def _person(self) -> Person:
        return self._access.person if self._access else OWNER


class Teaming:
    """Answers the people of a team, each as its token lets it."""

    def __init__(self, banks: Banks) -> None:
        self._banks = banks

    async def questions(self, request: Request) -> Response:
        """A reading question, answered by this bank alone."""
        question = teams.Question.model_validate(body_of(await request.body()))
        marked = teams.alone.set(True)
        try:
            return told_as_json(await self._teammate().answer(question))
        finally:
            teams.alone.reset(marked)

    async def propose(self, request: Request) -> Response:
        """A memory, as a proposal."""
        proposed = teams.Proposed.model_validate(body_of(await request.body()))
        return told_as_json(await self._teammate().propose(proposed.draft))

    async def proposals(self, request: Request) -> Response:
        """What waits for a decision."""
        project = request.query_params.get("project")
        return told_as_json(await self._teammate().proposals(project))

    async def audit(self, request: Request) -> Response:
        """Who did what when to which refs, a part of it."""
        asked = teams.Audit.model_validate(dict(request.query_params))
        return told_as_json(await self._teammate().audit(asked.since, asked.start))

    async def decide(self, request: Request) -> Response:
        """A proposal, approved or declined."""
        decision = teams.Decision.model_validate(body_of(await request.body()))
        return told_as_json(await self._teammate().decide(decision))

    def _teammate(self) -> Teammate:
        return Teammate(self._banks, shown_access(self._banks))


def team_routes(banks: Banks, guard: Guard) -> list[Route]:
    """The routes, each behind the same token check as the protocol's own."""
    teaming = Teaming(banks)
    return [
        Route(path, guarded(answer, guard), methods=[method])
        for path, method, answer in (
            (teams.QUESTIONS, "POST", teaming.questions),
            (teams.PROPOSE, "POST", teaming.propose),
            (teams.PROPOSALS, "GET", teaming.proposals),
            (teams.DECISIONS, "POST", teaming.decide),
            (teams.AUDIT, "GET", teaming.audit),
        )
    ]
