"""Leaving: a session as somebody who comes back finds it told."""

from mcp_memory.domain.models import Frozen, Origin, Outcome


class LeftOff(Frozen):
    """A session as it was left, in its own words; step N of it is `#N`."""

    ref: str
    when: str
    """`2026-06-19 14:15-16:57`, in UTC."""
    origin: Origin = ""
    """`team` where a team's bank told it."""
    project: str = ""
    """Its folder's name, where several are shown."""
    goal: str
    asked: tuple[str, ...] = ()
    """What the user asked for later."""
    outcome: Outcome = Outcome.UNKNOWN
    said: str = ""
    """The agent's last words."""
    open: tuple[str, ...] = ()
    """What it left: a request unanswered, a check that failed, items of a list, edits not committed."""
    done: tuple[str, ...] = ()
    """Subjects of its commits."""
    files: tuple[str, ...] = ()
    """Files that it edited, last first."""
    steps: int = 0
    agents: int = 0
    """How many sub-agents worked for it."""
    alike: int = 0
    """How many older sessions began with the same words."""
