"""Promoting: a memory of this machine sent to a team's bank as a proposal, with the steps that it cites."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from mcp_memory.domain import paths, projects, refs
from mcp_memory.domain.errors import InvalidInput, NotAllowed
from mcp_memory.domain.models import Draft, Evidence, Memory, Retained, State, Step, Trajectory
from mcp_memory.memories.promotion import PROPOSED
from mcp_memory.remote.outgoing import Names, Outgoing, masked
from mcp_memory.remote.reaching import Remote
from mcp_memory.rooms import Rooms
from mcp_memory.search import spans
from mcp_memory.search.spans import Span
from mcp_memory.store.rows import SessionRow
from mcp_memory.trajectories import admission

EXCERPT = "excerpt"
"""The format of a session that is only the steps which a proposal cites."""
MOST_STEPS = 200
"""Steps that the evidence of one proposal may have together: a span, not a history."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What a proposal came to."""

    there: Retained
    """What the team's bank says of it."""
    project: str
    steps: int
    """Steps of evidence that were sent; those of sessions that it has were not."""
    masked: int


@dataclass(frozen=True, slots=True)
class _Cited:
    """A session that is cited, and its spans."""

    row: SessionRow
    spans: Mapping[str, Span]
    """By the ref that the memory cites."""

    @property
    def numbers(self) -> list[int]:
        """The steps that are cited, each once, in order."""
        return sorted({step.number for span in self.spans.values() for step in span.steps})


@dataclass(slots=True)
class _Evidence:
    """What of a memory's evidence the team's bank has by now."""

    moved: dict[str, str] = field(default_factory=dict)
    """The refs that the memory cites to those that say the same there."""
    excerpts: list[str] = field(default_factory=list)
    """Ids of the excerpts that stand there for sessions of this machine."""
    steps: int = 0
    masked: int = 0


async def promote(rooms: Rooms, remote: Remote, ref: str, *, to: str, name: str = "") -> Sent:
    """Send a memory as a proposal; its evidence first, as an excerpt where the team has not the session.

    `to`: the bank's address, for this machine's ledger. `name`: what it is to call the project.

    Raises:
        UnknownRef: there is no such memory.
        InvalidInput: it is not live, or its evidence is too long or of no project.
        NotAllowed: the token does not reach so far, or the evidence was not taken.
        CannotReach: the bank is not there; nothing is lost by trying again.
    """
    memory = await spans.current(rooms, ref)
    if memory.state is not State.LIVE:
        raise InvalidInput(f"{ref} is {memory.state.value}.", next_step="Propose one that is live.")
    project = Names(name, {}).of(memory.project)
    evidence = await _delivered(remote, await _cited(rooms, memory), project)
    draft = admission.admit_draft(_draft(rooms, memory, evidence.moved, project)).draft
    there = await remote.propose(draft)
    told: dict[str, JsonValue] = {
        "kind": "note",
        "to": to,
        "there": there.ref,
        "excerpts": [*evidence.excerpts],
    }
    await rooms.store.note(PROPOSED, refs=(memory.ref,), inverse=told)
    return Sent(there, project, evidence.steps, evidence.masked)


async def _delivered(remote: Remote, cited: Mapping[str, _Cited], project: str) -> _Evidence:
    """The evidence at the team's bank: by its own copy of a session, else by an excerpt of it.

    Raises:
        NotAllowed: it was not taken.
    """
    made = _Evidence()
    told = await remote.holdings(tuple(cited))
    for id_, one in cited.items():
        if id_ in told.held and told.held[id_].steps >= max(one.numbers):
            made.moved |= {text: span.ref for text, span in one.spans.items()}
            continue
        excerpt = _excerpt(one, project)
        for part in excerpt.missing(None, most=told.request_bytes * 3 // 4):
            receipt = await remote.deliver([part])
            if receipt.refused:
                raise NotAllowed(
                    f"the team's bank did not take the evidence: {receipt.refused[0].reason}",
                    next_step="Nothing was proposed.",
                )
            made.steps += len(part.steps)
        made.masked += excerpt.masked
        made.excerpts.append(excerpt.id)
        made.moved |= _moved(one, excerpt.id)
    return made


async def _cited(rooms: Rooms, memory: Memory) -> dict[str, _Cited]:
    """The sessions that a memory's evidence is of; what is gone of it is cited no more."""
    found: dict[str, dict[str, Span]] = {}
    for each in memory.evidence:
        span = await spans.open_span(rooms, refs.parse(each.ref))
        found.setdefault(span.trajectory, {})[each.ref] = span
    cited = {id_: _Cited(await spans.session(rooms, id_), its) for id_, its in found.items()}
    steps = sum(len(one.numbers) for one in cited.values())
    if steps > MOST_STEPS:
        raise InvalidInput(
            f"{memory.ref} cites {steps} steps; a proposal takes {MOST_STEPS}.",
            next_step="Retain it again with the few steps that show it, or `push` the session.",
        )
    return cited


def _excerpt(cited: _Cited, project: str) -> Outgoing:
    """The cited steps as a session of its own, which counts as a copy of the one that they are of."""
    steps = {step.number: step for span in cited.spans.values() for step in span.steps}
    native = f"{cited.row.id}:{','.join(_runs(cited.numbers))}"[:300]
    made = Trajectory(
        id=refs.trajectory_id(EXCERPT, native),
        format=EXCERPT,
        native_id=native,
        origin=cited.row.id,
        title=cited.row.title,
        goal=cited.row.goal,
        started_at=cited.row.started_at,
        ended_at=cited.row.ended_at,
        steps=tuple(_renumbered(steps[n], at) for at, n in enumerate(cited.numbers, 1)),
    )
    return masked(made, project)


def _renumbered(step: Step, number: int) -> Step:
    return step.model_copy(update={"number": number, "revises": None})


def _runs(numbers: Sequence[int]) -> list[str]:
    """`12-15`, `20-20`: numbers that follow each other, together."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return [f"{first}-{last}" for first, last in runs]


def _moved(cited: _Cited, id_: str) -> dict[str, str]:
    """The refs that a memory cites to those that say the same in the excerpt."""
    places = {number: at for at, number in enumerate(cited.numbers, 1)}
    return {
        text: refs.span(id_, places[span.steps[0].number], places[span.steps[-1].number])
        for text, span in cited.spans.items()
    }


def _draft(rooms: Rooms, memory: Memory, moved: Mapping[str, str], project: str) -> Draft:
    """The memory as it is sent: files by their place in the project, and nothing that it superseded."""
    roots = (memory.project, rooms.project) if memory.project != projects.USER else (rooms.project,)
    files = (paths.relative(file, roots) for file in memory.files)
    told = {name: getattr(memory, name) for name in Draft.model_fields}
    evidence = [
        Evidence(ref=moved[each.ref], quote=each.quote)
        for each in memory.evidence
        if each.ref in moved
    ]
    return Draft.model_validate(
        told
        | {
            "project": project,
            "evidence": evidence,
            "files": [file for file in files if not file.startswith(("/", "~"))],
            "supersedes": None,
        }
    )
