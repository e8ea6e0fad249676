"""Identities: which folders are one project, by the remote that they share or by a user's word."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mcp_memory.domain import projects, stamped
from mcp_memory.domain.replacing import replace as put
from mcp_memory.domain.spelling import folded, spelled

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None
"""What JSON can say; not pydantic's, which a hook would take 70 ms to import."""

FILE = "projects.json"
"""Name of the file, in the home: what a user merged is told nowhere else."""
_ASIDE, _FOLDER, _ROOT = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Identities:
    """Which name a folder's project has; a value, changed by making another.

    The name is a folder too, so that what a bank was told before is found as it was.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    """Folder, folded, to the project that it is; where it is not its own."""
    remotes: Mapping[str, str] = field(default_factory=dict)
    """Remote to the project that it is."""

    def named(self, project: str) -> str:
        """The project that a folder's project is."""
        name, seen = project, set()
        while (key := folded(name)) in self.names and key not in seen:
            seen.add(key)
            name = self.names[key]
        return name

    def asked(self, text: str) -> str:
        """What a person or a program may have meant, where it is known as an alias or a remote."""
        return self.named(self.remotes.get(text.lower(), spelled(text) or text))

    def placed(self, project: str, remote: str) -> str:
        """The project of a session whose folder and remote are these."""
        return self.learned(project, remote).named(project)

    def learned(self, project: str, remote: str) -> "Identities":
        """With what a session told: the folder of its project, and the remote of it.

        Of the folders of one remote a repository on this disk stands for all, else one that is
        no worktree by its name, else the first.
        """
        if project in (projects.UNKNOWN, projects.USER):
            return self
        here = self._spelled(project)
        known = here.remotes.get(remote)
        name = here.named(project)
        if not remote or known == name:
            return here
        if known is None:
            return Identities(here.names, {**here.remotes, remote: name})
        if _standing(name) > _standing(known):
            return Identities({**here.names, folded(known): name}, {**here.remotes, remote: name})
        return here.merged(name, known)

    def unhashed(self, known: Iterable[str]) -> "Identities":
        """With the folders found that a host told by their hash only, among those that are known."""
        names = list(known)
        hashed = [name for name in names if name.startswith(projects.HASHED)]
        if not hashed:
            return self
        by_hash = {_hash(name): name for name in (*names, *self.names.values())}
        told = self
        for name in hashed:
            if (folder := by_hash.get(name)) is not None:
                told = told.merged(name, folder)
        return told

    def merged(self, project: str, into: str) -> "Identities":
        """With one project counted as another from now on."""
        target = self.named(into)
        if folded(self.named(project)) == folded(target):
            return self
        names = {**self.names, folded(self.named(project)): target}
        remotes = {r: target if n == self.named(project) else n for r, n in self.remotes.items()}
        return Identities(names, remotes)

    def renamed(self, project: str, name: str) -> "Identities":
        """With another name for a project; its former one goes on being found."""
        fresh = {key: old for key, old in self.names.items() if key != folded(name)}
        return Identities(fresh, self.remotes).merged(project, name)

    def unlike(self, former: "Identities") -> dict[str, Json]:
        """What the former had in the place of what differs; None where it had nothing."""
        return {
            "names": _changed(former.names, self.names),
            "remotes": _changed(former.remotes, self.remotes),
        }

    def again(
        self, names: Mapping[str, str | None], remotes: Mapping[str, str | None]
    ) -> "Identities":
        """With what `unlike` told in its place again."""
        return Identities(_restored(self.names, names), _restored(self.remotes, remotes))

    def _spelled(self, project: str) -> "Identities":
        """A folder of Windows is named as it was first."""
        key = folded(project)
        if key == project or key in self.names:
            return self
        return Identities({**self.names, key: project}, self.remotes)


def read(home: Path) -> Identities:
    """What is known of a home's projects; nothing where there is no file, or none that can be read."""
    try:
        return stamped.read(home / FILE, _made)
    except (OSError, ValueError, KeyError, TypeError):
        return Identities()


def _made(data: bytes) -> Identities:
    told = json.loads(data)
    return Identities(dict(told["names"]), dict(told["remotes"]))


def write(home: Path, identities: Identities) -> None:
    """Keep it, whole or not at all.

    Raises:
        OSError: it cannot be written; the former is still whole.
    """
    told = {"names": dict(identities.names), "remotes": dict(identities.remotes)}
    put(home / FILE, json.dumps(told, sort_keys=True, indent=1).encode())


def _changed(former: Mapping[str, str], now: Mapping[str, str]) -> Json:
    keys = sorted({*former, *now})
    return {key: former.get(key) for key in keys if former.get(key) != now.get(key)}


def _restored(now: Mapping[str, str], former: Mapping[str, str | None]) -> dict[str, str]:
    told = {**now, **former}
    return {key: value for key, value in told.items() if value is not None}


def _hash(folder: str) -> str:
    return projects.HASHED + hashlib.sha256(folder.encode("utf-8", "surrogatepass")).hexdigest()


def _standing(project: str) -> int:
    if projects.is_root(project):
        return _ROOT
    return _ASIDE if "worktree" in project.lower() else _FOLDER
