"""Administering: a shared server's banks, senders, tokens and load, and its figures for Prometheus."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from mcp_memory.domain.access import SCOPES, AccessTokens, Wanted
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.memories import listing
from mcp_memory.store.rows import PUSHED
from mcp_memory.viewer import fields
from mcp_memory.viewer.metrics import Metrics
from mcp_memory.viewer.rendering import page
from mcp_memory.viewer.visiting import Visit, Visits

MOST_DAYS = 3_650


def build(visits: Visits, metrics: Metrics) -> Mapping[str, object]:
    """The endpoints of this page by name."""

    async def admin(request: Request) -> Response:
        async with visits(request) as visit:
            visit.must_administer()
            return await _admin(request, visit, metrics, made="")

    async def token(request: Request) -> Response:
        async with visits(request) as visit:
            visit.must_administer()
            visit.must("admin", whole=True)
            return await _admin(request, visit, metrics, made=await _token(request, visit))

    async def figures(request: Request) -> Response:
        async with visits(request) as visit:
            visit.must_administer()
            status = await listing.status(visit.bank.rooms)
            return PlainTextResponse(
                metrics.told(status), media_type="text/plain; version=0.0.4; charset=utf-8"
            )

    return {"admin": admin, "token": token, "figures": figures}


async def _admin(request: Request, visit: Visit, metrics: Metrics, *, made: str) -> Response:
    rooms = visit.bank.rooms
    tokens = AccessTokens(rooms.settings.access_dir)
    now = datetime.now(UTC)
    listed = await anyio.to_thread.run_sync(tokens.listed)
    return page(
        request,
        visit,
        "admin",
        status=await listing.status(rooms),
        tokens=[(each, each.standing(now)) for each in reversed(listed)],
        scopes=SCOPES,
        made=made,
        load=metrics.load(),
        senders=await _senders(visit),
    )


async def _senders(visit: Visit) -> list[tuple[str, int]]:
    """Who pushed sessions here, and how many, the busiest first."""
    rows = await visit.bank.rooms.store.catalogue()
    pushed = [row.source_path for row in rows if row.source_path.startswith(PUSHED)]
    names = (path.removeprefix(PUSHED).partition("?")[0] for path in pushed)
    return Counter(names).most_common()


async def _token(request: Request, visit: Visit) -> str:
    """Make or revoke a token; a new one is told this once."""
    form = await request.form()
    tokens, now = AccessTokens(visit.bank.rooms.settings.access_dir), datetime.now(UTC)
    if revoked := str(form.get("revoke", "")):
        await anyio.to_thread.run_sync(lambda: tokens.revoke(revoked, now=now))
        await visit.bank.rooms.store.tell()
        return ""
    days = str(form.get("days", ""))
    scope = next((one for one in SCOPES if one == form.get("scope")), None)
    if scope is None or (days and not 0 < fields.number(days, otherwise=0) <= MOST_DAYS):
        raise InvalidInput("Scope or days cannot be read.", next_step="Use the page's form.")
    wanted = Wanted(
        name=str(form.get("name", "")).strip(),
        scope=scope,
        projects=fields.refs(str(form.get("projects", ""))),
        expires_at=now + timedelta(days=int(days)) if days else None,
    )
    _, token = await anyio.to_thread.run_sync(lambda: tokens.make(wanted, now=now))
    await visit.bank.rooms.store.tell()
    return token
