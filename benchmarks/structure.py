"""The house in figures: rooms, arrows, floors and circles by its imports, three walks by real calls.

    python benchmarks/structure.py [FOLDER...] [--show]

FOLDER is a folder of our package, this one's by default; several stand beside each other. A room is
an entry of the package's root. A floor is a step of the longest way down. A walk is what a reader
follows: each function once, where it is first called from; it comes back when it enters a file (a
room) that it had left. Calls are traced in a process apart, over a small bank, after a first run
that loads what is loaded late; `--show` prints each walk, file by file.
"""

import argparse
import ast
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from types import FrameType

import anyio
from apparatus import tables

NAME = "mcp_memory"
OURS = Path(__file__).parent.parent / NAME
WALKS = ("a question (search)", "a memory (retain)", "a transcript (index)")
Graph = dict[str, set[str]]
"""A node to those that it needs."""


def modules(folder: Path) -> dict[str, Path]:
    """Files by `search/fusion`; a folder's own file by the folder."""
    found = {path.relative_to(folder).with_suffix(""): path for path in folder.rglob("*.py")}
    return {
        (place.parent if place.name == "__init__" else place).as_posix(): path
        for place, path in sorted(found.items())
    }


def imports(folder: Path) -> Graph:
    """Which module imports which, wherever in the file; the package's own face is left out."""
    known = modules(folder)
    graph: Graph = {}
    for name, path in known.items():
        if name == ".":
            continue
        tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        told = {each for node in tree for each in _imported(node, known)}
        graph[name] = told - {name, "."}
    return graph


def _imported(node: ast.AST, known: Mapping[str, Path]) -> Iterable[str]:
    if isinstance(node, ast.Import):
        dotted = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom) and node.module:
        inner = [f"{node.module}.{alias.name}" for alias in node.names]
        # A name that is no module of its own is one of the module that it is imported from.
        dotted = [each if _place(each) in known else node.module for each in inner]
    else:
        return ()
    return [place for place in map(_place, dotted) if place in known]


def _place(dotted: str) -> str:
    first, _, rest = dotted.partition(".")
    return (rest.replace(".", "/") or ".") if first == NAME else ""


def room_of(module: str) -> str:
    """The entry of the root that a module lies in."""
    return module.split("/", maxsplit=1)[0]


def enclosing(module: str, folders: set[str]) -> str:
    """Its folder at any depth; a file of the root stands for itself."""
    return module if module in folders else module.rpartition("/")[0] or module


def merged(graph: Graph, part: Callable[[str], str]) -> Graph:
    """The same arrows between larger parts."""
    made: Graph = {}
    for name, others in graph.items():
        made.setdefault(part(name), set()).update(set(map(part, others)) - {part(name)})
    return made


def reached(graph: Graph, start: str) -> set[str]:
    """All that a node needs, also through others."""
    seen: set[str] = set()
    left = [start]
    while left:
        new = graph.get(left.pop(), set()) - seen
        seen |= new
        left += new
    return seen


def circles(graph: Graph) -> list[list[str]]:
    """Groups of nodes that all need one another."""
    far = {name: reached(graph, name) for name in graph}
    tied = {tuple(sorted(o for o in far[n] if n in far.get(o, ()))) for n in graph if n in far[n]}
    return sorted(map(list, tied))


def floors(graph: Graph) -> int:
    """Nodes on the longest way down; a circle is one floor."""
    home = {name: circle[0] for circle in circles(graph) for name in circle}
    flat = merged(graph, lambda name: home.get(name, name))
    deep: dict[str, int] = {}

    def depth(name: str) -> int:
        if name not in deep:
            deep[name] = 1 + max(map(depth, flat.get(name, ())), default=0)
        return deep[name]

    return max(map(depth, flat))


def arrows(graph: Graph) -> int:
    return sum(map(len, graph.values()))


def counted(folder: Path) -> dict[str, object]:
    """What the imports say."""
    files = imports(folder)
    rooms = merged(files, room_of)
    inner = {name.rpartition("/")[0] for name in files} - {""}
    folders = merged(files, lambda name: enclosing(name, inner))
    return {
        "rooms": len(rooms),
        "files at the root": sum("/" not in name and name not in inner for name in files),
        "arrows between rooms": arrows(rooms),
        "floors of rooms": floors(rooms),
        "modules": len(files),
        "arrows between modules": arrows(files),
        "floors of modules": floors(files),
        "circles between modules": len(circles(files)),
        "circles between folders": len(circles(folders)),
    }


@dataclass(slots=True)
class Tracer:
    """Functions of ours by where they were first called from, while it is on."""

    root: str
    on: bool = False
    calls: dict[str, list[str]] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    last: str = ""

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        """Note one call; given to the interpreter as a profiler."""
        if not self.on or event != "call":
            return
        name = self._name(frame)
        if not name or name in self.seen:
            self.last = name or self.last
            return
        caller: FrameType | None = frame.f_back
        while caller is not None and not self._name(caller):
            caller = caller.f_back
        # A thread and a task have no caller: what ran last has started them.
        parent = self._name(caller) if caller is not None else self.last
        self.seen.add(name)
        self.calls.setdefault(parent if parent in self.seen else "", []).append(name)
        self.last = name

    def _name(self, frame: FrameType) -> str:
        code = frame.f_code
        if not code.co_filename.startswith(self.root) or code.co_name.startswith("<"):
            return ""
        place = code.co_filename[len(self.root) :].removesuffix(".py").removesuffix("/__init__")
        return f"{place}:{code.co_qualname}"

    @contextmanager
    def keeping(self, walks: dict[str, list[str]], name: str) -> Iterator[None]:
        """Trace the block, and keep its walk under a name."""
        self.calls, self.seen, self.last = {}, set(), ""
        self.on = True
        try:
            yield
        finally:
            self.on = False
        walks[name] = self.walk()

    def walk(self) -> list[str]:
        """Files in the order in which a reader enters them."""
        files: list[str] = []
        left = list(reversed(self.calls.get("", ())))
        while left:
            name = left.pop()
            files.append(name.split(":")[0])
            left += reversed(self.calls.get(name, ()))
        return [file for file, _ in groupby(files)]


async def traced(tracer: Tracer) -> dict[str, list[str]]:
    """The three walks: all that is called from the public face until it answers."""
    from apparatus import banks

    from mcp_memory import Draft, Evidence, Query

    async with banks.temporary() as (bank, folder):
        shop = banks.project(folder)
        walks: dict[str, list[str]] = {}
        for name in ("orders", "invoices"):
            path = folder / f"{name}.jsonl"
            path.write_text(banks.sample(name, shop), encoding="utf-8")
            with tracer.keeping(walks, WALKS[2]):
                await bank.index([path])
            query = Query(texts=("UnicodeEncodeError charmap euro sign",), project="*")
            with tracer.keeping(walks, WALKS[0]):
                await bank.search(query)
            session = (await bank.listing("sessions"))[0].ref
            draft = Draft(
                text=f"Name the encoding when {name} are written: shop/export.py needs utf-8.",
                evidence=(Evidence(ref=f"{session}#1-6", quote=""),),
                project=str(shop),
            )
            with tracer.keeping(walks, WALKS[1]):
                await bank.retain(draft)
    return walks


def walks_of(folder: Path) -> dict[str, list[str]]:
    """The walks through a package, in a process that knows it by our name."""
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / NAME).symlink_to(folder.resolve(), target_is_directory=True)
        done = subprocess.run(
            [sys.executable, __file__, "--trace", place],
            env={**os.environ, "PYTHONPATH": place}, stdout=subprocess.PIPE, check=True,
        )  # fmt: skip
    told: dict[str, list[str]] = json.loads(done.stdout)
    return told


def trace(place: str) -> None:
    """Run in that process: print the walks as JSON."""
    tracer = Tracer(f"{place}/{NAME}/")
    threading.setprofile(tracer)
    sys.setprofile(tracer)
    print(json.dumps(anyio.run(traced, tracer)))


def returns(walk: Sequence[str]) -> tuple[int, int]:
    """How many are entered, and how often one is entered again."""
    entered = [name for name, _ in groupby(walk)]
    return len(set(entered)), len(entered) - len(set(entered))


def main() -> None:
    """Print both tables, one column a package."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="*", type=Path, default=[OURS], metavar="FOLDER")
    parser.add_argument("--show", action="store_true", help="print each walk, file by file")
    parser.add_argument("--trace", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.trace:
        trace(asked.trace)
        return
    tables.begin("what", *map(str, asked.folders))
    figures = [counted(folder) for folder in asked.folders]
    for what in figures[0]:
        tables.line(what, *(each[what] for each in figures))
    walked = [walks_of(folder) for folder in asked.folders]
    for name in WALKS:
        for part, unit in ((str, "files"), (room_of, "rooms")):
            told = [returns([part(file) for file in each[name]]) for each in walked]
            tables.line(f"{name}: {unit}, returns", *(f"{a}, {b}" for a, b in told))
    for folder, each in zip(asked.folders, walked, strict=True) if asked.show else ():
        for name in WALKS:
            print(f"\n{folder}, {name}:\n  {' → '.join(each[name])}")


if __name__ == "__main__":
    main()
