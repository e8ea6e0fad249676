"""Consolidation: the gate that every memory passes, and the plan of what may deserve one."""

from mcp_memory.consolidation.gate import Admit, Cited, Neighbour, Refuse, Verdict, claims, judge
from mcp_memory.consolidation.planning import EpisodeView, MemoryView, plan, signature

__all__ = [
    "Admit",
    "Cited",
    "EpisodeView",
    "MemoryView",
    "Neighbour",
    "Refuse",
    "Verdict",
    "claims",
    "judge",
    "plan",
    "signature",
]
