"""Redaction: secrets in a text replaced by `[masked:family]`; everything else is left as it was."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from mcp_memory.text.redaction_rules import RULES, RULES_VERSION, Rule

__all__ = ["EVERYTHING", "RULES_VERSION", "Redacted", "Scope", "redact", "redact_value", "scope_of"]

WINDOW = 128 * 1024
"""Longer texts are taken in pieces, so that no single match holds the interpreter for long."""
LEAST_LETTERS, LEAST_BARE, LEAST_BITS = 4, 6, 2.2
"""A judged value has so many different letters, length without quotes, bits a letter."""
_OVERLAP = 16 * 1024
_REACH = 2_600
"""How far after its start a rule of one line looks."""
_MASK = re.compile(r"\[masked:[a-z0-9\-]+\]")


_RUN = re.compile(r"[A-Za-z0-9_\-]{16,}")
"""Provider keys stand in long runs of letters and digits; only these are searched for their starts."""
_IN_RUN = re.compile(r"[A-Za-z0-9_\-]+")


def _by_start(rules: Iterable[Rule]) -> dict[str, tuple[Rule, ...]]:
    chosen = tuple(rules)
    starts = {start for rule in chosen for start in rule.starts}
    return {start: tuple(r for r in chosen if start in r.starts) for start in sorted(starts)}


def _alternation(starts: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(sorted(map(re.escape, starts), key=len, reverse=True)))


_EXACT = _by_start(rule for rule in RULES if not rule.folded)
_WITHIN = {s: rules for s, rules in _EXACT.items() if s[0] != "-" and _IN_RUN.fullmatch(s)}
_ALONE = {start: rules for start, rules in _EXACT.items() if start not in _WITHIN}
_FOLDED = _by_start(rule for rule in RULES if rule.folded)
_STARTS = _alternation(_WITHIN)


_NOT_A_VALUE = re.compile(
    r"\$|%[({A-Z]|\{\{|<[a-z]|\.\.\.|…|\*{3}|x{4}|(?i:example|placeholder|changeme|change_me|your[_\-]|redacted|masked|dummy|"
    r"environ|getenv|process\.|secrets?\.|config\.|settings\.|args\.|self\.|this\.|null|none|undefined|true$|false$)"
)
_CODE = re.compile(
    r"[A-Za-z_][\w.]*\(|^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+$|^\.{0,2}/|^[A-Za-z]:\\|^https?://[^:@]*$|^[A-Za-z_]\w*\["
)
_KEPT = re.compile(
    r"[0-9a-f]{7,40}|(?:sha\d+[:\-])?[0-9a-f]{40,128}|sha(?:256|384|512)-[A-Za-z0-9+/]+=*|"
    r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|[0-7][0-9A-HJKMNP-TV-Z]{25}|\d+(?:\.\d+)*"
)


@dataclass(frozen=True, slots=True)
class Scope:
    """The rules worth trying on some texts; starts that stand in none of them are left out."""

    runs: bool
    alone: Mapping[str, tuple[Rule, ...]]
    folded: Mapping[str, tuple[Rule, ...]]


EVERYTHING = Scope(runs=True, alone=_ALONE, folded=_FOLDED)
"""Every rule."""


def scope_of(texts: Iterable[str]) -> Scope:
    """What can be in any of these texts: found once, where each text alone would cost 60 searches."""
    joined = "\n".join(texts)
    lowered = joined.lower()
    return Scope(
        any(_STARTS.search(joined, run.start(), run.end()) for run in _RUN.finditer(joined)),
        {start: rules for start, rules in _ALONE.items() if start in joined},
        {start: rules for start, rules in _FOLDED.items() if start in lowered},
    )


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text without its secrets, and how many of each family were masked."""

    text: str
    counts: Mapping[str, int]


def redact(text: str, scope: Scope = EVERYTHING) -> Redacted:
    """Mask every secret of a known shape; the same object comes back where there is none."""
    if len(text) <= WINDOW:
        spans = _spans(text, scope)
    else:
        spans = [
            (start + shift, end + shift, family)
            for shift, piece in _pieces(text)
            for start, end, family in _spans(piece, scope)
        ]
    if not spans:
        return Redacted(text, {})
    return _masked(text, spans)


def redact_value(value: JsonValue, scope: Scope = EVERYTHING) -> tuple[JsonValue, dict[str, int]]:
    """Mask every string inside a JSON value; a string is judged together with its key."""
    walk = _Walk(scope)
    return walk.value(value), dict(walk.counts)


class _Walk:
    """Masks what a JSON value holds, and counts by family."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
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
        redacted = redact(text, self._scope)
        self.counts.update(redacted.counts)
        return redacted.text

    def _keyed(self, key: str, value: JsonValue) -> JsonValue:
        if isinstance(value, str) and 0 < len(value) <= _REACH and "\n" not in value:
            pair = f'"{key}": "{value}"'
            spans = _spans(pair, self._scope)
            if any(family == "assignment" and start > len(key) for start, _, family in spans):
                self.counts["assignment"] += 1
                return "[masked:assignment]"
        return self.value(value)


def _masked(text: str, spans: list[tuple[int, int, str]]) -> Redacted:
    counts: Counter[str] = Counter()
    parts, at = [], 0
    for start, end, family in sorted(set(spans), key=lambda s: (s[0], -s[1])):
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


def _spans(text: str, scope: Scope) -> list[tuple[int, int, str]]:
    """Where secrets are: each rule is tried just where one of its starts stands."""
    lowered = text.lower()
    if len(lowered) != len(text):  # some letters grow when lowered; places must stay the same
        lowered = text.translate(_ASCII_LOWER)
    found = [
        (*span, rule.family)
        for rule, at in _places(text, lowered, scope)
        if (span := _match(rule, text, lowered, at)) is not None
    ]
    if not found or "[masked:" not in text:
        return found
    kept = [match.span() for match in _MASK.finditer(text)]
    return [span for span in found if not any(span[0] < b and span[1] > a for a, b in kept)]


def _places(text: str, lowered: str, scope: Scope) -> Iterator[tuple[Rule, int]]:
    for run in _RUN.finditer(text) if scope.runs else ():
        for hit in _STARTS.finditer(text, run.start(), run.end()):
            for rule in _WITHIN[hit.group()]:
                yield rule, hit.start()
    for rules, looked in ((scope.alone, text), (scope.folded, lowered)):
        for start, chosen in rules.items():
            at = looked.find(start)
            while at >= 0:
                for rule in chosen:
                    yield rule, at
                at = looked.find(start, at + 1)


_ASCII_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def _match(rule: Rule, text: str, lowered: str, at: int) -> tuple[int, int] | None:
    if rule.before is not None and not rule.before.search(lowered, max(0, at - 12), at):
        return None
    match = rule.pattern.match(text, at, min(len(text), at + (rule.reach or _REACH)))
    if match is None:
        return None
    groups = match.groupdict()
    name = next((n for n in ("secret", "bare") if groups.get(n) is not None), None)
    start, end = match.span(name) if name else match.span()
    if rule.judged and not _looks_secret(text[start:end], quoted=name == "secret"):
        return None
    return start, end


def _looks_secret(value: str, *, quoted: bool) -> bool:
    """Whether a value beside a telling name is a secret rather than code, prose or a known id."""
    if _MASK.search(value) or _NOT_A_VALUE.search(value) or _CODE.search(value):
        return False
    if _KEPT.fullmatch(value) or len(set(value)) < LEAST_LETTERS:
        return False
    if " " in value.strip():
        return False
    if not quoted and (value.isalpha() or len(value) < LEAST_BARE or not _mixed(value)):
        return False
    return _varied(value)


def _mixed(value: str) -> bool:
    return any(c.isdigit() for c in value) and any(c.isalpha() for c in value)


def _varied(value: str) -> bool:
    if value.isalpha() and (value.islower() or value.isupper() or value.istitle()):
        return False
    if re.fullmatch(r"[a-z]+(?:[_\-.][a-z]+)+", value) or re.fullmatch(
        r"[A-Z]+(?:_[A-Z]+)+", value
    ):
        return False
    counts = Counter(value)
    bits = -sum(n / len(value) * math.log2(n / len(value)) for n in counts.values())
    return bits >= LEAST_BITS or _mixed(value)


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """Overlapping pieces: what lies across a cut is whole in one of them."""
    start = 0
    while start < len(text):
        yield start, text[start : start + WINDOW + _OVERLAP]
        start += WINDOW
