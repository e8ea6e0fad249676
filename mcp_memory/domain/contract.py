"""The contract of a bank: the verbs and what they promise; light, so that a server starts at once."""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol, Unpack

from mcp_memory.domain.asked import (
    ANYTHING,
    Filter,
    Manner,
    Planning,
    Query,
    Reading,
    Task,
)
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

Listable = Literal["sessions", "memories", "projects", "changes"]


class Bank(Protocol):
    """One open collection; every error is a `MemoryBankError` that says what to do next."""

    async def retain(self, draft: Draft) -> Retained:
        """Keep a memory; the same content from the same source has the same ref.

        Raises:
            InvalidInput: the text is empty or too long, or a ref is not one.
            UnknownRef: the superseded memory does not exist.
            GateRefused: a quote is not where it is said to be, or evidence does not exist.
        """
        ...

    async def feedback(self, used: Sequence[str], outcome: Outcome) -> Retained:
        """Record how it went when memories were used; counters belong to their words."""
        ...

    async def search(self, query: Query) -> SearchResult:
        """What bears on the questions, best first, or the nearest below the floor, named so.

        Without words, or asked only where work was left off: the newest sessions.
        """
        ...

    async def fetch(self, asked: Reading) -> FetchResult:
        """The text behind refs, which share a budget; what is left out is marked with its ref.

        `as_of`: of a memory what held then, of steps those made until then.

        Raises:
            UnknownRef: none of them names anything.
        """
        ...

    async def runbook(self, task: Task) -> Runbook:
        """Evidence-backed instructions for one task; every line is quoted and ends with its ref."""
        ...

    async def plan(self, asked: Planning = ANYTHING) -> Consolidation:
        """What may deserve a memory, or a second look, best first; nothing is changed."""
        ...

    async def apply(self, drafts: Sequence[Draft], *, retire: Sequence[str] = ()) -> Consolidation:
        """Keep memories and put others to rest, through the gate: all as one batch, or nothing.

        Raises:
            GateRefused: every fault of every memory is named.
        """
        ...

    async def undo(self, batch: str) -> Consolidation:
        """Take a batch of the ledger back, by a batch that can be undone itself.

        Raises:
            InvalidInput: it cannot be undone; only a purge never can.
        """
        ...

    async def delete(
        self, refs: Sequence[str], chosen: Filter | None = None, **how: Unpack[Manner]
    ) -> Deletion:
        """Preview, forget, restore or purge; a filter and a purge need the preview's `confirm`.

        Raises:
            InvalidInput: nothing is named, or it is not confirmed.
            UnknownRef: a ref names nothing, or the filter fits nothing.
        """
        ...

    async def listing(self, what: Listable, *, project: str = "*", limit: int = 50) -> list[Listed]:
        """Sessions, memories, projects or changes, newest first."""
        ...

    async def owners(self, texts: Sequence[str]) -> Mapping[str, str]:
        """The project that each ref belongs to; `*` for a batch that touched several.

        Raises:
            InvalidInput: one is not spelled like a ref.
            UnknownRef: one names nothing.
        """
        ...
