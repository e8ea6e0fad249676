"""Holding: which steps hold words of unsure origin that give power away, and are held back for it."""

from collections.abc import Iterable, Mapping, Sequence

from mcp_memory.domain.models import Step
from mcp_memory.text import guard, powers, shingles
from mcp_memory.trajectories import origins
from mcp_memory.trajectories.origins import Origin, Part

HELD = "held:"
"""How a flag begins that holds words of a record back."""
_TRUSTED = frozenset({Origin.TYPED, Origin.HOST})
_OWN = frozenset({Origin.SAID, Origin.DONE})


def flags(kinds: Iterable[str]) -> tuple[str, ...]:
    """Kinds of power, or signs of an instruction, as flags of a record."""
    return tuple(f"{HELD}{kind}" for kind in dict.fromkeys(kinds))


def reasons(marks: Iterable[str]) -> tuple[str, ...]:
    """Why a record is held back, from its flags; nothing where it is not."""
    return tuple(mark.removeprefix(HELD) for mark in marks if mark.startswith(HELD))


def by_step(steps: Sequence[Step], *, brought: bool = False) -> Mapping[int, tuple[str, ...]]:
    """Number of each step that holds such words to why: what was printed, read, pasted or prompted.

    What an agent did is its own, unless it repeats what came from outside before; what it says is
    borne out by what it did, or what the user typed, until then. `brought`: by somebody over the
    network, so that nobody here knows who typed what is said to be the user's.
    """
    ground = _Ground()
    found: dict[int, tuple[str, ...]] = {}
    for step in steps:
        told = tuple(_brought(part) if brought else part for part in origins.parts(step))
        kinds = tuple(dict.fromkeys(kind for part in told for kind in ground.kinds(part)))
        if kinds:
            found[step.number] = kinds
        ground.add(told)
    return found


def _brought(part: Part) -> Part:
    return part._replace(origin=Origin.PROMPTED) if part.origin is Origin.TYPED else part


class _Ground:
    """What a session holds before a step: outsiders' words, and powers that were really used."""

    def __init__(self) -> None:
        self._outside = shingles.Heard()
        self._borne: set[str] = set()

    def kinds(self, part: Part) -> Iterable[str]:
        """What a part gives away without anybody of the session standing for it."""
        if not part.text or part.origin is Origin.HOST:
            return ()
        given = powers.judged(part.text)
        if not given:
            return ()
        if part.origin is Origin.TYPED or (part.origin is Origin.DONE and not self._repeated(part)):
            self._borne.update(given)
            return ()
        own = part.origin is Origin.SAID
        return tuple(kind for kind in given if not (own and kind in self._borne))

    def add(self, told: Iterable[Part]) -> None:
        """What comes after may repeat this."""
        self._outside.add(part.text for part in told if part.origin.outside)

    def _repeated(self, part: Part) -> bool:
        """Whether what was done is what outsiders had written before."""
        return any(map(self._outside.repeated, powers.told(part.text)))


def instructed(step: Step, noticed: Sequence[str]) -> tuple[str, ...]:
    """Of the signs of an instruction in a step those that somebody else wrote there."""
    if not noticed:
        return ()
    others = [p.text for p in origins.parts(step) if p.origin not in _TRUSTED | _OWN]
    return tuple(dict.fromkeys(sign for text in others for sign in guard.inspect(text)))
