"""Episodes: a trajectory cut into attempts at one goal, with the outcomes that evidence shows."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mcp_memory.domain.models import Episode, Observation, Outcome, SourceClass, Step, Trajectory

GOAL_CHARS = 1000
"""How much of a request an episode's goal repeats."""
TINY = 16
"""A request of so few characters (`yes`, `go on`) goes on with what went before."""
SHORT = 160
"""A request of so few goes on where it answers a question or breaks into work."""
_SHOWN = 80
_QUESTION_MARKS = ("?", "\uff1f", "\u061f")
_PARSED = 4000

_GOAL_WORD = re.compile(
    r"(?:tests?|check|build|lint|verify|vet|typecheck|type-check|compile|clippy|nextest|e2e|ci)"
    r"(?:[:_-].*)?"
)
"""What a build tool is asked for when it is asked to judge: words of commands, not of prose."""
_BUILDERS = frozenset(
    {
        "ant", "bazel", "bun", "cargo", "cmake", "composer", "dart", "deno", "dotnet",
        "flutter", "go", "gradle", "gradlew", "hatch", "invoke", "just", "make", "meson",
        "mise", "mix", "mvn", "mvnw", "ninja", "npm", "nx", "pdm", "php", "pnpm", "rake",
        "ruff", "sbt", "swift", "task", "turbo", "yarn", "zig",
    }
)  # fmt: skip
_JUDGES = frozenset(
    {
        "basedpyright", "bats", "biome", "ctest", "cypress", "eslint", "flake8",
        "golangci-lint", "jest", "ktlint", "mocha", "mypy", "nosetests", "nox", "phpstan",
        "phpunit", "pre-commit", "py.test", "pylint", "pyright", "pytest", "rspec", "rubocop",
        "shellcheck", "staticcheck", "swiftlint", "tox", "tsc", "unittest", "vitest",
        "vue-tsc", "xcodebuild",
    }
)  # fmt: skip
"""Programs whose exit code is a verdict on the work."""
_LEADERS = frozenset(
    {
        "bunx", "bundle", "command", "env", "exec", "nice", "npx", "pipenv", "pipx", "poetry",
        "python", "python3", "py", "sudo", "time", "timeout", "uv", "uvx", "xvfb-run", "-m",
        "run",
    }
)  # fmt: skip
"""Words before the program that is really run."""
_SCRIPT = re.compile(r"(?:.*[-_.])?(?:tests?|check|verify|lint|ci)(?:[-_.].*)?\.(?:sh|ps1|bat|cmd)")
_ASSIGNMENT = re.compile(r"\w+=.*|-\w.*|\d+[smh]?")
_REDIRECTION = re.compile(r"\d?>&\d?|&>>?|>\|")
_TOKEN = re.compile(
    r"""(?P<operator>\|\|?|&&?|[;\n()])|(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"|&;()\\])+""",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class _Run:
    """A command that ended well or badly; `judges` names what its exit code is a verdict of."""

    step: int
    command: str
    good: bool
    code: int | None
    judges: frozenset[str]


def cut(trajectory: Trajectory) -> tuple[Episode, ...]:
    """The attempts of a trajectory in order: their spans cover every step once.

    A span begins with a user's request and goes to the next. A request that is tiny, or that is
    short and answers a question or breaks into work, goes on with the span before.
    """
    steps = trajectory.steps
    starts = _starts(steps)
    ends = [*starts[1:], len(steps)] if steps else []
    found: list[Episode] = []
    for number, (start, end) in enumerate(zip(starts, ends, strict=True), 1):
        span = steps[start:end]
        outcome, reason = _outcome(span)
        told = trajectory.verdict is not Outcome.UNKNOWN or trajectory.verdict_reason
        if number == len(starts) and told and outcome is Outcome.UNKNOWN:
            outcome, reason = trajectory.verdict, trajectory.verdict_reason or "the host's verdict"
        episode = Episode(
            trajectory=trajectory.id,
            number=number,
            first=span[0].number,
            last=span[-1].number,
            goal=_goal(span, trajectory),
            outcome=outcome,
            reason=reason,
        )
        found.append(episode)
    return tuple(found)


def _starts(steps: Sequence[Step]) -> list[int]:
    """Places where spans begin; what stands before the first request belongs to it."""
    starts: list[int] = []
    worked = False
    for place, step in enumerate(steps):
        if _is_request(step) and (not starts or (worked and not _goes_on(steps, place))):
            starts.append(place)
            worked = False
        worked = worked or (step.kind == "agent" and bool(starts))
    if not steps:
        return []
    return [0, *starts[1:]]


def _is_request(step: Step) -> bool:
    return step.kind == "user" and bool(step.text.strip())


def _goes_on(steps: Sequence[Step], place: int) -> bool:
    length = len(steps[place].text.strip())
    if length <= TINY:
        return not steps[place].abandoned and not steps[place - 1].abandoned
    if length > SHORT:
        return False
    before = next((step for step in reversed(steps[:place]) if step.kind == "agent"), None)
    if before is None or before.abandoned:
        return False
    asked = before.text.rstrip(" \n*_`)").endswith(_QUESTION_MARKS)
    broken = bool(before.calls) or any(_is_interrupt(step) for step in steps[before.number : place])
    return asked or broken


def _is_interrupt(step: Step) -> bool:
    """Readers mark what a user stopped as a system step that comes from the user."""
    return step.kind == "system" and step.source is SourceClass.USER


def _goal(span: Sequence[Step], trajectory: Trajectory) -> str:
    request = next((step for step in span if _is_request(step)), None)
    asked = request.text.strip() if request is not None else ""
    # The reader may know better what the first request asks for, such as the issue in a prompt.
    if not asked or (span[0] is trajectory.steps[0] and trajectory.goal in asked):
        asked = trajectory.goal or asked or trajectory.title
    return asked[:GOAL_CHARS]


def _outcome(span: Sequence[Step]) -> tuple[Outcome, str]:
    """What exit codes and the user's refusals show; never what was printed."""
    runs = list(_runs(span))
    edits = [step.number for step in span if _edits(step)]
    judged = [run for run in runs if run.judges]
    failed = _unresolved(judged)
    passed = (
        next((run for run in reversed(judged) if run.good), None)
        if judged
        else _mended(runs, edits)
    )
    stopped = _stopped(span)
    if stopped is not None:
        return stopped
    if failed is not None and passed is not None and passed.step > failed.step:
        return Outcome.UNKNOWN, f"{_shown(failed)}, but {_shown(passed)}"
    if failed is not None:
        return Outcome.FAILURE, f"{_shown(failed)}, not made good later"
    last_call = max((step.number for step in span if step.calls), default=0)
    if runs and runs[-1].step == last_call and not runs[-1].good:
        return Outcome.FAILURE, f"{_shown(runs[-1])}, and nothing was tried after it"
    return _passed(passed, edits)


def _passed(passed: _Run | None, edits: Sequence[int]) -> tuple[Outcome, str]:
    if passed is None:
        return Outcome.UNKNOWN, "no command's exit code judges it"
    if edits and edits[-1] > passed.step:
        later = f"but files were changed after it (step {edits[-1]})"
        return Outcome.UNKNOWN, f"{_shown(passed)}, {later}"
    return Outcome.SUCCESS, _shown(passed)


def _stopped(span: Sequence[Step]) -> tuple[Outcome, str] | None:
    """A refused edit or command is the user's verdict on an attempt; an interrupt alone is none."""
    interrupted = 0
    for step in reversed(span):
        if _is_interrupt(step):
            interrupted = interrupted or step.number
        elif step.kind == "agent":
            acts = {call.id for call in step.calls if call.edits or call.command}
            if any(_is_refusal(seen) and seen.call_id in acts for seen in step.observations):
                return Outcome.FAILURE, f"step {step.number}: refused by the user"
            break
    return (Outcome.UNKNOWN, f"step {interrupted}: stopped by the user") if interrupted else None


def _is_refusal(seen: Observation) -> bool:
    """Readers give a denial the user as its source."""
    return seen.failed is True and seen.source is SourceClass.USER


def _edits(step: Step) -> bool:
    failed = {seen.call_id for seen in step.observations if seen.failed}
    return any(call.edits and call.id not in failed for call in step.calls)


def _unresolved(judged: Sequence[_Run]) -> _Run | None:
    """The last failed verdict that no later one of its kind made good."""
    mended: set[str] = set()
    for run in reversed(judged):
        if run.good:
            mended |= run.judges
        elif not run.judges & mended:
            return run
    return None


def _mended(runs: Sequence[_Run], edits: Sequence[int]) -> _Run | None:
    """The last command that failed and, word for word, did not once files were changed."""
    for run in reversed(runs):
        failed = (r.step for r in runs if r.command == run.command and not r.good)
        if run.good and any(first < e < run.step for first in failed for e in edits):
            return run
    return None


def _runs(span: Sequence[Step]) -> Iterator[_Run]:
    for step in span:
        seen = {observation.call_id: observation for observation in step.observations}
        for call in step.calls:
            if call.command and call.id in seen:
                run = _run(step.number, call.command, seen[call.id])
                if run is not None:
                    yield run


def _run(step: int, command: str, seen: Observation) -> _Run | None:
    if seen.source is SourceClass.USER or (seen.exit_code is None and not seen.failed):
        return None
    good = seen.exit_code == 0 and not seen.failed
    judged = frozenset(filter(None, map(_judge, _covered(command))))
    return _Run(step=step, command=command.strip(), good=good, code=seen.exit_code, judges=judged)


def _shown(run: _Run) -> str:
    line = " ".join(run.command.split())
    line = line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"
    code = "failed" if run.code is None else f"exit code {run.code}"
    return f"step {run.step}: `{line}` {code}"


def _covered(command: str) -> list[list[str]]:
    """The simple commands that the exit code of a shell command speaks for, as words.

    Of `a; b && c | d` it speaks for b and d: a pipe and a semicolon hide what stands before them,
    and of `a || b` nobody knows which one it was.
    """
    parts: list[tuple[str, list[str]]] = [("", [])]
    for token in _TOKEN.finditer(_REDIRECTION.sub(" ", command[:_PARSED])):
        if token["operator"] and parts[-1][1]:
            parts.append((token["operator"], []))
        elif not token["operator"]:
            parts[-1][1].append(token[0])
    if parts[-1][0] == "&" or len(command) > _PARSED:
        return []
    covered: list[list[str]] = []
    piped = False
    for operator, words in reversed([part for part in parts if part[1]]):
        if not piped:
            covered.append(words)
        if operator == "||":
            return []
        if operator not in ("&&", "|", ""):
            break
        piped = operator == "|"
    return covered


def _judge(words: Sequence[str]) -> str | None:
    """The kind of verdict that a command is, such as `go test`; None where it is none."""
    rest = list(words)
    while rest and (_program(rest[0]) in _LEADERS or _ASSIGNMENT.fullmatch(rest[0])):
        rest = rest[1:]
    if not rest:
        return None
    program = _program(rest[0])
    if program in _JUDGES or _SCRIPT.fullmatch(program):
        return program
    if program not in _BUILDERS:
        return None
    asked = [word.strip("'\"") for word in rest[1:] if not word.startswith("-")]
    goal = next((word for word in asked[:3] if _GOAL_WORD.fullmatch(word)), "")
    if not goal and program in ("make", "ninja") and not asked:
        goal = "build"
    return f"{program} {goal}" if goal else None


def _program(word: str) -> str:
    return word.replace("\\", "/").rpartition("/")[2].removesuffix(".exe").lower()
