"""Traces: exceptions, panics and failed tests of an output, each on one line with what tells it apart."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

_FRAME_REACH = 120
_MESSAGE_REACH = 40
_ASSERTED = 300

_RAISED = re.compile(
    r"(?:\w+\.)*[A-Za-z_]\w*(?:Error|Exception|Interrupt|Exit|DoesNotExist|NotFound|Timeout|Failure)"
    r"(?: \[\w+\])?(?::(?:\s.*)?)?"
)
_ANY_RAISED = re.compile(r"(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:: .*)?")
_CODE = 6
"""Lines of code and marks below a frame."""
_MARKED = re.compile(r"E\s{3,}(?P<said>\S.*)")
"""pytest marks what was raised."""
_CAUGHT = re.compile(r"(?:Uncaught |Unhandled )(?P<said>\S.*)")
_PYTHON_FRAME = re.compile(r"\s*File \"(?P<file>[^\"]+)\", line \d+, in (?P<where>.+)")
_NODE_FRAME = re.compile(
    r"\s+at (?:async )?(?P<where>[\w.$<>\[\] ]+) \((?P<file>[^()]+?):\d+:\d+\)"
)
_UNREAD = re.compile(r"File \"(?:[^\"\n]*/)?(?P<file>[^\"\n/]+)\", line \d+\n(?:[^\n]*\n?){1,2}\Z")
"""Where a file could not be parsed."""
_PYTEST_TEST = re.compile(r"_{3,} (?:ERROR (?:at \w+ of|collecting) )?(?P<where>\S.*?) _{3,}")
_UNITTEST = re.compile(r"(?:FAIL|ERROR): (?P<where>\w+) \(.*\)")
_FOREIGN = re.compile(
    r"site-packages|dist-packages|node_modules|[/\\]lib[/\\]python\d|<frozen|node:|internal/"
    r"|/usr/local/go/|/go/src/|/libexec/src/|golang\.org/toolchain|/pkg/mod/|\.cargo/registry|/rustc/"
)
_TELLING = re.compile(r"['\"`]|\w[_.]\w|[a-z][A-Z]|\d{3}|[/\\]\w")

_PANIC = re.compile(r"(?:panic|fatal error): (?P<said>.+)")
_RUST_PANIC = re.compile(r"thread '(?P<where>[^']+)'(?: \(\d+\))? panicked at (?P<said>.*)")
_GO_FRAME = re.compile(r"(?P<where>[\w./*()@~%-]+)\((?:[^()]*|\.\.\.)\)")
_GO_OWN = re.compile(
    r"(?!panic$|(?:testing|runtime|reflect|sync|os|io|bufio|net|internal|encoding|created)\b[./])"
)
_GO_FILE = re.compile(r"\s+(?P<file>\S+\.(?:go|s)):\d+(?: \+0x[0-9a-f]+)?")
_RECOVERED = re.compile(r"(?: \[recovered(?:, repanicked)?\])+$|^.*?\bsignal SIG\w+: ")
_GO_FAILED = re.compile(r"(?P<deep>\s*)--- FAIL: (?P<where>\S+)(?: \([\d.]+s\))?")
_GO_SAID = re.compile(r"\s+(?:\S+\.go:\d+: ?)(?P<said>.*)")
_GO_ENDS = re.compile(r"\s*(?:--- |=== (?:RUN|CONT|PAUSE|NAME)|FAIL\b|ok\s|PASS\b|panic:)")
_TESTIFY = re.compile(r"\s+Error:\s+(?P<said>\S.*)")
_NAMED_TESTS = (
    re.compile(r"\s*● (?P<where>\S.*)"),
    re.compile(r"\s*FAIL\s+(?P<where>\S+ > \S.*)"),
    re.compile(r"\s*not ok \d+ -? ?(?P<where>\S.*)"),
    re.compile(
        r"\s*[✗✕✘\u00d7] (?:FAIL(?:ED)?: )?(?P<where>(?!\d+ (?:problem|error|failed|of))\S.*?)(?: \d+ ?ms)?"
    ),
    re.compile(r"(?:FAILED|ERROR) (?P<where>[\w./-]+\.py(?:::\S+)?)(?: - (?P<said>.*))?"),
    re.compile(r"test (?P<where>\S+) \.\.\. FAILED"),
)


def of(lines: Sequence[str]) -> Iterator[str]:
    """Failed tests, exceptions and panics of an output's lines, most telling first."""
    found = [*_go_tests(lines), *_panics(lines), *_exceptions(lines)]
    yield from found or _named_tests(lines)


def is_raised(line: str) -> bool:
    """Whether a line by itself names an exception."""
    return _RAISED.fullmatch(_said(line)) is not None


def alone(line: str) -> str:
    """What a single line says of an exception, a panic or a failed test; empty where it is none."""
    if is_raised(line):
        return _said(line)
    panic = _PANIC.fullmatch(line)
    if panic:
        return f"panic: {_RECOVERED.sub('', panic['said'])}"
    failed = _GO_FAILED.fullmatch(line)
    if failed:
        return f"--- FAIL: {failed['where']}"
    test = _UNITTEST.fullmatch(line)
    if test:
        return f"FAIL: {test['where']}"
    named = next(filter(None, (p.fullmatch(line) for p in _NAMED_TESTS)), None)
    return f"FAIL: {named['where']}" if named else ""


def _said(line: str) -> str:
    marked = _MARKED.fullmatch(line) or _CAUGHT.fullmatch(line)
    return marked["said"] if marked else line


def _exceptions(lines: Sequence[str]) -> Iterator[str]:
    """What was raised; where the message alone tells nothing apart, in which function or test."""
    for place, line in enumerate(lines):
        said = _said(line)
        if said is not line and said.startswith(("assert ", "Failed: ")):
            said = f"AssertionError: {said}"
        raised = _RAISED.fullmatch(said) or (
            _ANY_RAISED.fullmatch(said) and _ends_trace(lines, place)
        )
        if not raised or _handled(lines, place):
            continue
        message = said.partition(":")[2].strip()
        where = "" if _TELLING.search(message) else _raised_in(lines, place)
        yield f"{said[:_ASSERTED]} in {where}" if where else said[:_ASSERTED]


def _ends_trace(lines: Sequence[str], place: int) -> bool:
    """Whether a line stands right below the frames of a traceback, whatever it is called."""
    above = lines[max(0, place - _CODE) : place]
    frames = [n for n, line in enumerate(above) if _PYTHON_FRAME.fullmatch(line)]
    return bool(frames) and all(line.startswith("    ") for line in above[frames[-1] + 1 :])


def _handled(lines: Sequence[str], place: int) -> bool:
    """Whether another exception was raised out of this one, and names the end."""
    after = (line for line in lines[place + 1 : place + 4] if line.strip())
    following = next(after, "")
    return following.startswith(("During handling of the above", "The above exception was"))


def _raised_in(lines: Sequence[str], place: int) -> str:
    """The innermost function of ours, or the test, that an exception came out of."""
    test = ""
    unread = _UNREAD.search("\n".join(lines[max(0, place - 4) : place]))
    if unread:
        return unread["file"]
    for line in reversed(lines[max(0, place - _FRAME_REACH) : place]):
        frame = _PYTHON_FRAME.fullmatch(line)
        if frame and not _FOREIGN.search(frame["file"]) and frame["where"] != "<module>":
            return frame["where"]
        named = _PYTEST_TEST.fullmatch(line) or _UNITTEST.fullmatch(line)
        if named:
            test = named["where"]
            break
    if test:
        return test
    for line in lines[place + 1 : place + 8]:
        frame = _NODE_FRAME.fullmatch(line)
        if frame and not _FOREIGN.search(frame["file"]):
            return frame["where"]
    return ""


def _panics(lines: Sequence[str]) -> Iterator[str]:
    """A panic with the first frame of ours; most say no more than `nil pointer dereference`."""
    seen: set[str] = set()
    for place, line in enumerate(lines):
        rust = _RUST_PANIC.fullmatch(line)
        if rust:
            said = next(
                (text for text in lines[place + 1 : place + 3] if text.strip()), rust["said"]
            )
            yield f"panic: {said.strip()} in {rust['where']}"
            continue
        panic = _PANIC.fullmatch(line)
        said = _RECOVERED.sub("", panic["said"]).strip() if panic else ""
        if not said or said in seen:
            continue
        seen.add(said)
        where = _panicked_in(lines, place)
        yield f"panic: {said} in {where}" if where else f"panic: {said}"


def _panicked_in(lines: Sequence[str], place: int) -> str:
    reach = lines[place + 1 : place + _FRAME_REACH]
    for function, file in pairwise(reach):
        frame, where = _GO_FRAME.fullmatch(function), _GO_FILE.fullmatch(file)
        if frame is None or where is None or _FOREIGN.search(where["file"]):
            continue
        if _GO_OWN.match(frame["where"]):
            return frame["where"].rpartition("/")[2]
    return ""


def _go_tests(lines: Sequence[str]) -> Iterator[str]:
    """Each failed test with what it said; a test that only failed by its parts is left out."""
    for place, line in enumerate(lines):
        failed = _GO_FAILED.fullmatch(line)
        if not failed:
            continue
        later = lines[place + 1 : place + 4]
        inner = (_GO_FAILED.fullmatch(after) for after in later[:1])
        if any(one and len(one["deep"]) > len(failed["deep"]) for one in inner):
            continue
        said = _go_said(lines, place, failed["where"])
        yield f"{failed['where']}: {said}" if said else f"--- FAIL: {failed['where']}"


def _go_said(lines: Sequence[str], place: int, test: str) -> str:
    """What a test said last: below its verdict, or above it where the run was verbose."""
    below = _until_next(lines[place + 1 : place + 1 + _MESSAGE_REACH])
    above = lines[max(0, place - _MESSAGE_REACH) : place]
    begun = [
        n for n, line in enumerate(above) if re.fullmatch(rf"=== \w+\s+{re.escape(test)}", line)
    ]
    shown = above[begun[-1] + 1 :] if begun else ()
    for part in (below, shown):
        for pattern in (_TESTIFY, _GO_SAID):
            for line in reversed(part):
                said = pattern.fullmatch(line)
                if said and said["said"].strip() and not said["said"].startswith("Error Trace"):
                    return said["said"].strip()
    return ""


def _until_next(lines: Sequence[str]) -> Sequence[str]:
    for place, line in enumerate(lines):
        if _GO_ENDS.match(line):
            return lines[:place]
    return lines


def _named_tests(lines: Sequence[str]) -> Iterator[str]:
    """Tests that a runner names as failed, with the line that says why where it follows."""
    for line in lines:
        named = next(filter(None, (p.fullmatch(line) for p in _NAMED_TESTS)), None)
        if named:
            said = named.groupdict().get("said") or ""
            yield f"FAIL: {named['where']}" + (f": {said.rstrip('. ')}" if said else "")
        test = _UNITTEST.fullmatch(line)
        if test:
            yield f"FAIL: {test['where']}"
