"""Screening: what the indexes say of a session, without the words that give power away."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from mcp_memory.domain.models import Frozen, SourceClass, Step
from mcp_memory.text import powers
from mcp_memory.text.typed import typed
from mcp_memory.trajectories.entries import Entry

M = TypeVar("M", bound=Frozen)
_TOLD = ("goal", "about", "name", "last", "text", "old", "new", "subject", "what", "value", "error",
         "command", "path", "ran")  # fmt: skip
"""The fields of an entry, and of what is in it, that hold somebody's words."""


def line(text: str) -> str:
    """The text; in place of one that gives power away only that it does."""
    reasons = powers.held(text) if text else ()
    return f"(held back: {', '.join(reasons)})" if reasons else text


def screened(entry: Entry) -> Entry:
    """The entry with each of its texts screened; the same where none gives anything away."""
    # Most sessions hold nothing of the kind: one look at all of it tells.
    if not powers.held("\n".join(_texts(entry))):
        return entry
    return _screened(entry)


def users(step: Step) -> str:
    """What a person typed in a step; empty for a prompt that another agent wrote."""
    return typed(step.text) if step.source is SourceClass.USER else ""


def _texts(model: Frozen) -> Iterator[str]:
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, str) and name in _TOLD:
            yield value
        elif isinstance(value, tuple):
            for each in value:
                if isinstance(each, Frozen):
                    yield from _texts(each)
                elif isinstance(each, str):
                    yield each


def _screened(model: M) -> M:
    changed: dict[str, object] = {}
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, str) and name in _TOLD:
            changed[name] = line(value)
        elif isinstance(value, tuple):
            changed[name] = tuple(_each(value))
    return model.model_copy(update=changed)


def _each(values: Iterable[object]) -> Iterator[object]:
    for value in values:
        if isinstance(value, Frozen):
            yield _screened(value)
        else:
            yield line(value) if isinstance(value, str) else value
