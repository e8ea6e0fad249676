"""Sessions as their labels tell them: entries, attempts and mends, written by hand."""

from mcp_memory.domain import refs
from mcp_memory.domain.models import Episode, Outcome
from mcp_memory.runbook.record import Attempt, Session
from mcp_memory.trajectories import entries
from mcp_memory.trajectories.entries import Entry, Touched
from mcp_memory.trajectories.mending import Mend

ROOT = "/home/ada/shop"


def session(name: str, day: str = "2026-03-01", **known: object) -> Session:
    """A session of the shop, with the labels that are given."""
    fixed = {"folder": f"shop-1/{name}", "started": f"{day}T10:00:00+00:00", "format": "test"}
    told = {"goal": "", "outcome": Outcome.UNKNOWN, "steps": 40, "day": day, "id": ident(name)}
    return Session(Entry.model_validate(fixed | told | known), (ROOT,), ROOT)


def ident(name: str) -> str:
    """The id of a session."""
    return refs.trajectory_id("test", name)


def attempt(of: Session, *, first: int = 1, last: int = 20, **known: object) -> Attempt:
    """An episode of a session; what is said of it is given by name."""
    number = known.pop("number", 1)
    assert isinstance(number, int)
    episode = Episode(
        trajectory=of.entry.id,
        number=number,
        first=first,
        last=last,
        goal=str(known.pop("goal", "Mend the cart.")),
        outcome=Outcome(str(known.pop("outcome", "success"))),
        reason=str(known.pop("reason", "step 9: `make test` exit code 0")),
    )
    fixed = {"score": 0.4, "paths": (f"{ROOT}/src/cart.py",)}
    return Attempt(
        ref=refs.episode(of.entry.id, number),
        episode=episode,
        session=of,
        **(fixed | known),  # type: ignore[arg-type]
    )


def later(number: int, goal: str, *files: str, first: int = 21, last: int = 30) -> entries.Attempt:
    """Another attempt of the same session, as the index tells it."""
    return entries.Attempt(
        number=number,
        first=first,
        last=last,
        day="2026-03-01",
        outcome=Outcome.UNKNOWN,
        goal=goal,
        files=files,
    )


def mend(error: str, *done: str, command: str = "make lint", failed: int = 3) -> Mend:
    """An error that was got past two steps later."""
    last = (*done, f"then `{command}` went well")
    return Mend(error=error, command=command, failed=failed, passed=failed + 2, done=last)


def touched(name: str, *steps: int, failed: tuple[int, ...] = (), last: str = "") -> Touched:
    """A command or an error, and where it occurs."""
    return Touched(name=name, steps=steps, marked=failed, last=last or name)
