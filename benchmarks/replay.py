"""Replay: sessions of a history again in order of time, each told what stood before it, and what came of it.

    python benchmarks/replay.py --data FOLDER... [--half even|odd] [--show N] [--seed 1]
                                [--verdicts FILE] [--gold FILE] [--level normal]

Every session is led through the real hook, event by event, with a ready file that was made from the
sessions that had ended before it began. A saying was gone by where the session itself later ran or
edited what was told, without having been told: that many steps it would have saved. `--show` prints
sayings drawn at random with the steps that follow, to be read; `--verdicts` is a table of what was
read: session, step, kind, `helps`, `neutral` or `misleads`, why.
"""

import argparse
import csv
import json
import random
import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

from apparatus import tables, transcripts
from labels import Session, sessions, shown

from mcp_memory.domain import projects
from mcp_memory.domain.models import Step, ToolCall
from mcp_memory.domain.paths import relative
from mcp_memory.hooks import briefing, digests, hook, ready, speaking, switches
from mcp_memory.hooks.digests import Sessions
from mcp_memory.text import resuming, tokens
from mcp_memory.trajectories import calls, edits, leaving, verdicts

AFTER = 40
"""Steps in which what was told is looked for."""
_CHECK = re.compile(r"`([^`\n]+)` \(\d+ sessions?\)")
"""As a briefing tells how work is checked."""
KINDS = ("briefing", "prompt", "error", "edit", "command")


class Said(NamedTuple):
    """One saying in one session."""

    session: Session
    step: int
    kind: str
    text: str
    follows: tuple[str, ...]

    @property
    def key(self) -> tuple[str, str, str]:
        """By what it is found again."""
        return self.session.trajectory.id, str(self.step), self.kind


@dataclass
class History:
    """The sessions of one project in order of time."""

    sessions: list[Session] = field(default_factory=list)

    def before(self, one: Session) -> list[Session]:
        """Those that had ended when a session began, newest first, none of its own root."""
        began, root = _began(one), _root(one)
        found = [each for each in self.sessions if _ended(each) <= began and _root(each) != root]
        return sorted(found, key=_ended, reverse=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    transcripts.option(parser)
    parser.add_argument("--half", choices=["even", "odd"], help="only sessions of this half speak")
    parser.add_argument("--level", choices=switches.LEVELS, default="normal")
    parser.add_argument("--show", type=int, default=0)
    parser.add_argument("--kind", choices=KINDS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verdicts", type=Path)
    parser.add_argument("--gold", type=Path)
    parser.add_argument(
        "--briefings", type=int, default=0, help="print those of N projects instead"
    )
    told = parser.parse_args()
    known = list(sessions(told.data))
    if told.briefings:
        for line in briefings(known, told.briefings):
            print(line)
        return
    chosen = [one for one in known if told.half is None or _half(one) == told.half]
    said = list(replayed(known, chosen, told.level))
    table(said, chosen, _verdicts(told.verdicts))
    if told.gold:
        gold(said, known, told.gold)
    drawn = [one for one in said if told.kind in (None, one.kind)]
    for one in random.Random(told.seed).sample(drawn, min(told.show, len(drawn))):
        print(f"--- {_told(one)}")


def replayed(known: Sequence[Session], chosen: Sequence[Session], level: str) -> Iterator[Said]:
    """What the chosen sessions were told, in order of time."""
    histories: dict[str, History] = defaultdict(History)
    for one in sorted(known, key=_began):
        histories[_project(one)].sessions.append(one)
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        switches.switch(home, "everywhere", "", level)
        for one in sorted(chosen, key=_began):
            yield from _session(home, one, histories[_project(one)])


def briefings(known: Sequence[Session], most: int) -> Iterator[str]:
    """What a new session of each project would be told today, those with most sessions first."""
    histories: dict[str, list[Session]] = defaultdict(list)
    for one in known:
        histories[_project(one)].append(one)
    told = 0
    for project in sorted(histories, key=lambda name: -len(histories[name])):
        newest = sorted(histories[project], key=_ended, reverse=True)
        made = assembled(project, newest)
        if made.briefing and told < most and project not in ("", "/"):
            told += 1
            text = speaking.written(speaking.within(list(made.briefing)))
            many, cost = len(newest), tokens.estimate(text)
            yield f"## {project}: {many} sessions, {cost} tokens\n\n{text}\n"


def _session(home: Path, one: Session, history: History) -> Iterator[Said]:
    project = projects.project_of(one.trajectory.cwd)
    made = assembled(project, history.before(one))
    ready.write(home, made)
    for step, event, told in events(one):
        said = hook.answer(event, told, home)
        if said:
            text = json.loads(said)["hookSpecificOutput"]["additionalContext"]
            yield Said(one, step, _kind(event), text, _follows(made, text))
    ready.clear(home)


def assembled(project: str, before: Sequence[Session]) -> ready.Ready:
    """What hooks could say when these sessions had ended, newest first."""
    last = max((_ended(one) for one in before), default=datetime.fromtimestamp(0, UTC))
    return digests.assemble(
        project,
        [],
        Sessions(
            entries=[one.entry for one in before],  # type: ignore[misc]
            left=list(_left(before)),
            last=int(last.timestamp()),
        ),
    )


def events(one: Session) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """What a host would have told our hooks: step, our event, its JSON."""
    trajectory = one.trajectory
    base = {"session_id": trajectory.native_id, "cwd": trajectory.cwd or "/"}
    if not trajectory.parent:
        yield 0, "session-start", {**base, "hook_event_name": "SessionStart", "source": "startup"}
    first = next((s for s in trajectory.steps if s.kind == "user" and s.text.strip()), None)
    if first is not None and not trajectory.parent:
        name = {"hook_event_name": "UserPromptSubmit", "prompt": first.text}
        yield first.number, "prompt", {**base, **name}
    for made in calls.made(trajectory.steps):
        number, tool = made.step.number, _tool(made.call)
        if made.call.edits or edits.paths_of(made.call):
            name = {"hook_event_name": "PreToolUse"}
            yield number, "before-edit", {**base, **name, "tool_input": tool}
        elif made.call.command:
            name = {"hook_event_name": "PreToolUse"}
            yield number, "before-command", {**base, **name, "tool_input": tool}
        verdict = verdicts.of(made)
        if made.call.command and made.seen and verdict and verdict.failed:
            failed = {"hook_event_name": "PostToolUseFailure", "error": made.seen.text}
            if not (made.seen.failed or made.seen.exit_code):
                printed = {"stdout": made.seen.text}
                failed = {"hook_event_name": "PostToolUse", "tool_response": printed}
            yield number, "tool-failed", {**base, **failed, "tool_input": tool}


def _tool(call: ToolCall) -> dict[str, Any]:
    told = dict(call.arguments)
    if call.command:
        told["command"] = call.command
    if call.paths and not {"file_path", "path", "input", "patch"} & set(told):
        told["file_path"] = call.paths[0]
    return told


def _kind(event: str) -> str:
    named = {"session-start": "briefing", "before-edit": "edit", "before-command": "command"}
    return {**named, "prompt": "prompt"}.get(event, "error")


def _follows(made: ready.Ready, text: str) -> tuple[str, ...]:
    every = [*(s for each in made.errors.values() for s in each), *made.forms.values()]
    return next((one.follows for one in every if one.text == text), ())


def gone_by(one: Said) -> int:
    """The steps until the session did what was told; 0 where it never did."""
    for step in one.session.trajectory.steps[one.step : one.step + AFTER]:
        ran = "\n".join(_line(call) for call in step.calls)
        if any(_flat(each) in ran for each in one.follows):
            return step.number - one.step
    return 0


def bears(one: Said) -> bool:
    """Of a briefing and of what a prompt names: whether the session touched a file or ran a check of it."""
    return _touched(one) or _checked(one)


def _checked(one: Said) -> bool:
    """Whether the session ran one of the checks that a briefing tells, spelled as there."""
    checks = _CHECK.findall(one.text)
    steps = one.session.trajectory.steps
    ran = (call.command or "" for step in steps for call in step.calls)
    return bool(checks) and any(f"{check} " in f"{line} " for line in ran for check in checks)


def _touched(one: Said) -> bool:
    names = {word.strip("`,;:().") for word in one.text.split() if "." in word}
    touched = {each.name for each in one.session.entry.files}  # type: ignore[attr-defined]
    return any(path.endswith(name) for name in names if len(name) > 4 for path in touched)


def table(said: Sequence[Said], chosen: Sequence[Session], read: Mapping[Any, str]) -> None:
    """By kind: how many, tokens, what was gone by, and what was read."""
    roots = sum(not one.trajectory.parent for one in chosen)
    cost = sum(tokens.estimate(one.text) for one in said) / max(1, len(chosen))
    print(f"{len(chosen)} sessions, {roots} that a person began; {len(said)} sayings, "
          f"{len(said) / max(1, len(chosen)):.2f} a session, "
          f"{cost:.0f} tokens a session")  # fmt: skip
    tables.begin("kind", "said", "sessions", "tokens each", "gone by or bears", "steps saved",
                 "read", "helps", "neutral", "misleads")  # fmt: skip
    for kind in KINDS:
        its = [one for one in said if one.kind == kind]
        saved = [n for n in map(gone_by, its) if n]
        well = sum(map(bears, its)) if kind in ("briefing", "prompt") else len(saved)
        judged = Counter(read[one.key] for one in its if one.key in read)
        tables.line(
            kind,
            len(its),
            len({one.session.trajectory.id for one in its}),
            sum(tokens.estimate(one.text) for one in its) // max(1, len(its)),
            well,
            sum(saved),
            judged.total(),
            *(judged[name] for name in ("helps", "neutral", "misleads")),
        )


def gold(said: Sequence[Said], known: Sequence[Session], file: Path) -> None:
    """Of labelled errors that came back: how often something was said at one, before it was mended."""
    natives = {one.trajectory.native_id[-36:]: one for one in known}
    met = told = 0
    with file.open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream, delimiter="\t"):
            for place in row["occurrences(session_id:line:date)"].split(" ")[1:]:
                one = natives.get(place.partition(":")[0][-36:])
                if one is None:
                    continue
                met += 1
                about = [s for s in said if s.session is one and s.kind == "error"]
                told += bool(about)
    print(f"\nlabelled errors met again: {met}; in {told} of those sessions an error was spoken of")


def _told(one: Said) -> str:
    steps = one.session.trajectory.steps
    if one.kind == "briefing":
        asked = [step for step in steps if step.kind == "user"][:3]
        edited = [f.name for f in one.session.entry.files if f.marked]  # type: ignore[attr-defined]
        after = "\n".join(f"    > {' '.join(step.text.split())[:300]}" for step in asked)
        after += f"\n    edited {edited[:12]}"
    else:
        after = "\n".join(_shown(step) for step in steps[one.step - 1 : one.step + 7])
    key = " ".join(one.key)
    return f"{key} after {gone_by(one)} steps gone by, bears {bears(one)}\n{one.text}\n{after}"


def _shown(step: Step) -> str:
    said = " ".join(step.text.split())[:240]
    return f"  #{step.number} {step.kind} {said}\n{shown(step, 260)}"


def _verdicts(file: Path | None) -> Mapping[Any, str]:
    if file is None:
        return {}
    with file.open(encoding="utf-8") as stream:
        rows = [row for row in csv.reader(stream, delimiter="\t") if len(row) > 3]
    return {(row[0], row[1], row[2]): row[3] for row in rows}


def _line(call: ToolCall) -> str:
    new = "\n".join(
        str(call.arguments.get(name, "")) for name in ("new_string", "content", "input")
    )
    return _flat(f"{call.command or ''}\n{new}\n{' '.join(map(str, call.paths))}")


def _flat(text: str) -> str:
    return " ".join(text.replace("`", "'").split())


def _left(before: Sequence[Session]) -> Iterator[Any]:
    kept, committed = 0, False
    for one in before:
        if one.trajectory.parent or kept >= briefing.SESSIONS + 2:
            continue
        told, done = _traced(one, committed)
        committed = committed or done
        if told is not None:
            kept += 1
            yield told


@cache
def _left_of(id_: str, committed: bool) -> Any:  # noqa: FBT001
    one = _known[id_]
    trajectory = one.trajectory
    roots = (projects.project_of(trajectory.cwd), trajectory.cwd or "")
    at = _began(one)

    def inside(path: str) -> str:
        name = relative(path, roots)
        return "" if name.startswith(("/", "~", "..")) or ":" in name[:3] else name

    resumes = partial(_resumes, at)
    traces = leaving.traced(
        trajectory.steps[-400:], path=inside, committed=committed, resumes=resumes
    )
    entry: Any = one.entry
    session = leaving.Session(
        id=trajectory.id, project="", goal=trajectory.title or entry.goal,
        outcome=entry.outcome.value, steps=len(trajectory.steps), begun=_began(one), ended=_ended(one),
    )  # fmt: skip
    told = leaving.told(session, traces, leaving.LENGTHS[0]) if traces.requests else None
    return told, bool(traces.done)


_known: dict[str, Session] = {}


def _traced(one: Session, committed: bool) -> Any:  # noqa: FBT001
    _known[one.trajectory.id] = one
    return _left_of(one.trajectory.id, committed)


def _resumes(at: datetime, text: str) -> bool:
    return resuming.asked(text, now=at) is not None


def _half(one: Session) -> str:
    return "odd" if int(ready.short(_root(one))[:8], 16) % 2 else "even"


def _project(one: Session) -> str:
    """A pack is one project, whatever folders its people worked in."""
    if "__" in one.history:
        return one.history
    return one.trajectory.remote or projects.project_of(one.trajectory.cwd)


def _root(one: Session) -> str:
    return one.trajectory.parent or one.trajectory.id


def _began(one: Session) -> datetime:
    return _aware(one.trajectory.started_at)


def _ended(one: Session) -> datetime:
    times = [step.at for step in one.trajectory.steps if step.at]
    return max(map(_aware, times), default=_began(one))


def _aware(at: datetime | None) -> datetime:
    if at is None:
        return datetime.fromtimestamp(0, UTC)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


if __name__ == "__main__":
    main()
