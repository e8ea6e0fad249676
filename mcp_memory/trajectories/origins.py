"""Origins: where each part of a step comes from: typed, said, done, printed, read, pasted, prompted."""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple

from mcp_memory.domain.models import Observation, SourceClass, Step, ToolCall
from mcp_memory.text import shell
from mcp_memory.text.typed import pasted, typed
from mcp_memory.trajectories.calls import strings


class Origin(StrEnum):
    """Who or what the words of a part are of."""

    TYPED = "typed"
    """A person typed it here."""
    SAID = "said"
    """The agent said or thought it."""
    DONE = "done"
    """The agent called it: a command, an edit."""
    HOST = "host"
    """The host told it in its own words."""
    PRINTED = "printed"
    """A program printed it."""
    READ = "read"
    """It stood in a file, on a page, or came from another server."""
    PASTED = "pasted"
    """A person put it into a message without having typed it, as far as its form tells."""
    PROMPTED = "prompted"
    """Another agent asked for it."""

    @property
    def outside(self) -> bool:
        """Whether somebody who is no party of the session may have written it."""
        return self in _OUTSIDE


_OUTSIDE = frozenset({Origin.PRINTED, Origin.READ, Origin.PASTED})
READERS = frozenset(
    {"cat", "head", "tail", "sed", "awk", "less", "more", "bat", "nl", "type", "grep", "rg", "ag",
     "ack", "curl", "wget", "http", "jq", "yq", "strings", "xxd", "zcat", "get-content", "gc", "lynx",
     "w3m", "pandoc", "pdftotext", "unzip", "tar", "diff", "column", "tac", "sort", "cut"}
)  # fmt: skip
"""Programs whose output is somebody else's text."""


class Part(NamedTuple):
    """Words of a step that are of one origin."""

    origin: Origin
    text: str


def parts(step: Step) -> Iterator[Part]:
    """The parts of a step in their order; a host's own instructions are none."""
    if step.kind == "boot":
        return
    yield from _spoken(step)
    for call in step.calls:
        yield Part(Origin.DONE, called(call))
    calls = {call.id: call for call in step.calls}
    for seen in step.observations:
        yield Part(_of(seen, calls.get(seen.call_id)), seen.text)


def called(call: ToolCall) -> str:
    """What a call says: its command, or all texts among its arguments."""
    return call.command or "\n".join(strings(call.arguments))


def looks(command: str) -> bool:
    """Whether a command line shows what somebody else wrote: any of its programs reads.

    What only cuts the output of the program before it shows that one's: `go test | tail` reads nothing.
    """
    return any(map(_reads, shell.programs(command)))


def _reads(program: shell.Program) -> bool:
    handed = program.name == "xargs"
    words = [word for word in program.words if not word.startswith("-")][handed:][:1]
    name = "".join(words).rpartition("/")[2].lower()
    return name in READERS and (handed or program.joined != "|")


def sources(steps: Iterable[Step]) -> Iterator[SourceClass]:
    """Every source class that a span's text comes from."""
    for step in steps:
        # What a user did, such as an interrupt, is told in the host's words.
        done = step.kind == "system" and step.source is SourceClass.USER
        yield SourceClass.HOST if done else step.source
        for seen in step.observations:
            yield seen.source


def least_trusted(told: Iterable[SourceClass]) -> SourceClass:
    """The source that a record made of several counts as; the agent's where there is none."""
    return min(told, key=lambda source: source.trust, default=SourceClass.AGENT)


def _spoken(step: Step) -> Iterator[Part]:
    if step.kind == "user" and step.source is SourceClass.USER:
        yield Part(Origin.TYPED, typed(step.text))
        yield Part(Origin.PASTED, pasted(step.text))
        return
    if step.kind == "user" and step.source is SourceClass.AGENT:
        yield Part(Origin.PROMPTED, step.text)
        return
    spoken = {
        SourceClass.USER: Origin.TYPED,
        SourceClass.HOST: Origin.HOST,
        SourceClass.AGENT: Origin.SAID,
        SourceClass.TOOL: Origin.PRINTED,
        SourceClass.EXTERNAL: Origin.READ,
    }
    yield Part(spoken[step.source], step.text)
    if step.reasoning:
        yield Part(Origin.SAID, step.reasoning)


def _of(seen: Observation, call: ToolCall | None) -> Origin:
    if seen.source is SourceClass.USER:
        return Origin.TYPED
    if seen.source is SourceClass.HOST:
        return Origin.HOST
    if seen.source is SourceClass.AGENT:
        return Origin.PROMPTED
    if seen.source is SourceClass.EXTERNAL or (call and call.command and looks(call.command)):
        return Origin.READ
    return Origin.PRINTED
