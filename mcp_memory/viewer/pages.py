"""Pages: every address of the page with its endpoint, and what stands around each answer."""

from collections.abc import Awaitable, Callable, Mapping
from importlib.resources import files
from typing import cast

from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from mcp_memory.domain.errors import MemoryBankError, NotAllowed, UnknownRef
from mcp_memory.viewer import (
    administering,
    asking,
    deleting,
    mapping,
    memories,
    reviewing,
    sessions,
    timeline,
    today,
)
from mcp_memory.viewer.guarding import Guarded, Stranger
from mcp_memory.viewer.metrics import Metrics
from mcp_memory.viewer.rendering import bare
from mcp_memory.viewer.visiting import PREFIX, Visits

Endpoint = Callable[[Request], Awaitable[Response]]
_ADDRESSES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "today": ("/", ("GET",)),
    "timeline": ("/timeline", ("GET",)),
    "session": ("/session/{id}", ("GET",)),
    "steps": ("/steps", ("GET",)),
    "search": ("/search", ("GET",)),
    "memories": ("/memories", ("GET",)),
    "write": ("/memories", ("POST",)),
    "memory": ("/memory/{ref}", ("GET",)),
    "change": ("/memory/{ref}", ("POST",)),
    "undo": ("/undo/{batch}", ("POST",)),
    "review": ("/review", ("GET",)),
    "proposals": ("/proposals", ("GET",)),
    "accept": ("/proposals", ("POST",)),
    "map": ("/map", ("GET",)),
    "graph": ("/graph", ("GET",)),
    "delete": ("/delete", ("GET", "POST")),
    "admin": ("/admin", ("GET",)),
    "token": ("/admin", ("POST",)),
    "figures": ("/metrics", ("GET",)),
}


def build_pages(visits: Visits, entering: Mapping[str, Endpoint], metrics: Metrics) -> Mount:
    """All pages below one address; `entering` are those that a stranger may ask for."""
    built: dict[str, object] = {}
    for one in (today, timeline, sessions, asking, memories, reviewing, mapping, deleting):
        built |= one.build(visits)
    built |= administering.build(visits, metrics)
    static = StaticFiles(directory=str(files("mcp_memory.viewer") / "static"))
    routes = [
        Route(path, _answering(cast("Endpoint", built[name])), methods=list(methods), name=name)
        for name, (path, methods) in _ADDRESSES.items()
    ]
    doors = [Route(path, each, methods=["GET", "POST"]) for path, each in entering.items()]
    return Mount(
        PREFIX,
        routes=[*doors, Mount("/static", static), *routes, Route("/{rest:path}", _nowhere)],
        middleware=[Middleware(Guarded), Middleware(GZipMiddleware, minimum_size=1_000)],
    )


def _answering(endpoint: Endpoint) -> Endpoint:
    """An endpoint whose errors are pages that say what to do."""

    async def answered(request: Request) -> Response:
        try:
            return await endpoint(request)
        except Stranger:
            return RedirectResponse(f"{PREFIX}/enter", 303)
        except UnknownRef as error:
            return bare("trouble", status=404, title="Not here", told=str(error))
        except NotAllowed as error:
            return bare("trouble", status=403, title="Not yours to do", told=str(error))
        except MemoryBankError as error:
            return bare("trouble", status=422, title="Nothing was changed", told=str(error))

    return answered


async def _nowhere(_: Request) -> Response:
    return bare("trouble", status=404, title="Not here", told="There is no such page.")
