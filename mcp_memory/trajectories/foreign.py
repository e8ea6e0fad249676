"""Foreign: what a memory said in a session, our own or another's, and what asked to be left out."""

import html
import re
from itertools import pairwise
from pathlib import PurePosixPath

from mcp_memory.domain.models import SourceClass, Step, Trajectory
from mcp_memory.text import fencing

_LEFT_OUT = "[recalled memory: left out]"
OPTED_OUT = "<INSTRUCTIONS-TO-EPISODIC-MEMORY>DO NOT INDEX THIS CHAT"
"""Which episodic-memory writes into its summariser's prompts, and its users into private chats."""
_WORKSHOPS = ((".claude-mem", "observer-sessions"),)
"""Folders that memory tools run their own agents in."""
_OURS = "recalled mcp-memory"
_RECALLED = re.compile(
    r"(?P<opens><|&lt;)recalled (?P<label>mcp-memory[^<>&\n]{0,60}?)(?: (?P<tag>[0-9a-f]{8}))?(?:>|&gt;)\n"
    r"(?P<body>.*?)\n(?:<|&lt;)/recalled(?: (?P=tag))?(?:>|&gt;)",
    re.DOTALL,
)
"""What our hooks put before a model; Gemini CLI escapes it, tells it to the model so, and keeps it so."""
_TORN = re.compile(
    r"mcp-memory: [^\n]{0,300}\n(?:<|&lt;)recalled mcp-memory[^<>&\n]{0,80}(?:>|&gt;)\n.*\Z",
    re.DOTALL,
)
"""The same as a host cut it off, below the line that our hooks begin with."""


def unfed(trajectory: Trajectory) -> Trajectory:
    """The session without what our hooks said in it, wherever its host kept that."""
    steps = tuple(map(_unfed, trajectory.steps))
    if all(new is old for new, old in zip(steps, trajectory.steps, strict=True)):
        return trajectory
    return trajectory.model_copy(update={"steps": steps})


def of_strangers(trajectory: Trajectory) -> Trajectory:
    """The session as one whose user is not known here: what was typed counts as an agent's prompt."""
    return trajectory.model_copy(update={"steps": tuple(map(_of_stranger, trajectory.steps))})


def left_out(trajectory: Trajectory) -> bool:
    """Whether a session is a summariser's own, or its user asked that it be left out.

    An index of summarisers' prompts outgrows the work it is about: they repeat it word for word.
    """
    folders = PurePosixPath((trajectory.cwd or "").replace("\\", "/")).parts
    if any(pair in _WORKSHOPS for pair in pairwise(folders)):
        return True
    # Where it stands in a page that somebody pasted, nobody asked for it.
    asked = [s.text.lstrip() for s in trajectory.steps if s.kind in ("user", "system")]
    return OPTED_OUT in "".join(asked[:1]) or any(text.startswith(OPTED_OUT) for text in asked)


def _of_stranger(step: Step) -> Step:
    seen = tuple(
        each.model_copy(update={"source": SourceClass.AGENT})
        if each.source is SourceClass.USER
        else each
        for each in step.observations
    )
    source = SourceClass.AGENT if step.source is SourceClass.USER else step.source
    return step.model_copy(update={"source": source, "observations": seen})


def _unfed(step: Step) -> Step:
    if not any(_OURS in text for text in (step.text, *(seen.text for seen in step.observations))):
        return step
    seen = tuple(
        each.model_copy(update={"text": _forgotten(each.text)}) for each in step.observations
    )
    text = _forgotten(step.text, spoken=True)
    return step.model_copy(update={"text": text, "observations": seen})


def _forgotten(text: str, *, spoken: bool = False) -> str:
    """The text without what is ours, told by its tag; where hooks speak, also as older ones wrote it.

    A forged mark takes away nothing but what it was made of.
    """
    told = _RECALLED.sub(
        lambda found: _LEFT_OUT if _is_ours(found, spoken=spoken) else found[0], text
    )
    return _TORN.sub(_LEFT_OUT, told) if spoken else told


def _is_ours(found: re.Match[str], *, spoken: bool) -> bool:
    if found["tag"] is None:
        return spoken
    body = html.unescape(found["body"]) if found["opens"] == "&lt;" else found["body"]
    return fencing.tag(f"{found['label']}\n{body}") == found["tag"]
