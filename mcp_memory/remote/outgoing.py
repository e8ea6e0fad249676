"""Outgoing: sessions of this machine as they may leave it: read, bounded to projects, masked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from mcp_memory import readers
from mcp_memory.domain import projects
from mcp_memory.domain.errors import InvalidInput, MemoryBankError
from mcp_memory.domain.models import Trajectory
from mcp_memory.history import wire
from mcp_memory.history.wire import Holding, Mark, Part, Record
from mcp_memory.readers import prompts
from mcp_memory.trajectories import admission, foreign

EVERYTHING = "*"
MOST_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Terms:
    """What may leave this machine, and under which name."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    """Projects, whole or by their folder's name; empty or `*`: all that include and exclude let."""
    name: str = ""
    """What the remote bank calls the project; empty: its folder's name."""

    def allows(self, project: str) -> bool:
        """Whether sessions of a project may leave."""
        if not projects.allowed(project, include=self.include, exclude=self.exclude):
            return False
        return (
            not self.only
            or EVERYTHING in self.only
            or any(projects.resolve(asked, (project,)) for asked in self.only)
        )

    def opens(self, path: Path) -> bool:
        """Whether a transcript may be opened at all."""
        return not projects.matches(str(path), self.exclude)


@dataclass(frozen=True)
class Outgoing:
    """One session as it may be sent, masked."""

    id: str
    project: str
    """What the remote bank calls its project."""
    head: Record
    steps: tuple[Record, ...]
    size: int
    masked: int

    @cached_property
    def mark(self) -> Mark:
        """The whole session's mark."""
        digest = wire.chained("", self.steps)
        return Mark(steps=len(self.steps), digest=digest, head=wire.head_digest(self.head))

    def missing(self, held: Holding | None, *, most: int) -> list[Part]:
        """What is still to be sent where so much is held; nothing, where it is all there.

        Raises:
            InvalidInput: it is larger than may be sent.
        """
        if self.size > wire.MOST_BYTES or len(self.steps) > wire.MOST_STEPS:
            raise InvalidInput(
                f"It has more than {wire.MOST_BYTES:,} bytes or {wire.MOST_STEPS:,} steps.",
                next_step="It stays on this machine.",
            )
        before = Mark()
        if held is not None:
            if held.own or held.steps > len(self.steps):
                return []
            if wire.chained("", self.steps[: held.steps]) == held.digest:
                before = held
            if (before.steps, before.head) == (len(self.steps), self.mark.head):
                return []
        return wire.cut(self.project, self.head, self.steps, after=before, most=most)


@dataclass(slots=True)
class Found:
    """What a transcript holds that may leave, and what of it stays, with the reason."""

    sessions: list[Outgoing] = field(default_factory=list)
    excluded: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)


class Names:
    """Under which name each project of this machine goes: one name never stands for two."""

    def __init__(self, fixed: str, known: dict[str, str]) -> None:
        self._fixed = fixed
        self.known = known
        """Name to project, from run to run."""

    def of(self, project: str) -> str:
        """The project's name at the remote bank.

        Raises:
            InvalidInput: another project goes by it, or it has none.
        """
        name = self._fixed or projects.pure_path(project).name
        if not name or name in {EVERYTHING, projects.USER}:
            raise InvalidInput(
                f"A project called {name!r} would not be told apart there.",
                next_step="Say with --as how the remote bank is to call it.",
            )
        if self.known.setdefault(name, project) != project:
            raise InvalidInput(
                f"{project} and {self.known[name]} would both be called {name!r} there.",
                next_step="Push one of them alone, with --project and --as.",
            )
        return name


def outgoing(path: Path, terms: Terms, names: Names) -> Found:
    """Read a transcript and mask what may leave; blocking.

    Raises:
        UnknownTranscript: no reader, or more than one, recognised it.
        OSError: it cannot be opened.
    """
    found = Found()
    for trajectory in map(foreign.unfed, readers.detect(path).read(path)):
        project = projects.project_of(trajectory.cwd)
        if not terms.allows(project) or _stays(trajectory):
            found.excluded += 1
            continue
        try:
            found.sessions.append(masked(trajectory, names.of(project)))
        except MemoryBankError as error:
            found.refused.append((f"t:{trajectory.id}", str(error)))
    return found


def _stays(trajectory: Trajectory) -> bool:
    """Empty sessions, mere prompts of others, and those that asked to be left out."""
    typed = prompts.session_of(trajectory.format, trajectory.native_id) is not None
    return typed or not trajectory.steps or foreign.left_out(trajectory)


def masked(trajectory: Trajectory, name: str) -> Outgoing:
    """A session as it leaves under a project's name: masked, and looked at again until nothing is left."""
    whole, count = trajectory, 0
    # A mask may uncover the secret beside it: until nothing is found, as nothing may be left.
    for _ in range(MOST_ROUNDS):
        admitted = admission.admit_trajectory(whole)
        whole = admitted.trajectory
        count += sum(admitted.masked.values())
        if not admitted.masked:
            break
    steps = tuple(map(wire.step_of, whole.steps))
    head = wire.head_of(whole)
    return Outgoing(
        id=whole.id,
        project=name,
        head=head,
        steps=steps,
        size=sum(_sizes(head, steps)),
        masked=count,
    )


def _sizes(head: Record, steps: Sequence[Record]) -> Iterator[int]:
    yield wire.size_of(head)
    yield from map(wire.size_of, steps)
