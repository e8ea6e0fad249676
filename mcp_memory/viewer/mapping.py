"""Mapping: projects, sessions, files, errors and memories as a graph, and files by their failures."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import anyio.to_thread
import orjson
from starlette.requests import Request
from starlette.responses import Response

from mcp_memory.domain import refs
from mcp_memory.domain.models import Memory, State
from mcp_memory.store.rows import SessionRow
from mcp_memory.text import cutting
from mcp_memory.viewer import drawing, memories
from mcp_memory.viewer.placing import placed
from mcp_memory.viewer.rendering import folder, page
from mcp_memory.viewer.visiting import PREFIX, Visit, Visits

MOST_NODES = 5_000
MOST_FILES = 60
SOON = 3
"""A failure so many steps after an edit is told beside it."""
_SHARED = 2
"""A file or an error stands on the map once so many sessions met it."""


@dataclass(slots=True)
class Graph:
    """The nodes of a map by id, weightiest first once they are sorted, and their edges."""

    nodes: dict[str, dict[str, object]] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    ties: dict[str, str] = field(default_factory=dict)
    edges: list[tuple[str, str]] = field(default_factory=list)

    def add(self, id_: str, group: str, **told: object) -> None:
        """One node; the same twice is one."""
        if id_ not in self.nodes:
            self.nodes[id_] = told
            self.groups[group].append(id_)

    def tie(self, node: str, to: str) -> None:
        """An edge, and where the node lies: beside the first that it is tied to."""
        self.ties.setdefault(node, to)
        self.edges.append((node, to))


@dataclass(frozen=True, slots=True)
class Heat:
    """A file by what happened to it."""

    path: str
    edits: int
    failures: int
    sessions: int
    shades: tuple[int, int]


def build(visits: Visits) -> Mapping[str, object]:
    """The endpoints of this page by name."""

    async def mapped(request: Request) -> Response:
        async with visits(request) as visit:
            rows, _ = await _read(visit, request.query_params.get("project", ""))
            known = await visit.projects()
            heat = await anyio.to_thread.run_sync(_heat, rows)
            return page(
                request,
                visit,
                "map",
                projects=known,
                project=request.query_params.get("project", ""),
                heat=heat,
            )

    async def graph(request: Request) -> Response:
        async with visits(request) as visit:
            rows, kept = await _read(visit, request.query_params.get("project", ""))
            made = await anyio.to_thread.run_sync(_elements, rows, kept)
            return Response(orjson.dumps(made), media_type="application/json")

    return {"map": mapped, "graph": graph}


async def _read(visit: Visit, project: str) -> tuple[list[SessionRow], list[Memory]]:
    store = visit.bank.rooms.store
    if project:
        visit.must_see(project, project)
    known = (project,) if project else await visit.projects()
    rows = [
        row
        for row in await store.sessions(projects=known)
        if row.state == State.LIVE.value and row.project in known
    ]
    kept = [one for one in await memories.newest(visit.bank.rooms) if visit.sees(one.project)]
    return rows, [one for one in kept if not project or one.project in (project, "user")]


def _elements(rows: Sequence[SessionRow], kept: Sequence[Memory]) -> dict[str, object]:
    """The graph with a place for each node; where there are too many, the newest sessions'."""
    graph = Graph()
    order = sorted(rows, key=lambda row: (not row.parent, row.started_at is not None,
                                          row.started_at, row.id), reverse=True)  # fmt: skip
    shared = _shared(order)
    for row in order:
        if len(graph.nodes) >= MOST_NODES - len(kept):
            break
        _session(graph, row, shared)
    for memory in kept:
        _memory(graph, memory)
    places = placed(graph.groups, graph.ties)
    edges = [(a, b) for a, b in graph.edges if a in places and b in places]
    return {
        "nodes": [
            {"id": id_, "x": places[id_][0], "y": places[id_][1], **told}
            for id_, told in graph.nodes.items()
        ],
        "edges": edges,
        "left": sum(f"t:{row.id}" not in graph.nodes for row in rows),
    }


def _session(graph: Graph, row: SessionRow, shared: Mapping[str, int]) -> None:
    project, id_ = f"p:{row.project}", f"t:{row.id}"
    graph.add(project, row.project, kind="project", label=folder(row.project),
              to=f"{PREFIX}/timeline?project={row.project}")  # fmt: skip
    graph.add(id_, row.project, kind="session", label=cutting.head(row.title or row.goal, 80),
              to=f"{PREFIX}/session/{row.id}", outcome=row.outcome)  # fmt: skip
    graph.tie(id_, f"t:{row.parent}" if f"t:{row.parent}" in graph.nodes else project)
    for kind, name, _ in _met(row):
        node = f"{kind[0]}:{row.project}\n{name}"
        if shared.get(node, 0) >= _SHARED:
            graph.add(
                node, row.project, kind=kind, label=cutting.tail(name, 80), weight=shared[node]
            )
            graph.tie(node, id_)


def _memory(graph: Graph, memory: Memory) -> None:
    cited = [f"t:{refs.session_of(each.ref)}" for each in memory.evidence]
    there = [one for one in dict.fromkeys(cited) if one in graph.nodes]
    graph.add(memory.ref, memory.project, kind="memory", label=memory.title or cutting.head(memory.text, 80),
              to=f"{PREFIX}/memory/{memory.ref}", standing=memory.standing.value)  # fmt: skip
    for one in there:
        graph.tie(memory.ref, one)


def _met(row: SessionRow) -> Iterator[tuple[str, str, dict[str, object]]]:
    """Files that a session edited, and errors that it met, as the archive's indexes say."""
    entry = orjson.loads(row.entry or "{}")
    for one in entry.get("files", ()):
        if one.get("marked"):
            yield "file", str(one["name"]), one
    for one in entry.get("errors", ()):
        yield "error", str(one["name"]), one


def _shared(rows: Sequence[SessionRow]) -> Counter[str]:
    return Counter(
        f"{kind[0]}:{row.project}\n{name}" for row in rows for kind, name, _ in _met(row)
    )


def _heat(rows: Sequence[SessionRow]) -> list[Heat]:
    """The files that were edited most, with how many steps failed in the same sessions after it."""
    edited: Counter[str] = Counter()
    failures: Counter[str] = Counter()
    sessions: Counter[str] = Counter()
    for row in rows:
        entry = orjson.loads(row.entry or "{}")
        failed = sorted(n for each in entry.get("commands", ()) for n in each.get("marked", ()))
        for one in entry.get("files", ()):
            steps = one.get("marked", ())
            if not steps:
                continue
            name = str(one["name"])
            edited[name] += len(steps)
            sessions[name] += 1
            failures[name] += sum(any(0 < bad - step <= SOON for step in steps) for bad in failed)
    most, worst = max(edited.values(), default=0), max(failures.values(), default=0)
    return [
        Heat(name, count, failures[name], sessions[name],
             (drawing.shade(count, most), drawing.shade(failures[name], worst)))
        for name, count in edited.most_common(MOST_FILES)
    ]  # fmt: skip
