"""Exact: the passages in which a regular expression holds."""

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import islice

from mcp_memory.search import expressions, telling
from mcp_memory.search.passages import LONGEST, Passage
from mcp_memory.search.telling import Told

MOST_FOUND = 20
"""How much of what an expression finds in one passage is looked at."""
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
    expression: str,
    records: Sequence[Sequence[Passage]],
    ranks: Sequence[float],
    asked: Sequence[Told] = (),
) -> list[Told]:
    """The passages in which the expression holds; ties in their order.

    `asked`: the passages that hold words of the question, by which those that match are told; what
    matches counts by how few passages hold it, as of an agent's alternatives some are everywhere.
    Without a question they stand in the order of their records.
    """
    finder = _Finder(expression)
    held = {
        (record, place): found
        for record, cut in enumerate(records)
        for place, passage in enumerate(cut)
        if (found := finder.all_of(passage.text))
    }
    if not asked:
        return [
            Told(record, place, records[record][place], ranks[record], found)
            for (record, place), found in held.items()
        ]
    by_words = {(one.record, one.place): one for one in asked}
    rare = telling.rarities(sum(map(len, records)), held.values())
    made = []
    for (record, place), found in held.items():
        passage = records[record][place]
        one = by_words.get((record, place)) or telling.untold(record, place, passage, ranks[record])
        score = one.score + math.fsum(rare[each] for each in found)
        made.append(replace(one, score=score, terms=one.terms | found))
    return sorted(made, key=lambda one: (-one.score, one.record, one.place))


class _Finder:
    """Looks for an expression; a hostile one is given up, also where each look alone is quick."""

    def __init__(self, expression: str) -> None:
        import regex  # its searches can be given an end, which those of `re` cannot

        self._find = regex.compile(expressions.stored(expression))
        self._left = SECONDS_IN_ALL

    def found(self, text: str) -> str:
        """What matches first, folded; nothing where looking takes too long."""
        return next(iter(self._matches(text, 1)), "")

    def all_of(self, text: str) -> frozenset[str]:
        """All that matches, each once; nothing where looking takes too long."""
        return frozenset(filter(None, self._matches(text, MOST_FOUND)))

    def _matches(self, text: str, most: int) -> list[str]:
        if self._left <= 0:
            return []
        begun = time.perf_counter()
        try:
            found = self._find.finditer(text, timeout=min(SECONDS, self._left))
            return [match[0].casefold() for match in islice(found, most)]
        except TimeoutError:
            return []
        finally:
            self._left -= time.perf_counter() - begun
