"""Rendering: an admitted trajectory as the files of the archive; the same trajectory, the same bytes."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import orjson

from mcp_memory import refs, signatures
from mcp_memory.models import Episode, Frozen, Observation, Outcome, Step, ToolCall, Trajectory

GOAL_CHARS = 140
SLUG_CHARS = 40
MOST_FILES = 200
MOST_COMMANDS = 400
_WORD = re.compile(r"[^\W_]+")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)", re.IGNORECASE)
_CONTROL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)


class Touched(Frozen):
    """A file, command or error of a session, and the steps where it occurs."""

    name: str
    steps: tuple[int, ...]
    failed: int = 0
    """How often it failed, of commands."""
    edited: bool = False


class Entry(Frozen):
    """What the indexes of a project say of one session."""

    id: str
    folder: str
    day: str
    started: str
    format: str
    goal: str
    outcome: Outcome
    steps: int
    files: tuple[Touched, ...] = ()
    commands: tuple[Touched, ...] = ()
    errors: tuple[Touched, ...] = ()


class Files(Frozen):
    """The files of one session and its entry in the indexes."""

    summary: str
    steps: bytes
    entry: Entry


def render(
    trajectory: Trajectory,
    episodes: Sequence[Episode],
    *,
    folder: str,
    step_chars: int,
    hidden: Mapping[int, str] | None = None,
) -> Files:
    """SUMMARY.md and steps.jsonl of a session; hidden steps keep their line and nothing else."""
    hidden = hidden or {}
    shown = [step for step in trajectory.steps if step.number not in hidden]
    by_number = {step.number: step for step in shown}
    last = trajectory.steps[-1].number if trajectory.steps else 0
    lines = [
        _line(trajectory.id, by_number[number], step_chars)
        if number in by_number
        else orjson.dumps({"step": number, "gone": hidden.get(number, "purged")})
        for number in range(1, last + 1)
    ]
    entry = _entry(trajectory, episodes, shown, folder)
    return Files(
        summary=_summary(trajectory, episodes, entry, shown),
        steps=b"".join(line + b"\n" for line in lines),
        entry=entry,
    )


def output_ref(trajectory: str, text: str) -> str:
    """The ref of a tool output that is kept once in a session."""
    return f"o:{refs.short_hash('output', trajectory, text)}"


def session_folder(project: str, trajectory: Trajectory) -> str:
    """`<project>/<day>-<slug>-<id>`, given at first sight and never changed."""
    name = (
        f"{_day(trajectory.started_at)}-{slug(trajectory.title or trajectory.goal)}-{trajectory.id}"
    )
    return f"{project_folder(project)}/{name}"


def project_folder(project: str) -> str:
    """A readable folder for a project: its last name, and a hash of the whole for uniqueness."""
    last = re.split(r"[/\\]", project.rstrip("/\\"))[-1]
    return f"{slug(last)}-{refs.short_hash('project', project)[:6]}"


def slug(text: str) -> str:
    """Lower-case words joined by hyphens, safe as a file name on every system."""
    plain = unicodedata.normalize("NFKD", text[:400]).encode("ascii", "ignore").decode().lower()
    words = "-".join(_WORD.findall(plain))[:SLUG_CHARS].strip("-")
    return "untitled" if not words or _RESERVED.fullmatch(words) else words


def one_line(text: str, chars: int = GOAL_CHARS) -> str:
    """A text as one inert line of Markdown, cut with a mark."""
    flat = " ".join(_CONTROL.sub(" ", text[: chars * 8]).split())
    cut = flat if len(flat) <= chars else f"{flat[: chars - 1].rstrip()}…"
    return cut.replace("|", "¦").replace("`", "'").replace("<", "‹").replace("#", "＃")


def capped(text: str, chars: int, ref: str) -> str:
    """Head and tail of a long text, with what is missing and the ref that opens it."""
    if len(text) <= chars:
        return text
    head, tail = chars * 3 // 4, chars // 4
    left = len(text) - head - tail
    return f"{text[:head]}\n[… {left:,} characters left out: fetch {ref} …]\n{text[-tail:]}"


def _line(trajectory: str, step: Step, chars: int) -> bytes:
    record: dict[str, object] = {"step": step.number, "ref": refs.span(trajectory, step.number)}
    told = {
        "at": step.at.isoformat() if step.at else None,
        "kind": step.kind,
        "abandoned": step.abandoned,
        "revises": step.revises,
        "text": capped(step.text, chars * 2, refs.span(trajectory, step.number)),
        "reasoning": capped(step.reasoning, chars, refs.span(trajectory, step.number)),
        "calls": [_call(call, trajectory, step, chars) for call in step.calls],
        "results": [_result(seen, trajectory, chars) for seen in step.observations],
    }
    record.update({name: value for name, value in told.items() if value})
    return orjson.dumps(record)


def _call(call: ToolCall, trajectory: str, step: Step, chars: int) -> dict[str, object]:
    told: dict[str, object] = {"tool": call.name}
    if call.command:
        told["command"] = capped(call.command, chars, refs.span(trajectory, step.number))
    else:
        told["args"] = {
            name: capped(value, chars, refs.span(trajectory, step.number))
            if isinstance(value, str)
            else value
            for name, value in call.arguments.items()
        }
    if call.paths:
        told["edits" if call.edits else "paths"] = list(call.paths)
    return told


def _result(seen: Observation, trajectory: str, chars: int) -> dict[str, object]:
    told: dict[str, object] = {}
    if seen.exit_code is not None:
        told["exit"] = seen.exit_code
    if seen.failed is not None:
        told["failed"] = seen.failed
    ref = output_ref(trajectory, seen.text) if len(seen.text) > chars else ""
    return {**told, "text": capped(seen.text, chars, ref)}


def _entry(
    trajectory: Trajectory, episodes: Sequence[Episode], shown: Sequence[Step], folder: str
) -> Entry:
    outcomes = [e.outcome for e in episodes if e.outcome is not Outcome.UNKNOWN]
    return Entry(
        id=trajectory.id,
        folder=folder,
        day=_day(trajectory.started_at),
        started=trajectory.started_at.isoformat() if trajectory.started_at else "",
        format=trajectory.format,
        goal=one_line(trajectory.title or trajectory.goal or "(no request)"),
        outcome=outcomes[-1] if outcomes else Outcome.UNKNOWN,
        steps=len(trajectory.steps),
        files=_files(shown),
        commands=_commands(shown),
        errors=_errors(shown),
    )


def _files(steps: Iterable[Step]) -> tuple[Touched, ...]:
    where: dict[str, list[int]] = {}
    edited: set[str] = set()
    for step in steps:
        for call in step.calls:
            for path in call.paths:
                where.setdefault(path, []).append(step.number)
                if call.edits:
                    edited.add(path)
    found = [Touched(name=p, steps=_unique(n), edited=p in edited) for p, n in where.items()]
    return tuple(sorted(found, key=lambda each: (not each.edited, each.name))[:MOST_FILES])


def _commands(steps: Iterable[Step]) -> tuple[Touched, ...]:
    where: dict[str, list[int]] = {}
    failed: dict[str, int] = {}
    for step in steps:
        ended = {seen.call_id: seen for seen in step.observations}
        for call in step.calls:
            if not call.command:
                continue
            name = signatures.command(call.command)
            where.setdefault(name, []).append(step.number)
            seen = ended.get(call.id)
            if seen is not None and (seen.exit_code or seen.failed):
                failed[name] = failed.get(name, 0) + 1
    found = [
        Touched(name=n, steps=_unique(s), failed=failed.get(n, 0)) for n, s in where.items() if n
    ]
    return tuple(sorted(found, key=lambda each: each.name)[:MOST_COMMANDS])


def _errors(steps: Iterable[Step]) -> tuple[Touched, ...]:
    where: dict[str, list[int]] = {}
    for step in steps:
        for seen in step.observations:
            if seen.failed or seen.exit_code:
                name = signatures.error(seen.text)
                if name:
                    where.setdefault(name, []).append(step.number)
    found = [Touched(name=name, steps=_unique(numbers)) for name, numbers in where.items()]
    return tuple(sorted(found, key=lambda each: each.name)[:MOST_COMMANDS])


def _summary(
    trajectory: Trajectory, episodes: Sequence[Episode], entry: Entry, shown: Sequence[Step]
) -> str:
    facts = (
        ("ref", f"t:{trajectory.id}"),
        ("agent", trajectory.format),
        ("started", entry.started),
        ("folder", trajectory.cwd),
        ("branch", trajectory.git_branch),
        ("commit", trajectory.git_commit),
        ("model", trajectory.model),
        ("parent", f"t:{trajectory.parent}" if trajectory.parent else ""),
        ("steps", str(entry.steps)),
        ("outcome", entry.outcome.value),
        ("verdict", trajectory.verdict_reason),
    )
    parts = [f"# {entry.goal}", ""]
    parts += [f"- {name}: {one_line(value)}" for name, value in facts if value]
    parts += ["", "Step N is line N of steps.jsonl.", "", "## Goal", "", _quoted(trajectory.goal)]
    parts += _section("Episodes", (_episode(trajectory.id, each) for each in episodes))
    parts += _section("Files edited", (_touched(f) for f in entry.files if f.edited))
    parts += _section("Files read", (_touched(f) for f in entry.files if not f.edited))
    parts += _section("Commands", (_touched(each) for each in entry.commands))
    parts += _section("Errors", (_touched(each) for each in entry.errors))
    parts += _section("What the user said", _said(shown))
    return "\n".join(parts) + "\n"


def _episode(trajectory: str, episode: Episode) -> str:
    return (
        f"{refs.episode(trajectory, episode.number)} steps {episode.first}-{episode.last} "
        f"{episode.outcome.value}: {one_line(episode.goal)} ({one_line(episode.reason)})"
    )


def _touched(each: Touched) -> str:
    marks = f" ({each.failed} of {len(each.steps)} failed)" if each.failed else ""
    return f"{one_line(each.name, 200)}{marks}: steps {numbers(each.steps)}"


def numbers(steps: Sequence[int], most: int = 30) -> str:
    """Step numbers as a list, its end counted."""
    told = ",".join(str(number) for number in steps[:most])
    return told if len(steps) <= most else f"{told} and {len(steps) - most} more"


def _said(steps: Iterable[Step]) -> Iterator[str]:
    for step in steps:
        if step.kind == "user" and step.text:
            yield f"step {step.number}: {one_line(step.text, 300)}"


def _section(title: str, lines: Iterable[str]) -> list[str]:
    listed = [f"- {line}" for line in lines]
    return ["", f"## {title}", "", *listed] if listed else []


def _quoted(text: str) -> str:
    lines = [f"> {one_line(line, 400)}" for line in text[:2000].splitlines() if line.strip()]
    return "\n".join(lines) or "> (none)"


def _day(at: datetime | None) -> str:
    return at.date().isoformat() if at else "undated"


def _unique(numbers_: Iterable[int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(numbers_))
