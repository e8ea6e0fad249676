"""Drafts for the gate, made by script from real episodes: faithful ones, and bad ones of eleven kinds."""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mcp_memory.bank import MemoryBank
from mcp_memory.domain import refs
from mcp_memory.domain.models import Draft, Evidence, MemoryKind
from mcp_memory.memories import bearing, faults, mended, proposing, recurring, settled
from mcp_memory.memories.experience import Known, Offer, Point
from mcp_memory.search.channels import Scope
from mcp_memory.store.rows import Where
from mcp_memory.text import identifiers, signatures

_NUMBER = re.compile(r"(?<![\w.,:/#-])\d{1,4}(?![\w.:/-])")
_SENTENCES = re.compile(r"(?<=[.!?])\s+|\n+")
_PLAIN = re.compile(r"(?<![\w/.-])[^\W\d_]{2,}(?![\w/])")
_PATH = re.compile(r"(?<![\w/.-])[\w./-]*\w\.(?:go|py|ts|js|md|toml|yml|yaml|json)\b")
_OTHERWISE = {
    "uses": "relies on", "fails": "breaks", "must": "has to", "contains": "holds", "only": "just",
    "created": "made", "stored": "kept", "returns": "gives back", "all": "every one of the",
    "is": "is, as it stands,", "are": "are, as they stand,",
}  # fmt: skip
EMPTY = (
    "It works.", "Always be careful here.", "This was fixed.", "Run it again if needed.",
    "The tests should pass.", "Check everything twice.", "Make sure that it is right.",
)  # fmt: skip
TRIVIAL = ("x", "always", "when needed", "any time", "n/a", "if relevant", "a b")


@dataclass(frozen=True, slots=True)
class Case:
    """A draft with what is wrong with it; empty where nothing is."""

    fault: str
    draft: Draft
    beside: tuple[Draft, ...] = ()
    """Memories that stand already."""
    source: str = ""
    """How it was made."""


async def known_of(bank: MemoryBank) -> Known:
    """Everything of a bank."""
    return (await proposing.all_known(bank.rooms, Scope(())))()


async def faithful(bank: MemoryBank, known: Known) -> list[Case]:
    """Drafts as a host would write them from what a plan proposes, each with its project."""
    by_id = {session.id: session for session in known.sessions}
    made: list[Case] = []
    made += [_stated(one) for one in recurring.facts(by_id, known.said)]
    made += [_laid_down(one) for one in settled.corrections(by_id, known.said)]
    for one in mended.errors(known.sessions):
        if (case := await _error(bank, one)) is not None:
            made.append(case)
    made += list(_named(known))
    once = {" ".join(case.draft.text.split()).casefold(): case for case in made}
    return list(once.values())


def _roots(points: Sequence[Point]) -> list[Point]:
    """One point of each root session, the best shown first."""
    told = sorted(points, key=lambda p: (not p.mended, p.session.id, p.step))
    return list({p.session.root: p for p in reversed(told)}.values())[::-1]


def _evidence(points: Sequence[Point]) -> tuple[Evidence, ...]:
    spans = (refs.span(p.session.id, p.step, max(p.step, p.mended)) for p in points)
    return tuple(Evidence(ref=ref) for ref in spans)


def _stated(one: Offer) -> Case:
    text = one.points[0].told
    draft = Draft(text=text, project=one.group.project, evidence=_evidence(_roots(one.points)[:2]))
    return Case("", draft, source="fact")


def _laid_down(one: Offer) -> Case:
    point = one.points[0]
    cited = Evidence(ref=refs.span(point.session.id, point.step), quote="")
    draft = Draft(text=point.told, kind=MemoryKind.PREFERENCE, project=one.group.project,
                  evidence=(cited,))  # fmt: skip
    return Case("", draft, source="correction")


async def _error(bank: MemoryBank, one: Offer) -> Case | None:
    """The error as it was printed, the command, and how the same command went well again."""
    points = _roots(one.points)[:2]
    names = {point.told for point in points}
    line = await _printed(bank, points[0])
    if not line or len(points) < 2:
        return None
    command = next((c.name for c in points[0].session.entry.commands
                    if points[0].step in c.marked), "")  # fmt: skip
    mend = next((m for p in points if p.mended for m in p.session.entry.mends
                 if (m.error, m.failed) == (p.told, p.step)), None)  # fmt: skip
    shown = line if len(names) == 1 else faults.kind_of(points[0].told).replace("_", "something")
    text = f"{command} fails: {shown}."
    if mend is not None and mend.done[0].startswith("edited"):
        text += f" It went away once {mend.done[0].removeprefix('edited ').strip('`')} was edited."
    draft = Draft(text=text, kind=MemoryKind.GOTCHA, when_to_use=f"running {command}",
                  project=one.group.project, evidence=_evidence(points))  # fmt: skip
    return Case("", draft, source="error")


async def _printed(bank: MemoryBank, point: Point) -> str:
    found = await bank.rooms.store.find(
        "evidence", Where(trajectories=(point.session.id,), kinds=("step",), first=point.step,
                          last=point.step)
    )  # fmt: skip
    lines = (line.strip() for row in found for line in row.text.splitlines())
    return next((line[:160] for line in lines if signatures.fold(line) == point.told), "")


def _named(known: Known) -> Iterator[Case]:
    """What an agent said with a name in it, and where another session names the same."""
    sessions = {session.id: session for session in known.sessions}
    holders: dict[tuple[str, str], list[tuple[str, int]]] = {}
    told = []
    for one in known.said:
        session = sessions.get(one.session)
        if one.by_user or session is None or one.step == 1:
            continue
        for name in identifiers.names(one.text)[:40]:
            holders.setdefault((session.project, name), []).append((one.session, one.step))
        for sentence in _SENTENCES.split(one.text):
            plain = sentence.strip(" -*#>|`")
            named = [n for n in identifiers.names(plain) if not _NUMBER.fullmatch(n)]
            if named and _is_prose(plain):
                told.append((session, one.step, plain, named))
    for session, step, plain, named in told:
        others = [
            (other, at) for name in named for other, at in holders[session.project, name]
            if sessions[other].root != session.root
        ] if all((session.project, name) in holders for name in named) else []  # fmt: skip
        if others:
            # Half cite the whole attempt, in which much else stands; half the step alone.
            whole = next((a for a in session.entry.attempts if a.first <= step <= a.last), None)
            wide = whole is not None and step % 2 == 0
            span = (whole.first, whole.last) if wide and whole else (step,)
            evidence = (Evidence(ref=refs.span(session.id, *span)),
                        Evidence(ref=refs.span(*others[0])))  # fmt: skip
            draft = Draft(text=plain, project=session.project, evidence=evidence)
            source = ("number" if _NUMBER.search(plain) else "name") + (", attempt" if wide else "")
            yield Case("", draft, source=source)


def _is_prose(line: str) -> bool:
    """Whether a line is a sentence, and no code, table or command."""
    words = _PLAIN.findall(line)
    signs = sum(line.count(sign) for sign in "{}|=<>&;$")
    return 40 < len(line) < 220 and len(words) >= 6 and not signs and line[0].isalpha()


def bad(
    cases: Sequence[Case], known: Known, flagged: Sequence[str], dice: random.Random
) -> Iterator[Case]:
    """Each faithful draft spoilt in every way that it can be."""
    files = sorted({file.name for s in known.sessions for file in s.entry.files})
    for case in cases:
        draft, change = case.draft, case.draft.model_copy
        yield Case("invented file", change(update={"text": _with_file(draft.text, files, dice)}))
        yield from _dropped_error(case)
        yield from _other_number(case, dice)
        yield Case("invented number", change(update={"text": _with_number(draft.text, dice)}))
        yield Case("empty words", change(update={"text": dice.choice(EMPTY)}))
        if draft.kind in {MemoryKind.GOTCHA, MemoryKind.PROCEDURE}:
            yield Case("trivial when_to_use", change(update={"when_to_use": dice.choice(TRIVIAL)}))
        if case.source in {"fact", "error"}:
            yield Case(
                "paraphrased duplicate", change(update={"text": _reworded(draft.text)}), (draft,)
            )
            yield from _one_family(case, known)
        other = dice.choice([c for c in cases if c.draft.project != draft.project] or list(cases))
        yield Case("unrelated evidence", change(update={"evidence": other.draft.evidence}))
        if flagged and len(draft.evidence) > 1:
            spoilt = (*draft.evidence[:1], Evidence(ref=dice.choice(flagged)))
            yield Case("flagged evidence", change(update={"evidence": spoilt}))


def _with_file(text: str, files: Sequence[str], dice: random.Random) -> str:
    """A file that no session has: the name of one, with parts of another, in place of one or beside."""
    one, other = (dice.choice(files).rpartition("/")[2] for _ in range(2))
    stem, _, end = one.rpartition(".")
    made = f"{stem or one}_{other.partition('.')[0]}.{end or 'go'}"
    replaced, count = _PATH.subn(made, text, count=1)
    return replaced if count else f"{text.rstrip('.')}, which {made} decides."


def _dropped_error(case: Case) -> Iterator[Case]:
    if case.source == "error":
        command = case.draft.text.partition(" fails:")[0]
        yield Case(
            "dropped error",
            case.draft.model_copy(update={"text": f"{command} fails until the code is mended."}),
        )


def _other_number(case: Case, dice: random.Random) -> Iterator[Case]:
    found = list(_NUMBER.finditer(case.draft.text))
    if found and case.source.startswith("number"):
        one = dice.choice(found)
        wrong = str(int(one[0]) + dice.choice([1, 2, 3, 7, 10]))
        text = case.draft.text[: one.start()] + wrong + case.draft.text[one.end() :]
        yield Case("wrong count", case.draft.model_copy(update={"text": text}))


def _with_number(text: str, dice: random.Random) -> str:
    number = dice.choice([3, 4, 5, 6, 7, 8, 12, 15, 20, 30, 42, 64, 90, 120, 250, 500])
    said = ("within {} seconds", "after {} attempts", "in {} of all runs", "for {} files at most")
    return f"{text.rstrip('.')} {dice.choice(said).format(number)}."


def _reworded(text: str) -> str:
    words = [_OTHERWISE.get(word, word) for word in text.rstrip(".").split(" ")]
    head, comma, tail = " ".join(words).partition(", ")
    return f"{tail}, {head}" if comma else f"Note that {' '.join(words)}"


def _one_family(case: Case, known: Known) -> Iterator[Case]:
    """Two spans of one root session: a parent and its sub-agent, or twice itself."""
    first = refs.parse(case.draft.evidence[0].ref)
    mine = next((s for s in known.sessions if s.id == first.id), None)
    kin = [s for s in known.sessions if mine and s.root == mine.root and s.id != mine.id]
    for other in kin[:1]:
        named = [one for one in known.said if one.session == other.id]
        shows = [one for one in named if bearing.touches(case.draft.text, one.text)]
        step = (shows or named)[0].step if named else 1
        family = (case.draft.evidence[0], Evidence(ref=refs.span(other.id, step)))
        yield Case("one family as quorum", case.draft.model_copy(update={"evidence": family}))
