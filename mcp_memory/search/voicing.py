"""Voicing: a hit's text out of the passages that are told of it, and whose words these are."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from json.encoder import encode_basestring_ascii

from mcp_memory.domain.hits import Hit
from mcp_memory.search import passages
from mcp_memory.search.passages import Passage
from mcp_memory.search.telling import GAP, Told
from mcp_memory.text import guard

LINE_CHARS, MEMORY_CHARS = 110, 300
"""How long a line is; a memory was written to be read, so that its line holds most of it."""
REFUSED = "[refused by the user]"
"""Stands after words of a step whose edit or command its user refused: it reads like done otherwise."""
HEAD_SHOWN = 30


def length(passage: Passage) -> int:
    """The bytes that a passage takes of an answer's JSON."""
    # As `json.dumps` tells them, without asking each time how.
    head = len(encode_basestring_ascii(passage.head)) + 1 if passage.head else 0
    return len(encode_basestring_ascii(passage.text)) + head + (len(REFUSED) + 2) * passage.refused


def joined(hit: Hit, few: Sequence[Told]) -> Hit:
    """The hit with passages of its record in their order, each head once, gaps marked."""
    parts: list[str] = []
    above, last = "", -1
    for one in few:
        head = one.passage.head
        if head not in (above, "", one.passage.text):
            # The head of an output is its command, which may stand above it whole.
            if not any(part.startswith(head[:HEAD_SHOWN]) for part in parts):
                parts.append(f"{head}:" if head[-1:].isalnum() else head)
        elif parts and one.place != last + 1:
            parts.append(GAP)
        parts.append(one.passage.text)
        above, last = head, one.place
    if any(one.passage.refused for one in few):
        parts.append(REFUSED)
    return _said(hit, guard.neutralise("\n".join(parts)), (one.passage for one in few))


def line(hit: Hit, cut: Sequence[Passage], told: Passage | None, stems: Sequence[str]) -> Hit:
    """The hit with the line of its record that tells most, on its own.

    `told`: the passage that tells most, where any tells; `stems`: of the question's words.
    """
    best = told or next(iter(cut), None)
    if best is None:
        return hit
    if best.kind == "memory":
        return _said(hit, guard.neutralise(passages.one_line(best.text, MEMORY_CHARS)), ())
    mark = f" {REFUSED}" if best.refused else ""
    return _said(hit, f"{guard.neutralise(brief(best, stems).text)}{mark}", (best,))


def brief(passage: Passage, stems: Sequence[str]) -> Passage:
    """The line of a passage that tells most, or of a long one its telling part; without its head."""
    lines = passage.text.splitlines()
    counts = [sum(map(each.__contains__, stems)) for each in passage.text.lower().splitlines()]
    at = counts.index(max(counts)) if any(counts) else 0
    return replace(passage, text=_around(lines[at], stems) if lines else "", head="")


def _said(hit: Hit, text: str, of: Iterable[Passage]) -> Hit:
    """A hit with its text; its source is the least trusted of those whose words are told."""
    whose = [one.by for one in of if one.by is not None]
    source = min(whose, key=lambda each: each.trust, default=hit.source)
    return hit.model_copy(update={"text": text, "source": source})


def _around(whole: str, stems: Sequence[str]) -> str:
    """A line, or of a long one the part from shortly before its first telling word."""
    flat = " ".join(whole.split())
    if len(flat) <= LINE_CHARS:
        return flat
    low = flat.lower()
    at = min((place for one in stems if (place := low.find(one)) >= 0), default=0)
    begin = 0 if at < LINE_CHARS // 2 else flat.rfind(" ", 0, at - LINE_CHARS // 4) + 1
    return f"{GAP * (begin > 0)}{passages.one_line(flat[begin:], LINE_CHARS)}"
