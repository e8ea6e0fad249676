"""Foreign: what a memory said in a session, our own or another's, and what asked to be left out."""

import re
from itertools import pairwise
from pathlib import PurePosixPath

from mcp_memory.domain.models import Step, Trajectory

OPTED_OUT = "<INSTRUCTIONS-TO-EPISODIC-MEMORY>DO NOT INDEX THIS CHAT"
"""Which episodic-memory writes into its summariser's prompts, and its users into private chats."""
_WORKSHOPS = ((".claude-mem", "observer-sessions"),)
"""Folders that memory tools run their own agents in."""
_OURS = "recalled mcp-memory"
_RECALLED = re.compile(
    r"<recalled mcp-memory[^<>\n]{0,80}>.*?(?:</recalled>|\Z)"
    r"|&lt;recalled mcp-memory[^<>&\n]{0,80}&gt;.*?(?:&lt;/recalled&gt;|\Z)",
    re.DOTALL,
)
"""What our hooks put before a model, in the fence that nothing inside it can close.

Gemini CLI escapes it, tells it to the model so, and keeps it so.
"""


def unfed(trajectory: Trajectory) -> Trajectory:
    """The session without what our hooks said in it, wherever its host kept that."""
    steps = tuple(map(_unfed, trajectory.steps))
    if all(new is old for new, old in zip(steps, trajectory.steps, strict=True)):
        return trajectory
    return trajectory.model_copy(update={"steps": steps})


def left_out(trajectory: Trajectory) -> bool:
    """Whether a session is a summariser's own, or its user asked that it be left out.

    An index of summarisers' prompts outgrows the work it is about: they repeat it word for word.
    """
    folders = PurePosixPath((trajectory.cwd or "").replace("\\", "/")).parts
    if any(pair in _WORKSHOPS for pair in pairwise(folders)):
        return True
    return any(OPTED_OUT in s.text for s in trajectory.steps if s.kind in ("user", "system"))


def _unfed(step: Step) -> Step:
    if not any(_OURS in text for text in (step.text, *(seen.text for seen in step.observations))):
        return step
    seen = tuple(
        each.model_copy(update={"text": _forgotten(each.text)}) for each in step.observations
    )
    return step.model_copy(update={"text": _forgotten(step.text), "observations": seen})


def _forgotten(text: str) -> str:
    return _RECALLED.sub("[recalled memory: left out]", text)
