"""Progress: a call that takes long says so, again and again, until it is done or cancelled."""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import anyio
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext

from mcp_memory.server.callers import tenant
from mcp_memory.server.held import Banks

FIRST_SECONDS = 1.0
NEXT_SECONDS = 2.0


async def tell_progress(
    ctx: ServerRequestContext[Banks, Any], call_next: CallNext
) -> HandlerResult:
    """Middleware: tell of a tool call that goes on, to a client that asked to be told.

    How much is left is not known, so no total is given. Many hosts wait longer for a call that tells.
    """
    if ctx.method != "tools/call":
        return await call_next(ctx)
    whose = tenant()

    async def tell(_: anyio.CancelScope) -> None:
        await anyio.sleep(FIRST_SECONDS)
        seconds = FIRST_SECONDS
        while True:
            opened = ctx.lifespan_context.ready(whose)
            message = "at work" if opened else "opening the memory"
            await ctx.session.report_progress(seconds, None, f"{message}, {seconds:.0f} s")
            await anyio.sleep(NEXT_SECONDS)
            seconds += NEXT_SECONDS

    async with beside(tell):
        return await call_next(ctx)
    return None


@asynccontextmanager
async def beside(
    work: Callable[[anyio.CancelScope], Coroutine[Any, Any, None]],
) -> AsyncIterator[None]:
    """Run work in the background of a block, which it may cancel; it ends with the block.

    The block's own error comes out as it is, in no group.
    """
    error: Exception | None = None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(work, tasks.cancel_scope)
        try:
            yield
        except Exception as raised:  # noqa: BLE001 raised again just below
            error = raised
        finally:
            tasks.cancel_scope.cancel()
    if error is not None:
        raise error
