"""Superseding: when one memory puts another to rest, and when it only stands beside it; pure."""

from mcp_memory.domain import validity
from mcp_memory.domain.models import Memory, State
from mcp_memory.memories import likeness


def following(memory: Memory, **changes: object) -> Memory:
    """The next version of a memory, with these fields changed; versions are never rewritten."""
    return memory.model_copy(update={**changes, "version": memory.version + 1})


def again(earlier: Memory | None) -> dict[str, object]:
    """What a next version keeps of the one before, where its words are kept once more.

    A proposal waits for its reviewer however much bears it out since, and an approved one stands.
    """
    if earlier is None:
        return {}
    kept: dict[str, object] = {
        "version": earlier.version + 1,
        "challenged_by": earlier.challenged_by,
    }
    review = earlier.review if earlier.state is State.LIVE else None
    if review is not None and review.decision != "declined":
        kept |= {"review": review, "standing": earlier.standing}
    return kept


def overtaken(older: Memory, newer: Memory) -> Memory | None:
    """The next version of what a memory supersedes or challenges; None where nothing changes.

    A weaker memory leaves the older one live and is named beside it, as its challenger.
    """
    left = tuple(ref for ref in older.challenged_by if ref != newer.ref)
    if older.state is State.LIVE and not newer.outweighs(older):
        changes: dict[str, object] = {"challenged_by": (*left, newer.ref)}
    else:
        changes = {
            "state": State.SUPERSEDED,
            "superseded_by": newer.ref,
            "challenged_by": left,
            "rested_at": validity.rests(older, newer),
        }
    if all(getattr(older, name) == value for name, value in changes.items()):
        return None
    return following(older, **changes)


def fault(ref: str, older: Memory, successor: str) -> str:
    """Why a memory cannot be superseded by this one; empty where it can.

    `successor`: the live memory that superseded it, if any.
    """
    if older.ref == ref:
        return f"{ref} says just this already: it cannot supersede itself."
    if older.state is State.FORGOTTEN:
        return f"{older.ref} is forgotten: leave `supersedes` out, or restore it first."
    if successor not in {"", ref}:
        return f"{older.ref} was superseded by {successor} already: supersede {successor}."
    return ""


def comes_before(newer: Memory, older: Memory) -> str:
    """That a memory tells of an earlier time, and otherwise, than what it would supersede; else empty."""
    if newer.valid_from is not None:
        mine, its = newer.valid_from, validity.begins(older)
    elif newer.last_seen is not None and older.last_seen is not None:
        mine, its = newer.last_seen, older.last_seen
    else:
        return ""
    if mine >= its or not likeness.otherwise(newer.text, older.text):
        return ""
    return (
        f"{older.ref} tells of {validity.day(its)}, and this of {validity.day(mine)}: what is older "
        "supersedes nothing. Cite what showed it since, or say valid_to instead of supersedes."
    )


def remarks(older: Memory, newer: Memory) -> tuple[str, ...]:
    """What the writer of a memory should know of what it wanted to supersede."""
    if older.state is not State.LIVE or newer.outweighs(older):
        return ()
    need = "the user's own words" if newer.standing == older.standing else "a quorum"
    beside = f"{older.ref} still stands, and this is shown beside it as its challenger"
    return (f"{beside}: to supersede it, {need} must bear this out.",)


def why_not_again(memory: Memory) -> tuple[str, ...]:
    """Why a memory that is said again was not changed; nothing where it is live."""
    if memory.state is not State.SUPERSEDED:
        return ()
    if memory.superseded_by:
        how = f"to take that back, retain it with supersedes={memory.superseded_by}"
        return (f"It was superseded by {memory.superseded_by} and stays so: {how}.",)
    return ("It was retired and stays so: delete(mode=restore) brings it back.",)
