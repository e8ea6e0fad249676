"""Resources: memories, episodes and sessions by address, a list of the newest, and completions."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError
from mcp.types import (
    Completion,
    CompletionArgument,
    CompletionContext,
    ListResourcesResult,
    PromptReference,
    Resource,
    ResourceTemplateReference,
)

from mcp_memory.domain.asked import Reading
from mcp_memory.domain.contract import Listable
from mcp_memory.domain.errors import InvalidInput, MemoryBankError, NotAllowed, UnknownRef
from mcp_memory.domain.models import Listed
from mcp_memory.server.callers import caller, tenant
from mcp_memory.server.held import Banks
from mcp_memory.text import cutting

MARKDOWN = "text/markdown"
LISTED = 25
"""How many memories, and how many sessions, are listed: the newest; templates reach all."""
MOST_VALUES = 100
"""The protocol's limit of a completion."""
LOOKED_AT = 1_000
TITLE_CHARS = 80

Reference = ResourceTemplateReference | PromptReference
Read = Callable[..., Awaitable[str]]


async def memory(id: str, ctx: Context[Banks, Any]) -> str:  # noqa: A002 the template's word
    """A memory with its versions and its evidence; the id is its ref without `m:`."""
    return await _read(ctx, f"m:{id}")


async def episode(id: str, ctx: Context[Banks, Any]) -> str:  # noqa: A002 the template's word
    """One attempt at one goal, step by step; the id is its ref without `e:`."""
    return await _read(ctx, f"e:{id}")


async def trajectory(id: str, ctx: Context[Banks, Any], steps: str = "") -> str:  # noqa: A002
    """A session, or the steps 12-15 of it; the id is its ref without `t:`."""
    return await _read(ctx, f"t:{id}#{steps}" if steps else f"t:{id}")


@dataclass(frozen=True, slots=True)
class Template:
    """A kind of address, what reads it, and which listing its ids are completed from."""

    uri: str
    read: Read
    title: str
    listed: Listable


TEMPLATES: tuple[Template, ...] = (
    Template("memory://{id}", memory, "A memory", "memories"),
    Template("episode://{id}", episode, "An episode", "sessions"),
    Template("trajectory://{id}{?steps}", trajectory, "A session, or steps of it", "sessions"),
)


async def list_newest(ctx: ServerRequestContext[Banks, Any], call_next: CallNext) -> HandlerResult:
    """Middleware: `resources/list` with the newest records, empty until the bank is open.

    Hosts list resources while they start: the answer must not wait for the store.
    """
    if ctx.method != "resources/list" or not ctx.lifespan_context.ready(tenant()):
        return await call_next(ctx)
    bank = caller(ctx.lifespan_context)
    try:
        memories = await bank.listing("memories", limit=LISTED)
        sessions = await bank.listing("sessions", limit=LISTED)
    except MemoryBankError:
        return await call_next(ctx)
    return ListResourcesResult(
        resources=[
            *(_listed("memory", each) for each in memories if "forgotten" not in each.marks),
            *(_listed("trajectory", each) for each in sessions if "forgotten" not in each.marks),
        ]
    )


async def complete(
    banks: Banks,
    ref: Reference,
    argument: CompletionArgument,
    context: CompletionContext | None,
) -> Completion | None:
    """Values that go on from what was typed: ids by their letters or their title, and projects."""
    del context
    bank, typed = caller(banks), argument.value.strip().casefold()
    if isinstance(ref, PromptReference):
        if argument.name != "project":
            return None
        known = await bank.listing("projects", limit=LOOKED_AT)
        return _values([each.ref for each in known if typed in each.ref.casefold()])
    template = next((each for each in TEMPLATES if each.uri == ref.uri), None)
    if template is None or argument.name != "id":
        return None
    found = await bank.listing(template.listed, limit=LOOKED_AT)
    ids = [each.ref.partition(":")[2] for each in found if _fits(each, typed)]
    # An episode's id is its session's, with its number: the first is always there.
    return _values([f"{id_}.1" for id_ in ids] if template.read is episode else ids)


async def _read(ctx: Context[Banks, Any], ref: str) -> str:
    from mcp_memory.server.answers import as_text  # its patterns cost start-up time

    try:
        found = await caller(ctx.request_context.lifespan_context).fetch(Reading(refs=(ref,)))
    except (UnknownRef, InvalidInput, NotAllowed) as error:
        raise ResourceNotFoundError(str(error)) from error
    except MemoryBankError as error:
        raise ResourceError(str(error)) from error
    return as_text(found)


def _listed(kind: str, record: Listed) -> Resource:
    title = cutting.head(" ".join(record.title.split()), TITLE_CHARS) or record.ref
    return Resource(
        uri=f"{kind}://{record.ref.partition(':')[2]}",
        name=record.ref,
        title=title,
        description=" \u00b7 ".join((record.project, *record.marks)),
        mime_type=MARKDOWN,
    )


def _fits(record: Listed, typed: str) -> bool:
    id_ = record.ref.partition(":")[2]
    return id_.startswith(typed.partition(".")[0]) or typed in record.title.casefold()


def _values(values: list[str]) -> Completion:
    return Completion(
        values=values[:MOST_VALUES], total=len(values), has_more=len(values) > MOST_VALUES
    )
