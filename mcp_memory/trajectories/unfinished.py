"""Unfinished: what the end of a session left open, verbatim, each with its step."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from mcp_memory.domain.models import Step
from mcp_memory.text import courtesies
from mcp_memory.trajectories import calls, committing, edits, episodes, verdicts

_DONE = frozenset({"completed", "complete", "done", "finished", "cancelled", "canceled", "deleted"})
_TITLES = ("content", "step", "subject", "title", "text", "description", "task", "activeForm")
_QUESTION_MARKS = ("?", "\uff1f", "\u061f")
_SENTENCE_END = re.compile(
    r"(?<=[.!?:;\u3002\uff01\uff1f\u061f])[*_`)\"']*\s+|(?<=[\u3002\uff01\uff1f])"
)
MOST_ITEMS = 6


class Left(NamedTuple):
    """One thing that was left: the step that shows it, what it is, and its own words."""

    step: int
    what: str
    words: str


def left(steps: Sequence[Step], *, path: Callable[[str], str], committed: bool) -> Iterator[Left]:
    """What is open at the end of a session, most urgent first.

    `path` names a file as the project does, or nothing where it lies elsewhere. Where a newer
    session `committed`, nobody knows whose edits went into that: none are told.
    """
    last = max((one.step for one in committing.of_steps(steps) if not one.undone), default=0)
    yield from _unanswered(steps)
    yield from _failing(steps, since=last)
    yield from _items(steps)
    if not committed:
        yield from _uncommitted(steps, path, since=last)


def _failing(steps: Sequence[Step], *, since: int) -> Iterator[Left]:
    """The last check since the last commit that failed, and that none of its kind made good."""
    told = verdicts.of_steps([step for step in steps if step.number > since])
    failed = episodes.unresolved([run for run in told if run.judges and run.good is not None])
    if failed is not None:
        line = failed.command.strip().partition("\n")[0]
        yield Left(failed.step, "failed", f"{line} → {failed.reason}")


def _unanswered(steps: Sequence[Step]) -> Iterator[Left]:
    """The user's last words where no agent said or did anything after them; or the agent's question."""
    spoken = [s for s in steps if s.kind in ("user", "agent") and (s.text.strip() or s.calls)]
    if not spoken or spoken[-1].abandoned:
        return
    last = spoken[-1]
    if last.kind == "user":
        if not courtesies.takes_leave(last.text):
            yield Left(last.number, "user, unanswered", last.text)
    elif not last.calls and (question := _asked(last.text)):
        yield Left(last.number, "agent asked", question)


def _asked(text: str) -> str:
    """The line of the question that a text ends with; what is only polite after it is no end."""
    for line in reversed(text.splitlines()):
        rest = line.strip()
        while rest:
            sentence = _SENTENCE_END.split(rest)[-1]
            if not courtesies.offers(sentence) and not courtesies.takes_leave(sentence):
                asks = sentence.rstrip("*_`)\"' ").endswith(_QUESTION_MARKS)
                return rest if asks else ""
            rest = rest[: rest.rindex(sentence)].rstrip()
    return ""


def _items(steps: Sequence[Step]) -> Iterator[Left]:
    """Items of the last list that are not done, or tasks that were begun and never ended."""
    listed: list[Left] = []
    tasks: dict[str, Left] = {}
    for made in calls.made(steps):
        number, given = made.step.number, made.call.arguments
        for several in given.values():
            items = several if isinstance(several, list) else []
            stated = [each for each in items if isinstance(each, Mapping) and "status" in each]
            if stated and len(stated) == len(items):
                listed = [Left(number, "to do", _title(e)) for e in stated if not _is_done(e)]
        if "status" in given and "taskId" in given:
            if _is_done(given):
                tasks.pop(str(given["taskId"]), None)
        elif isinstance(given.get("subject"), str) and made.seen is not None:
            name = made.seen.text.partition("#")[2].partition(" ")[0]
            if name.isdigit():
                tasks[name] = Left(number, "to do", _title(given))
    open_items = [each for each in (*listed, *tasks.values()) if each.words]
    yield from open_items[:MOST_ITEMS]
    if len(open_items) > MOST_ITEMS:
        yield Left(open_items[-1].step, "to do", f"and {len(open_items) - MOST_ITEMS} more")


def _title(item: Mapping[str, object]) -> str:
    found = (item[name] for name in _TITLES if isinstance(item.get(name), str))
    return str(next(found, ""))


def _is_done(item: Mapping[str, object]) -> bool:
    return str(item["status"]).lower() in _DONE


def _uncommitted(
    steps: Sequence[Step], path: Callable[[str], str], *, since: int
) -> Iterator[Left]:
    """Files of the project that were edited after the session's last commit."""
    files = {
        path(edit.path): edit.step
        for edit in edits.of_steps(steps)
        if edit.step > since and edit.told and edit.kind not in ("make", "restore")
    }
    named = [name for name in sorted(files, key=lambda name: -files[name]) if name]
    if named:
        yield Left(max(files.values()), "edited, not committed", ", ".join(named))
