"""Admission: the one door in; masks secrets and notes what tries to instruct, for every record alike."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from pydantic import JsonValue

from mcp_memory.domain.models import (
    Draft,
    Evidence,
    Frozen,
    Observation,
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
        self.scope = redaction.EVERYTHING

    def text(self, text: str) -> str:
        redacted = redaction.redact(text, self.scope)
        self.counts.update(redacted.counts)
        return redacted.text

    def texts(self, texts: Iterable[str]) -> tuple[str, ...]:
        return tuple(self.text(text) for text in texts)

    def optional(self, text: str | None) -> str | None:
        return None if text is None else self.text(text)

    def changed(self, model: M, **fields: object) -> M:
        """The model with these fields; the same object where nothing was masked."""
        update = {name: new for name, new in fields.items() if new != getattr(model, name)}
        return model.model_copy(update=update) if update else model


def admit_trajectory(trajectory: Trajectory) -> AdmittedTrajectory:
    """Mask every text of a trajectory; structure, numbers and ids stay as they are."""
    mask = _Mask()
    masked = mask.changed(
        trajectory,
        title=mask.text(trajectory.title),
        goal=mask.text(trajectory.goal),
        verdict_reason=mask.text(trajectory.verdict_reason),
        steps=tuple(_step(step, mask) for step in trajectory.steps),
    )
    return AdmittedTrajectory.model_construct(trajectory=masked, masked=dict(mask.counts))


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
    )
    said = f"{masked.title}\n{masked.text}\n{masked.when_to_use}\n{masked.not_when}"
    return AdmittedDraft(draft=masked, masked=dict(mask.counts), flags=guard.inspect(said))


def _step(step: Step, mask: _Mask) -> Step:
    mask.scope = redaction.scope_of(_texts(step))
    return mask.changed(
        step,
        text=mask.text(step.text),
        reasoning=mask.text(step.reasoning),
        calls=tuple(_call(call, mask) for call in step.calls),
        observations=tuple(_observation(seen, mask) for seen in step.observations),
    )


def _texts(step: Step) -> Iterator[str]:
    """Every text of a step that is masked."""
    yield step.text
    yield step.reasoning
    for call in step.calls:
        yield from (call.command or "", *call.paths, *_strings(dict(call.arguments)))
    for seen in step.observations:
        yield seen.text


def _strings(value: JsonValue) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            yield key
            yield from _strings(each)


def _call(call: ToolCall, mask: _Mask) -> ToolCall:
    arguments, counts = redaction.redact_value(dict(call.arguments), mask.scope)
    mask.counts.update(counts)
    return mask.changed(
        call,
        arguments=arguments,
        command=mask.optional(call.command),
        paths=mask.texts(call.paths),
    )


def _observation(seen: Observation, mask: _Mask) -> Observation:
    return mask.changed(seen, text=mask.text(seen.text))
