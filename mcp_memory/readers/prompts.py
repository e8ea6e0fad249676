"""Prompts: what a user typed, from a host's one history of all sessions, grouped by session."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from mcp_memory.domain import refs
from mcp_memory.domain.models import Refusal, SourceClass, Trajectory
from mcp_memory.readers.drafts import Drafts
from mcp_memory.readers.jsonl import Record, first_records, read_lines

SESSIONS = {"claude_prompts": "claude_code", "codex_prompts": "codex"}
"""A format of prompts to the format of the transcripts whose sessions they were typed in."""

COMMANDS_ONLY = "session:commands"
"""A session in which nothing but bare commands was typed."""
COUNTED = {COMMANDS_ONLY: "commands of the host itself, nothing was asked"}
"""Known parts that are counted and not kept, with the reason."""

_HEAD_LINES = 20

_ENDING = "/prompts"
_REASON = "only what was typed is known"
_COMMAND = re.compile(r"\s*/[\w:.-]+\s*")


def session_of(format_: str, native_id: str) -> str | None:
    """The id that a transcript gives the session of these prompts; None for other formats."""
    sessions = SESSIONS.get(format_)
    return refs.trajectory_id(sessions, native_id.removesuffix(_ENDING)) if sessions else None


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a record of a history says; without a session where the host wrote none."""

    text: str
    session: str
    at: datetime | None
    cwd: str = ""


def mostly(path: Path, is_prompt: Callable[[Record], bool]) -> bool:
    """Whether more than half of the first records of a file are prompts of this shape."""
    found = [is_prompt(record) for record in first_records(path, _HEAD_LINES)]
    return sum(found) * 2 > len(found)


def typed(
    path: Path, format_: str, mapped: frozenset[str], prompt_of: Callable[[Record], Prompt]
) -> Iterator[Trajectory]:
    """One trajectory of user steps a session; whether a transcript of it exists is not known here."""
    history = _History(format_, mapped)
    for _, record in read_lines(path, history.refusals):
        history.add(record, prompt_of(record))
    yield from history.trajectories()


@dataclass(slots=True)
class _Typed:
    """What was typed in one session."""

    cwd: str | None
    drafts: Drafts = field(default_factory=Drafts)


class _History:
    """The prompts of one history, by session, in order of first sight."""

    def __init__(self, format_: str, mapped: frozenset[str]) -> None:
        self.refusals: list[Refusal] = []
        self._format = format_
        self._mapped = mapped
        self._unknown: Counter[str] = Counter()
        self._sessions: dict[str, _Typed] = {}

    def add(self, record: Record, prompt: Prompt) -> None:
        """Keep a prompt; what a record holds beside it is counted."""
        self._unknown.update(key[:80] for key in record if key not in self._mapped)
        text, at = prompt.text, prompt.at
        if not text.strip():
            self._unknown["no prompt"] += 1
            return
        # Old versions wrote no session: what was typed in one place on one day counts as one.
        key = prompt.session or refs.short_hash(prompt.cwd, at.date().isoformat() if at else "")
        typed = self._sessions.setdefault(key, _Typed(prompt.cwd or None))
        bare = _COMMAND.fullmatch(text) is not None
        source = SourceClass.HOST if bare else SourceClass.USER
        typed.drafts.begin("system" if bare else "user", source, text.strip(), at=at)

    def trajectories(self) -> Iterator[Trajectory]:
        """One a session in which something was asked; the first carries what the file came to."""
        asked = {key: typed for key, typed in self._sessions.items() if typed.drafts.goal}
        left_out = len(self._sessions) - len(asked)
        skipped = {COMMANDS_ONLY: left_out} if left_out else {}
        unknown, refusals = dict(self._unknown), tuple(self.refusals)
        for key, typed in asked.items():
            lifetime = typed.drafts.lifetime
            native_id = key + _ENDING
            yield Trajectory(
                id=refs.trajectory_id(self._format, native_id),
                format=self._format,
                native_id=native_id,
                goal=typed.drafts.goal,
                cwd=typed.cwd,
                started_at=lifetime.begun,
                ended_at=lifetime.ended,
                steps=tuple(draft.finished() for draft in typed.drafts),
                verdict_reason=_REASON,
                skipped=skipped,
                unknown=unknown,
                refusals=refusals,
            )
            skipped, unknown, refusals = {}, {}, ()
