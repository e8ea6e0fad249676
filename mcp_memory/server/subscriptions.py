"""Subscriptions: who listens hears of changes in its own tenant's bank, and of no other."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import anyio
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.subscriptions import (
    SUBSCRIPTION_ID_META_KEY,
    InMemorySubscriptionBus,
    ResourcesListChanged,
    ResourceUpdated,
    ServerEvent,
)
from mcp.types import SubscriptionsListenResult

from mcp_memory.server.callers import tenant
from mcp_memory.server.held import Banks
from mcp_memory.server.progress import beside

CHANGING = frozenset({"retain", "consolidate", "delete"})
_NAMES = ("ref", "refs", "cascade", "weakened")
_KINDS = {"m": "memory", "e": "episode", "t": "trajectory"}


class TenantBus:
    """The SDK's bus, one a tenant: a change is told where the request came from that made it."""

    def __init__(self) -> None:
        self._buses: dict[str, InMemorySubscriptionBus] = {}

    async def publish(self, event: ServerEvent) -> None:
        """Tell the listeners of the tenant whose request is being answered."""
        bus = self._buses.get(tenant())
        if bus is not None:
            await bus.publish(event)

    def subscribe(self, listener: Callable[[ServerEvent], None]) -> Callable[[], None]:
        """Listen to the tenant whose request is being answered."""
        return self._buses.setdefault(tenant(), InMemorySubscriptionBus()).subscribe(listener)

    async def announce(
        self, ctx: ServerRequestContext[Banks, Any], call_next: CallNext
    ) -> HandlerResult:
        """Middleware: after a call that changed something, tell what."""
        result = await call_next(ctx)
        params = ctx.params or {}
        if ctx.method == "tools/call" and params.get("name") in CHANGING:
            told, arguments = _told(result), params.get("arguments") or {}
            for uri in dict.fromkeys(_changed(told, arguments)) if told else ():
                await self.publish(ResourceUpdated(uri=uri))
            if told:
                await self.publish(ResourcesListChanged())
        return result


async def end_with_the_server(
    ctx: ServerRequestContext[Banks, Any], call_next: CallNext
) -> HandlerResult:
    """Middleware: a listener's stream ends, with its result, when the server stops."""
    if ctx.method != "subscriptions/listen":
        return await call_next(ctx)

    async def end(scope: anyio.CancelScope) -> None:
        await ctx.lifespan_context.stopping.wait()
        scope.cancel()

    async with beside(end):
        return await call_next(ctx)
    assert ctx.request_id is not None
    return SubscriptionsListenResult(_meta={SUBSCRIPTION_ID_META_KEY: ctx.request_id})


def _told(result: HandlerResult) -> Mapping[str, Any]:
    """What a tool answered, whether the SDK has put it into its wire form yet or not."""
    if isinstance(result, Mapping):
        return result.get("structuredContent") or {}
    return getattr(result, "structured_content", None) or {}


def _changed(told: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    """Addresses of the records that an answer names, and of the memory that was superseded."""
    named = [told.get(name) or () for name in _NAMES]
    texts = [arguments.get("supersedes") or ()]
    for each in (*named, *texts):
        for ref in (each,) if isinstance(each, str) else each:
            kind, _, id_ = str(ref).partition(":")
            if kind in _KINDS:
                yield f"{_KINDS[kind]}://{id_.partition('#')[0]}"
