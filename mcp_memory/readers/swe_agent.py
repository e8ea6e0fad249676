"""SWE-agent: one run a `.traj` file, a JSON object (0.x and 1.x seen)."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from mcp_memory.domain import refs
from mcp_memory.domain.models import Observation, Refusal, SourceClass, Trajectory
from mcp_memory.readers.blobs import without_blobs
from mcp_memory.readers.drafts import Drafts
from mcp_memory.readers.jsonl import (
    Record,
    count_at,
    list_at,
    number_at,
    object_at,
    read_head,
    read_whole,
    text_at,
)
from mcp_memory.readers.runs import message_text, verdict
from mcp_memory.readers.tools import tool_call

FORMAT = "swe_agent"
VERSION = 1

MAPPED = frozenset({"environment", "trajectory", "history", "info"})
"""Keys of the file that become part of a trajectory."""
LEFT_OUT = {
    "replay_config": "settings of the program, nothing that was said or seen",
    "history:demonstration": "another run, shown to the model as an example",
    "history:repeated": "what the agent did and saw stands in the trajectory",
}
"""Known keys and parts that are counted and not kept, with the reason."""

_FIRST_KEYS = "action|observation|response|thought|state|messages|query|execution_time"
_TRAJECTORY = re.compile(
    rb'"trajectory"\s*:\s*\[\s*(?:\{\s*"(?:%s)"\s*:|\])' % _FIRST_KEYS.encode()
)
_HISTORY = re.compile(rb'\s*\{\s*"history"\s*:\s*\[\s*\{[^{}]*"(?:role|agent|is_demo)"\s*:')
_OPENER = re.compile(r"\s*(?:open|create|str_replace_editor\s+\w+)\s+[\"']?([^\s\"']+)")
_EDITOR = re.compile(
    r"\s*(edit|insert|create|str_replace_editor\s+(?:create|str_replace|insert))\b"
)
_ISSUE = re.compile(r"(?:^|\n)ISSUE:\s*\n(.*?)(?:\n\s*INSTRUCTIONS:|\Z)", re.DOTALL)


def recognize(path: Path) -> bool:
    """Whether the file begins with a trajectory of actions or an agent's history."""
    head = read_head(path)
    if not head.lstrip().startswith(b"{"):
        return False
    return bool(_TRAJECTORY.search(head) or _HISTORY.match(head))


def read(path: Path) -> Iterator[Trajectory]:
    """The one run of a file."""
    refusals: list[Refusal] = []
    record = read_whole(path, refusals)
    yield _trajectory(record or {}, path.name.split(".traj")[0], refusals)


def _trajectory(record: Record, title: str, refusals: list[Refusal]) -> Trajectory:
    skipped: Counter[str] = Counter(key for key in record if key in LEFT_OUT)
    unknown = Counter(key[:80] for key in record if key not in LEFT_OUT and key not in MAPPED)
    drafts = Drafts()
    _prompts(list_at(record, "history"), drafts, skipped)
    for number, taken in enumerate(list_at(record, "trajectory"), 1):
        if isinstance(taken, dict):
            _step(taken, number, drafts)
        else:
            refusals.append(Refusal(where=f"trajectory {number}", reason="not an object"))
    info = object_at(record, "info")
    stats = object_at(info, "model_stats")
    outcome, reason = verdict(info, handed_in="submitted")
    native_id = _native_id(record) if record else refs.short_hash(title)
    asked = next((d.texts[0] for d in drafts if d.kind == "user" and d.texts), "")
    issue = _ISSUE.search(asked)
    return Trajectory(
        id=refs.trajectory_id(FORMAT, native_id),
        format=FORMAT,
        native_id=native_id,
        title=title,
        goal=(issue[1] if issue else asked).strip()[:1000],
        cwd=_working_dir(list_at(record, "trajectory")),
        steps=tuple(draft.finished() for draft in drafts),
        verdict=outcome,
        verdict_reason=reason,
        tokens_in=count_at(stats, "tokens_sent"),
        tokens_out=count_at(stats, "tokens_received"),
        skipped=dict(skipped),
        unknown=dict(unknown),
        refusals=tuple(refusals),
    )


def _prompts(history: list[Any], drafts: Drafts, skipped: Counter[str]) -> None:
    """What the agent was told before it acted; the rest of the history repeats the trajectory."""
    acted = False
    for told in history:
        role = text_at(told, "role")
        acted = acted or role == "assistant"
        if _is_demonstration(told):
            skipped["history:demonstration"] += 1
        elif acted or role == "tool":
            skipped["history:repeated"] += 1
        elif role == "system":
            drafts.begin("boot", SourceClass.HOST, _plain(message_text(told)))
        elif role == "user":
            drafts.begin("user", SourceClass.USER, _plain(message_text(told)))


def _step(taken: Record, number: int, drafts: Drafts) -> None:
    action, said = text_at(taken, "action"), text_at(taken, "thought") or text_at(taken, "response")
    draft = drafts.begin("agent", SourceClass.AGENT, _plain(said))
    if not action.strip():
        seen = _plain(text_at(taken, "observation"))
        if seen:
            drafts.begin("system", SourceClass.HOST, seen)
        return
    call = tool_call(f"action-{number}", "shell", {"command": action})
    opened, edits = _OPENER.match(action), bool(_EDITOR.match(action))
    path = opened[1] if opened else text_at(_state(taken), "open_file") if edits else ""
    paths = (path,) if path and path != "n/a" else ()
    draft.calls[call.id] = call.model_copy(update={"paths": paths, "edits": edits and bool(paths)})
    draft.observations.append(
        Observation(
            call_id=call.id,
            text=_plain(text_at(taken, "observation")),
            seconds=number_at(taken, "execution_time"),
        )
    )


def _native_id(record: Record) -> str:
    """A hash of what makes a run this run: the same for a moved file, another for another run.

    The time that the first action took is unlike any other run's, and stays while the file grows;
    old versions have no times, and runs at temperature 0 begin alike, so all their steps count.
    """
    steps = list_at(record, "trajectory")
    seconds = number_at(steps[0], "execution_time") if steps else None
    told = [_plain(message_text(message)) for message in list_at(record, "history")[:2]]
    for taken in steps if seconds is None else steps[:1]:
        told += [text_at(taken, key) for key in ("action", "thought", "observation")]
    return refs.short_hash(text_at(record, "environment"), str(seconds), *told)


def _working_dir(steps: list[Any]) -> str | None:
    places = (text_at(_state(taken), "working_dir") for taken in steps if isinstance(taken, dict))
    return next((place for place in places if place), None)


def _state(taken: Record) -> Record:
    """The shell's state after an action: an object, or the JSON text of one."""
    try:
        state = orjson.loads(text_at(taken, "state") or "null")
    except orjson.JSONDecodeError:
        state = None
    return state if isinstance(state, dict) else object_at(taken, "state")


def _is_demonstration(told: object) -> bool:
    marked = isinstance(told, dict) and told.get("is_demo") is True
    return marked or text_at(told, "message_type") == "demonstration"


def _plain(text: str) -> str:
    """The text with a terminal's line ends made plain."""
    return without_blobs(text.replace("\r\n", "\n").strip("\n"))
