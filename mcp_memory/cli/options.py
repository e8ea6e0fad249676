"""Options that several commands have, each once: the same word means the same everywhere."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

KINDS = ["fact", "procedure", "gotcha", "preference", "observation", "episode", "step"]

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
project = click.option("--project", help="Project path or folder name; '*' for all.")
budget_tokens = click.option("--budget-tokens", type=click.IntRange(100, 100_000))
kinds = click.option("--kind", "kinds", multiple=True, type=click.Choice(KINDS))
files = click.option("--file", "files", multiple=True)


def several(*options: Callable[[F], F]) -> Callable[[F], F]:
    """Options that travel together, in the order of the help page."""

    def dressed(body: F) -> F:
        for option in reversed(options):
            body = option(body)
        return body

    return dressed


period = several(
    click.option("--since", type=click.DateTime()), click.option("--until", type=click.DateTime())
)
