"""Admission: the one door in; masks secrets and notes what tries to instruct, for every record alike."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from pydantic import JsonValue

from mcp_memory.domain import refs
from mcp_memory.domain.models import (
    Draft,
    Evidence,
    Frozen,
    Observation,
    Refusal,
    Step,
    ToolCall,
    Trajectory,
)
from mcp_memory.text import guard, redaction

M = TypeVar("M", bound=Frozen)


class AdmittedTrajectory(Frozen):
    """A trajectory fit to be written: masked, with the count of masks by rule family."""

    trajectory: Trajectory
    masked: Mapping[str, int]


class AdmittedDraft(Frozen):
    """A draft fit to be written, with what the guard noticed in it."""

    draft: Draft
    masked: Mapping[str, int]
    flags: tuple[str, ...]


class _Mask:
    """Masks text by text and counts by family."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def text(self, text: str) -> str:
        redacted = redaction.redact(text)
        self.counts.update(redacted.counts)
        return redacted.text

    def texts(self, texts: Iterable[str]) -> tuple[str, ...]:
        return tuple(self.text(text) for text in texts)

    def optional(self, text: str | None) -> str | None:
        return None if text is None else self.text(text)

    def counted(self, told: Mapping[str, int]) -> dict[str, int]:
        counts: Counter[str] = Counter()
        for name, count in told.items():
            counts[self.text(name)] += count
        return dict(counts)

    def changed(self, model: M, /, **fields: object) -> M:
        """The model with these fields; the same object where nothing was masked."""
        update = {name: new for name, new in fields.items() if new != getattr(model, name)}
        return model.model_copy(update=update) if update else model


def admit_trajectory(trajectory: Trajectory) -> AdmittedTrajectory:
    """Mask every text of a trajectory, names of folders, branches and tools too; numbers stay."""
    mask = _Mask()
    named = identified(trajectory)
    masked = mask.changed(
        named,
        title=mask.text(named.title),
        goal=mask.text(named.goal),
        cwd=mask.optional(named.cwd),
        git_branch=mask.optional(named.git_branch),
        git_commit=mask.optional(named.git_commit),
        model=mask.optional(named.model),
        host_version=mask.optional(named.host_version),
        verdict_reason=mask.text(named.verdict_reason),
        skipped=mask.counted(named.skipped),
        unknown=mask.counted(named.unknown),
        refusals=tuple(_refusal(each, mask) for each in named.refusals),
        steps=tuple(_step(step, mask) for step in named.steps),
    )
    return AdmittedTrajectory.model_construct(trajectory=masked, masked=dict(mask.counts))


def identified(trajectory: Trajectory) -> Trajectory:
    """The trajectory under an id that is no secret; what had one is told apart by a hash of it."""
    shown = place(trajectory.native_id)
    if shown == trajectory.native_id:
        return trajectory
    native = f"{shown}-{trajectory.id}"
    id_ = refs.trajectory_id(trajectory.format, native)
    return trajectory.model_copy(update={"id": id_, "native_id": native})


def place(path: str) -> str:
    """A path or a name as it may be written down."""
    return redaction.redact(path).text


def admit_draft(draft: Draft) -> AdmittedDraft:
    """Mask every text of a draft and let the guard look at it."""
    mask = _Mask()
    masked = mask.changed(
        draft,
        text=mask.text(draft.text),
        title=mask.text(draft.title),
        when_to_use=mask.text(draft.when_to_use),
        not_when=mask.text(draft.not_when),
        evidence=tuple(
            Evidence(ref=cited.ref, quote=mask.text(cited.quote)) for cited in draft.evidence
        ),
        files=mask.texts(draft.files),
        tags=mask.texts(draft.tags),
        project=mask.optional(draft.project),
    )
    said = f"{masked.title}\n{masked.text}\n{masked.when_to_use}\n{masked.not_when}"
    return AdmittedDraft(draft=masked, masked=dict(mask.counts), flags=guard.inspect(said))


def _step(step: Step, mask: _Mask) -> Step:
    # Most steps hold no secret at all: one look at all of their texts tells.
    if not redaction.found("\n".join(_texts(step))):
        return step
    return mask.changed(
        step,
        text=mask.text(step.text),
        reasoning=mask.text(step.reasoning),
        model=mask.optional(step.model),
        calls=tuple(_call(call, mask) for call in step.calls),
        observations=tuple(_observation(seen, mask) for seen in step.observations),
    )


def _texts(step: Step) -> Iterator[str]:
    """Every text of a step that is masked."""
    yield from (step.text, step.reasoning, step.model or "")
    for call in step.calls:
        yield from (call.id, call.name, call.command or "", *call.paths)
        yield from _strings(dict(call.arguments))
    for seen in step.observations:
        yield from (seen.call_id, seen.text)


def _strings(value: JsonValue) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if isinstance(each, str):
                yield redaction.pair(key, each)
            else:
                yield key
                yield from _strings(each)


def _refusal(refusal: Refusal, mask: _Mask) -> Refusal:
    return mask.changed(refusal, where=mask.text(refusal.where), reason=mask.text(refusal.reason))


def _call(call: ToolCall, mask: _Mask) -> ToolCall:
    arguments, counts = redaction.redact_value(dict(call.arguments))
    mask.counts.update(counts)
    return mask.changed(
        call,
        id=mask.text(call.id),
        name=mask.text(call.name),
        arguments=arguments,
        command=mask.optional(call.command),
        paths=mask.texts(call.paths),
    )


def _observation(seen: Observation, mask: _Mask) -> Observation:
    return mask.changed(seen, call_id=mask.text(seen.call_id), text=mask.text(seen.text))
