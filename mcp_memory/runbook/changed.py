"""Changed: the files that such work changed, those first that most attempts had to."""

from collections.abc import Sequence
from dataclasses import dataclass

from mcp_memory.runbook.record import Attempt
from mcp_memory.text.counting import counted

FEW = 2
"""Of so few attempts each file counts that one of them changed."""


@dataclass(frozen=True, slots=True)
class Place:
    """A file of the project, and the attempts that changed it, newest first."""

    path: str
    attempts: tuple[Attempt, ...]

    @property
    def ref(self) -> str:
        """The newest attempt that changed it."""
        return self.attempts[0].ref


def of_task(attempts: Sequence[Attempt], asked: Sequence[str]) -> tuple[Place, ...]:
    """Files that several attempts changed, or that the task names."""
    found: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        # One attempt may spell a file in two ways.
        for inside in dict.fromkeys(map(attempt.session.path, attempt.paths)):
            if inside and not inside.startswith(("/", "~", "..")) and ":" not in inside[:3]:
                found.setdefault(inside, []).append(attempt)
    made = [
        Place(path, tuple(sorted(mine, key=lambda one: one.day, reverse=True)))
        for path, mine in found.items()
        if len(mine) > 1 or len(attempts) <= FEW or any(path.endswith(name) for name in asked)
    ]
    return tuple(sorted(made, key=lambda one: -sum(each.score for each in one.attempts)))


def told(one: Place, of: int) -> str:
    """The file, and how many of the attempts changed it."""
    share = f"changed in {len(one.attempts)} of {counted(of, 'attempt')}"
    return f"{one.path} {share}, last {one.attempts[0].day}"
