"""Drafts: the steps of a session while its file is still being read, numbered at first sight."""

from dataclasses import dataclass, field
from datetime import datetime

from mcp_memory.domain.models import Observation, SourceClass, Step, StepKind, ToolCall
from mcp_memory.readers.clock import Lifetime


@dataclass(slots=True)
class Draft:
    """A step that may still gain content, never another number."""

    number: int
    kind: StepKind
    source: SourceClass
    at: datetime | None = None
    model: str | None = None
    texts: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    calls: dict[str, ToolCall] = field(default_factory=dict)
    observations: list[Observation] = field(default_factory=list)

    def finished(self, *, abandoned: bool = False) -> Step:
        """The step as far as it is known."""
        return Step(
            number=self.number,
            kind=self.kind,
            text="\n\n".join(text for text in self.texts if text),
            reasoning="\n\n".join(text for text in self.reasons if text),
            calls=tuple(self.calls.values()),
            observations=tuple(self.observations),
            at=self.at,
            model=self.model,
            source=self.source,
            abandoned=abandoned,
        )


class Drafts(list[Draft]):
    """The drafts of one session, in order of first sight."""

    def begin(
        self, kind: StepKind, source: SourceClass, text: str = "", *, at: datetime | None = None
    ) -> Draft:
        """A new last draft."""
        draft = Draft(len(self) + 1, kind, source, at=at, texts=[text] if text else [])
        self.append(draft)
        return draft

    @property
    def goal(self) -> str:
        """The first words of whoever asked, at most 1,000 characters."""
        asked = (draft.texts[0] for draft in self if draft.kind == "user" and draft.texts)
        return next(asked, "")[:1000]

    @property
    def lifetime(self) -> Lifetime:
        """The earliest and the latest of the steps' times."""
        found = Lifetime()
        for draft in self:
            found.note(draft.at)
        return found
