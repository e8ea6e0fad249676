"""Deleting: what a deletion reaches, shown first; then forgotten, brought back or purged."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from mcp_memory.domain.asked import DeletionMode, Filter
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.models import Deletion
from mcp_memory.viewer import fields
from mcp_memory.viewer.rendering import page
from mcp_memory.viewer.visiting import Visit, Visits

_MODES: tuple[DeletionMode, ...] = ("preview", "forget", "restore", "purge")


def build(visits: Visits) -> Mapping[str, object]:
    """The endpoints of this page by name."""

    async def delete(request: Request) -> Response:
        async with visits(request) as visit:
            return await _delete(request, visit)

    return {"delete": delete}


async def _delete(request: Request, visit: Visit) -> Response:
    """The form; with refs or words the preview of what they reach; posted, the receipt."""
    posted = request.method == "POST"
    given = await request.form() if posted else request.query_params
    named = fields.refs(str(given.get("refs", "")))
    contains = str(given.get("contains", ""))
    mode: DeletionMode = "preview"
    if posted:
        mode = next((one for one in _MODES if one == given.get("mode")), mode)
    seen: Deletion | None = None
    if named or contains:
        visit.must("admin")
        if mode == "purge" and str(given.get("sure", "")) != "purge":
            raise InvalidInput(
                "A purge cannot be taken back, and was not confirmed; nothing was changed.",
                next_step="Type the word purge into its field.",
            )
        seen = await _asked(visit, named, contains, mode, str(given.get("confirm", "")))
    return page(
        request, visit, "delete", seen=seen, refs=" ".join(named), contains=contains, mode=mode
    )


async def _asked(
    visit: Visit, named: tuple[str, ...], contains: str, mode: DeletionMode, confirm: str
) -> Deletion:
    for ref, owner in (await visit.bank.owners(named)).items() if named else ():
        visit.must_see(owner, ref)
    chosen = Filter(contains=contains) if contains else None
    if chosen is not None and visit.access.projects:
        raise InvalidInput(
            "A token of some projects deletes by ref.", next_step="Name the refs instead."
        )
    return await visit.bank.delete(named, chosen, mode=mode, confirm=confirm)
