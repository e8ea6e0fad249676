"""Consensus: where a text asks for something else than independent sessions here did for the same need."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from mcp_memory.search import overtaken
from mcp_memory.text import signatures, wording

QUORUM = 2
"""Root sessions that did the same, the text's own not among them, from which that is what is done here."""
MOST_COMMANDS, MOST_READ, MOST_SHOWN = 12, 6_000, 90
LEAST_TERM = 4
"""Letters of a word that two commands may have in common by their need: `release`."""
_TICKED = re.compile(r"`([^`\n]{3,300})`")
_PROMPTED = re.compile(
    r"^[ \t]{0,8}(?:[-*+]|\d{1,2}[.)])?[ \t]{0,3}(?:\$|>|%|RUN)[ \t]+(.{3,300})$", re.MULTILINE
)
_ASKED = re.compile(
    r"\b(?:run|execute|invoke|call|use|type|via|with)[ \t]+(?:the command[ \t]+)?"
    r"((?:\.{0,2}/)?[a-z][\w./@+-]*(?:[ \t]+[^\s`,;]+){1,12})"
)
_HOST = re.compile(
    r"(?:\b[a-z][a-z0-9+]{1,12}://(?:[^/@\s]{1,80}@)?|\b[\w.-]{1,40}@)([\w.-]{3,120})",
    re.IGNORECASE,
)
_WAIVES = re.compile(
    r"(?<!\S)(--?(?:no|skip|force|insecure|allow|disable|ignore|trust|trusted|unsafe|bypass|without|dangerously)"
    r"(?:-[\w-]+)?|-[fk])(?=[=\s]|$)"
)
"""Flags that leave something out, or take something for granted."""
_LOCAL = ("localhost", "127.", "0.0.0.0")  # noqa: S104 what a line names, not what is listened on


@dataclass(frozen=True, slots=True)
class Command:
    """One program of a command line, as far as it is compared."""

    family: str
    """What it is asked to do: `pip install`."""
    line: str
    hosts: frozenset[str] = frozenset()
    waives: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Deed:
    """A command that a session ran, and that did not fail."""

    command: Command
    root: str
    """The session that it counts with: copies and sub-agents are of one."""
    ref: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What a text asks for: commands, and values that it gives names."""

    commands: tuple[Command, ...]
    values: Mapping[str, str]

    @property
    def words(self) -> tuple[str, ...]:
        """By which deeds for the same need are looked for."""
        return tuple(dict.fromkeys((*(one.family for one in self.commands), *self.values)))


def asked(text: str) -> Asked:
    """What a text asks for."""
    read = text[:MOST_READ]
    spans = (*_TICKED.findall(read), *_PROMPTED.findall(read), *_ASKED.findall(read))
    found = (one for span in dict.fromkeys(map(str.strip, spans)) for one in commands(span))
    return Asked(tuple(islice(dict.fromkeys(found), MOST_COMMANDS)), overtaken.values(read))


def commands(line: str) -> Iterator[Command]:
    """The programs of a command line that do something."""
    for ran in signatures.runs(line):
        family = " ".join(word for word in ran.family.split() if not word.startswith("-"))
        if ran.acts and family:
            hosts = {one.lower().rstrip(".") for one in _HOST.findall(ran.line)}
            away = frozenset(one for one in hosts if not one.startswith(_LOCAL))
            yield Command(family, ran.line, away, frozenset(_WAIVES.findall(ran.line)))


def otherwise(what: Asked, deeds: Sequence[Deed], terms: Iterable[str]) -> str:
    """How a text differs from what two other sessions did; empty where it does not, or nobody knows.

    `terms`: the words of the need. Who does something in several ways agrees on none.
    """
    needed = [term.casefold() for term in terms if len(term) >= LEAST_TERM]
    for one in what.commands:
        same = [deed for deed in deeds if deed.command.family == one.family]
        told = _same(one, same) if same else _another(one, deeds, needed)
        if told:
            return told
    return _values(what.values, deeds)


def _same(one: Command, deeds: Sequence[Deed]) -> str:
    """The same command with another host, or with a flag that waives what the others left on."""
    if len({deed.root for deed in deeds}) < QUORUM:
        return ""
    hosts = {deed.command.hosts for deed in deeds}
    if len(hosts) == 1 and one.hosts - next(iter(hosts)):
        return _said(f"another host, {_listed(one.hosts - next(iter(hosts)))}", deeds)
    waived = one.waives - {flag for deed in deeds for flag in deed.command.waives}
    return _said(f"another flag, {_listed(waived)}", deeds) if waived else ""


def _another(one: Command, deeds: Sequence[Deed], terms: Sequence[str]) -> str:
    """Another command, which nobody here ran, for a need that the others met with one and the same."""
    for term in terms:
        if _names(one.line, term):
            met = [deed for deed in deeds if _names(deed.command.family, term)]
            roots = {deed.root for deed in met}
            if len(roots) >= QUORUM and len({deed.command.family for deed in met}) == 1:
                return _said(f"another command, {one.family}", met)
    return ""


def _values(values: Mapping[str, str], deeds: Sequence[Deed]) -> str:
    """A name with another value than all others gave it, two of them at least."""
    for name, value in values.items():
        given = [(deed, found) for deed in deeds if (found := _given(deed, name))]
        agreed = {found for _, found in given}
        borne = len(agreed) == 1 and len({deed.root for deed, _ in given}) >= QUORUM
        if borne and _plain(value) not in agreed:
            return _said(f"another value, {name} = {value}", [deed for deed, _ in given])
    return ""


def _given(deed: Deed, name: str) -> str:
    return _plain(overtaken.values(deed.command.line).get(name, ""))


def _plain(value: str) -> str:
    return value.strip(" \"'").casefold()


def _names(line: str, term: str) -> bool:
    return any(word.startswith(term) for word in re.split(r"[\W_]+", line.casefold()))


def _said(how: str, deeds: Sequence[Deed]) -> str:
    """`another host, x.example, than t:…#4 t:…#9: make release`."""
    by_root = {deed.root: deed for deed in reversed(deeds)}
    first = list(by_root.values())[-QUORUM:]
    line = " ".join(first[-1].command.line.split())
    shown = line if len(line) <= MOST_SHOWN else f"{line[: MOST_SHOWN - 1]}\u2026"
    return f"{how}, than {' '.join(deed.ref for deed in reversed(first))}: {shown}"


def _listed(names: Iterable[str]) -> str:
    return " ".join(sorted(names)[:2])


def needs(text: str) -> tuple[str, ...]:
    """The words of a question that may name a need."""
    return tuple(term for term in wording.informative(text) if len(term) >= LEAST_TERM)
