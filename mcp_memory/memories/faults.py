"""Faults: an error under its kind, and what all of some evidence met; pure."""

import errno
import re
from collections.abc import Sequence

from mcp_memory.text import signatures

LEAST_WORDS = 3
"""Words besides names from which an error is one kind wherever it is met."""
MOST_SHARED = 3
"""Kinds that all evidence shares; of more nobody can say which one is meant."""
TOLD = 0.5
"""Share of an error's words by which a text tells it."""
_SITE = re.compile(r"^\S*\.\w{1,8}:N:\s*|^(?:--- FAIL: |FAIL: )|^Test\w+(?:/\S+)?:\s+")
_QUOTED = re.compile(r"`[^`]*`|'[^']*'|\"[^\"]*\"|\u2018[^\u2019]*\u2019")
_NAMED = re.compile(
    r"…\S*|<\w+>|\b__\w+__\w*|(?<!\w)[\w./-]*[a-z\d][A-Z_./:][\w./:-]*\w|\b[\w-]+\.\w+\b|\bN\b"
)
_WORD = re.compile(r"[^\W\d_]{2,}")
CLASS = re.compile(r"(?:\w+\.)*(\w+(?:Error|Exception|Warning))\b")
CODE = re.compile(r"\b[A-Z]{1,6}\d{2,5}\b|\((?!typecheck)[a-z]{4,30}\)$")
_RULE = re.compile(
    r"\((?!typecheck)([a-z][\w-]{3,29})\)$|\b([A-Z]{1,4}\d{2,5})\b|\[([a-z]+(?:-[a-z]+)+)\]$"
)
FAILS = re.compile(
    r"\b(?:errors?|fail\w*|exceptions?|crash\w*|raises?|panics?|breaks?)\b", re.IGNORECASE
)
_NAMED_ERROR = re.compile(r"\b(?:[A-Z]{1,8}-?\d{2,8}|SIG[A-Z]{3,6}|[A-Z]\w*(?:Error|Exception))\b")
_SYSTEM = frozenset(errno.errorcode.values())


def cause_of(error: str) -> str:
    """An error without where it was met: the file and line, or the test; what it names stays."""
    line = error
    while (cut := _SITE.sub("", line, count=1)) != line:
        line = cut
    return line


def kind_of(error: str) -> str:
    """An error without what is only its place or its name, so that the same one is met elsewhere.

    Where too few words would be left, it stays as it is.
    """
    line = cause_of(error)
    classes = CLASS.sub(r"\1", line)
    plain = _NAMED.sub("_", _QUOTED.sub("_", classes))
    marks = [*CLASS.findall(line), *CODE.findall(line)]
    words = _WORD.findall(plain)
    if len(words) + 2 * len(marks) < LEAST_WORDS:
        return line
    kept = [mark for mark in marks if mark not in plain]
    return " ".join([*plain.casefold().split(), *kept])


def rule_of(error: str) -> str:
    """The rule of a linter or a type checker that an error names at its end, or by its code; or empty."""
    found = _RULE.search(error)
    return next(filter(None, found.groups()), "") if found else ""


def names(text: str) -> frozenset[str]:
    """Codes and classes of errors: a code only on a line that speaks of a failure."""
    found = set()
    for line in text.splitlines():
        told = _NAMED_ERROR.findall(line)
        plain = [name for name in told if name.endswith(("Error", "Exception"))]
        found.update(told if FAILS.search(line) else plain)
        found.update(_SYSTEM.intersection(re.findall(r"\bE[A-Z]{3,14}\b", line)))
    return frozenset(found)


def untold(text: str, spans: Sequence[str]) -> str:
    """The error that all spans met and a text about a failure does not tell; empty where there is none."""
    if len(spans) < 2 or not FAILS.search(text):  # noqa: PLR2004 two share
        return ""
    plain = " ".join(text.split()).casefold()
    shared = frozenset.intersection(*map(names, spans))
    if shared and not any(name.casefold() in plain for name in shared):
        return " ".join(sorted(shared)) if len(shared) <= MOST_SHARED else ""
    if shared:
        return ""
    kinds = [{kind_of(line): line for line in signatures.named_errors(span)} for span in spans]
    common = set.intersection(*(set(each) for each in kinds))
    if not 0 < len(common) <= MOST_SHARED or any(_tells(plain, kind) for kind in common):
        return ""
    return kinds[0][min(common)]


def _tells(text: str, kind: str) -> bool:
    words = {word for word in _WORD.findall(kind.casefold()) if len(word) > 2}  # noqa: PLR2004
    return bool(words) and sum(word in text for word in words) >= TOLD * len(words)
