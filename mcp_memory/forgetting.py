"""Forgetting: what a deletion reaches, what its absence checks look for, and what stays of it."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from mcp_memory.models import Evidence, Frozen


class Target(Frozen):
    """One record to delete: `t:…` (a session), `t:…#a-b`, `e:….n` or `m:…`."""

    ref: str
    text: str = ""
    """Its words; what quotes them goes with it."""
    first: int | None = None
    last: int | None = None
    """Step numbers of an episode, which its ref does not tell."""


class MemoryView(Frozen):
    """What forgetting needs to know of a memory."""

    ref: str
    text: str
    """All its words: title, text and conditions."""
    evidence: tuple[Evidence, ...] = ()
    gone: tuple[str, ...] = ()
    """Refs of evidence that is no longer live already."""
    supersedes: str | None = None


class Reach(Frozen):
    """What a deletion means for memories."""

    direct: tuple[str, ...]
    """All refs asked for."""
    cascade: tuple[str, ...] = ()
    """Memories that go with them."""
    weakened: tuple[str, ...] = ()
    """Memories that lose evidence and return to candidate."""
    lost: Mapping[str, tuple[str, ...]] = {}
    """Weakened memory to the evidence refs that nothing is left of."""


def reach(
    targets: Sequence[Target],
    memories: Sequence[MemoryView],
    *,
    spans: Mapping[str, tuple[int, int]] | None = None,
) -> Reach:
    """What goes with the targets, and what only loses evidence.

    `spans`: first and last step of each episode that a memory cites, by `e:….n`.
    """
    raise NotImplementedError


def needles(
    texts: Iterable[str], *, survives: Callable[[str], bool], limit: int = 200
) -> list[str]:
    """Pieces of purged texts that an absence check looks for, in bytes as stored."""
    raise NotImplementedError


def tombstone(key: bytes, text: str) -> str:
    """A keyed hash (HMAC-SHA-256, hex) by which purged content is known again but not told."""
    raise NotImplementedError


def is_tombstoned(key: bytes, text: str, marks: Collection[str]) -> bool:
    """Whether this content was purged."""
    raise NotImplementedError
