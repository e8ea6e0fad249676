"""Reading questions by name: what a command asks of an open bank, its own or a running server's."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from mcp_memory.bank import MemoryBank
from mcp_memory.domain.asked import Query, Reading, Task
from mcp_memory.domain.fetched import FetchResult
from mcp_memory.domain.hits import SearchResult
from mcp_memory.domain.models import Runbook
from mcp_memory.search.named.blame import Blame, blame
from mcp_memory.search.named.fix import Fixed, fix
from mcp_memory.search.named.how import Ways, how
from mcp_memory.search.named.project import check_project
from mcp_memory.search.named.restore import Restored, restore


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
    return await blame(bank.rooms, **asked)


async def _fix(bank: MemoryBank, asked: dict[str, Any]) -> Fixed:
    return await fix(bank.rooms, **asked)


async def _how(bank: MemoryBank, asked: dict[str, Any]) -> Ways:
    return await how(bank.rooms, **asked)


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
