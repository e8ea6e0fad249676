"""Torture: servers, hooks and commands on one home, killed at random, its disk full for a while.

    python benchmarks/torture.py --minutes 10 --servers 4
    python benchmarks/torture.py --soak

Acknowledged memories are counted against the bank at the end, purged words looked for in every file,
the doctor asked before and after a repair. The home lies in a small file system of its own where one
may be mounted; elsewhere a limit on the size of files plays the full disk.
"""

import argparse
import contextlib
import json
import os
import random
import re
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import anyio
from apparatus import banks
from apparatus.servers import OURS, environment
from apparatus.timing import machine, quantile
from apparatus.words import WORDS

from mcp_memory.bank import open_bank
from mcp_memory.checkup import doctor
from mcp_memory.settings import Settings
from mcp_memory.store import detecting
from mcp_memory.store.changes import CHANGED
from mcp_memory.store.rows import Where
from mcp_memory.text.needles import Needles

ANSWER_SECONDS = 90.0
MAY_GROW = (("megabytes", 1.1, 20), ("open files", 1.0, 50), ("threads", 1.0, 4))
"""What is watched, and how much more of it than in the second quarter there may be in the last.

A bank that grows is searched through larger indexes; of what is gone up to 48 files stay open.
"""
WARM_SECONDS = 120.0
"""Until then a server loads what it needs."""
ROOM = 900
"""Megabytes of the small file system."""


@dataclass(slots=True)
class Tally:
    """What was acknowledged, what was tried, and how long it took."""

    kept: dict[str, str] = field(default_factory=dict)
    """Ref of each acknowledged memory to its words."""
    tried: set[str] = field(default_factory=set)
    purged: list[str] = field(default_factory=list)
    """Words of memories whose purge was acknowledged."""
    begun: list[str] = field(default_factory=list)
    """Words of memories whose purge was asked for."""
    times: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    counts: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)
    full: bool = False
    seen: list[tuple[float, int, int, int]] = field(default_factory=list)
    """Over time: seconds, megabytes of a server, its open files, its threads."""


class Server:
    """One server over stdio, asked line by line, started anew where it was killed."""

    def __init__(self, home: Path, cwd: Path, tally: Tally) -> None:
        self._env = environment(home, index_auto="true", index_scope="everything", index_seconds=5)
        self._env["HOME"] = str(cwd.parent)
        self._cwd, self._tally = cwd, tally
        self.process: subprocess.Popen[bytes] | None = None
        self._number = 0
        self.cold = True
        """Whether the last call waited for a start."""

    def start(self) -> None:
        """Start it, and shake hands."""
        self.process = subprocess.Popen(
            [*OURS, "serve"], env=self._env, cwd=self._cwd,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        told = {"protocolVersion": "2025-06-18", "capabilities": {}}
        self._ask("initialize", {**told, "clientInfo": {"name": "torture", "version": "0"}})
        self._say({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def call(self, tool: str, arguments: dict[str, object]) -> tuple[bool, dict[str, object]]:
        """Whether it went well, and the structured answer or the error's words."""
        self.cold = self.process is None or self.process.poll() is not None
        if self.cold:
            self._tally.counts["servers started"] += 1
            self.start()
        answer = self._ask("tools/call", {"name": tool, "arguments": arguments})
        result = answer.get("result", {})
        if result.get("isError") or "error" in answer:
            told = result.get("content") or [{"text": str(answer.get("error"))}]
            return False, {"error": told[0]["text"]}
        return True, result.get("structuredContent", {})

    def _ask(self, method: str, params: dict[str, object]) -> dict[str, object]:
        self._number += 1
        number = self._number
        self._say({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        assert self.process is not None
        assert self.process.stdout is not None
        watch = threading.Timer(ANSWER_SECONDS, self.process.kill)
        watch.start()
        try:
            while line := self.process.stdout.readline():
                told = json.loads(line)
                if told.get("id") == number:
                    return told
        finally:
            late = not watch.is_alive()
            watch.cancel()
        if late:
            self._tally.counts["hangs"] += 1
            self._tally.counts[f"hang of {params.get('name', method)}"] += 1
        raise BrokenPipeError(method)

    def _say(self, message: dict[str, object]) -> None:
        assert self.process is not None
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()


def worker(server: Server, tally: Tally, number: int, until: float, pause: float) -> None:
    """A client that retains, searches, and now and then purges what it retained."""
    chance = random.Random(number)
    serial = 0
    while time.monotonic() < until:
        serial += 1
        words = f"{' '.join(chance.sample(WORDS, 3))} wants {number}-{serial} turns"
        try:
            draw = chance.random()
            if draw < 0.45:
                retain(server, tally, words)
            elif draw < 0.95:
                timed(server, tally, "search", {"query": words, "project": "*"})
            else:
                purge(server, tally, f"violet zebra {number}-{serial} sleeps under {words}")
        except (OSError, ValueError):
            tally.counts["calls cut off"] += 1
        time.sleep(chance.random() * pause)


def timed(
    server: Server, tally: Tally, tool: str, arguments: dict[str, object]
) -> tuple[bool, dict[str, object]]:
    """A call, and what it took where neither a start nor a full disk was in its way."""
    full, started = tally.full, time.perf_counter()
    well, answer = server.call(tool, arguments)
    took = time.perf_counter() - started
    with tally.lock:
        tally.counts[f"{tool} {'done' if well else 'refused'}"] += 1
        if well and not (full or tally.full):
            tally.times[f"first {tool} of a server" if server.cold else tool].append(took)
        if not well:
            told = re.sub(r"[0-9a-z:/.\-]*\d[\w:/.\-]*", "…", str(answer["error"]))
            tally.errors[told[:160]] += 1
    return well, answer


def retain(server: Server, tally: Tally, words: str) -> str:
    with tally.lock:
        tally.tried.add(words)
    well, answer = timed(server, tally, "retain", {"text": words, "project": "torture"})
    if well:
        with tally.lock:
            tally.kept[str(answer["ref"])] = words
    return str(answer.get("ref", ""))


def purge(server: Server, tally: Tally, words: str) -> None:
    ref = retain(server, tally, words)
    if not ref:
        return
    with tally.lock:
        tally.begun.append(words)
        tally.kept.pop(ref, None)
    _, seen = server.call("delete", {"refs": [ref], "mode": "preview"})
    well, answer = server.call(
        "delete", {"refs": [ref], "mode": "purge", "confirm": seen.get("confirm", "")}
    )
    with tally.lock:
        tally.counts[f"purge {'done' if well else 'refused'}"] += 1
        if well:
            tally.purged.append(words)
            left = sum(check["left"] for check in answer.get("checks", ()))
            tally.counts["purge receipts with something left"] += bool(left)
        else:
            tally.errors[str(answer["error"])[:160]] += 1


def commander(home: Path, cwd: Path, handed: Path, tally: Tally, until: float) -> None:
    """Hooks that hand transcripts over, and commands beside the servers."""
    chance, number = random.Random(99), 0
    env = environment(home)
    env["HOME"] = str(cwd.parent)
    orders = banks.sample("orders", cwd)
    while time.monotonic() < until:
        number += 1
        path = handed / f"{number:05}.jsonl"
        path.write_text(orders.replace("a1f0c0de", f"{number:08x}"), "utf-8")
        note = json.dumps({"transcript_path": str(path), "session_id": str(number)})
        hook = [sys.executable, "-m", "mcp_memory.hooks.spool"]
        subprocess.run(hook, input=note.encode(), env=env, cwd=cwd, check=False)
        command = chance.choice(
            (
                ["index", str(path)],
                ["search", "order export"],
                ["status"],
                ["doctor"],
                ["backup", "--replace", str(handed / "bank.backup")],
            )
        )
        ran = subprocess.run(
            [*OURS, *command], env=env, cwd=cwd, capture_output=True, text=True,
            timeout=600, check=False,
        )  # fmt: skip
        with tally.lock:
            tally.counts[
                f"{command[0]} {'ok' if ran.returncode == 0 else 'ended with an error'}"
            ] += 1
            if "Traceback" in ran.stderr:
                tally.errors[
                    f"TRACEBACK of {command[0]}: {ran.stderr.strip().splitlines()[-1][:200]}"
                ] += 1


def killer(servers: list[Server], tally: Tally, until: float, every: float) -> None:
    """A server is killed, where it stands, again and again."""
    chance = random.Random(7)
    while time.monotonic() < until:
        time.sleep(every * (0.5 + chance.random()))
        process = chance.choice(servers).process
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGKILL)
            tally.counts["kills"] += 1


def filler(home: Path, servers: list[Server], tally: Tally, seconds: float, *, own: bool) -> None:
    """The disk takes nothing more for a while."""
    tally.full = True
    ballast = home.parent / "ballast"
    if own:
        with contextlib.suppress(OSError), ballast.open("wb") as file:
            while True:
                file.write(b"\0" * (1 << 20))
                file.flush()
    else:
        limited(servers, 1)
    time.sleep(seconds)
    ballast.unlink(missing_ok=True)
    if not own:
        limited(servers, resource.RLIM_INFINITY)
    tally.full = False
    tally.counts["seconds with a full disk"] = int(seconds)


def limited(servers: list[Server], size: int) -> None:
    for server in servers:
        if server.process is not None:
            with contextlib.suppress(OSError, ProcessLookupError):
                told = (size, resource.RLIM_INFINITY)
                resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, told)


def watcher(servers: list[Server], tally: Tally, until: float) -> None:
    """What the first server holds, every ten seconds; one that was just killed holds nothing."""
    begun = time.monotonic()
    while time.monotonic() < until:
        time.sleep(min(10.0, max(0.1, until - time.monotonic())))
        process = servers[0].process
        if process is None:
            continue
        with contextlib.suppress(OSError, KeyError):
            place = Path(f"/proc/{process.pid}")
            told = dict(re.findall(r"(VmRSS|Threads):\s+(\d+)", (place / "status").read_text()))
            handles = len(list((place / "fd").iterdir()))
            held = (int(told["VmRSS"]) >> 10, handles, int(told["Threads"]))
            tally.seen.append((time.monotonic() - begun, *held))


def flat(tally: Tally) -> bool:
    """Print what a server held in the second quarter and in the last; whether none of it grew."""
    warm = [row for row in tally.seen if row[0] >= WARM_SECONDS]
    quarter = len(warm) // 4
    if quarter == 0:
        print("  too short to tell whether anything grows")
        return True
    early, late = warm[quarter : 2 * quarter], warm[-quarter:]
    well = True
    for place, (what, share, more) in enumerate(MAY_GROW, 1):
        before, after = (statistics.median(row[place] for row in rows) for rows in (early, late))
        grew = after > before * share + more
        well &= not grew
        print(f"  {what}: {before:.0f}, then {after:.0f}{' GROWS' if grew else ''}")
    return well


def busy(count: int) -> list[subprocess.Popen[bytes]]:
    """So many processes that do nothing but keep a processor busy."""
    return [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]


async def judged(home: Path, tally: Tally) -> bool:
    """Print what the bank holds beside what was acknowledged; whether nothing is wrong."""
    async with open_bank(Settings(home=home, index_auto=False)) as bank:
        before = [f for f in await doctor.check(bank.rooms) if not f.good and f.subject != "hosts"]
        told = "".join(f"\n    {f.subject}: {f.what}" for f in before)
        print(f"doctor, as it was left: {len(before)} findings{told}")
        for done in await doctor.repair(bank.rooms):
            print(f"    mended: {done}")
        after = [f for f in await doctor.check(bank.rooms) if not f.good and f.subject != "hosts"]
        print(f"doctor, after its repair: {len(after)}{''.join(f' {f.what}' for f in after)}")
        rows = await bank.rooms.store.find("memories", Where(states=()))
        there = {row.key: json.loads(row.body)["text"] for row in rows}
        lost = [ref for ref, words in tally.kept.items() if there.get(ref) != words]
        ghosts = [words for words in there.values() if words not in tally.tried]
        gone = [words for words in tally.purged if words in there.values()]
        print(
            f"memories: {len(tally.kept)} acknowledged, {len(lost)} lost, {len(ghosts)} of nobody"
        )
        print(f"purges: {len(tally.purged)} acknowledged, {len(gone)} still there")
        sessions = await bank.rooms.store.sessions()
        print(f"sessions: {len(sessions)}; store, of it alive: {await weight(bank)}")
        tables = bank.rooms.store._tables  # noqa: SLF001 looked at below all verbs
        found = len(await detecting.in_tables(tables, CHANGED, Needles(tally.purged)))
        archive = [p for p in home.rglob("*") if p.is_file() and held(p, tally.purged)]
        print(f"purged words, decoded in every version: {found} rows; in files: {len(archive)}")
        return not (lost or ghosts or gone or after or archive or found)


async def weight(bank: object) -> str:
    weights = (await bank.rooms.store.survey.weights()).values()  # type: ignore[attr-defined]
    on_disk, live = sum(w.on_disk for w in weights), sum(w.live for w in weights)
    return f"{on_disk / 1e6:.1f} MB, {live / 1e6:.1f} MB"


def held(path: Path, needles: list[str]) -> bool:
    raw = path.read_bytes()
    return any(needle.encode() in raw for needle in needles)


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """A file system of its own over a folder, where that is allowed."""
    mount = shutil.which("mount")
    told = ["-t", "tmpfs", "-o", f"size={ROOM}m", "tmpfs", str(folder)]
    own = (
        bool(mount)
        and subprocess.run([mount, *told], check=False, stderr=subprocess.DEVNULL).returncode == 0
    )
    try:
        yield own
    finally:
        if own:
            subprocess.run([shutil.which("umount") or "umount", "-l", str(folder)], check=False)


def tortured(asked: argparse.Namespace, folder: Path, handed: Path, *, own: bool) -> bool:
    tally = Tally()
    home, cwd = folder / "home", banks.project(folder, "shop")
    servers = [Server(home, cwd, tally) for _ in range(asked.servers)]
    begun = time.monotonic()
    until = begun + asked.minutes * 60
    burners = busy(asked.busy)
    threads = [
        threading.Thread(target=worker, args=(server, tally, number, until, asked.pause))
        for number, server in enumerate(servers)
    ]
    threads.append(threading.Thread(target=watcher, args=(servers, tally, until)))
    if not asked.calm:
        threads.append(threading.Thread(target=commander, args=(home, cwd, handed, tally, until)))
        threads.append(threading.Thread(target=killer, args=(servers, tally, until, asked.kill)))
    for thread in threads:
        thread.start()
    if not asked.calm:
        time.sleep(asked.minutes * 60 * 0.4)
        filler(home, servers, tally, min(60.0, asked.minutes * 60 * 0.15), own=own)
    for thread in threads:
        thread.join()
    for server in servers:
        if server.process is not None:
            assert server.process.stdin is not None
            server.process.stdin.close()
            server.process.wait(30)
    for burner in burners:
        burner.kill()
    report(tally)
    well = flat(tally) if asked.calm else True
    return anyio.run(judged, home, tally) and well


def report(tally: Tally) -> None:
    for name, count in sorted(tally.counts.items()):
        print(f"  {name}: {count}")
    for tool, times in sorted(tally.times.items()):
        if times:
            shown = ", ".join(f"p{p} {quantile(times, p / 100) * 1e3:.0f} ms" for p in (50, 95, 99))
            print(f"  {tool}: {len(times)} answered, {shown}, longest {max(times) * 1e3:.0f} ms")
    for told, count in tally.errors.most_common(12):
        print(f"  x{count}: {told}")
    picked = tally.seen[:: max(1, len(tally.seen) // 8)]
    shown = [(int(seconds), *held) for seconds, *held in picked]
    print(f"  a server over time (s, MB, handles, threads): {shown}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--servers", type=int, default=4)
    parser.add_argument("--kill", type=float, default=12, help="seconds between two kills, about")
    parser.add_argument("--busy", type=int, default=0, help="processes that keep processors busy")
    parser.add_argument("--calm", action="store_true", help="no kills, commands or full disk")
    parser.add_argument("--pause", type=float, default=0.1, help="seconds between calls, at most")
    parser.add_argument("--soak", action="store_true", help="an hour in calm: does anything grow?")
    asked = parser.parse_args()
    if asked.soak:
        asked.calm, asked.pause = True, 2.0
        asked.minutes = 60.0 if asked.minutes == parser.get_default("minutes") else asked.minutes
    print(machine(), f"load {os.getloadavg()[0]:.1f}")
    with (
        tempfile.TemporaryDirectory() as name,
        tempfile.TemporaryDirectory() as handed,
        small_disk(Path(name)) as own,
    ):
        print(f"home on {'a file system of its own' if own else 'this disk, with limits'}")
        well = tortured(asked, Path(name), Path(handed), own=own)
    print("NOTHING LOST" if well else "SOMETHING IS WRONG")
    sys.exit(not well)


if __name__ == "__main__":
    main()
