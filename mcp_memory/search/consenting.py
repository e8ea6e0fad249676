"""Consenting: hits of unsure origin beside what other sessions did; the odd one is marked, and last."""

from collections.abc import Mapping, Sequence

from mcp_memory.domain import refs
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.hits import Hit
from mcp_memory.domain.models import STANDS, Memory, SourceClass, Standing
from mcp_memory.rooms import Rooms
from mcp_memory.search import consensus
from mcp_memory.search.candidates import Candidate
from mcp_memory.search.consensus import Asked, Deed
from mcp_memory.search.passages import Passage
from mcp_memory.store.rows import PUSHED, Where
from mcp_memory.text import guard
from mcp_memory.trajectories import calls, evidence, holding
from mcp_memory.trajectories.lineage import root_of

ODD = "otherwise: "
"""How the flag begins of a hit that asks for something else than others did."""
MOST_DEEDS = 32
"""Steps with the same words that are looked at for what was done in them."""
_DEED = ("key", "kind", "trajectory", "first", "project", "flags", "body")
_RAN = '"command":'
"""Stands in the record of a step that ran something: to read the others tells nothing."""
_OTHERS = frozenset({SourceClass.EXTERNAL, SourceClass.TOOL})


async def odd(
    rooms: Rooms, text: str, chosen: Sequence[Candidate], records: Sequence[Sequence[Passage]]
) -> Mapping[str, str]:
    """Ref of each hit that asks for something else than independent sessions did, to how.

    Only what outsiders wrote or printed, and candidates, are asked: what was done here needs no
    consent. Costs one look-up where there is anything to ask.
    """
    doubted = {
        one.ref: (one, what)
        for one, cut in zip(chosen, records, strict=True)
        if (what := _doubted(one, cut)).words
    }
    if not doubted:
        return {}
    terms = consensus.needs(text)
    links = await rooms.store.links()
    words = dict.fromkeys(w for _, what in doubted.values() for w in what.words)
    projects = {one.row.project for one, _ in doubted.values()}
    done = await _deeds(rooms, " ".join((*words, *terms)), projects, links)
    told = {}
    for ref, (one, what) in doubted.items():
        own = _roots(one, links)
        others = [deed for deed in done.get(one.row.project, ()) if deed.root not in own]
        if how := consensus.otherwise(what, others, terms):
            told[ref] = ODD + guard.neutralise(how)
    return told


async def as_brought(rooms: Rooms, hits: Sequence[Hit]) -> list[Hit]:
    """The hits; what a sender says that its user typed is an agent's word here."""
    if not any(hit.source is SourceClass.USER for hit in hits):
        return list(hits)
    links = await rooms.store.links()
    return [
        hit.model_copy(update={"source": SourceClass.AGENT})
        if hit.source is SourceClass.USER and _sent(hit.ref, links)
        else hit
        for hit in hits
    ]


def _sent(ref: str, links: Mapping[str, str]) -> bool:
    session = refs.session_of(ref)
    return bool(session) and root_of(str(session), links).startswith(PUSHED)


def _doubted(one: Candidate, cut: Sequence[Passage]) -> Asked:
    """What a hit asks for in words that nobody of the house stands for."""
    if one.memory is not None:
        return Asked((), {}) if _stands(one.memory) else consensus.asked(one.memory.text)
    others = (passage.text for passage in cut if passage.by in _OTHERS)
    return consensus.asked("\n".join(others))


def _stands(memory: Memory) -> bool:
    established = memory.standing is Standing.ESTABLISHED and memory.trust >= STANDS
    return established or memory.source is SourceClass.USER


async def _deeds(
    rooms: Rooms, words: str, projects: set[str], links: Mapping[str, str]
) -> dict[str, list[Deed]]:
    """What sessions of these projects ran with such words, and did not fail; by project."""
    where = Where(projects=tuple(sorted(projects)), kinds=("step",))
    rows = await rooms.store.brief(where, limit=MOST_DEEDS, columns=_DEED, words=words)
    trusting = rooms.trusting()
    made: dict[str, list[Deed]] = {}
    for row in sorted(rows, key=lambda row: row.key):
        ref = f"t:{row.trajectory}"
        if holding.reasons(row.flags) or trusting.distrusts((row.key, ref)) or _RAN not in row.body:
            continue
        for call, seen in calls.called(evidence.step_of(row, {})):
            if call.command and seen is not None and not calls.failed(seen):
                root = root_of(row.trajectory, links)
                for command in consensus.commands(call.command):
                    made.setdefault(row.project, []).append(Deed(command, root, row.key))
    return made


def _roots(one: Candidate, links: Mapping[str, str]) -> set[str]:
    """The sessions that a hit itself is of, or rests on."""
    if one.memory is None:
        return {root_of(one.session, links)}
    roots = set()
    for cited in one.memory.evidence:
        try:
            roots.add(root_of(refs.parse(cited.ref).id, links))
        except InvalidInput:
            continue
    return roots
