"""The outer door of every command: a running server asked, errors said plainly, answers shown."""

import functools
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, ParamSpec

import anyio
import click
import orjson
from pydantic import BaseModel, ValidationError

from mcp_memory.domain import projects
from mcp_memory.domain.asked import Query
from mcp_memory.domain.errors import MemoryBankError
from mcp_memory.domain.hits import SearchResult
from mcp_memory.server.answers import Answer, as_structure, as_text
from mcp_memory.server.door import ask_server
from mcp_memory.settings import Settings, plainly

P = ParamSpec("P")
MOST_NAMED = 20


def command(body: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run an async command body; what we know to go wrong is one message and exit status 1."""

    @functools.wraps(body)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            anyio.run(functools.partial(body, *args, **kwargs))
        except MemoryBankError as error:
            raise click.ClickException(str(error)) from error
        except ValidationError as error:
            raise click.ClickException(plainly(error)) from error
        except KeyboardInterrupt:
            click.echo("Stopped; what was acknowledged is kept.", err=True)
            sys.exit(130)

    return run


async def searched(query: Query) -> SearchResult:
    """What a running server of this home answers, in a fifth of the time; else the opened bank."""
    home = Settings().home
    named = query.project or projects.project_of(str(Path.cwd()))
    found = await ask_server(home, query.model_copy(update={"project": named}))
    if found is not None:
        return found
    from mcp_memory.cli.opening import opened  # 0.3 s, and LanceDB: only where nobody answered

    async with opened() as bank:
        return await bank.search(query)


def show(model: Answer, *, as_json: bool, confirming: str = "") -> None:
    """Print an answer of a verb, for a person or a program."""
    spoken = {"confirming": confirming} if confirming else {}
    click.echo(json_text(model) if as_json else as_text(model, **spoken))


def json_text(model: BaseModel) -> str:
    """The same lean JSON that a host gets, indented."""
    return orjson.dumps(as_structure(model), option=orjson.OPT_INDENT_2).decode()


def some(told: Sequence[str]) -> list[str]:
    """Lines below a heading: the first of many, and how many more there are."""
    lines = [f"  {each}" for each in told[:MOST_NAMED]]
    more = len(told) - MOST_NAMED
    return [*lines, f"  and {more} more"] if more > 0 else lines
