"""Reading questions by name: what a command asks of an open bank, its own or a running server's."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, Protocol, TypeVar, runtime_checkable

from pydantic import BaseModel

from mcp_memory.bank import MemoryBank
from mcp_memory.domain import teams
from mcp_memory.domain.asked import Query, Reading, Task
from mcp_memory.domain.fetched import FetchResult
from mcp_memory.domain.hits import SearchResult
from mcp_memory.domain.models import Runbook
from mcp_memory.search.named.blame import Blame, blame
from mcp_memory.search.named.fix import Fixed, fix
from mcp_memory.search.named.how import Ways, how
from mcp_memory.search.named.project import check_project
from mcp_memory.search.named.restore import Restored, restore

Answer = TypeVar("Answer", Blame, Fixed, Ways)


@runtime_checkable
class Overlaid(Protocol):
    """A bank over another: both answer what sessions are asked by name."""

    async def told(
        self, name: teams.Told, asked: teams.About, own: Callable[[], Awaitable[Answer]]
    ) -> Answer:
        """What this bank says, and what the other knows more."""
        ...


async def read(bank: MemoryBank, name: str, asked: dict[str, Any]) -> BaseModel:
    """The answer to a reading question; nothing is changed but the counts of what was opened.

    Raises:
        InvalidInput: its project names none of the bank's.
        KeyError: there is no such question.
        TypeError, ValueError: it has other parts.
    """
    answer = READS[name]
    await check_project(bank.rooms, asked.get("project"))
    return await answer(bank, asked)


async def _search(bank: MemoryBank, asked: dict[str, Any]) -> SearchResult:
    return await bank.search(Query.model_validate(asked))


async def _recent(bank: MemoryBank, asked: dict[str, Any]) -> BaseModel:
    return await bank.recent(Query.model_validate(asked))


async def _fetch(bank: MemoryBank, asked: dict[str, Any]) -> FetchResult:
    return await bank.fetch(Reading.model_validate(asked))


async def _runbook(bank: MemoryBank, asked: dict[str, Any]) -> Runbook:
    return await bank.runbook(Task.model_validate(asked))


async def _blame(bank: MemoryBank, asked: dict[str, Any]) -> Blame:
    return await _told(bank, "blame", asked, partial(blame, bank.rooms, **asked))


async def _fix(bank: MemoryBank, asked: dict[str, Any]) -> Fixed:
    return await _told(bank, "fix", asked, partial(fix, bank.rooms, **asked))


async def _how(bank: MemoryBank, asked: dict[str, Any]) -> Ways:
    return await _told(bank, "how", asked, partial(how, bank.rooms, **asked))


async def _told(
    bank: MemoryBank,
    name: teams.Told,
    asked: Mapping[str, Any],
    own: Callable[[], Awaitable[Answer]],
) -> Answer:
    if not isinstance(bank, Overlaid):
        return await own()
    parts = {"about" if part == teams.ABOUT[name] else part: told for part, told in asked.items()}
    parts["about"] = str(parts["about"])[: teams.MOST_ASKED]
    return await bank.told(name, teams.About.model_validate(parts), own)


async def _restore(bank: MemoryBank, asked: dict[str, Any]) -> Restored:
    until = asked.get("until")
    moment = datetime.fromisoformat(until) if until else None
    return await restore(bank.rooms, **{**asked, "until": moment})


READS: Mapping[str, Callable[[MemoryBank, dict[str, Any]], Awaitable[BaseModel]]] = {
    "search": _search,
    "recent": _recent,
    "fetch": _fetch,
    "runbook": _runbook,
    "blame": _blame,
    "fix": _fix,
    "how": _how,
    "restore": _restore,
}
