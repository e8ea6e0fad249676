"""Endings: the lines by which tools themselves say how a build, a test or a commit ended."""

import re
from collections.abc import Sequence
from itertools import takewhile

from mcp_memory.text import families, shell
from mcp_memory.text.shell import Program

_SCANNED = 40_000
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_PREFIX = r"^[^\S\n]*(?:\[[\w:./-]+\] )?"
_BAD = (
    r"--- FAIL: .*|FAIL(?:\s+\S.*)?|FAILED(?:\s+\S.*)?|not ok \d+.*|test result: FAILED.*|panic: .*",
    r"[✗✘✖] \d+ problems? \([1-9].*|Found [1-9]\d* errors?.*|\s*[1-9]\d* (?:issues|problems):?",
    r"=+ .*\b[1-9]\d* (?:failed|errors?)\b.*|(?:\d+ \w+, )*[1-9]\d* (?:failed|failing)\b.*",
    r"Tests?:?\s+[1-9]\d* failed.*|Test (?:Files|Suites):?\s+[1-9]\d* failed.*",
    r".*\bERROR task failed.*|BUILD FAILED.*|.*\bELIFECYCLE\b.*|\W{0,3}ERR_PNPM_\w+.*|npm (?:ERR!|error) .*",
    r"error: could not compile.*|error\[E\d+\].*|.*: error TS\d+: .*|g?make(?:\[\d+\])?: \*\*\* .*",
    r".*Command failed with exit code [1-9].*|(?:error|fatal): .*|ERROR: .*|exit status [1-9]\d*",
    r"Traceback \(most recent call last\):|# \S+ \[\S+\.test\]|\S+\.go:\d+:\d+: .*|CONFLICT \(.*",
    r"! \[(?:remote )?rejected\].*|Failed to compile.*|✗ Build failed.*",
)
_GOOD = (
    r"ok\s+\S+\s.*|PASS|OK(?: \(.*\))?|test result: ok\..*|\d+ passing\b.*|0 issues\.?|0 errors?\b.*",
    r"=+ .*\b\d+ passed\b.*=+|(?:\d+ \w+, )*\d+ passed\b.*|Tests?:?\s+\d+ passed.*",
    r"Test (?:Files|Suites):?\s+\d+ passed.*|BUILD SUCCESS(?:FUL)?.*|Build succeeded.*",
    r"Success: no issues found.*|All checks passed!|All matched files use Prettier.*|# (?:fail|not ok) 0",
    r"\[[^\]\n]{1,200} [0-9a-f]{7,40}\] \S.*|[0-9a-f]{7,40}\.\.\.?[0-9a-f]{7,40} +\S+ +-> .*",
    r"\* \[new (?:branch|tag)\] .*|Everything up-to-date|Already up to date\.?|Fast-forward.*",
    r"Successfully rebased and updated.*|Merge made by.*",
)
_BAD_LINE = re.compile(f"{_PREFIX}(?:{'|'.join(_BAD)})$", re.MULTILINE)
_GOOD_LINE = re.compile(f"{_PREFIX}(?:{'|'.join(_GOOD)})$", re.MULTILINE)
_MARKED = re.compile(
    r"(?P<mark>[^\n$]{0,60})\$(?:\?|\{?PIPESTATUS\[\d\]\}?|rc\b|\{rc\}|status\b|code\b)"
)


def bad_line(text: str) -> str:
    """The first line by which a tool says that it ended badly; empty where none does."""
    return _first(_BAD_LINE, text)


def good_line(text: str) -> str:
    """The last line by which a tool says that it ended well; empty where none does."""
    found = _BAD_LINE.search(_plain(text))
    return "" if found else _last(_GOOD_LINE, text)


def printed_code(found: Sequence[Program], text: str) -> int | None:
    """The exit code that a line printed of what it judged before, as with `echo "exit: $?"`."""
    for place, one in reversed(tuple(enumerate(found))):
        marked = _MARKED.search(" ".join(one.words[1:])) if one.name in ("echo", "printf") else None
        before = shell.covered(found[:place], pipefail="PIPESTATUS" in one.typed)
        if marked and before and families.judged(before[0]):
            told = re.findall(
                rf"^{re.escape(marked['mark'].strip())}\s*(\d{{1,3}})\b", text, re.MULTILINE
            )
            return int(told[-1]) if told else None
    return None


def is_cut(found: Sequence[Program], text: str) -> bool:
    """Whether a `| head` left the end of an output out, where a failure may have stood."""
    judged = [place for place, one in enumerate(found) if families.judged(one)]
    after = found[judged[-1] + 1 :] if judged else ()
    piped = list(takewhile(lambda one: one.joined == "|", after))
    heads = [one for one in piped if one.name == "head"]
    counts = [re.search(r"\d+", " ".join(one.words[1:])) for one in heads]
    most = [int(count[0]) if count else 10 for count in counts]
    return bool(most) and text.count("\n") + 1 >= min(most)


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(_plain(text))
    return found[0].strip() if found else ""


def _last(pattern: re.Pattern[str], text: str) -> str:
    found = [one[0] for one in pattern.finditer(_plain(text))]
    return found[-1].strip() if found else ""


def _plain(text: str) -> str:
    cut = text if len(text) <= 2 * _SCANNED else f"{text[:_SCANNED]}\n{text[-_SCANNED:]}"
    return _COLOUR.sub("", cut).replace("\r", "\n")
