"""Cases: small homes made after public bug reports of tools that read histories; what is read right."""

import argparse
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import orjson

from mcp_memory import hosts, readers
from mcp_memory.domain.errors import UnknownTranscript
from mcp_memory.domain.models import SourceClass, Step, Trajectory

OVERRIDES = (
    "CLAUDE_CONFIG_DIR",
    "CODEX_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "VSCODE_PORTABLE",
)


@dataclass(frozen=True, slots=True)
class Found:
    """What the hosts' histories in one home come to."""

    sessions: list[Trajectory]
    faults: list[str]

    @property
    def steps(self) -> list[Step]:
        """Every step of every session."""
        return [step for session in self.sessions for step in session.steps]

    def says(self, *words: str) -> bool:
        """Whether all of these stand in what is read."""
        told = "\n".join(map(_told, self.steps))
        return all(word in told for word in words)

    def times(self, word: str) -> int:
        """How often a word stands in a step."""
        return sum(word in _told(step) for step in self.steps)

    def said_by(self, source: SourceClass, word: str) -> bool:
        """Whether someone says a word somewhere."""
        return any(word in step.text and step.source is source for step in self.steps)

    def goals(self) -> set[str]:
        """What each session was asked first."""
        return {session.goal for session in self.sessions}

    def left(self, word: str) -> bool:
        """Whether all steps that hold a word are marked abandoned."""
        held = [step.abandoned for step in self.steps if word in _told(step)]
        return bool(held) and all(held)


def _told(step: Step) -> str:
    calls = "\n".join(str(dict(call.arguments)) for call in step.calls)
    return "\n".join((step.text, step.reasoning, calls, *(seen.text for seen in step.observations)))


def _both(found: Found) -> bool:
    return len(found.sessions) == 2 and not found.faults


def _rolled_back(f: Found) -> bool:
    kept = not f.left("List the tables") and not f.left("Add an index")
    return f.left("Drop the parcels") and f.left("Dropped the parcels") and kept


def _editor(f: Found) -> bool:
    told = f.said_by(SourceClass.USER, "secretdiary") or not f.said_by(
        SourceClass.HOST, "secretdiary"
    )
    return f.goals() == {"Make the checkout button green"} and not told


def _task(f: Found) -> bool:
    (session,) = f.sessions
    return session.goal.startswith("Inspect the parser") and bool(session.parent)


def _queued(f: Found) -> bool:
    words = "use the copper pipe, never PVC"
    return f.said_by(SourceClass.USER, words) and f.times("and add a floor drain") == 1


def _snapshots(f: Found) -> bool:
    calls = [call for step in f.steps for call in step.calls]
    whole = len(calls) == 1 and calls[0].arguments.get("prompt") == "inspect the schema"
    return whole and [s.text for s in f.steps if s.kind == "agent"] == ["Working on it"]


def _spliced(f: Found) -> bool:
    whole = f.says("feed the pelican", "the pelican is fed", "the otter sleeps")
    return whole and any(session.refusals for session in f.sessions)


def _cowork(f: Found) -> bool:
    return [s.title for s in f.sessions] == ["Tidy the archive"]


def _workflow(f: Found) -> bool:
    return _both(f) and sum(bool(s.parent) for s in f.sessions) == 1


def _teammates(f: Found) -> bool:
    return "rewrite these docs as one plan" in f.goals()


RIGHT: dict[str, Callable[[Found], bool]] = {
    "01": lambda f: _both(f) and f.says("lighthouse beacon"),
    "02": _rolled_back,
    "03": _editor,
    "05": _task,
    "07": lambda f: f.says("ENOSPC on volume gladiolus"),
    "10": _queued,
    "11": _snapshots,
    "12": _spliced,
    "13": _both,
    "14": lambda f: f.says("glacier model", "Use the 2019 albedo"),
    "17": lambda f: f.goals() == {"Sort the spice rack"},
    "18": lambda f: _both(f) and f.says("Wind the cuckoo clock", "The music box turns again."),
    "20": lambda f: f.goals() == {"Iron the flag", "Fold the tent", "Mend the sail"},
    "21": lambda f: len(f.sessions) == 3 and not f.faults,
    "22": _cowork,
    "23": lambda f: f.goals() == {"Glaze the window"} and f.says("glazed"),
    "24": lambda f: len(f.sessions) == 3 and "Carve the pumpkin" in {s.title for s in f.sessions},
    "25": lambda f: f.says("Grease the pulley"),
    "28": lambda f: f.goals() == {"Braid the rope"},
    "30": _workflow,
    "32": _teammates,
    "33": lambda f: len(f.sessions) == 1 and f.says("uname -a", "`/workspace/test.txt` first"),
    "34": lambda f: len(f.sessions) == 1,
}
"""Case to what is right of it, as far as reading decides; the others need the bank."""


def glacier(home: Path) -> None:
    """A log of one line of 18 MB, which is too long to lie with the others."""
    folder = home / ".config/Code/User/workspaceStorage/0123abcd/chatSessions"
    folder.mkdir(parents=True)
    output = [{"type": "text", "value": "ice " * (18 << 18)}]
    request = {
        "requestId": "r1",
        "message": {"text": "What is wrong with the glacier model?", "parts": []},
        "response": [
            {"kind": "toolInvocationSerialized", "toolId": "run", "toolCallId": "c", "isComplete": True,
             "resultDetails": {"output": output}},
            {"value": "Use the 2019 albedo"},
        ],
        "timestamp": 1770000000000,
    }  # fmt: skip
    session = {"version": 3, "responderUsername": "GitHub Copilot", "sessionId": "s1",
               "creationDate": 1770000000000, "requests": [request]}  # fmt: skip
    (folder / "s1.jsonl").write_bytes(orjson.dumps({"kind": 0, "v": session}) + b"\n")


def linked(home: Path) -> None:
    """A folder that was moved to another disk: its link, which a copy may have made a file."""
    link = home / ".claude/projects/-home-ada-shop"
    if link.is_file() and not link.is_symlink():
        told = link.read_text(encoding="utf-8")
        link.unlink()
        link.symlink_to(told, target_is_directory=True)


def pulley(home: Path) -> sqlite3.Connection:
    """A session written through a live connection: it stands in the journal only."""
    live = sqlite3.connect(home / ".local/share/opencode/opencode.db", isolation_level=None)
    live.execute("PRAGMA journal_mode = WAL")
    live.execute("PRAGMA wal_autocheckpoint = 0")
    columns = [row[1] for row in live.execute("PRAGMA table_info(session)")]
    (one,) = live.execute("SELECT * FROM session LIMIT 1").fetchall()
    told = dict(zip(columns, one, strict=True)) | {"id": "ses_new", "title": "Grease the pulley"}
    live.execute(f"INSERT INTO session VALUES ({','.join('?' * len(told))})", [*told.values()])
    for table, id_, value in (
        ("message", "msg_new", {"role": "user", "time": {"created": 1772000000000}}),
        ("part", "prt_new", {"type": "text", "text": "Grease the pulley"}),
    ):
        names = [row[1] for row in live.execute(f"PRAGMA table_info({table})")]
        row = {
            "id": id_,
            "session_id": "ses_new",
            "message_id": "msg_new",
            "data": orjson.dumps(value).decode(),
        }
        live.execute(
            f"INSERT INTO {table} VALUES ({','.join('?' * len(names))})",
            [row.get(n, 1) for n in names],
        )
    return live


def read(paths: Iterator[Path]) -> Found:
    """Every session once, the fullest of it, and what could not be read."""
    sessions: dict[str, Trajectory] = {}
    faults: list[str] = []
    for path in paths:
        try:
            for session in readers.detect(path).read(path):
                before = sessions.get(session.id)
                if session.steps and (before is None or len(before.steps) <= len(session.steps)):
                    sessions[session.id] = session
        except (UnknownTranscript, OSError) as error:
            faults.append(str(error))
    return Found([*sessions.values()], faults)


def tried(case: Path) -> Found:
    """A case in a home of its own, as its hosts would leave it."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        source = case / "home" if (case / "home").is_dir() else case / "files"
        shutil.copytree(source, home, symlinks=True)
        os.environ["HOME"] = str(home)
        os.chdir(home)
        if case.name.startswith("14"):
            glacier(home)
        if case.name.startswith("13"):
            linked(home)
        if source.name == "files":
            return read(path for path in sorted(home.iterdir()) if path.is_file())
        live = pulley(home) if case.name.startswith("25") else None
        try:
            return read(path for host in hosts.HOSTS for path in host.transcripts())
        finally:
            if live is not None:
                with closing(live):
                    pass


def main() -> None:
    """One line a case, and how many are right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder of the cases")
    parser.add_argument("--show", help="print what is read of the cases that begin so")
    asked = parser.parse_args()
    for name in OVERRIDES:
        os.environ.pop(name, None)
    right = 0
    for case in sorted(path for path in asked.data.resolve().iterdir() if path.is_dir()):
        judge = RIGHT.get(case.name.partition("-")[0])
        found = tried(case)
        try:
            verdict = judge(found) if judge else None
        except ValueError:
            verdict = False
        right += verdict is True
        word = {True: "right", False: "WRONG", None: "needs the bank"}[verdict]
        print(
            f"{case.name:42} {word:15} {len(found.sessions)} sessions, {len(found.faults)} faults"
        )
        if asked.show and case.name.startswith(asked.show):
            for session in found.sessions:
                print(session.model_dump_json(indent=1, exclude_defaults=True)[:6000])
            print(*found.faults, sep="\n")
    print(f"{right} of {len(RIGHT)} that reading decides are right")


if __name__ == "__main__":
    main()
