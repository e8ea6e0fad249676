"""Exact: the passages in which a regular expression holds."""

import time
from collections.abc import Iterable, Sequence

from mcp_memory.search import expressions
from mcp_memory.search.passages import LONGEST, Passage
from mcp_memory.search.telling import Told

SECONDS, SECONDS_IN_ALL = 0.05, 0.25
"""What one passage may cost, and all: the store has matched in linear time, this reader may not."""


def with_lines(
    expression: str, records: Sequence[Sequence[Passage]], texts: Iterable[str]
) -> list[list[Passage]]:
    """Each record's passages; where none holds what matched, the line of its text that does, too.

    What an edit left as it was, or stands in the middle of a very long text, is in no passage.
    """
    finder = _Finder(expression)
    return [_with_line(finder, cut, text) for cut, text in zip(records, texts, strict=True)]


def _with_line(finder: "_Finder", cut: Sequence[Passage], text: str) -> list[Passage]:
    if any(finder.found(passage.text) for passage in cut):
        return list(cut)
    looked = ((line, finder.found(line)) for line in text.splitlines())
    line, held = next(((line, held) for line, held in looked if held), ("", ""))
    if not line:
        return list(cut)
    begin = max(0, line.casefold().find(held) - LONGEST // 4)
    return [*cut, Passage("output", line[begin : begin + LONGEST].strip())]


def told(
    expression: str, records: Sequence[Sequence[Passage]], scores: Sequence[float]
) -> list[Told]:
    """The passages with a line that matches, in the order of their records."""
    finder = _Finder(expression)
    made = []
    for record, cut in enumerate(records):
        for place, passage in enumerate(cut):
            held = finder.found(passage.text)
            if held:
                made.append(Told(record, place, passage, scores[record], frozenset({held})))
    return made


class _Finder:
    """Looks for an expression; a hostile one is given up, also where each look alone is quick."""

    def __init__(self, expression: str) -> None:
        import regex  # its searches can be given an end, which those of `re` cannot

        self._find = regex.compile(expressions.stored(expression))
        self._left = SECONDS_IN_ALL

    def found(self, text: str) -> str:
        """What matches, folded; nothing where looking takes too long."""
        if self._left <= 0:
            return ""
        begun = time.perf_counter()
        try:
            match = self._find.search(text, timeout=min(SECONDS, self._left))
        except TimeoutError:
            return ""
        finally:
            self._left -= time.perf_counter() - begun
        return match[0].casefold() if match else ""
