"""Page: one memory as it is opened: its words, what it rests on, and whether that still holds."""

from collections.abc import Sequence

from mcp_memory.domain import validity
from mcp_memory.domain.models import Memory, State
from mcp_memory.memories import freshness, linked, succession
from mcp_memory.rooms import Rooms
from mcp_memory.search import uses

MOST_LINKED = 6


async def of(rooms: Rooms, versions: Sequence[Memory]) -> str:
    """The newest version at length, what came before and after it, and what its versions changed."""
    newest = versions[-1]
    live = newest.state is State.LIVE
    looked = (await freshness.of_memories(rooms, (newest,))).get(newest.ref, ()) if live else ()
    now = "; ".join(map(str, looked))
    use = " · ".join((await uses.of(rooms, (newest.ref,)))[newest.ref].told())
    tied = (await linked.to(rooms, (newest,)))[0].get(newest.ref, ())[:MOST_LINKED]
    told = (
        *_told(newest),
        f"Now: {now}" if now else "",
        f"Use: {use}" if use else "",
        f"Linked: {', '.join(map(str, tied))}" if tied else "",
    )
    page = "\n".join(line for line in told if line)
    history = succession.told(await succession.line(rooms, newest), newest.ref)
    made = tuple(succession.versions(versions)) if len(versions) > 1 else ()
    parts = (page, "\n".join(("History:", *history)) if history else "", "\n".join(made))
    return "\n\n".join(part for part in parts if part)


def _told(memory: Memory) -> tuple[str, ...]:
    return (
        (
            f"{memory.kind.value} \u00b7 {memory.standing.value} \u00b7 {memory.state.value} \u00b7 "
            f"version {memory.version} \u00b7 learned {validity.day(memory.created_at)} \u00b7 "
            f"holds {validity.spell(memory)}"
        ),
        memory.title,
        memory.text,
        f"When to use: {memory.when_to_use}" if memory.when_to_use else "",
        f"Not when: {memory.not_when}" if memory.not_when else "",
        f"Files: {', '.join(memory.files)}" if memory.files else "",
        f"Superseded by {memory.superseded_by}" if memory.superseded_by else "",
        f"Challenged by {' '.join(memory.challenged_by)}" if memory.challenged_by else "",
        f"Supersedes {memory.supersedes}" if memory.supersedes else "",
        memory.review.told if memory.review else "",
        *(f"Evidence: {cited.ref} {cited.quote}".rstrip() for cited in memory.evidence),
    )
