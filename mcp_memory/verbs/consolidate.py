"""consolidate: plan what deserves a memory, apply what the host wrote as one batch, undo any batch."""

from collections.abc import Sequence
from itertools import combinations

import orjson

from mcp_memory import admission, consolidation, refs
from mcp_memory.consolidation import Admit, EpisodeView, MemoryView, Refuse
from mcp_memory.errors import GateRefused, InvalidInput, UnknownRef
from mcp_memory.models import Consolidation, Draft, Memory, State
from mcp_memory.store.rows import EvidenceRow, MemoryRow, Where
from mcp_memory.verbs import retain, spans
from mcp_memory.verbs.rooms import Rooms
from mcp_memory.verbs.search import scope_of

MOST_GROUPS = 12
MOST_DRAFTS = 50
NEAR = 0.85
"""Cosine from which two memories are offered as duplicates."""
