"""Evidence: an admitted trajectory as rows of the store, and back again."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from mcp_memory.domain import refs
from mcp_memory.domain.models import (
    Episode,
    Observation,
    Outcome,
    State,
    Step,
    ToolCall,
    Trajectory,
)
from mcp_memory.store.packing import Packed
from mcp_memory.store.rows import EvidenceRow
from mcp_memory.text import cutting, guard, identifiers, powers
from mcp_memory.trajectories import calls, edits, failures, holding, marks, origins, rendering
from mcp_memory.trajectories.lineage import pointer

EMBEDDED_CHARS = 600
"""How much of a row's text its vector is made of: a mean over more words says less."""
_HEAD, _TAIL = 1500, 500
_NEIGHBOUR, _AROUND = 240, 2
_WINDOW = 1500
"""How much of its own words stands in a row's context: more of an output only dilutes it."""
_UNJUDGED = re.compile(r"(?m)^unknown: (?:no command that judges it ended|step \d+: .*)(?:\n|$)")
_POINTER = re.compile(r"\[\[(o:[0-9a-z]{12})\]\]")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where rows come from: their project and the batch that writes them."""

    project: str
    batch: str
    state: str = State.LIVE.value


@dataclass(frozen=True, slots=True)
class Told:
    """What a step is found by."""

    text: str
    context: str
    marks: tuple[str, ...]
    paths: tuple[str, ...]
    held: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Said:
    """What labels say of the steps of a session, worked out once."""

    written: Mapping[int, tuple[str, ...]]
    errors: Mapping[int, list[str]]
    marks: Mapping[int, tuple[str, ...]]
    first: list[tuple[str, ...]]
    """The marks of each step that none before it has."""
    held: Mapping[int, tuple[str, ...]]
    """Why words of a step are held back."""

    @classmethod
    def of(cls, steps: Sequence[Step], held: Mapping[int, tuple[str, ...]]) -> "_Said":
        written = edits.written(steps)
        met = list(failures.met(steps))
        errors: dict[int, list[str]] = {}
        for failure in met:
            errors.setdefault(failure.made.step.number, []).extend(failure.errors[:2])
        made = marks.by_step(written, met)
        return cls(written, errors, made, marks.first_met(made), held)


PURGED = "purged"
"""A hidden step that has no row, as one that another session holds; any other has a forgotten row."""


def absent(why: str) -> bool:
    """Whether a hidden step has no row: it was purged, or another session holds it."""
    return why == PURGED or pointer(why)


def rows_of(
    trajectory: Trajectory,
    episodes: Sequence[Episode],
    origin: Origin,
    *,
    hidden: Mapping[int, str] | None = None,
    held: Mapping[int, tuple[str, ...]] | None = None,
) -> list[EvidenceRow]:
    """The rows of a trajectory: outputs, steps, episodes, in that order; absent steps have none.

    `held`: number of each step with words that are not told unasked to why.
    """
    hidden = hidden or {}
    outcomes = {n: e.outcome for e in episodes for n in range(e.first, e.last + 1)}
    steps = [step for step in trajectory.steps if not absent(hidden.get(step.number, ""))]
    outputs: dict[str, EvidenceRow] = {}
    rows: list[EvidenceRow] = []
    words = [_words(step) for step in steps]
    said = _Said.of(steps, holding.by_step(steps) if held is None else held)
    heads = [
        "" if s.number in hidden else w[:_NEIGHBOUR] for s, w in zip(steps, words, strict=True)
    ]
    for place, step in enumerate(steps):
        outcome = outcomes.get(step.number, Outcome.UNKNOWN).value
        why = said.held.get(step.number, ())
        for row in _outputs(trajectory, step, origin, outcome, why):
            outputs.setdefault(row.key, row)
        before = heads[max(0, place - _AROUND) : place]
        after = heads[place + 1 : place + 1 + _AROUND]
        own = "" if step.number in hidden else words[place][:_WINDOW]
        context = "\n".join(text for text in (*before, own, *after) if text)
        told = Told(words[place], context, said.first[place], _paths(step, said), why)
        rows.append(_step_row(trajectory, step, told, origin, outcome))
    shown = _without_hidden(trajectory, hidden)
    spans = _spans(shown, episodes)
    rows += (_episode_row(shown, one, span, origin, said) for one, span in spans)
    made = [*outputs.values(), *rows]
    return [
        _row(replace(row, state=State.FORGOTTEN.value))
        if row.kind != "episode" and row.first in hidden
        else row
        for row in made
    ]


def _spans(shown: Trajectory, episodes: Iterable[Episode]) -> Iterator[tuple[Episode, list[Step]]]:
    """Each episode with its steps, found by their numbers: there may be thousands of both."""
    by_number = {step.number: step for step in shown.steps}
    for episode in episodes:
        numbers = range(episode.first, episode.last + 1)
        yield episode, [by_number[number] for number in numbers if number in by_number]


def _without_hidden(trajectory: Trajectory, hidden: Mapping[int, str]) -> Trajectory:
    """What episodes may tell: nothing of a hidden step; what another session holds is no secret."""
    gone = [number for number, why in hidden.items() if not pointer(why)]
    shown = blanked(trajectory, gone)
    left = tuple(step for step in shown.steps if step.number not in gone)
    return shown.model_copy(update={"steps": left})


def blanked(trajectory: Trajectory, purged: Collection[int]) -> Trajectory:
    """The trajectory with the words of purged steps gone, also from what was taken out of them."""
    if not purged:
        return trajectory
    words = "\n".join(_words(step) for step in trajectory.steps if step.number in purged)
    steps = tuple(
        Step(number=step.number, kind=step.kind, at=step.at, source=step.source)
        if step.number in purged
        else step
        for step in trajectory.steps
    )
    kept = {
        name: "" if text and text[:_NEIGHBOUR] in words else text
        for name, text in (("goal", trajectory.goal), ("title", trajectory.title))
    }
    return trajectory.model_copy(update={"steps": steps, **kept})


HEADS = ("title", "goal", "git_branch", "model", "verdict_reason")
"""What is told of a session besides its steps, and may hold words that are to go."""


def heads_with(trajectory: Trajectory, words: str) -> tuple[str, ...]:
    """Which of these hold words."""
    return tuple(name for name in HEADS if words in (getattr(trajectory, name) or ""))


def emptied(heads: Collection[str]) -> dict[str, str | None]:
    """What stands in their place."""
    return {name: None if name in {"git_branch", "model"} else "" for name in heads}


def step_digest(step: Step) -> str:
    """SHA-256 over what a step says, by which a purged one is known when it is read again."""
    return refs.digest((step.text, step.reasoning, [seen.text for seen in step.observations]))


def embedded_text(row: EvidenceRow) -> str:
    """What a row's vector is made of; empty for outputs, whose steps stand for them."""
    return "" if row.kind == "output" else row.text[:EMBEDDED_CHARS]


def embedded_texts(rows: Packed) -> list[str]:
    """The same of rows that are packed."""
    told = zip(rows.strings("kind"), rows.strings("text", chars=EMBEDDED_CHARS), strict=True)
    return ["" if kind == "output" else text for kind, text in told]


def step_of(row: EvidenceRow, outputs: Mapping[str, str]) -> Step:
    """The step that a row was made from, with its large outputs put back."""
    step = Step.model_validate_json(row.body)
    whole = tuple(_whole(seen, outputs) for seen in step.observations)
    return step.model_copy(update={"observations": whole}) if whole != step.observations else step


def output_refs(row: EvidenceRow) -> tuple[str, ...]:
    """Refs of the large outputs that a step row points to."""
    return tuple(dict.fromkeys(_POINTER.findall(row.body))) if row.kind == "step" else ()


def _whole(seen: Observation, outputs: Mapping[str, str]) -> Observation:
    pointer = _POINTER.fullmatch(seen.text)
    if pointer is None or pointer[1] not in outputs:
        return seen
    return seen.model_copy(update={"text": outputs[pointer[1]]})


def _large(seen: Observation) -> bool:
    return len(seen.text) > rendering.OUTPUT_CHARS


def _pointed(trajectory: str, step: Step) -> Step:
    if not any(_large(seen) for seen in step.observations):
        return step
    cut = tuple(
        seen.model_copy(update={"text": f"[[{rendering.output_ref(trajectory, seen.text)}]]"})
        if _large(seen)
        else seen
        for seen in step.observations
    )
    return step.model_copy(update={"observations": cut})


def _words(step: Step) -> str:
    parts = [step.text, step.reasoning, *(_call_words(call) for call in step.calls)]
    for seen in step.observations:
        parts.append(_ends(seen.text) if _large(seen) else seen.text)
        if seen.exit_code:
            parts.append(f"exit code {seen.exit_code}")
    return "\n".join(part for part in parts if part)


def _call_words(call: ToolCall) -> str:
    if call.command:
        return f"{call.name}: {call.command}"
    return f"{call.name}: {' '.join(calls.strings(call.arguments))}"


def _ends(text: str) -> str:
    last = cutting.begin(text, len(text) - _TAIL)
    return f"{text[: cutting.end(text, _HEAD)]}\n…\n{text[last:]}"


def _step_row(
    trajectory: Trajectory, step: Step, told: Told, origin: Origin, outcome: str
) -> EvidenceRow:
    least = origins.least_trusted(origins.sources((step,)))
    body = _pointed(trajectory.id, step).model_dump_json(exclude_defaults=True)
    return _row(
        EvidenceRow(
            key=refs.span(trajectory.id, step.number),
            kind="step",
            trajectory=trajectory.id,
            first=step.number,
            last=step.number,
            project=origin.project,
            source=least.value,
            at=step.at,
            outcome=outcome,
            text=told.text,
            context=told.context,
            identifiers=identifiers.column(told.text, told.marks),
            paths=told.paths,
            body=body,
            hash="",
            flags=_noticed(step, told),
            state=origin.state,
            batch=origin.batch,
        )
    )


def _noticed(step: Step, told: Told) -> tuple[str, ...]:
    """What the guard notices, and why words are held back."""
    # A host's own instructions instruct: to say so of each session would say nothing.
    noticed = () if step.kind == "boot" else guard.inspect(told.text)
    return (*noticed, *holding.flags((*told.held, *holding.instructed(step, noticed))))


def _noticed_in(text: str) -> tuple[str, ...]:
    noticed = guard.inspect(text)
    return (*noticed, *holding.flags((*powers.judged(text), *noticed)))


def _outputs(
    trajectory: Trajectory, step: Step, origin: Origin, outcome: str, held: Sequence[str]
) -> Iterator[EvidenceRow]:
    """`held`: why words of the step are held back; which output has them is seen where it is shown."""
    for seen in step.observations:
        if not _large(seen):
            continue
        noticed = guard.inspect(seen.text)
        call = next((call for call in step.calls if call.id == seen.call_id), None)
        yield _row(
            EvidenceRow(
                key=rendering.output_ref(trajectory.id, seen.text),
                kind="output",
                trajectory=trajectory.id,
                first=step.number,
                last=step.number,
                project=origin.project,
                source=seen.source.value,
                at=step.at,
                outcome=outcome,
                text=seen.text,
                context=_window(_call_words(call) if call else "", seen.text),
                identifiers=identifiers.column(seen.text),
                paths=call.paths if call else (),
                body="",
                hash="",
                flags=(*noticed, *holding.flags((*held, *noticed))),
                state=origin.state,
                batch=origin.batch,
            )
        )


def _paths(step: Step, said: _Said) -> tuple[str, ...]:
    """The files that a step names and writes."""
    named = (path for call in step.calls for path in call.paths)
    return tuple(dict.fromkeys(chain(named, said.written.get(step.number, ()))))


def _episode_text(
    episode: Episode, span: Sequence[Step], paths: Sequence[str], errors: Sequence[str]
) -> str:
    """What an episode is found by: goal, outcome, last words, errors met, commands, files edited."""
    said = [step.text for step in span if step.kind == "agent" and step.text]
    commands = [call.command for step in span for call in step.calls if call.command]
    parts = (
        episode.goal,
        f"{episode.outcome.value}: {episode.reason}",
        *(cutting.head(text, _HEAD) for text in said[-1:]),
        *dict.fromkeys(errors[-12:]),
        *dict.fromkeys(cutting.head(command, 120) for command in commands[-12:]),
        *paths[:40],
    )
    return "\n".join(parts)


def told_of(row: EvidenceRow) -> str:
    """What is told of a row's words: of an episode not why nobody knows how it ended."""
    return _UNJUDGED.sub("", row.text, count=1) if row.kind == "episode" else row.text


def _episode_row(
    trajectory: Trajectory, episode: Episode, span: Sequence[Step], origin: Origin, said: _Said
) -> EvidenceRow:
    numbers = [step.number for step in span]
    paths = tuple(dict.fromkeys(path for n in numbers for path in said.written.get(n, ())))
    errors = [error for n in numbers for error in said.errors.get(n, ())]
    tied = tuple(dict.fromkeys(mark for n in numbers for mark in said.marks.get(n, ())))
    text = _episode_text(episode, span, paths, errors)
    least = origins.least_trusted(origins.sources(span))
    return _row(
        EvidenceRow(
            key=refs.episode(trajectory.id, episode.number),
            kind="episode",
            trajectory=trajectory.id,
            first=episode.first,
            last=episode.last,
            project=origin.project,
            source=least.value,
            at=span[0].at if span else trajectory.started_at,
            outcome=episode.outcome.value,
            text=text,
            context=_window(trajectory.goal, text),
            identifiers=identifiers.column(text, tied),
            paths=paths,
            body=episode.model_dump_json(),
            hash="",
            flags=_noticed_in(text),
            state=origin.state,
            batch=origin.batch,
        )
    )


def _window(about: str, own: str) -> str:
    return f"{about[:_NEIGHBOUR]}\n{own[:_WINDOW]}".strip()


def _row(row: EvidenceRow) -> EvidenceRow:
    derived = (row.text, row.context, row.body, row.outcome, row.project, row.source, row.state)
    # What is held back by newer rules is written anew; all other rows stay as they were.
    held = holding.reasons(row.flags)
    return replace(row, hash=refs.digest((*derived, held) if held else derived))
