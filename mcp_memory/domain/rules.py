"""Rules: what a project and its user want remembered, and how; data that narrows trust, never widens it."""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator

from mcp_memory.domain.models import Frozen, MemoryKind

FILE = ".mcp-memory.toml"
"""In a repository: whoever may commit there wrote it."""
OWN_FILE = "rules.toml"
"""In the home: the user's own."""
MOST_BYTES = 64 * 1024
LEAST_QUORUM, MOST_QUORUM = 2, 5
_SPACED = 3
"""Letters of a phrase that says something: a shorter one would forbid nearly everything."""

Phrase = Annotated[str, Field(min_length=_SPACED, max_length=120)]


class KindRules(Frozen):
    """How memories of one kind are written in a project."""

    writing: Annotated[str, Field(max_length=400)] = ""
    template: Annotated[str, Field(max_length=600)] = ""
    """A text with gaps, as an example of the form."""


class Rules(Frozen):
    """One file of rules; every field may be left out."""

    kinds: Mapping[MemoryKind, KindRules] = {}
    focus: Annotated[tuple[Phrase, ...], Field(max_length=20)] = ()
    """What is to be remembered before all else: lifts what mentions it, and hides nothing."""
    never: Annotated[tuple[Phrase, ...], Field(max_length=100)] = ()
    """Phrases with which no memory is kept, whatever their letters' case."""
    quorum: Annotated[int, Field(ge=LEAST_QUORUM, le=MOST_QUORUM)] = LEAST_QUORUM
    """Root sessions that bear out what is not the user's own word."""
    floor: Annotated[float, Field(ge=0, le=0.5)] = 0
    """Score that a hit must have at least; the setting counts where it is higher."""
    plan_days: Annotated[int, Field(ge=1, le=365)] | None = None
    """After so many days a new plan is due."""
    unasked: Literal["off", "quiet", "normal", "talkative"] | None = None
    """How much hooks say; they read it themselves (`hooks/switches`), the least that is asked counts."""

    @field_validator("focus", "never", mode="after")
    @classmethod
    def _folded(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(" ".join(each.split()).casefold() for each in value))

    def forbids(self, text: str) -> str:
        """The phrase for which a text is not kept; empty where it may be."""
        told = " ".join(text.split()).casefold()
        return next((phrase for phrase in self.never if phrase in told), "")

    def mentions(self, text: str) -> bool:
        """Whether a text is about what is to be remembered before all else."""
        told = " ".join(text.split()).casefold()
        return any(phrase in told for phrase in self.focus)


class Ruling(Frozen):
    """The rules that hold for a project, and what of its files was not taken."""

    rules: Rules = Rules()
    faults: tuple[str, ...] = ()


def parse(text: str, name: str) -> Ruling:
    """What a file says; a part of it that is no rule is named and left out, the others hold."""
    try:
        told: Mapping[str, Any] = tomllib.loads(text.removeprefix("\ufeff"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        return Ruling(faults=(f"{name} is no TOML and was left out: {str(error)[:120]}.",))
    rules, faults = Rules(), []
    for key, value in told.items():
        try:
            part = Rules.model_validate({key: value})
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))[:80]
            faults.append(f"{name}: {place} was left out: {first['msg']}.")
        else:
            rules = rules.model_copy(update={key: getattr(part, key)})
    return Ruling(rules=rules, faults=tuple(faults))


def combined(own: Rules, project: Rules) -> Rules:
    """The user's rules with those of a repository, which may ask for more and for nothing less."""
    return Rules(
        kinds={**project.kinds, **own.kinds},
        focus=tuple(dict.fromkeys((*own.focus, *project.focus)))[:20],
        never=tuple(dict.fromkeys((*own.never, *project.never)))[:100],
        quorum=max(own.quorum, project.quorum),
        floor=max(own.floor, project.floor),
        plan_days=own.plan_days or project.plan_days,
        unasked=own.unasked or project.unasked,
    )


def read(home: Path, project: str) -> Ruling:
    """The rules that hold for a project, by the user's file and the repository's."""
    own = _of_file(home / OWN_FILE)
    root = Path(project)
    its = _of_file(root / FILE) if root.is_absolute() else Ruling()
    return Ruling(rules=combined(own.rules, its.rules), faults=(*own.faults, *its.faults))


def _of_file(path: Path) -> Ruling:
    try:
        if path.is_symlink() or not path.is_file():
            return Ruling()
        with path.open("rb") as stream:
            raw = stream.read(MOST_BYTES + 1)
    except OSError:
        return Ruling()
    if len(raw) > MOST_BYTES:
        return Ruling(faults=(f"{path.name} has more than {MOST_BYTES >> 10} KB: left out.",))
    return parse(raw.decode("utf-8", "replace"), path.name)


def told(kinds: Mapping[MemoryKind, KindRules], wanted: Iterable[MemoryKind]) -> str:
    """How these kinds are written, for whoever writes them."""
    said = []
    for kind in wanted:
        rule = kinds.get(kind, KindRules())
        parts = (rule.writing, rule.template and f"Form: {rule.template}")
        if text := " ".join(" ".join(filter(None, parts)).split()):
            said.append(f"{kind.value}: {text}")
    return "; ".join(said)
