"""Redaction: secrets in a text replaced by `[masked:family]`; everything else is left as it was."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ahocorasick_rs import AhoCorasick, Implementation
from pydantic import JsonValue

from mcp_memory.text import disguises
from mcp_memory.text.redaction_rules import KEYS, RULES_VERSION, Rule
from mcp_memory.text.secret_places import PLACES
from mcp_memory.text.secret_values import looks_random, looks_secret, made_up

__all__ = ["RULES_VERSION", "Redacted", "found", "pair", "redact", "redact_value"]

WINDOW = 128 * 1024
"""Longer texts are taken in pieces, so that no single match holds the interpreter for long."""
_OVERLAP = 18 * 1024
_JOIN_REACH = 250
"""How far behind its start a key may go on in other lines or quotes."""
_BESIDE = 400
"""Longer values are judged by what they hold only, not by their key."""
_BROKEN = re.compile(r"[A-Za-z0-9_\-+/=.]{6,}+[\n\r\\\"'=]")
"""A key that may go on behind a line's end or a quote; shorter beginnings are words."""
MOST_TRIES = 4
"""A rule is tried so often within one stretch that it has matched: hostile text repeats its start."""
NAME_REACH = 60
_NAME_BEFORE = re.compile(
    r"(?i)(?:key(?:[_\-]?id)?|token|secret|passw(?:or)?d|pwd|pat|auth|authorization|credentials?)[\"'`]?"
    r"\s{0,3}(?::=|=>|[:=]|\bis\b|\s)\s{0,3}(?:bearer |basic |token )?[\"'`]?$"
)
_MASK = re.compile(r"\[masked:[a-z0-9\-]+\]")
_ASCII_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}

Span = tuple[int, int, str]
"""Where a secret is, and of what family."""


class _Finder:
    """Where any of many starts stands, in one pass over a text, however many they are."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        starts: dict[str, list[Rule]] = {}
        for rule in rules:
            for start in rule.starts:
                starts.setdefault(start, []).append(rule)
        self._rules = list(starts.values())
        # Only a complete table keeps its speed with thousands of starts; it takes 20 MB.
        self._automaton = AhoCorasick(list(starts), implementation=Implementation.DFA)

    def places(self, text: str) -> Iterator[tuple[Rule, int, int]]:
        """Each rule with where one of its starts begins and ends."""
        for index, at, end in self._automaton.find_matches_as_indexes(text, overlapping=True):
            for rule in self._rules[index]:
                yield rule, at, end


_RULES = (*KEYS, *PLACES)
_RANKS = {rule.family: place for place, rule in reversed(list(enumerate(_RULES)))}
"""Of two rules that find the same, the one that comes first names it: a provider before a place."""
_EXACT = _Finder(rule for rule in _RULES if not rule.folded)
_FOLDED = _Finder(rule for rule in _RULES if rule.folded)
_ENCODED = disguises.encoded_starts(
    [s for rule in KEYS if not rule.judged for s in rule.starts]
    + ["-----BEGIN ", "password", "secret"]
)
_VARIANTS = list(_ENCODED.values())
_DISGUISED = AhoCorasick([*_ENCODED, *disguises.SIGNS], implementation=Implementation.DFA)


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text without its secrets, and how many of each family were masked."""

    text: str
    counts: Mapping[str, int]


def redact(text: str) -> Redacted:
    """Mask every secret of a known shape; the same object comes back where there is none."""
    spans = _all_spans(text)
    return _masked(text, spans) if spans else Redacted(text, {})


def found(text: str) -> bool:
    """Whether anything in a text would be masked."""
    return bool(_all_spans(text))


def pair(key: str, value: str) -> str:
    """How a string is judged together with its key."""
    return f'"{key}": "{value}"'


def redact_value(value: JsonValue) -> tuple[JsonValue, dict[str, int]]:
    """Mask every string inside a JSON value; a string is judged together with its key."""
    walk = _Walk()
    return walk.value(value), dict(walk.counts)


class _Walk:
    """Masks what a JSON value holds, and counts by family."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def value(self, value: JsonValue) -> JsonValue:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, list):
            return [self.value(each) for each in value]
        if isinstance(value, dict):
            return {self._text(key): self._keyed(key, each) for key, each in value.items()}
        return value

    def _text(self, text: str) -> str:
        redacted = redact(text)
        self.counts.update(redacted.counts)
        return redacted.text

    def _keyed(self, key: str, value: JsonValue) -> JsonValue:
        if isinstance(value, str) and 0 < len(value) <= _BESIDE and "\n" not in value:
            beside = [span for span in _spans(pair(key, value)) if span[0] == len(key) + 5]
            if beside:
                family = min(beside, key=_order)[2]
                self.counts[family] += 1
                return f"[masked:{family}]"
        return self.value(value)


def _all_spans(text: str) -> list[Span]:
    if len(text) <= WINDOW:
        return _seen(text)
    return [
        (start + shift, end + shift, family)
        for shift, piece in _pieces(text)
        for start, end, family in _seen(piece)
    ]


def _named(text: str, start: int) -> bool:
    """Whether a name of a secret stands right before: then it is one, however it looks."""
    return bool(_NAME_BEFORE.search(text, max(0, start - NAME_REACH), start))


def _order(span: Span) -> tuple[int, int, int]:
    """The first and longest before others, and of the same stretch always the same family's."""
    start, end, family = span
    return start, -end, _RANKS[family]


def _masked(text: str, spans: list[Span]) -> Redacted:
    counts: Counter[str] = Counter()
    parts, at = [], 0
    for start, end, family in sorted(spans, key=_order):
        if end <= at:
            continue
        # A secret that begins inside the one before it is part of the same stretch.
        parts.append(text[at : max(start, at)])
        if start >= at:
            parts.append(f"[masked:{family}]")
            counts[family] += 1
        at = end
    parts.append(text[at:])
    return Redacted("".join(parts), dict(counts))


def _seen(text: str) -> list[Span]:
    """Where secrets are, as the text is and as it reads without its disguises."""
    found = [*_spans(text)]
    signs = _DISGUISED.find_matches_as_indexes(text, overlapping=True)
    found += _decoded(text, signs)
    if len(_VARIANTS) <= max((index for index, _, _ in signs), default=0) or disguises.invisible(
        text
    ):
        plain = disguises.undressed(text)
        found += [(*plain.place(start, end), family) for start, end, family in _spans(plain.text)]
    if not found or "[masked:" not in text:
        return found
    kept = [match.span() for match in _MASK.finditer(text)]
    return [span for span in found if not any(span[0] < b and span[1] > a for a, b in kept)]


def _spans(text: str) -> list[Span]:
    """Where secrets are: each rule is tried just where one of its starts stands."""
    lowered = text.lower()
    if len(lowered) != len(text):  # some letters grow when lowered; places must stay the same
        lowered = text.translate(_ASCII_LOWER)
    return [
        span
        for finder, looked in ((_EXACT, text), (_FOLDED, lowered))
        for span in _tried(text, finder.places(looked))
    ]


def _tried(text: str, places: Iterable[tuple[Rule, int, int]]) -> Iterator[Span]:
    """What the rules find at their places; one that fails again and again in one run is let be."""
    reached: dict[int, tuple[int, int]] = {}
    for rule, at, end in places:
        until, times = reached.get(id(rule), (0, 0))
        if at < until and times >= MOST_TRIES:
            continue
        match = _match(rule, text, at, end)
        if match is None:
            continue
        reached[id(rule)] = (until, times + 1) if at < until else (match.end(), 1)
        span = _judged(rule, text, at - rule.back, match)
        if span is not None:
            yield (*span, rule.family)


def _decoded(text: str, signs: Iterable[tuple[int, int, int]]) -> Iterator[Span]:
    """Secrets in base64 or hexadecimal digits, found by how the known starts look in them."""
    read: dict[tuple[str, int], int] = {}
    for index, at, _ in signs:
        for variant in _VARIANTS[index] if index < len(_VARIANTS) else ():
            phase = variant.phase(at)
            if at < read.get(phase, 0):
                continue
            hidden = variant.around(text, at)
            if hidden is not None:
                read[phase] = hidden.origins[-1]
                for start, end, family in _spans(hidden.text):
                    yield (*hidden.place(start, end), family)


@dataclass(frozen=True, slots=True)
class _Joined:
    """A key that goes on behind a line's end, or in the next of two strings put together."""

    last: int

    def end(self) -> int:
        return self.last


def _match(rule: Rule, text: str, at: int, end: int) -> re.Match[str] | _Joined | None:
    if rule.edge and at and not _begins(text, at):
        return None
    if rule.before is not None and not rule.before.search(text, max(0, at - 30), at):
        return None
    if at < rule.back:
        return None
    from_ = end if rule.after else at - rule.back
    match = rule.pattern.match(text, from_, min(len(text), at + rule.reach))
    return _joined(rule, text, end) if match is None and rule.key else match


def _joined(rule: Rule, text: str, end: int) -> _Joined | None:
    if not _BROKEN.match(text, end):
        return None
    whole = disguises.joined(text[end : end + _JOIN_REACH])
    match = rule.pattern.match(whole.text) if whole is not None else None
    if whole is None or match is None or not looks_random(match[0]):
        return None
    return _Joined(end + whole.place(0, match.end())[1])


def _judged(
    rule: Rule, text: str, origin: int, match: re.Match[str] | _Joined
) -> tuple[int, int] | None:
    if isinstance(match, _Joined):
        return origin, match.end()
    groups = match.groupdict()
    name = next((n for n in ("secret", "bare") if groups.get(n) is not None), None)
    start, end = match.span(name) if name else (origin, match.end())
    if rule.key and not _named(text, origin) and made_up(text[origin:end]):
        return None
    sound = True
    if rule.judged == "random":
        sound = looks_random(match[0] if rule.key else text[start:end])
    elif rule.judged:
        sound = looks_secret(
            text[start:end],
            text[origin:start],
            quoted=name == "secret",
            password=rule.judged == "password",
        )
    return (start, end) if sound else None


def _begins(text: str, at: int) -> bool:
    """Whether a word begins here, or an escape ends."""
    before = text[at - 1]
    if not (before.isascii() and before.isalnum()):
        return True
    return disguises.ends_an_escape(text, at)


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """Overlapping pieces: what lies across a cut is whole in one of them."""
    start = 0
    while start < len(text):
        yield start, text[start : start + WINDOW + _OVERLAP]
        start += WINDOW
