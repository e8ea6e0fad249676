"""Foreign: sessions in which another memory tool spoke to itself, or asked not to be remembered."""

from itertools import pairwise
from pathlib import PurePosixPath

from mcp_memory.models import Trajectory

OPTED_OUT = "<INSTRUCTIONS-TO-EPISODIC-MEMORY>DO NOT INDEX THIS CHAT"
"""Which episodic-memory writes into its summariser's prompts, and its users into private chats."""
_WORKSHOPS = ((".claude-mem", "observer-sessions"),)
"""Folders that memory tools run their own agents in."""


def left_out(trajectory: Trajectory) -> bool:
    """Whether a session is a summariser's own, or its user asked that it be left out.

    An index of summarisers' prompts outgrows the work it is about: they repeat it word for word.
    """
    folders = PurePosixPath((trajectory.cwd or "").replace("\\", "/")).parts
    if any(pair in _WORKSHOPS for pair in pairwise(folders)):
        return True
    return any(OPTED_OUT in s.text for s in trajectory.steps if s.kind in ("user", "system"))
