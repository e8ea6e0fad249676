"""The screen: width, colours and a pager for a person; plain lines in a pipe."""

import os
import re
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from mcp_memory.cli.drawing import waiting
from mcp_memory.text import days, guard

MOST_WIDE = 120
"""Running text is no easier to read in longer lines."""
NARROWEST = 40
_TOLD_DAYS = 13
_SHORTEST = 2
"""Words so short are no words of a question that are worth marking."""
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_STYLES = {
    "ref": "cyan",
    "dim": "dim",
    "head": "bold",
    "good": "green",
    "bad": "red",
    "warn": "yellow",
    "user": "bold",
    "match": "bold yellow",
    "old": "red",
    "new": "green",
    "command": "bold",
}


def for_people() -> bool:
    """Whether a person reads what is printed; a pipe gets what a program or a model reads best."""
    return sys.stdout.isatty()


class Page:
    """What is to be shown, put together line by line, then printed or paged as a whole."""

    def __init__(self, *, width: int | None = None) -> None:
        # 30 ms: not for a help page, nor for a pipe that gets JSON.
        from rich.console import Console
        from rich.theme import Theme

        waiting.end()
        self._pager = for_people() and paged()
        self.now = datetime.now().astimezone()
        self.console = Console(
            theme=Theme(_STYLES),
            width=width or (None if for_people() else 10_000),
            highlight=False,
            emoji=False,
            markup=False,
            soft_wrap=not for_people(),
        )

    @property
    def width(self) -> int:
        """Of running text."""
        return max(NARROWEST, min(self.console.width, MOST_WIDE))

    def show(self, lines: Iterable[Any]) -> None:
        """Print texts and tables, by the pager where they are longer than the screen."""
        # Not by the console itself: it would end the program where nobody reads on.
        with self.console.capture() as captured:
            for line in lines:
                self.console.print(line)
        told, color = captured.get(), not self.console.no_color
        if self._pager and told.count("\n") >= self.console.height:
            click.echo_via_pager(told, color=color)
        else:
            click.echo(told, nl=False, color=color)

    def ago(self, at: datetime | None) -> str:
        """How long ago, in a person's own zone; in a pipe the day, which stays true."""
        if at is None:
            return "undated"
        return days.ago(at, self.now) if for_people() else at.date().isoformat()

    def when(self, at: datetime | None) -> str:
        """For a column: how long ago while that tells days apart, else the day."""
        if at is None or (self.now - at).days > _TOLD_DAYS:
            return at.astimezone(self.now.tzinfo).date().isoformat() if at else "undated"
        return self.ago(at)

    def text(self, *parts: str | tuple[str, str]) -> Any:
        """A line of parts, each plain or with its style; what others wrote cannot move the cursor."""
        from rich.text import Text

        made = Text()
        for part in parts:
            told, style = part if isinstance(part, tuple) else (part, "")
            made.append(inert(told), style=style)
        return made

    def path(self, path: str | Path, style: str = "dim") -> Any:
        """A path, short, and on a terminal a link to what is there: the file, or the nearest folder."""
        from rich.text import Text

        made = Text(inert(short(path)), style=style)
        file = re.sub(r":\d+$", "", str(path))
        there = Path(file.partition("*")[0])
        if for_people() and there.is_absolute() and there.exists():
            made.stylize(f"link {there.as_uri()}")
        return made

    def fence(self, line: str) -> Any:
        """A line of our own that `text` would take for a forged one."""
        from rich.text import Text

        return Text(line)

    def body(
        self, told: str, *, indent: int = 2, style: str = "", words: Sequence[str] = ()
    ) -> Any:
        """Running text, set in, wrapped at the width, with words of a question marked."""
        from rich.padding import Padding

        made = self.text((told, style))
        if not for_people():
            return self.text(" " * indent, told)
        for pattern in marked(words):
            made.highlight_regex(pattern, style="match")
        return Padding(made, (0, max(0, self.console.width - self.width), 0, indent))

    def labelled(self, label: str, told: str, *, wide: int = 6, style: str = "") -> Any:
        """Running text beside a label, its further lines below its first."""
        if not for_people():
            return self.text(f"  {label:<{wide}} {told}")
        from rich.padding import Padding
        from rich.table import Table

        grid = Table.grid(padding=(0, 1, 0, 0))
        grid.add_column(width=wide, no_wrap=True, style=style)
        grid.add_column(ratio=1, style=style)
        grid.add_row(self.text(label), self.text(told))
        return Padding(grid, (0, max(0, self.console.width - self.width), 0, 2))

    def table(self, heads: Sequence[str], *, right: Sequence[str] = (), flexible: str = "") -> Any:
        """A table without lines that fits the screen; the flexible column gives way."""
        from rich.table import Table

        made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        for head in heads:
            if head == flexible:
                made.add_column(head, ratio=1, no_wrap=True, overflow="ellipsis", min_width=16)
            else:
                made.add_column(head, no_wrap=True, justify="right" if head in right else "left")
        made.expand = bool(flexible) and for_people()
        return made


def paged() -> bool:
    """Whether a pager is wanted: `PAGER` set to nothing or to `cat` says no."""
    return os.environ.get("PAGER", "less").strip() not in ("", "cat")


def inert(text: str) -> str:
    """A text that a terminal shows and does not obey."""
    return _CONTROLS.sub("", guard.neutralise(text))


def marked(words: Sequence[str]) -> list[re.Pattern[str]]:
    """What is marked in an answer: the words of a question, in any case, from where they begin."""
    return [
        re.compile(rf"(?i)(?<!\w){re.escape(word)}\w*")
        for word in words
        if len(word) > _SHORTEST or not word.isascii()
    ]


def short(path: str | Path) -> str:
    """A path below one's own folder as `~/…`."""
    told, home = str(path), str(Path.home())
    return f"~{told[len(home) :]}" if told == home or told.startswith(f"{home}{os.sep}") else told
