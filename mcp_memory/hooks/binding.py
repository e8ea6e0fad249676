"""Binding: what persons settled that holds later too: choices of named options, plans carried out; pure."""

import re
from collections.abc import Iterator, Sequence

from mcp_memory.domain import refs
from mcp_memory.domain.models import SourceClass
from mcp_memory.hooks import lines
from mcp_memory.hooks.lines import Line
from mcp_memory.memories import settled
from mcp_memory.memories.experience import SessionView
from mcp_memory.trajectories.entries import Entry

MOST = 2
LOOKED_AT = 30
"""Newest sessions whose decisions are told: older ones are kept as memories, or searched."""
CHARS = 170
_ONCE = re.compile(
    r"(?i)\b(?:next|proceed|go (?:on|ahead)|continue|start|ready|approve|would you like (?:me )?to"
    r"|do you want me to|shall i|should i|(?:be )?commit(?:ted)?|push|merge|post|fixups?|this comment"
    r"|comment \d+|version number)\b"
)
"""Questions about going on bind nobody later."""
_TITLE = re.compile(
    r"^plan accepted: #*\s*(?:plan:\s*)?(?P<title>[^#]{8,120}?)(?=\s#|$|\. )", re.IGNORECASE
)
_OPTION_CHARS = 90
"""A longer answer is no named option but what was typed instead."""


def decisions(project: str, entries: Sequence[Entry]) -> Iterator[Line]:
    """The newest first, each with its day and its step; `entries` newest first."""
    views = [
        SessionView(root=one.parent or one.id, project=project, entry=one)
        for one in entries[:LOOKED_AT]
    ]
    choices = list(settled.decisions(views))
    for view in views:
        for offered in choices:
            point = offered.points[0]
            if point.session.id == view.id and _binds(offered.group.about):
                yield _line(view.entry, point.step, offered.group.about, SourceClass.USER)
        yield from _plans(view.entry)


def _binds(about: str) -> bool:
    asked, _, chosen = about.rpartition(" \u2192 ")
    return bool(asked) and not _ONCE.search(asked) and len(chosen) <= _OPTION_CHARS


def _plans(entry: Entry) -> Iterator[Line]:
    """Plans that a person accepted and whose session then committed."""
    made = [one.step for one in entry.landed if one.hash and not one.undone]
    for decision in reversed(entry.decisions):
        found = _TITLE.match(decision.text)
        if found and any(step > decision.step for step in made):
            text = f"plan carried out: {found['title'].strip()}"
            yield _line(entry, decision.step, text, SourceClass.AGENT)


def _line(entry: Entry, step: int, text: str, source: SourceClass) -> Line:
    ref = refs.span(entry.id, step)
    return lines.marked(f"{entry.day}: {text}", source, ref, chars=CHARS)
