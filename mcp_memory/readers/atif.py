"""ATIF, the Agent Trajectory Interchange Format: one run a JSON file (1.7 seen, 1.0 on by its RFC)."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mcp_memory.domain import refs
from mcp_memory.domain.models import Refusal, Trajectory
from mcp_memory.readers.atif_steps import Steps, spoken
from mcp_memory.readers.clock import moment
from mcp_memory.readers.jsonl import (
    Record,
    count_at,
    list_at,
    object_at,
    read_head,
    read_whole,
    text_at,
)
from mcp_memory.text import running

FORMAT = "atif"
VERSION = 2

MAPPED = frozenset(
    {"schema_version", "session_id", "trajectory_id", "agent", "steps", "final_metrics"}
    | {"subagent_trajectories", "extra"}
    | {"step:user", "step:agent", "step:system"}
)
"""Keys of the file and sources of steps that become part of a trajectory."""
LEFT_OUT = {
    "notes": "how the file was made, nothing that was said or seen",
    "continued_trajectory_ref": "the name of another file, which is read by itself",
    "step:copied": "stands in the trajectory that this one continues",
}
"""Known keys and parts that are counted and not kept, with the reason."""

_OPENING = re.compile(
    rb'\s*\{\s*"(?:%s)"\s*:'
    % "|".join(
        sorted({key for key in MAPPED if ":" not in key} | {"notes", "continued_trajectory_ref"})
    ).encode()
)
_SCHEMA = re.compile(rb'"schema_version"\s*:\s*"ATIF-v\d')
_DEPTH = 8


def recognize(path: Path) -> bool:
    """Whether the file is an object that names an ATIF schema."""
    head = read_head(path)
    return bool(_OPENING.match(head) and _SCHEMA.search(head))


def read(path: Path) -> Iterator[Trajectory]:
    """The run of a file, then those of its sub-agents."""
    refusals: list[Refusal] = []
    record = read_whole(path, refusals) or {}
    waiting: list[tuple[Record, str, str | None, int]] = [(record, path.name, None, 0)]
    while waiting:
        run, name, parent, depth = waiting.pop(0)
        trajectory = _trajectory(run, parent, name, refusals)
        refusals = []
        for number, inner in enumerate(list_at(run, "subagent_trajectories"), 1):
            where = f"sub-agent {number}"
            if not isinstance(inner, dict):
                refusals.append(Refusal(where=where, reason="not an object"))
            elif depth >= _DEPTH:
                refusals.append(Refusal(where=where, reason=f"deeper than {_DEPTH} sub-agents"))
            else:
                waiting.append((inner, f"{trajectory.id} {number}", trajectory.id, depth + 1))
        told = (*trajectory.refusals, *refusals)
        refusals = []
        yield trajectory.model_copy(update={"refusals": told})


def _trajectory(run: Record, parent: str | None, name: str, refusals: list[Refusal]) -> Trajectory:
    agent = object_at(run, "agent")
    steps = Steps(text_at(agent, "model_name") or None, refusals)
    for number, taken in enumerate(list_at(run, "steps"), 1):
        steps.take(taken, number)
    steps.skipped.update(key for key in run if key in LEFT_OUT)
    steps.unknown.update(key[:80] for key in run if key not in LEFT_OUT and key not in MAPPED)
    native_id = _native_id(run, parent) or refs.short_hash(name)
    totals = object_at(run, "final_metrics")
    return Trajectory(
        id=refs.trajectory_id(FORMAT, native_id),
        format=FORMAT,
        native_id=native_id,
        title=running.headline(steps.goal),
        goal=steps.goal,
        cwd=_place(run, "cwd"),
        git_branch=_place(run, "git_branch"),
        git_commit=_place(run, "git_commit"),
        model=text_at(agent, "model_name") or None,
        host_version=" ".join(
            part for part in (text_at(agent, "name"), text_at(agent, "version")) if part
        )
        or None,
        parent=parent,
        started_at=steps.lifetime.begun,
        ended_at=steps.lifetime.ended,
        steps=tuple(draft.finished() for draft in steps.drafts),
        tokens_in=count_at(totals, "total_prompt_tokens") or steps.tokens["prompt_tokens"],
        tokens_out=count_at(totals, "total_completion_tokens") or steps.tokens["completion_tokens"],
        skipped=dict(steps.skipped),
        unknown=dict(steps.unknown),
        refusals=tuple(refusals),
    )


def _place(run: Record, key: str) -> str | None:
    """Where the run was; converters write one value, or a list of all under the plural."""
    plural = "git_branches" if key == "git_branch" else f"{key}s"
    for extra in (object_at(object_at(run, "agent"), "extra"), object_at(run, "extra")):
        found: list[Any] = [extra.get(key), *list_at(extra, plural)]
        for value in found:
            if isinstance(value, str) and value:
                return value
    return None


def _native_id(run: Record, parent: str | None) -> str:
    """The run's ids and its first moment: producers use one id for many runs and their parts."""
    own: object = next((s for s in list_at(run, "steps") if not _copied(s)), {})
    began = text_at(own, "timestamp")[:40]
    named = [text_at(run, "session_id"), text_at(run, "trajectory_id")]
    if not any(named) and not (began and moment(began)):
        said = spoken(own.get("message")) if isinstance(own, dict) else ""
        named = [refs.short_hash(said)] if said else []
    if parent and any((*named, began)):
        named.append(f"of {parent}")
    return " ".join(part for part in (*named, began) if part)


def _copied(step: object) -> bool:
    return isinstance(step, dict) and step.get("is_copied_context") is True
