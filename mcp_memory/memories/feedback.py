"""feedback: how it went when memories were used, noted in the ledger."""

from collections.abc import Sequence

from mcp_memory.domain import refs
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.models import Outcome, Retained
from mcp_memory.rooms import Rooms
from mcp_memory.search import spans
from mcp_memory.text.counting import counted


async def feedback(rooms: Rooms, used: Sequence[str], outcome: Outcome) -> Retained:
    """Record that memories were used and how it went; counters belong to their words.

    Raises:
        InvalidInput: a ref names no memory.
        UnknownRef: a memory does not exist.
    """
    memories = []
    for text in dict.fromkeys(used):
        ref = refs.parse(text)
        if ref.kind != "memory":
            raise InvalidInput(
                f"{text} is not a memory.", next_step="Feedback goes to memories, m:…."
            )
        memories.append(await spans.current(rooms, str(ref)))
    keys = tuple(f"{memory.ref}@{memory.version}" for memory in memories)
    batch = await rooms.store.note("feedback", refs=keys, inverse={"outcome": outcome.value})
    first = memories[0]
    return Retained(
        ref=first.ref,
        version=first.version,
        standing=first.standing,
        created=False,
        notes=(
            f"Feedback recorded for {counted(len(keys), 'memory', 'memories')}: {outcome.value}.",
        ),
        batch=batch,
    )
