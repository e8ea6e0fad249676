"""resume: the host's own command that goes on with a past session."""

from collections.abc import Iterator
from pathlib import Path

import anyio.to_thread

from mcp_memory.domain import refs
from mcp_memory.domain.errors import UnknownRef
from mcp_memory.domain.models import Frozen
from mcp_memory.hosts.resuming import resumed_by
from mcp_memory.rooms import Rooms
from mcp_memory.search import spans
from mcp_memory.store.rows import SessionRow


class Resumed(Frozen):
    """How a session is gone on with."""

    ref: str
    host: str
    folder: str = ""
    """Where it was worked in; hosts look for their sessions there."""
    argv: tuple[str, ...] = ()
    """Empty where its host has no command that is known."""
    goal: str = ""
    notes: tuple[str, ...] = ()


async def resume(rooms: Rooms, text: str) -> Resumed:
    """The command for the session that a ref lies in; a sub-agent's leads to the one that started it.

    Raises:
        UnknownRef: it names no session.
    """
    ref = refs.parse(text)
    if ref.kind not in ("trajectory", "episode"):
        raise UnknownRef(text)
    row, seen = await spans.session(rooms, ref.id), set[str]()
    while row.parent and row.id not in seen:
        seen.add(row.id)
        try:
            row = await spans.session(rooms, row.parent)
        except UnknownRef:
            break
    argv = tuple(resumed_by(row.format, row.native_id, row.source_path))
    notes = await anyio.to_thread.run_sync(lambda: tuple(_doubts(row, known=bool(argv))))
    return Resumed(
        ref=f"t:{row.id}",
        host=row.format,
        folder=row.cwd,
        argv=argv,
        goal=row.title or row.goal,
        notes=notes,
    )


def _doubts(row: SessionRow, *, known: bool) -> Iterator[str]:
    """What may stand in its way."""
    if not known:
        yield "Its host has no command for that, or none is known."
        return
    path = Path(row.source_path)
    if path.is_absolute() and not path.exists():
        yield "Its host no longer has this transcript; it may not find the session."
    if row.cwd and not Path(row.cwd).is_dir():
        yield f"{row.cwd} is not on this machine."
