"""Told: what may be told of a trajectory: its shown steps, and no word that a hidden step said."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from mcp_memory.domain.models import Episode, Trajectory
from mcp_memory.domain.paths import relative
from mcp_memory.trajectories.lineage import pointer


class Told:
    """A trajectory without its hidden steps; paths inside `roots` are named relative to them."""

    def __init__(
        self, trajectory: Trajectory, hidden: Mapping[int, str], roots: Sequence[str]
    ) -> None:
        self.trajectory = trajectory
        self.hidden = hidden
        self.gone = any(not pointer(why) for why in hidden.values())
        """Whether a step is hidden from everybody, and not only held by another session."""
        self.roots = tuple(root for root in roots if root)
        self.steps = [step for step in trajectory.steps if step.number not in hidden]
        said = (step.text for step in trajectory.steps if step.number in hidden)
        self._secret = " ".join(" ".join(said).split())

    def words(self, text: str) -> str:
        """The text; empty when a hidden step said it."""
        start = " ".join(text[:200].split())
        return "" if start and start in self._secret else text

    def reason(self, episode: Episode) -> str:
        """Why an episode ended so; its steps and commands are not told when one is hidden."""
        span = range(episode.first, episode.last + 1)
        gone = (n in span for n, why in self.hidden.items() if not pointer(why))
        return "steps are hidden" if any(gone) else episode.reason

    def path(self, path: str) -> str:
        """The path as it is named in the archive; empty for a root itself."""
        return relative(path, self.roots)


def utc(at: datetime) -> datetime:
    """A time in UTC; one without a zone is taken to be in it."""
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def day(at: datetime | None) -> str:
    """The day of a time, in UTC."""
    return utc(at).date().isoformat() if at else "undated"
