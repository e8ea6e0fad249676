"""Rendering: an admitted trajectory as files of the archive; same trajectory, same bytes."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import orjson
from pydantic import JsonValue

from mcp_memory.domain import refs
from mcp_memory.domain.models import (
    Episode,
    Frozen,
    Observation,
    SourceClass,
    Step,
    ToolCall,
    Trajectory,
)
from mcp_memory.text import cutting
from mcp_memory.trajectories import origins, screening, verdicts
from mcp_memory.trajectories.entries import MOST_SAID, Entry, Touched, entry_of, numbers
from mcp_memory.trajectories.lineage import pointer
from mcp_memory.trajectories.naming import code, one_line, project_folder, session_name
from mcp_memory.trajectories.prose import prose
from mcp_memory.trajectories.told import Told, day, utc

OUTPUT_CHARS = 4_000
"""A tool output longer than this has a ref of its own, which `fetch` opens."""
_ARGUMENTS = 4
"""A call's arguments together may be so many times as long as one."""
_UNSEEN = re.compile(
    rb"\x7f|\xc2[\x80-\x9f]|\xe2\x80[\x8b-\x8f\xa8-\xae]|\xe2\x81[\xa0-\xaf]|\xef\xbb\xbf"
    rb"|\xf3\xa0[\x80-\x81][\x80-\xbf]"
)


class Files(Frozen):
    """The files of one session and its entry in the indexes."""

    summary: str
    prose: str
    steps: bytes
    entry: Entry


def render(  # noqa: PLR0913 a session's files are made of all that is known of it
    trajectory: Trajectory,
    episodes: Sequence[Episode],
    *,
    folder: str,
    step_chars: int,
    hidden: Mapping[int, str] | None = None,
    project: str = "",
    held: Mapping[int, Sequence[str]] | None = None,
) -> Files:
    """The files of a session; hidden steps keep their line and nothing else.

    `held`: number of each step with words that are not told unasked to why.

    Paths inside `project`, or else inside the session's own folder, are named relative to it.
    """
    told = Told(trajectory, hidden or {}, (project, trajectory.cwd or ""))
    entry = screening.screened(entry_of(told, episodes, folder))
    last = trajectory.steps[-1].number if trajectory.steps else 0
    shown = {step.number: step for step in told.steps}
    lines = [
        _line(trajectory.id, shown[number], step_chars, (held or {}).get(number, ()))
        if number in shown
        else _dumped({"step": number, **_absent(told.hidden.get(number, "purged"))})
        for number in range(1, last + 1)
    ]
    return Files(
        summary=_summary(told, episodes, entry),
        prose=prose(trajectory.id, told.steps, path=told.path),
        steps=b"".join(lines),
        entry=entry,
    )


def session_folder(project: str, trajectory: Trajectory) -> str:
    """`<project>/<day>-<slug>-<id>`, given at first sight and never changed."""
    words = trajectory.title or trajectory.goal
    return f"{project_folder(project)}/{session_name(day(trajectory.started_at), words, trajectory.id)}"


def output_ref(trajectory: str, text: str) -> str:
    """The ref of a tool output that is kept once in a session."""
    return f"o:{refs.short_hash('output', trajectory, text)}"


def capped(text: str, chars: int, ref: str) -> str:
    """Head and tail of a long text, with what is missing and the ref that opens it."""
    if len(text) <= chars:
        return text
    first = cutting.end(text, chars * 3 // 4)
    last = cutting.begin(text, len(text) - chars // 4)
    left = f"{last - first:,} characters left out"
    return f"{text[:first]}\n[… {left}: fetch {ref} …]\n{text[last:]}"


def _absent(why: str) -> dict[str, str]:
    """What stands for a step that is not shown: another session's ref, or why it is gone."""
    return {"same": why} if pointer(why) else {"gone": why}


def _dumped(record: Mapping[str, object]) -> bytes:
    """One line of JSON; what a terminal would obey or not show is escaped, the value unchanged."""
    line = orjson.dumps(record)
    if not line.isascii() or b"\x7f" in line:
        line = _UNSEEN.sub(_escaped, line)
    return line + b"\n"


def _escaped(match: re.Match[bytes]) -> bytes:
    units = match[0].decode().encode("utf-16-be")
    return b"".join(b"\\u%02x%02x" % (units[at], units[at + 1]) for at in range(0, len(units), 2))


def _line(trajectory: str, step: Step, chars: int, held: Sequence[str]) -> bytes:
    ref = refs.span(trajectory, step.number)
    record: dict[str, object] = {"step": step.number, "ref": ref}
    least = origins.least_trusted(origins.sources((step,)))
    told = {
        "at": utc(step.at).isoformat(timespec="seconds") if step.at else None,
        "kind": step.kind,
        "source": least.value,
        "trust": least.trust,
        "held": list(held),
        "abandoned": step.abandoned,
        "taken_back": step.taken_back,
        "revises": step.revises,
        "text": capped(step.text, chars * 2, ref),
        "reasoning": capped(step.reasoning, chars, ref),
        "calls": [_call(call, chars, ref) for call in step.calls],
        "results": [_result(seen, trajectory, chars, ref) for seen in step.observations],
    }
    record.update({name: value for name, value in told.items() if value})
    return _dumped(record)


def _call(call: ToolCall, chars: int, ref: str) -> dict[str, object]:
    told: dict[str, object] = {"tool": call.name}
    if call.command:
        told["command"] = capped(call.command, chars, ref)
    elif call.arguments:
        told["args"] = _arguments(call.arguments, chars, ref)
    if call.paths:
        told["edits" if call.edits else "paths"] = list(call.paths)
    return told


def _arguments(arguments: Mapping[str, JsonValue], chars: int, ref: str) -> object:
    kept = {name: _argument(value, chars, ref) for name, value in arguments.items()}
    whole = orjson.dumps(kept)
    if len(whole) <= chars * _ARGUMENTS:
        return kept
    return capped(whole.decode(), chars, ref)


def _argument(value: JsonValue, chars: int, ref: str) -> JsonValue:
    if isinstance(value, str):
        return capped(value, chars, ref)
    if isinstance(value, dict | list):
        whole = orjson.dumps(value)
        return value if len(whole) <= chars else capped(whole.decode(), chars, ref)
    return value


def _result(seen: Observation, trajectory: str, chars: int, ref: str) -> dict[str, object]:
    told: dict[str, object] = {}
    if seen.exit_code is not None:
        told["exit"] = seen.exit_code
    if seen.failed is not None:
        told["failed"] = seen.failed
    if len(seen.text) > max(chars, OUTPUT_CHARS):
        ref = f"{output_ref(trajectory, seen.text)} or {ref}"
    if seen.source is not SourceClass.TOOL:
        told["source"] = seen.source.value
    told["text"] = capped(seen.text, chars, ref)
    return told


def _summary(told: Told, episodes: Sequence[Episode], entry: Entry) -> str:
    trajectory = told.trajectory
    facts = (
        ("ref", f"t:{trajectory.id} (step N is t:{trajectory.id}#N, line N of steps.jsonl)"),
        ("agent", f"{trajectory.format} {trajectory.model or ''}"),
        ("started", entry.started),
        ("folder", trajectory.cwd),
        ("branch", trajectory.git_branch),
        ("commit", trajectory.git_commit),
        ("started by", f"t:{trajectory.parent}" if trajectory.parent else ""),
        ("goes on from", f"t:{trajectory.origin}" if trajectory.origin else ""),
        ("steps", _counted(told)),
        ("outcome", entry.outcome.value),
        ("verdict", "" if told.gone else trajectory.verdict_reason),
    )
    edited = [each for each in entry.files if each.marked]
    read = [each for each in entry.files if not each.marked]
    parts = [f"# {entry.goal}", ""]
    parts += [f"- {name}: {one_line(value)}" for name, value in facts if value]
    parts += ["", "## Goal", "", _quoted(screening.line(told.words(trajectory.goal)))]
    parts += _section("Episodes", [_episode(told, each) for each in episodes])
    parts += _section("Files edited (* in that step)", map(_touched, edited))
    parts += _section("Files read or named", map(_touched, read))
    commands = (_typed(each) for each in entry.commands)
    parts += _section("Commands, as they were last typed (! failed)", commands)
    parts += _section("Commands that failed, as they were run", _bad_ends(told))
    parts += _section("Errors met", map(_touched, entry.errors))
    parts += _section("Decisions, verbatim", (f"#{d.step} {d.text}" for d in entry.decisions))
    parts += _section("What the user said", _said(told))
    return "\n".join(parts) + "\n"


def _counted(told: Told) -> str:
    """How many steps there are, and which of them another session holds."""
    shared = [why for why in told.hidden.values() if pointer(why)]
    held = len(told.trajectory.steps)
    return f"{held}, {len(shared)} of them shared ({shared[0]} and on)" if shared else str(held)


def _episode(told: Told, episode: Episode) -> str:
    goal = one_line(told.words(episode.goal)) or "(hidden)"
    return (
        f"{refs.episode(episode.trajectory, episode.number)} #{episode.first}-{episode.last} "
        f"{episode.outcome.value}: {screening.line(goal)} ({one_line(told.reason(episode))})"
    )


def _typed(each: Touched) -> str:
    line = _touched(each, "!")
    return line if each.last in ("", each.name) else f"{line} | {code(each.last)}"


def _touched(each: Touched, mark: str = "*") -> str:
    return f"{code(each.name)}: {numbers(each, mark)}"


def _bad_ends(told: Told) -> Iterator[str]:
    for one in verdicts.of_steps(told.steps):
        if one.command and one.failed:
            ran = code(screening.line(one.command))
            yield f"#{one.step} {one_line(one.reason, 100)}: {ran}"


def _said(told: Told) -> Iterator[str]:
    """What people typed themselves: no paste, and no prompt of another agent's."""
    said = ((step.number, screening.users(step)) for step in told.steps if step.kind == "user")
    return (f"#{number} {one_line(text, 300)}" for number, text in said if text)


def _section(title: str, lines: Iterable[str]) -> list[str]:
    listed = [f"- {line}" for line in lines]
    more = [f"- and {len(listed) - MOST_SAID} more"] if len(listed) > MOST_SAID else []
    return ["", f"## {title}", "", *listed[:MOST_SAID], *more] if listed else []


def _quoted(text: str) -> str:
    lines = [
        f"> {one_line(line, 400)}" for line in cutting.head(text, 2000).splitlines() if line.strip()
    ]
    return "\n".join(lines) or "> (none)"
