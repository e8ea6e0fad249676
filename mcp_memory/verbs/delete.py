"""delete: preview what goes and what rests on it, forget, restore, or purge with a receipt."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mcp_memory import evidence, forgetting, indexing, refs
from mcp_memory.errors import InvalidInput, UnknownRef
from mcp_memory.forgetting import MemoryView, Target
from mcp_memory.models import Deletion, DeletionMode, Filter, Memory, State
from mcp_memory.store.rows import EvidenceRow, Where
from mcp_memory.verbs import spans
from mcp_memory.verbs.rooms import Rooms

EVIDENCE_KINDS = ("step", "episode", "output")
CONFIRM_CHARS = 8


@dataclass(frozen=True, slots=True)
class Asked:
    """What the caller wants gone, and how."""

    refs: tuple[str, ...]
    chosen: Filter | None
    mode: DeletionMode = "preview"
    reason: str = ""
    confirm: str = ""


@dataclass(frozen=True, slots=True)
class Reached:
    """What a deletion means: whole sessions, steps of sessions, memories, and what rests on them."""

    sessions: tuple[str, ...]
    steps: dict[str, tuple[int, ...]]
    """Trajectory id to step numbers, for sessions that stay."""
    memories: tuple[str, ...]
    cascade: tuple[str, ...] = ()
    weakened: tuple[str, ...] = ()

    @property
    def refs(self) -> tuple[str, ...]:
        """Everything named directly, in a stable order."""
        steps = (refs.span(t, number) for t in sorted(self.steps) for number in self.steps[t])
        return (*(f"t:{one}" for one in sorted(self.sessions)), *steps, *sorted(self.memories))
