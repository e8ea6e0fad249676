"""Powers: actions that give something away: a download that is run, checks off, secrets out; pure.

A text is judged as it reads (`unmasking.view`), so that disguise and language matter less. Rules alone
do not generalise: which texts are judged, and who may bear them out, is lineage's to say.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ahocorasick_rs import AhoCorasick, Implementation

from mcp_memory.text import guard, unmasking
from mcp_memory.text.power_words import ASKS, RULES, Rule

APART = 60
"""A match may reach so much farther behind an anchor than its rule says."""
_ASKED = re.compile(rf"(?:{ASKS})\Z")
_PART = re.compile(r"\n|(?<=[.!?])\s+")
_NEGATED = re.compile(
    r"(?:\bnever|\bnot|n['\u2019]t|\bnor|\bavoid|\brefuses? to|\binstead of|\brather than|\bno need to"
    r"|\bnicht|\bkeine?|\bnie|\bne|\bjamais|\bnunca|\bn\u00e3o|\bnon|\bmai|\b\u043d\u0435|\u4e0d\u8981|\u5207\u52ff"
    r"|\u7981\u6b62|\u522b|\u4e0d\u5f97)"
    r"[ \t]{0,3}(?:[\w'\u2019*_`\"-]{0,14}[ \t]{1,3}){0,3}[`\"'(*]{0,3}\Z"
)
"""What before an action makes it a warning, with nothing but a few words between."""
_UNDONE = re.compile(r"(?:forget|hesitate|fail|worry|wait|bother|mind|be afraid|only|just)\b")
"""Words that turn a negation round: `do not hesitate to skip checks`."""


@dataclass(frozen=True, slots=True)
class _Anchored:
    """Rules by the words that each of their matches holds."""

    rules: tuple[Rule, ...]
    automaton: AhoCorasick
    by_anchor: tuple[int, ...]
    """The number of the rule that each anchor is of."""
    reaches: tuple[int, ...]
    """How near to each other two of a rule's anchors stand whose windows meet."""
    besides: tuple[AhoCorasick | None, ...]
    """The words of which each rule wants one near its anchor, looked for in one pass."""


def _anchored(rules: tuple[Rule, ...]) -> _Anchored:
    pairs = [(anchor, number) for number, rule in enumerate(rules) for anchor in rule.anchors]
    names = [anchor for anchor, _ in pairs]
    automaton = AhoCorasick(names, implementation=Implementation.DFA)
    reaches = tuple(rule.back + rule.ahead + APART for rule in rules)
    besides = tuple(
        AhoCorasick(rule.beside, implementation=Implementation.DFA) if rule.beside else None
        for rule in rules
    )
    return _Anchored(rules, automaton, tuple(number for _, number in pairs), reaches, besides)


_TABLE = _anchored(RULES)


def judged(text: str) -> tuple[str, ...]:
    """The kinds of power that a text gives away, in the order of the rules; none for most texts."""
    kinds = {rule.kind for view in unmasking.views(text) for rule in _found(view)}
    if not kinds:
        return ()
    return tuple(dict.fromkeys(rule.kind for rule in RULES if rule.kind in kinds))


def held(text: str) -> tuple[str, ...]:
    """Why a text of unsure origin is not told unasked: what it gives away, or that it instructs."""
    return (*judged(text), *(flag for flag in guard.inspect(text)))


def told(text: str) -> tuple[str, ...]:
    """The sentences or lines in which a text gives something away; all of it where they hide."""
    lines = (part.strip() for part in _PART.split(text))
    return tuple(line for line in lines if line and judged(line)) or (text,)


def _found(view: str) -> Iterator[Rule]:
    """The rules that hold somewhere, each looked for where its anchors stand and as far as it reaches."""
    windows: dict[int, list[list[int]]] = {}
    for anchor, at, _ in _TABLE.automaton.find_matches_as_indexes(view, overlapping=True):
        number = _TABLE.by_anchor[anchor]
        seen = windows.get(number)
        if seen is None:
            windows[number] = [[at, at]]
        elif at - seen[-1][1] <= _TABLE.reaches[number]:  # windows that meet are one
            seen[-1][1] = at
        else:
            seen.append([at, at])
    for number in sorted(windows):
        rule = _TABLE.rules[number]
        beside = _TABLE.besides[number]
        if any(_holds(rule, beside, view, first, last) for first, last in windows[number]):
            yield rule


def _holds(rule: Rule, beside: AhoCorasick | None, view: str, first: int, last: int) -> bool:
    """Whether a rule holds round anchors that stand from one place to another."""
    begin, end = max(0, first - rule.back), last + rule.ahead + APART
    if beside is not None and not beside.find_matches_as_indexes(view[begin:end]):
        return False
    found = rule.pattern.finditer(view, begin, end)
    return any(_counts(rule, view, match.start()) for match in found)


def _counts(rule: Rule, view: str, at: int) -> bool:
    """Whether what stands before a match lets it ask, and does not warn of it."""
    if rule.asked and not _ASKED.search(view, max(0, at - 70), at) and at > 0:
        return False
    return not _warned(view, at)


def _warned(view: str, at: int) -> bool:
    """Whether the words right before an action say not to do it."""
    before = view[max(0, at - 60) : at]
    negated = _NEGATED.search(before)
    return negated is not None and not _UNDONE.search(before, negated.start())
