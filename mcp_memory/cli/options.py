"""Options that several commands have, each once: the same word means the same everywhere."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

KINDS = ["fact", "procedure", "gotcha", "preference", "observation", "episode", "step"]

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for a program.")
project = click.option(
    "--project",
    metavar="NAME",
    help="Project path or folder name; `*` for all. By default that of this folder.",
)
budget_tokens = click.option(
    "--budget-tokens",
    type=click.IntRange(100, 100_000),
    help="How long the answer may be, at four bytes a token.",
)
kinds = click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice(KINDS),
    help="Only records of this kind; may be repeated.",
)
files = click.option(
    "--file",
    "files",
    multiple=True,
    metavar="PATH",
    help="A file that it is about; may be repeated.",
)

sender = click.option(
    "--from",
    "sender",
    default="",
    metavar="NAME",
    help="All that came by this token, or this name's.",
)


def several(*options: Callable[[F], F]) -> Callable[[F], F]:
    """Options that travel together, in the order of the help page."""

    def dressed(body: F) -> F:
        for option in reversed(options):
            body = option(body)
        return body

    return dressed


class When(click.ParamType[datetime]):
    """A time as people write it: `2w`, `yesterday`, `last monday`, `2026-06`, an ISO time."""

    name = "when"

    def __init__(self, edge: Literal["start", "end"]) -> None:
        self._edge = edge

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """The edge of the time that is meant; a day or a month counts whole."""
        if isinstance(value, datetime):
            return value
        from mcp_memory.text import periods

        found = periods.meant(str(value), now=datetime.now().astimezone())
        if found is None:
            self.fail(
                f"{value!r} says no time. Write 2w, 3 days ago, yesterday, last monday, 2026-06 or "
                "2026-06-12.",
                param,
                ctx,
            )
        return found.start if self._edge == "start" else found.end


since = click.option(
    "--since",
    type=When("start"),
    metavar="WHEN",
    help="Not older than this: 2w, yesterday, last monday, 2026-06, 2026-06-12.",
)
until = click.option(
    "--until", type=When("end"), metavar="WHEN", help="Not newer than this, that day included."
)
period = several(since, until)
as_of = click.option(
    "--as-of", type=When("end"), metavar="WHEN", help="What held, and had happened, by then."
)
