"""Recovery: what was typed is kept only of sessions that the bank cannot have whole."""

from collections.abc import Container
from datetime import UTC, datetime, timedelta

from mcp_memory.domain import projects
from mcp_memory.readers import prompts
from mcp_memory.store.rows import SessionRow
from mcp_memory.trajectories.terms import Allowance, Gone

SETTLED = timedelta(days=1)
"""A prompt is in the history before its transcript is: one typed just now is no lost session."""


def left_out(session: SessionRow, known: Container[str], gone: Gone, allowance: Allowance) -> bool:
    """Whether these are prompts of a session that is known, was purged, or may still be indexed.

    Or may lie in a folder that the user excluded: a history without folders does not tell.
    False for every session that was read from a transcript.
    """
    whole = prompts.session_of(session.format, session.native_id)
    if whole is None:
        return False
    if allowance.exclude and session.project == projects.UNKNOWN:
        return True
    written = datetime.fromtimestamp(session.mtime_ns // 10**9, UTC)
    fresh = session.ended_at is not None and session.ended_at > written - SETTLED
    return fresh or whole in known or gone.session(whole)
