"""The outer door of every command: settings read, bank opened, errors said plainly."""

import functools
import logging
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ParamSpec

import anyio
import click
import orjson
from pydantic import BaseModel, ValidationError

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain.errors import MemoryBankError
from mcp_memory.server.answers import Answer, as_structure, as_text
from mcp_memory.settings import Settings

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
            faults = "; ".join(
                f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()
            )
            raise click.ClickException(f"{faults}. Nothing was changed.") from error
        except KeyboardInterrupt:
            click.echo("Stopped; what was acknowledged is kept.", err=True)
            sys.exit(130)

    return run


@asynccontextmanager
async def opened(*, vectors: bool = True) -> AsyncIterator[MemoryBank]:
    """The bank of the current settings and folder."""
    settings = Settings() if vectors else Settings(embedding_model="none")
    logging.basicConfig(
        level=settings.log_level, stream=sys.stderr, format="%(levelname)s %(message)s"
    )
    async with open_bank(settings, cwd=str(Path.cwd()), actor="cli") as bank:
        yield bank


def show(model: Answer, *, as_json: bool) -> None:
    """Print an answer of a verb, for a person or a program."""
    click.echo(json_text(model) if as_json else as_text(model))


def json_text(model: BaseModel) -> str:
    """The same lean JSON that a host gets, indented."""
    return orjson.dumps(as_structure(model), option=orjson.OPT_INDENT_2).decode()


def some(told: Sequence[str]) -> list[str]:
    """Lines below a heading: the first of many, and how many more there are."""
    lines = [f"  {each}" for each in told[:MOST_NAMED]]
    more = len(told) - MOST_NAMED
    return [*lines, f"  and {more} more"] if more > 0 else lines
