"""Freshness and premises on a real repository: what is told of files and flags, beside what git says.

    python benchmarks/premises.py REPOSITORY [--each 20] [--seed 1]
    python benchmarks/premises.py --made LIST

REPOSITORY is a clone with some history; it is only read. With `--made` one is made of a list of paths,
one a line (such as `by-file.md` of an archive): files of nonce lines, of which a third are changed, a
sixth renamed, a sixth deleted, and of their flags a third taken out, over a hundred commits.

Git itself (`log --name-status -M`) says which files were renamed, deleted or changed, which stand as
they were, and which flags went; names are invented by changing a letter's place. Premises: a task that
names one of each, asked of an empty bank. Freshness: a memory of a file as of early in the history,
once with the hash that it had then and once without. Printed as confusion tables, with the time of ten
looks once they are warm.
"""

import argparse
import os
import random
import re
import subprocess
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from apparatus import tables

from mcp_memory.memories import grounds, looking
from mcp_memory.memories.grounds import Ground
from mcp_memory.memories.repository import Deadline
from mcp_memory.memories.tree import Tree
from mcp_memory.runbook import premises

FLAG = re.compile(r"(?<![\w-])--[a-z][a-z0-9]+(?:-[a-z0-9]+)+(?![\w-])")
STATES = ("fresh", "changed", "gone", "unknown")


def git(repository: Path, *arguments: str) -> str:
    """What git prints."""
    ran = subprocess.run(
        ["git", "-C", str(repository), *arguments], capture_output=True, check=True
    )
    return ran.stdout.decode("utf-8", "replace")


def fates(repository: Path) -> tuple[set[str], set[str]]:
    """Paths that were renamed and that were deleted, and are not there now."""
    here = set(git(repository, "ls-files").splitlines())
    renamed, deleted = set(), set()
    told = git(repository, "log", "--first-parent", "-m", "--name-status", "-M", "--format=")
    for line in told.splitlines():
        kind, _, paths = line.partition("\t")
        old = paths.split("\t")[0]
        if old not in here and kind.startswith("R"):
            renamed.add(old)
        elif old not in here and kind == "D":
            deleted.add(old)
    return renamed - deleted, deleted - renamed


def flags(repository: Path) -> tuple[set[str], set[str]]:
    """Flags that some file has now, and that only an earlier commit's files had."""
    now = set(FLAG.findall("".join(_texts(repository, "HEAD"))))
    before: set[str] = set()
    for patch in git(repository, "log", "--first-parent", "-m", "-p", "-n", "400").split("\n-"):
        before.update(FLAG.findall(patch.partition("\n")[0]))
    bare = " ".join(_texts(repository, "HEAD"))
    return now, {flag for flag in before - now if flag.lstrip("-") not in bare}


def _texts(repository: Path, commit: str) -> Iterable[str]:
    for path in git(repository, "ls-tree", "-r", "--name-only", commit).splitlines():
        file = repository / path
        if file.is_file() and file.stat().st_size < 400_000:
            yield file.read_text(encoding="utf-8", errors="replace")


def invented(names: Sequence[str], draw: random.Random) -> list[str]:
    """Names of the same shape that never were."""
    made = []
    for name in names:
        head, _, last = name.rpartition("/")
        stem, dot, ending = last.partition(".")
        letters = list(stem)
        draw.shuffle(letters)
        changed = "".join(letters) + "qx"
        made.append(f"{head}/{changed}{dot}{ending}".lstrip("/"))
    return made


def judged(doubt: str) -> str:
    """What a premise's line comes to."""
    if not doubt:
        return "no doubt"
    if "renamed to" in doubt:
        return "renamed"
    return "taken out" if "taken out by" in doubt else "nowhere"


def of_premises(repository: Path, groups: Mapping[str, Sequence[str]]) -> None:
    """A task for each name, and what is told of it."""
    verdicts = ("no doubt", "renamed", "taken out", "nowhere")
    tables.begin("a task names", *verdicts, "ms each")
    for group, names in groups.items():
        counts: Counter[str] = Counter()
        begun = time.perf_counter()
        for name in names:
            named = grounds.of(f"Change what `{name}` does.")
            found = premises.looked_for(Tree(repository), named)
            told = premises.doubts(named, found, {}, {})
            counts[judged(told[0] if told else "")] += 1
        each = (time.perf_counter() - begun) * 1000 / max(1, len(names))
        tables.line(f"{group} ({len(names)})", *(counts[one] for one in verdicts), f"{each:.0f}")


def of_freshness(repository: Path, each: int, draw: random.Random) -> None:
    """Memories of files as of the middle of the history."""
    commits = git(repository, "log", "--first-parent", "--format=%H %ct").splitlines()
    commit, moment = commits[len(commits) * 4 // 5].split()
    at = datetime.fromtimestamp(int(moment), UTC)
    then, now = _listed(repository, commit), _listed(repository, "HEAD")
    truth: dict[str, list[str]] = defaultdict(list)
    for path, blob in then.items():
        state = "gone" if path not in now else "fresh" if now[path] == blob else "changed"
        truth[state].append(path)
    truth["never there"] = invented(sorted(then)[:200], draw)
    tables.begin(f"a memory of {at:%Y-%m-%d %H:%M} names a file", "with", *STATES)
    tree = Tree(repository)
    for stamped in (True, False):
        for state, paths in truth.items():
            some = draw.sample(paths, min(each, len(paths)))
            counts = Counter(_looked(tree, path, at, then if stamped else {}) for path in some)
            how = "its hash" if stamped else "its time"
            tables.line(f"{state} ({len(some)})", how, *(counts[one] for one in STATES))
    ten = [Ground("file", path) for path in draw.sample(sorted(then), 10)]
    for seen in (then, {}):
        looking.look(tree, ten, at, Deadline(1.0), seen=seen)
        begun = time.perf_counter()
        looking.look(tree, ten, at, Deadline(1.0), seen=seen)
        print(f"\nten looks {'by hash' if seen else 'by time'}: "
              f"{(time.perf_counter() - begun) * 1000:.2f} ms")  # fmt: skip


def _looked(tree: Tree, path: str, at: datetime, seen: Mapping[str, str]) -> str:
    named = (Ground("file", path, sure=bool(seen.get(path))),)
    return looking.look(tree, named, at, Deadline(1.0), seen=seen)[0].state


def _listed(repository: Path, commit: str) -> dict[str, str]:
    lines = git(repository, "ls-tree", "-r", commit).splitlines()
    told = (line.partition("\t") for line in lines)
    return {path: head.split()[2] for head, _, path in told if head.split()[1] == "blob"}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repository", type=Path, nargs="?")
    parser.add_argument("--made", type=Path)
    parser.add_argument("--each", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    draw = random.Random(asked.seed)
    if asked.made:
        with tempfile.TemporaryDirectory() as folder:
            told(made(paths_of(asked.made), Path(folder), draw), asked.each, draw)
    else:
        told(asked.repository.resolve(), asked.each, draw)


def told(repository: Path, each: int, draw: random.Random) -> None:
    """Print the tables of one repository."""
    here = git(repository, "ls-files").splitlines()
    renamed, deleted = fates(repository)
    present, went = flags(repository)
    groups = {
        "a file that is there": here,
        "a renamed file": sorted(renamed),
        "a deleted file": sorted(deleted),
        "an invented file": invented(here, draw),
        "a flag that is there": sorted(present),
        "a flag that went": sorted(went),
        "an invented flag": [f"{flag}-qx" for flag in sorted(present)],
    }
    some = {name: draw.sample(names, min(each, len(names))) for name, names in groups.items()}
    of_premises(repository, {name: _plain(names) for name, names in some.items()})
    print()
    of_freshness(repository, each, draw)


def paths_of(listed: Path) -> list[str]:
    """The paths in a list, plain or of an index of the archive."""
    lines = listed.read_text(encoding="utf-8").splitlines()
    found = (
        re.match(r"(?:- )?`?([\w.@+-]+(?:/[\w.@+-]+)*\.\w+)`?(?:[: ]|$)", line) for line in lines
    )
    return list(dict.fromkeys(match[1] for match in found if match))[:600]


def made(paths: Sequence[str], folder: Path, draw: random.Random) -> Path:
    """A repository of these files, and a hundred commits over them."""
    git(folder, "init", "-q")
    words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=7)) for _ in range(4000)]
    held = {path: _written(words, draw) for path in paths}
    _commit(folder, held, {}, "begin", 0)
    fated = draw.sample(sorted(held), len(held))
    sixth = len(fated) // 6
    for day in range(1, 101):
        before = dict(held)
        for path in fated[day::100]:
            place = fated.index(path)
            if place < sixth:
                name = f"{path.rpartition('/')[0]}/{draw.choice(words)}.{path.rpartition('.')[2]}"
                held[name.lstrip("/")] = _changed(held.pop(path), words, draw)
            elif place < 2 * sixth:
                del held[path]
            elif place < 4 * sixth:
                held[path] = _changed(held[path], words, draw)
        _commit(folder, held, before, f"day {day}", day)
    return folder


def _written(words: Sequence[str], draw: random.Random) -> list[str]:
    lines = [" ".join(draw.choices(words, k=6)) for _ in range(30)]
    return [*lines, f'flag("--{draw.choice(words)}-{draw.choice(words)}")']


def _changed(lines: Sequence[str], words: Sequence[str], draw: random.Random) -> list[str]:
    """Four lines of thirty in other words; of three files one loses its flag."""
    fresh = [" ".join(draw.choices(words, k=6)) for _ in range(4)]
    kept = [*fresh, *lines[4:]]
    return [line for line in kept if "flag(" not in line] if draw.random() < 1 / 3 else kept


def _commit(
    folder: Path,
    held: Mapping[str, list[str]],
    before: Mapping[str, list[str]],
    said: str,
    day: int,
) -> None:
    for path in before.keys() - held.keys():
        (folder / path).unlink()
    for path, lines in held.items():
        if before.get(path) != lines:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text("\n".join(lines) + "\n", encoding="utf-8")
    at = f"{1_700_000_000 + day * 86_400} +0000"
    who = {"GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at, "HOME": str(folder)}
    names = {
        f"GIT_{one}_{what}": "a" for one in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    git(folder, "add", "-A")
    subprocess.run(["git", "-C", str(folder), "commit", "-qm", said], env=os.environ | who | names,
                   check=True)  # fmt: skip


def _plain(names: Iterable[str]) -> list[str]:
    """Names that are read as what they are: a README without ending is a word like others."""
    return [name for name in names if grounds.of(f"Change what `{name}` does.")]


if __name__ == "__main__":
    main()
