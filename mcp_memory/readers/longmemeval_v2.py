"""LongMemEval-V2: a web agent's runs, one JSON object a line (from its description, unverified)."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from mcp_memory.domain import refs
from mcp_memory.domain.models import Observation, Outcome, Refusal, SourceClass, Trajectory
from mcp_memory.readers.blobs import without_blobs
from mcp_memory.readers.drafts import Draft, Drafts
from mcp_memory.readers.jsonl import Record, list_at, read_head, read_lines, text_at
from mcp_memory.readers.tools import tool_call
from mcp_memory.text import running

FORMAT = "longmemeval_v2"
VERSION = 1

MAPPED = frozenset(
    {"id", "domain", "goal", "outcome", "start_url", "states"}
    | {f"state:{key}" for key in ("url", "action", "thought", "accessibility_tree", "screenshot")}
)
"""Keys of a run and of its states that become part of a trajectory."""
LEFT_OUT = {
    "subdomain": "which site of the benchmark it was; the addresses tell it",
    "state_count": "the number of the states",
    "sample_note": "what an excerpt's maker says of it",
    "state:state_index": "the place of the state in its list",
    "state:step": "the place of the state in its list",
    "state:action_annotation": "a line of the page's text again",
}
"""Known keys that are counted and not kept, with the reason."""

_OPENING = re.compile(rb'\s*\{\s*"id"\s*:\s*"')
_STATES = re.compile(rb'"states"\s*:\s*\[\s*\{\s*"state_index"\s*:')
_NAME = re.compile(r"\s*(\w{1,60})\(")


def recognize(path: Path) -> bool:
    """Whether the first line is a run with numbered states."""
    head = read_head(path)
    return bool(_OPENING.match(head) and _STATES.search(head) and b'"goal"' in head)


def read(path: Path) -> Iterator[Trajectory]:
    """The runs of a file, one a line."""
    refusals: list[Refusal] = []
    for _, record in read_lines(path, refusals):
        yield _trajectory(record, refusals)
        refusals.clear()


def _trajectory(record: Record, refusals: list[Refusal]) -> Trajectory:
    keys: Counter[str] = Counter(record.keys())
    drafts, goal = Drafts(), without_blobs(text_at(record, "goal"))
    drafts.begin("user", SourceClass.USER, goal)
    last: Draft | None = None
    for number, state in enumerate(list_at(record, "states")):
        if not isinstance(state, dict):
            refusals.append(Refusal(where=f"state {number}", reason="not an object"))
            continue
        keys.update(f"state:{key}" for key in state)
        last = _state(state, drafts, last)
    native_id = text_at(record, "id") or refs.short_hash(goal, text_at(record, "start_url"))
    verdict, reason = _verdict(text_at(record, "outcome"))
    return Trajectory(
        id=refs.trajectory_id(FORMAT, native_id),
        format=FORMAT,
        native_id=native_id,
        title=running.headline(goal),
        goal=goal[:1000],
        steps=tuple(draft.finished() for draft in drafts),
        verdict=verdict,
        verdict_reason=reason,
        skipped={key: count for key, count in keys.items() if key in LEFT_OUT},
        unknown={k[:80]: n for k, n in keys.items() if k not in LEFT_OUT and k not in MAPPED},
        refusals=tuple(refusals),
    )


def _state(state: Record, drafts: Drafts, last: Draft | None) -> Draft:
    """A state's action led to it, and was thought of in the state before it."""
    action, page = text_at(state, "action").strip(), _page(state)
    if action:
        draft = last or drafts.begin("agent", SourceClass.AGENT)
        name = _NAME.match(action)
        call = tool_call(
            f"action-{draft.number}", name[1] if name else "act", {"action": without_blobs(action)}
        )
        draft.calls[call.id] = call
        seen = Observation(call_id=call.id, text=page, source=SourceClass.EXTERNAL)
        draft.observations.append(seen)
    elif page:
        drafts.begin("system", SourceClass.EXTERNAL, page)
    return drafts.begin("agent", SourceClass.AGENT, without_blobs(text_at(state, "thought")))


def _page(state: Record) -> str:
    picture = text_at(state, "screenshot")
    parts = (
        text_at(state, "url"),
        text_at(state, "accessibility_tree"),
        f"[screenshot {picture}]" if picture else "",
    )
    return without_blobs("\n".join(part for part in parts if part))


def _verdict(outcome: str) -> tuple[Outcome, str]:
    known = {"success": Outcome.SUCCESS, "failure": Outcome.FAILURE}
    verdict = known.get(outcome.lower(), Outcome.UNKNOWN)
    return verdict, f"the benchmark's outcome: {outcome[:80]}" if outcome else ""
