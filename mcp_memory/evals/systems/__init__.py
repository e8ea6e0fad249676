"""Systems: ours and the baselines; each is prepared on a field and then asked sample by sample."""

from mcp_memory.evals.systems import lexical, ours, vectors
from mcp_memory.evals.systems.fields import Answer, Ask, Field, Prepare
from mcp_memory.rooms import WEIGHTS

__all__ = ["SYSTEMS", "Answer", "Ask", "Field", "Prepare"]

SYSTEMS: dict[str, Prepare] = {
    "ours": ours.prepare,
    "ours-nofloor": ours.without_floor,
    **{f"no-{channel}": ours.without(channel) for channel in WEIGHTS},
    "grep": lexical.grep,
    "fts5": lexical.fts5,
    "bm25": lexical.bm25,
    "bm25-sessions": lexical.bm25_sessions,
    "dense": vectors.dense,
    "rrf": vectors.rrf,
}
"""Name to what prepares it: `grep` is ripgrep's ranking by the question's words, in Python, and
`no-words` ours without that channel and without the floor."""
