"""Causes: the lines of an output that name what went wrong, without headers, sums and echoes."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import islice

from mcp_memory.text import families, shell, traces
from mcp_memory.text.shell import Program

_SCANNED = 20_000
_LINE = 600
_MOST = 12
_SHORT = 3
"""An output of so few lines says in the first what is wrong."""

_REFUSED = re.compile(r"<tool_use_error>\s*(?P<said>[^\n<]+)")
"""A tool that was not called right says so in its first line."""
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_WRAPPER = re.compile(
    r"</?(?:output|output_head|output_tail|returncode|warning|elided_chars|stdout|stderr|error)>"
)
_PREFIX = re.compile(
    r"(?:\[(?!entire\])[\w:./@-]+\] (?=\S)|#\d+ \d+\.\d+ |##\[\w+\]"
    r"|[\w-]+\t[\w -]+\t\d{4}-\d\d-\d\dT\S+ "
    r"|[\w@/-]+:[\w-]+: (?=\s|error|Error|src/|\S+\.\w+[:(]\d))"
)
"""What task runners and build logs put before each line of a program."""
_NEVER_RAN = (
    r"Sibling tool call errored|Cancelled: parallel tool call|\[Request interrupted",
    r"Permission for this (?:tool use|action|command)|The user doesn't want|Tool use was rejected",
    r"aborted by user|User (?:rejected|aborted)",
    r".*\b(?:the user (?:said|denied)|was rejected by the user)",
)
_HARNESS = re.compile("|".join(_NEVER_RAN))
"""What a host says of a call that it never made."""
MOVED_BACK = "Shell cwd was reset to "
"""What Claude Code writes below an output: it sums up nothing."""
_DULL = (
    # of hosts
    r"Process running with session ID \d+|<shellId: .*|Total output lines: .*",
    r"Command (?:running|was manually backgrounded|did not complete)\b.*|\[Command timed out.*",
    rf"{MOVED_BACK}.*|Exit code -?\d+|exit status -?\d+|exit:? ?\d+|\[rerun: .*",
    # good ends, and bad ones without a cause
    r"(?:ok|\?)\s+\S+\s.*|PASS|FAIL|OK|(?:FAIL|---)\s*|testing: warning.*",
    r"FAIL\s+\S+\s+(?:[\d.]+s|\[.*\]|\(cached\))|FAILED \((?:failures|errors).*",
    r".*\bERROR task failed|.*Finished in [\d.]+.*|Ran \d+ tests? in.*",
    # sums
    r"\s*\d+ (?:issues?|problems?|errors?|warnings?|failed|passed|tests?|files?)\b.*|\* \w+: \d+",
    r"Found \d+ (?:errors?|issues?).*|\s*Tests?:?\s+\d+ .*|\s*Test (?:Files|Suites):?\s.*",
    # headers, rules and echoes
    r"#\s?\S+(?: \[\S+\])?|\$ .*|=+.*=+|-+|\s*[~^]+\s*|-- .*|Traceback \(most recent call last\):",
    r"go: (?:downloading|finding|extracting) .*|\s*--?[a-z][\w-]*(?:, --[\w-]+)?\s+[A-Za-z].*",
    r"Watching for file changes.*|Creating test database.*|Destroying test database.*",
    r"Testing against Django.*",
    r"System check identified no.*",
    # diffs, and what git says on its way
    r"\+.*|@@ .*|diff --git.*|index [0-9a-f]+\.\..*|From \S+",
    r"\s*(?:Auto-merging|CONFLICTS?:?$|Everything up-to-date).*",
    # advice, mild remarks and logs
    r"(?:hint|note|help|tip|info|usage|warning|debug): ?.*|Usage:.*",
    r"\d{4}[-/]\d\d[-/]\d\d[ T][\d:.,]+Z? (?:INFO|DEBUG|WARN\w*)\b.*",
    r"npm (?:ERR!|error) (?:A complete log|code|errno|path|command|cwd|signal|syscall).*",
    r"npm (?:ERR!|error)(?:\s*| (?:\s|/|Log files|This is probably).*)",
)
_NOTICE = re.compile("|".join(_DULL), re.IGNORECASE)
"""Headers, sums, echoes and good ends: true of many failures, the cause of none."""
_SUMMED = re.compile(
    r".*\b(?:could not compile|aborting due to|failed to push some refs|automatic merge failed"
    r"|failed with exit code|exited with (?:code|status)|ELIFECYCLE|Could not apply [0-9a-f]"
    r"|terminated with errors|task failed|running .* failed|error command \S+ failed"
    r"|previous error|too many errors|\d+ compile errors).*"
    r"|g?make(?:\[\d+\])?: \*\*\* .*",
    re.IGNORECASE,
)
"""Lines that sum a failure up: they name it only where nothing else does."""
_CUT_OFF = re.compile(r"FAIL\t\S+\t[\d.]+s")
"""A Go package failed and what it said was cut off: the rest are logs of its tests."""
_SITED = re.compile(
    r"(?:vet: )?(?P<file>(?:[A-Za-z]:)?[^\s:()'\"]{1,200}\.\w{1,8}):\d+(?::\d+)?:? (?:- )?"
    r"(?P<said>[^\s|].{2,})"
)
"""How compilers and linters say where: `file:line:column: message`."""
_SITED_TS = re.compile(
    r"(?P<file>\S{1,200}\.\w{1,5})\(\d+,\d+\): (?P<said>(?:error|warning) .{3,})"
)
_COLUMN = re.compile(r"\.go:\d+:\d+")
_MILD = re.compile(r"(?:note|warning|info|hint|help)\b:?|: #", re.IGNORECASE)
_RUST = re.compile(r"error(?:\[E\d+\])?: (?P<said>.+)")
_RUST_PLACE = re.compile(r"\s*--> (?P<file>\S+?):\d+:\d+")
_LABELS = (
    (
        r"(?:[^\s:]{1,60}: |\d{4}\S+ (?:[\d:.,]+Z? )?)?[\[(]?"
        r"(?:(?i:error|fatal|exception|critical|failure|err)(?:[\[(][\w-]+[\])])?\]?\)?:\s+"
        r"|(?:ERROR|FATAL|CRITICAL)\]?\s)\S.{2,}"
    ),
    r"npm (?:ERR!|error) \S.{2,}|(?:\s*\W?\s?)ERR_[A-Z]+(?:_[A-Z]+)+\S*\s.{3,}|E: \S.{3,}",
    r"CONFLICT \(.+|\s*! \[(?:remote )?rejected\].*|remote: (?:error|fatal): .+",
    r"error TS\d+: .+|✘ \[ERROR\] .+|\s*Error: .{3,}|\(node:\d+\) .*Error.*",
    r"Error response from daemon: .+|(?:HTTP|GraphQL)(?: \d{3})?: .{4,}",
)
_LABELLED = re.compile("|".join(_LABELS))
_COMPLAINT = re.compile(r"(?P<name>[\w./@+()-]{1,200})(?::(?: line)? ?\d+)?: (?P<said>[^\n]{3,})")
_OF_GIT = ("fatal: ", "error: ", "error ", "HTTP ", "GraphQL: ", "unknown flag")
_SHELLS = frozenset({"bash", "sh", "zsh", "(eval)", "/bin/sh", "/bin/bash", "dash", "fish"})
_WORDED = re.compile(
    r"\b(?:cannot|can't|can not|could not|couldn't|unable to|failed|fails|failure|not found|no such"
    r"|denied|invalid|unknown|unexpected|unrecognized|undefined|refused|tim(?:ed|e) ?out|not allowed"
    r"|forbidden|unsupported|not supported|already (?:exists|used|in use)|not permitted|is required"
    r"|must be|unbound variable|command not found|rejected|aborted|does not exist|doesn't exist|not a"
    r"|no matches|no \w+(?: \w+){0,3} found|missing|not installed|incompatible|ignored by|is set for"
    r"|needs? a)\b",
    re.IGNORECASE,
)


@lru_cache(maxsize=64)
def causes(text: str, command: str = "") -> tuple[str, ...]:
    """The lines that name why a call failed, most telling first; none where none does.

    Failed tests, compilers' and linters' findings, panics and exceptions first; else lines that are
    labelled as errors, else a program's own complaint, else the first line that is worded like one.
    """
    refused = _REFUSED.search(text[:_SCANNED])
    if refused or _HARNESS.match(text.strip()[:200]):
        said = refused["said"].strip() if refused else ""
        return () if not said or _HARNESS.match(said) else (said,)
    lines = list(_lines(text))
    programs = shell.programs(command)
    if families.only_looks(programs):
        return tuple(_own_complaints(lines, programs))
    tiers: tuple[Callable[[], Iterator[str]], ...] = (
        lambda: _found(lines, programs),
        lambda: (line for line in lines if _LABELLED.fullmatch(line) and not _dull(line)),
        lambda: _complaints(lines, programs),
        lambda: _worded(lines),
        lambda: (line for line in lines if _SUMMED.fullmatch(line) and not _NOTICE.fullmatch(line)),
    )
    for number, tier in enumerate(tiers):
        made = tuple(dict.fromkeys(islice(tier(), _MOST)))
        if made:
            return made
        cut = next((n for n, line in enumerate(lines) if _CUT_OFF.match(line)), 0)
        if not number and cut:
            before = lines[cut - 1]
            told = _WORDED.search(before) or re.search(r"\berror\b", before)
            return (before,) if told and not _dull(before) else ()
    return ()


def never_ran(text: str) -> bool:
    """Whether a host says that it never made the call."""
    refused = _REFUSED.search(text[:_SCANNED])
    return bool(_HARNESS.match(refused["said"].strip() if refused else text.strip()[:200]))


def named(text: str) -> tuple[str, ...]:
    """Single lines that have the shape of a cause, whatever stands around them."""
    made: list[str] = []
    for line in _lines(text[:_SCANNED]):
        said = traces.alone(line)
        if said:
            made.append(said)
        elif not _dull(line) and (_sited(line) or _LABELLED.fullmatch(line)):
            made.append(line)
    return tuple(dict.fromkeys(made))[:_MOST]


def _lines(text: str) -> Iterator[str]:
    """Lines without colours, wrappers and what runners put before them; the middle of a long text cut."""
    scanned = text if len(text) <= 2 * _SCANNED else f"{text[:_SCANNED]}\n{text[-_SCANNED:]}"
    for line in _COLOUR.sub("", scanned).replace("\r", "\n").split("\n"):
        bare = _WRAPPER.sub("", line[:_LINE]).rstrip()
        prefix = _PREFIX.match(bare)
        yield bare[prefix.end() :] if prefix else bare


def _dull(line: str) -> bool:
    return not line.strip() or bool(_NOTICE.fullmatch(line) or _SUMMED.fullmatch(line))


def _found(lines: Sequence[str], programs: Sequence[Program]) -> Iterator[str]:
    """Failed tests, exceptions and panics, and what compilers and linters found."""
    yield from traces.of(lines)
    also_looks = any(families.purpose(one) == "looks" and one.joined != "|" for one in programs)
    for place, line in enumerate(lines):
        sited = _sited(line)
        if sited and not (also_looks and not _WORDED.search(line)):
            yield line
        rust = _RUST.fullmatch(line)
        if rust and not _dull(line):
            at = next(filter(None, map(_RUST_PLACE.fullmatch, lines[place + 1 : place + 3])), None)
            if at:
                yield f"{line} in {at['file']}"


def _sited(line: str) -> bool:
    seen = _SITED.fullmatch(line) or _SITED_TS.fullmatch(line)
    said = seen["said"] if seen else ""
    # Go's compiler names a column; a line without one is a test's log.
    if seen and seen["file"].endswith(".go") and not _COLUMN.search(line):
        return False
    return bool(said) and not _MILD.match(said) and not traces.is_raised(said)


def _own_complaints(lines: Sequence[str], programs: Sequence[Program]) -> Iterator[str]:
    """What programs that look say of themselves; never what they found."""
    names = {one.name for one in programs} | _SHELLS
    git = bool({"git", "gh"} & names)
    begin = next((place for place, line in enumerate(lines) if not _dull(line)), 0)
    for place, line in enumerate(lines):
        complaint = _COMPLAINT.fullmatch(line)
        own = complaint is not None and complaint["name"] in names
        first = (
            "gh" in names and place == begin and len(lines) <= 2 * _SHORT and _WORDED.search(line)
        )
        if own or first or (git and line.startswith(_OF_GIT)):
            yield line


def _complaints(lines: Sequence[str], programs: Sequence[Program]) -> Iterator[str]:
    names = {one.name for one in programs} | _SHELLS
    for line in lines:
        seen = _COMPLAINT.fullmatch(line)
        if seen and not _dull(line):
            known = (
                not programs or seen["name"].rpartition("/")[2] in names or seen["name"] in names
            )
            if known or _WORDED.search(seen["said"]):
                yield line
                return


def _worded(lines: Sequence[str]) -> Iterator[str]:
    """The first line that is worded like a failure; of a short output the first line at all."""
    told = [line for line in lines if not _dull(line)]
    worded = next((line for line in told if _WORDED.search(line)), "")
    if worded:
        yield worded
    elif told and len(told) <= _SHORT:
        yield told[0]
