"""Verdicts: how each call of a session ended, what it judges, and by what this is known."""

from collections.abc import Iterable, Iterator, Sequence

from mcp_memory.domain.models import Frozen, Observation, SourceClass, Step, ToolCall
from mcp_memory.text import causes, endings, families, shell
from mcp_memory.text.shell import Program
from mcp_memory.trajectories import calls, committing
from mcp_memory.trajectories.calls import Made
from mcp_memory.trajectories.worked_out import WorkedOut


class Verdict(Frozen):
    """How one call ended."""

    step: int
    command: str
    good: bool | None
    """None where nothing tells."""
    judges: frozenset[str] = frozenset()
    """What it is a verdict of, such as `go test`; empty for a call that only acts or looks."""
    looks: bool = False
    """Whether it only looked, so that its exit code says nothing of the work."""
    code: int | None = None
    reason: str = ""
    """`exit code 1`, or the line of the output that says so, verbatim."""

    @property
    def failed(self) -> bool:
        """Whether something that judges or acts ended badly."""
        return self.good is False and not self.looks


def of(made: Made) -> Verdict | None:
    """How a call ended; None for one that never ran, or that the user refused."""
    told = None if made.seen is None else _ended(made.seen, made.call)
    if told is None or told.step == made.step.number:
        return told
    return told.model_copy(update={"step": made.step.number})


def _of_call(seen: Observation, call: ToolCall) -> Verdict | None:
    """How a call ended, as if in the step 0."""
    if seen.source is SourceClass.USER or causes.never_ran(seen.text):
        return None
    if not call.command:
        good = (
            None
            if seen.failed is None and not seen.exit_code
            else not (seen.failed or seen.exit_code)
        )
        return Verdict(step=0, command="", good=good, code=seen.exit_code,
                       reason="" if good is None else "the tool's own word")  # fmt: skip
    return _judged(call.command, seen)


_ended = WorkedOut[Observation, ToolCall, Verdict | None](_of_call)


def of_steps(steps: Iterable[Step]) -> Iterator[Verdict]:
    """The verdicts of every call that ran, in order."""
    return (told for told in map(of, calls.made(steps)) if told is not None)


def _judged(command: str, seen: Observation) -> Verdict:
    found = shell.programs(command)
    looks = families.only_looks(found)
    reach = shell.covered(found, pipefail=shell.pipes_fail(found))
    own = _judges(reach, command)
    hidden = _judges(found, command) - own
    code = seen.exit_code
    bad = bool(seen.failed or code)
    known = code is not None or seen.failed is not None
    base = {"step": 0, "command": command.strip(), "looks": looks, "code": code}
    told = "failed" if code is None else f"exit code {code}"
    if known and bad and not _only_looked_last(reach, seen.text, command):
        return Verdict(**base, good=False, judges=own or hidden, reason=told)
    if known and not bad and own:
        kinds = own if committing.landed(found, seen) else own - {"git commit"}
        if kinds:
            return Verdict(**base, good=True, judges=kinds, reason=told)
    if hidden:
        return _printed(base, hidden, found, seen)
    good = None if not known or bad else True
    return Verdict(**base, good=good, reason=told if good else "")


def _printed(
    base: dict[str, object], hidden: frozenset[str], found: Sequence[Program], seen: Observation
) -> Verdict:
    """What hides its exit code is judged by the code that it printed, or by its own last words."""
    printed = endings.printed_code(found, seen.text)
    if printed is not None:
        return Verdict.model_validate(
            {
                **base,
                "good": printed == 0,
                "judges": hidden,
                "reason": f"it printed exit code {printed}",
            }
        )
    bad = endings.bad_line(seen.text)
    good = "" if endings.is_cut(found, seen.text) else endings.good_line(seen.text)
    if bad or good:
        return Verdict.model_validate(
            {**base, "good": not bad, "judges": hidden, "reason": f"it printed: {bad or good}"}
        )
    return Verdict.model_validate({**base, "good": None})


def _judges(found: Sequence[Program], command: str) -> frozenset[str]:
    """What a line judges; git in a repository made to try something in judges nothing."""
    kinds = _kinds(found)
    return (
        kinds
        if not committing.is_elsewhere(command)
        else frozenset(k for k in kinds if k[:4] != "git ")
    )


def _kinds(found: Iterable[Program]) -> frozenset[str]:
    return frozenset(filter(None, map(families.judged, found)))


def _only_looked_last(reach: Sequence[Program], text: str, command: str) -> bool:
    """Whether the exit code is that of a look: `… | grep` that found nothing, and no complaint."""
    if not reach:
        return True
    last = families.purpose(reach[0])
    if last not in ("looks", "keeps house"):
        return False
    return not any(map(families.judged, reach)) or not causes.causes(text, command)
