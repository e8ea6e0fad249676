"""Everything taken back: server and hooks out of every host, and the bank; previewed, then asked."""

import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click

from mcp_memory.cli import ending
from mcp_memory.cli.changes import Changes, Planned, leaving
from mcp_memory.cli.door import print_json
from mcp_memory.cli.drawing.screen import Page, short
from mcp_memory.hosts.installing.launch import DISTRIBUTION
from mcp_memory.hosts.installing.targets import TARGETS
from mcp_memory.settings import Settings
from mcp_memory.text.counting import counted

OURS = frozenset(
    {
        *("store", "archive", "spool", "locks", "hooks", "access", "tenants", "pushed", "memories"),
        *("projects.json", "everything-allowed", "stamps", "stamps.json"),
    }
)
"""What a bank's folder is made of; anything else in it is left where it is."""
_BEGIN = ("store.", ".")
_MARK = Path("store") / "meta.json"
"""By this file a folder is known to be a bank."""


@dataclass(slots=True)
class Going:
    """All that will go."""

    changes: Changes
    home: Path | None = None
    entries: Sequence[Path] = ()
    bytes: int = 0
    sessions: int = 0
    stays: Sequence[Path] = ()
    """In the bank's folder, and not the bank's."""


def planned() -> Going:
    """What of us is on this machine; nothing is changed."""
    going = Going(leaving(TARGETS))
    _bank(going, Settings().home)
    return going


def _bank(going: Going, home: Path) -> None:
    if not (home / _MARK).is_file():
        return
    entries = sorted(home.iterdir())
    going.home = home
    going.entries = [each for each in entries if _ours(each.name)]
    going.stays = [each for each in entries if not _ours(each.name)]
    files = [
        file for each in going.entries for file in (each.rglob("*") if each.is_dir() else [each])
    ]
    going.bytes = sum(file.stat().st_size for file in files if file.is_file())
    going.sessions = sum(1 for _ in (home / "archive").glob("*/*/steps.jsonl"))


def _ours(name: str) -> bool:
    return name in OURS or name.startswith(_BEGIN)


def remove(*, yes: bool, dry_run: bool, as_json: bool) -> None:
    """Preview, ask once, and take everything back.

    Raises:
        ending.Failed: nobody agreed.
        ending.Partly: something could not be taken out.
    """
    going = planned()
    page = Page()
    if not as_json:
        page.show(_told(page, going))
    done = bool(going.changes.news or going.home) and not dry_run
    left: list[str] = []
    if done:
        _agreed(going, yes=yes)
        going.changes.carry_out(partial(_say, page, quiet=as_json))
        left = _deleted(going)
    if as_json:
        _report(going, left, done=done)
    elif done:
        page.show(_done(page, left))
    if done and (left or going.changes.refused):
        raise ending.Partly("The rest is gone; the above is left.")


def _say(page: Page, each: Planned, *, quiet: bool) -> None:
    """What stands in no host was not spoken of, and is not now."""
    if not quiet and (each.news or each.change is None):
        page.show(each.lines(page, done=True))


def _report(going: Going, left: Sequence[str], *, done: bool) -> None:
    """What goes, or went, for a program."""
    met = [each.told() for each in going.changes.every if each.news or each.change is None]
    bank = {"home": going.home, "bytes": going.bytes, "sessions": going.sessions}
    told = {"done": done, "changes": met, "bank": bank if going.home else None}
    print_json({**told, "not_ours": list(going.stays), "left": list(left)})


def _told(page: Page, going: Going) -> Iterator[Any]:
    refused = [line for each in going.changes.refused for line in each.lines(page, done=False)]
    if not (going.changes.news or going.home):
        yield page.text("Nothing of it is on this machine: no host names it, and there is no bank.")
        yield from refused
        yield page.text(("The program itself: ", "dim"), program())
        return
    yield page.text(("What will go", "head"))
    for each in going.changes.news:
        yield from each.lines(page, done=False)
    if going.home is not None:
        told = f"{counted(going.sessions, 'session')}, {going.bytes / 1e6:.1f} MB"
        yield page.labelled("•", f"the bank in {short(going.home)}: {told}", wide=1, style="warn")
        yield page.body(
            "It cannot be brought back. Sessions that their host deleted since are nowhere else: "
            "`mcp-memory export FILE` keeps a copy.",
            indent=4,
        )
    if going.stays:
        names = ", ".join(path.name for path in going.stays)
        yield page.labelled("•", f"not ours, and left there: {names}", wide=1, style="dim")
    yield from refused


def _agreed(going: Going, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise ending.Failed("Nothing was changed: add --yes to carry it out without being asked.")
    if going.home is None:
        agreed = click.confirm("Take it out?", default=True)
    else:
        word = click.prompt(
            "Type `delete` to take it out and delete the bank", default="", show_default=False
        )
        agreed = word.strip().strip("`") == "delete"
    if not agreed:
        raise ending.Failed("Nothing was changed.")


def _deleted(going: Going) -> list[str]:
    """Delete the bank's own entries; what cannot be deleted is named."""
    left: list[str] = []
    if going.home is None:
        return left
    for each in going.entries:
        try:
            if each.is_dir() and not each.is_symlink():
                shutil.rmtree(each)
            else:
                each.unlink()
        except OSError as error:
            left.append(f"{short(each)}: {error.strerror}")
    if not any(going.home.iterdir()):
        going.home.rmdir()
    return left


def _done(page: Page, left: Sequence[str]) -> Iterator[Any]:
    yield from (page.labelled("!", line, wide=1, style="warn") for line in left)
    yield page.text(("Gone. ", "good"), "Hosts that run go on until they are started anew.")
    yield page.text(("The program itself: ", "dim"), program())


def program() -> str:
    """The command that takes the program itself away, however it was installed."""
    prefix = Path(sys.prefix)
    parts = {part.casefold() for part in prefix.parts}
    if {"uv", "tools"} <= parts:
        return f"uv tool uninstall {DISTRIBUTION}"
    if "pipx" in parts:
        return f"pipx uninstall {DISTRIBUTION}"
    return f"{short(sys.executable)} -m pip uninstall {DISTRIBUTION}"
