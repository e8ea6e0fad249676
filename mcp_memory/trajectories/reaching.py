"""Forgetting: what a deletion reaches, what its absence checks look for, and what stays of it."""

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice

from mcp_memory.domain import refs
from mcp_memory.domain.models import Evidence, Frozen

QUOTED_WORDS = 8
"""So many consecutive words of a purged text make a memory a quotation of it."""
NEEDLE_CHARS, LEAST_NEEDLE, MOST_NEEDLE = 24, 8, 80
NEEDLES_PER_TEXT = 4
VARIETY = 6
"""Different characters that a needle has at least: a ruled line tells nothing."""

_CJK = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_WORD = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+")
# JSON writes these characters in another way, so that a stored copy would not match them.
_ESCAPED = re.compile(r"[\"\\\x00-\x1f\x7f\ud800-\udfff]+")


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
    """Every weakened memory to those of its evidence refs that nothing is left of."""


def reach(
    targets: Sequence[Target],
    memories: Sequence[MemoryView],
    *,
    spans: Mapping[str, tuple[int, int]] | None = None,
) -> Reach:
    """What goes with the targets, and what only loses evidence.

    A memory that rests on a target goes with it when its text repeats eight consecutive words of
    the deleted text, when a quote field of its occurs there, or when no live evidence is left.
    Evidence that loses some of its steps stays, but its memory is weakened.
    `spans`: first and last step of each episode that a memory cites, by `e:….n`.
    """
    direct = tuple(dict.fromkeys(target.ref for target in targets))
    deleted = _Deleted(targets, spans or {})
    cascade: list[str] = []
    lost: dict[str, tuple[str, ...]] = {}
    for memory in memories:
        touched = [cited for cited in memory.evidence if deleted.share(cited.ref) > 0]
        derived = touched or memory.supersedes in direct
        if memory.ref in direct or not derived:
            continue
        gone = tuple(cited.ref for cited in touched if deleted.share(cited.ref) == 1)
        left = [c for c in memory.evidence if c.ref not in gone and c.ref not in memory.gone]
        orphaned = bool(gone) and not left
        if orphaned or deleted.quoted_by(memory, touched):
            cascade.append(memory.ref)
        elif touched:
            lost[memory.ref] = tuple(dict.fromkeys(gone))
    return Reach(direct=direct, cascade=tuple(cascade), weakened=tuple(lost), lost=lost)


class _Deleted:
    """The steps and words of all targets together."""

    def __init__(self, targets: Sequence[Target], spans: Mapping[str, tuple[int, int]]) -> None:
        self._spans = spans
        self._ranges: dict[str, list[tuple[int, int | None]]] = {}
        self._texts = [_folded(target.text) for target in targets]
        self._shingles = {shingle for target in targets for shingle in _shingles(target.text)}
        for target in targets:
            session, first, last = _range(target.ref, target.first, target.last)
            if session:
                self._ranges.setdefault(session, []).append((first, last))

    def share(self, ref: str) -> float:
        """How much of a piece of evidence is deleted: 0, 1, or something between."""
        session, first, last = _range(ref, *self._spans.get(ref, (None, None)))
        inside = [
            (max(first, a), _least(last, b))
            for a, b in self._ranges.get(session, ())
            if (last is None or a <= last) and (b is None or first <= b)
        ]
        if not inside:
            return 0.0
        return 1.0 if _covers(inside, first, last) else 0.5

    def quoted_by(self, memory: MemoryView, touched: Iterable[Evidence]) -> bool:
        """Whether the memory repeats deleted words, in its text or in a quote."""
        quotes = (_folded(cited.quote) for cited in touched if cited.quote.strip())
        if any(quote in text for quote in quotes for text in self._texts):
            return True
        return any(shingle in self._shingles for shingle in _shingles(memory.text))


def _range(ref: str, first: int | None, last: int | None) -> tuple[str, int, int | None]:
    """Session, first and last step of a ref; None: to the end; a memory has no session."""
    parsed = refs.parse(ref)
    if parsed.kind not in {"trajectory", "episode"}:
        return "", 1, None
    if parsed.kind == "trajectory":
        first, last = parsed.first, parsed.last or parsed.first
    return parsed.id, first or 1, last


def _least(a: int | None, b: int | None) -> int | None:
    ends = [end for end in (a, b) if end is not None]
    return min(ends) if ends else None


def _covers(ranges: Iterable[tuple[int, int | None]], first: int, last: int | None) -> bool:
    """Whether ranges together leave no step between first and last."""
    following: int | None = first
    for start, end in sorted(ranges, key=lambda each: each[0]):
        if following is None or start > following:
            break
        following = None if end is None else max(following, end + 1)
    return following is None or (last is not None and following > last)


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _shingles(text: str) -> Iterator[tuple[str, ...]]:
    words = _WORD.findall(text.casefold())
    return zip(*(words[start:] for start in range(QUOTED_WORDS)), strict=False)


def needles(
    texts: Iterable[str], *, survives: Callable[[str], bool], limit: int = 200
) -> list[str]:
    """Pieces of purged texts that an absence check looks for, at most `limit`, each once.

    Up to four windows a text of 24 to 80 characters, spread from its beginning to its end, free
    of characters that JSON escapes; a text with no such window gives its longest piece of 8 or
    more. What survives elsewhere by right is left out: finding it would prove nothing.
    """
    found: dict[str, None] = {}
    for text in texts:
        telling = (piece for piece in _windows(text) if piece not in found and not survives(piece))
        found.update(dict.fromkeys(islice(telling, NEEDLES_PER_TEXT)))
        if len(found) >= limit:
            break
    return list(found)[:limit]


def _windows(text: str) -> Iterator[str]:
    """Candidates for needles: from evenly spread places first, then all others."""
    pieces = [piece.strip() for piece in _ESCAPED.split(text)]
    long = [piece for piece in pieces if len(piece) >= NEEDLE_CHARS]
    if not long:
        long = sorted(pieces, key=len, reverse=True)[:1]
    cut = [
        window
        for piece in long
        for start in range(0, len(piece), MOST_NEEDLE)
        if _telling(window := piece[start : start + MOST_NEEDLE].strip(), whole=len(long) == 1)
    ]
    stride = max(1, len(cut) // NEEDLES_PER_TEXT)
    for offset in range(stride):
        yield from cut[offset::stride]


def _telling(window: str, *, whole: bool) -> bool:
    least = LEAST_NEEDLE if whole else NEEDLE_CHARS
    return len(window) >= least and len(set(window)) >= VARIETY


def spoken(text: str) -> str:
    """What the words of a memory are buried under: the same whoever says them, and how they are set."""
    return f"spoken:{_folded(text)}"


def tombstone(key: bytes, text: str) -> str:
    """A keyed hash (HMAC-SHA-256, hex) by which purged content is known again but not told."""
    return hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
