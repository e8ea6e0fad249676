"""The outer door of every command: a running server asked, errors said plainly, answers shown."""

import functools
import re
import sys
from collections.abc import Callable, Coroutine, Iterable, Sequence
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import anyio
import click
import orjson
from pydantic import BaseModel, ValidationError

from mcp_memory.cli import ending
from mcp_memory.cli.drawing import screen, waiting
from mcp_memory.cli.drawing.notes import spoken
from mcp_memory.domain import projects
from mcp_memory.domain.asked import Query
from mcp_memory.domain.errors import MemoryBankError, of_system, only
from mcp_memory.domain.hits import SearchResult
from mcp_memory.domain.models import Runbook
from mcp_memory.server.answers import CONFIRMING, Answer, as_structure, as_text
from mcp_memory.server.door import ask_server
from mcp_memory.settings import Settings, plainly

P = ParamSpec("P")
Told = TypeVar("Told", bound=BaseModel)
MOST_NAMED = 20


def command(body: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run an async command body; what we know to go wrong is one message and its exit status."""

    @functools.wraps(body)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            anyio.run(functools.partial(body, *args, **kwargs))
        except LookupError as error:
            if not isinstance(error, MemoryBankError):
                raise
            raise ending.NotThere(spoken(str(error))) from error
        except MemoryBankError as error:
            raise ending.Failed(spoken(str(error))) from error
        except ValidationError as error:
            raise ending.Failed(plainly(error)) from error
        except OSError as error:
            ending.unread_if(error)
            raise ending.Failed(str(of_system(error))) from error
        except ExceptionGroup as group:
            raise ending.Failed(str(only(group))) from group
        except KeyboardInterrupt:
            click.echo("Stopped; what was acknowledged is kept.", err=True)
            sys.exit(ending.INTERRUPTED)
        finally:
            waiting.end()

    return run


async def ask(name: str, told: type[Told], *, vectors: bool = True, **asked: Any) -> Told:
    """The answer to a reading question: a running server's, in a fifth of the time, or the bank's.

    Parts of the question are its JSON; a `project` of None is that of this folder.
    """
    settings = Settings()
    question = dict(asked)
    if "project" in asked:
        question["project"] = asked["project"] or settings.project or here()
    answer = await ask_server(settings.home, name, question, told)
    if answer is not None:
        return answer
    if name == "search" and not settings.team_url:
        from mcp_memory.cli.finding import found  # LanceDB: only where nobody answered

        settings = settings if vectors else Settings(embedding_model="none")
        return told.model_validate(await found(settings, Query.model_validate(asked)))
    from mcp_memory.cli.opening import opened  # 0.3 s, and LanceDB: only where nobody answered
    from mcp_memory.server.reads import read

    async with opened(vectors=vectors, project=asked.get("project")) as bank:
        return told.model_validate(await read(bank, name, asked))


def here() -> str:
    """The project of this folder."""
    return projects.project_of(str(Path.cwd()))


def show(
    model: Answer, *, as_json: bool, confirming: str = CONFIRMING, words: Sequence[str] = ()
) -> None:
    """Print an answer of a verb, for a person, a pipe or a program; end so where nothing was found.

    `words` of the question are marked.
    """
    if as_json:
        click.echo(json_text(model))
    elif screen.for_people():
        from mcp_memory.cli.drawing import answers  # and with it what draws: not for a pipe

        answers.draw(model, words=words, confirming=confirming)
    else:
        click.echo(_typed(model, confirming))
    if not _answered(model):
        ending.nothing()


def show_drawn(
    model: Told, draw: Callable[[Any, Told], Iterable[Any]], *, as_json: bool, answered: bool
) -> None:
    """Print an answer that has a drawing of its own, or JSON; end so where nothing was found."""
    if as_json:
        click.echo(json_text(model))
    else:
        page = screen.Page()
        page.show(draw(page, model))
    if not answered:
        ending.nothing()


def _typed(model: Answer, confirming: str) -> str:
    """The text that a tool gives, its notes said to one who types; what was recalled stays as it is."""
    notes = tuple(map(spoken, getattr(model, "notes", ())))
    told = model.model_copy(update={"notes": notes}) if notes else model
    text = as_text(told, confirming=confirming)
    return re.sub(r"(?m)^(\d+ more: raise) budget_tokens$", r"\1 --budget-tokens", text)


def _answered(model: Answer) -> bool:
    if isinstance(model, SearchResult):
        return model.found
    return not isinstance(model, Runbook) or bool(model.sections or model.premises)


def json_text(model: BaseModel) -> str:
    """The same lean JSON that a host gets, indented."""
    return orjson.dumps(as_structure(model), option=orjson.OPT_INDENT_2).decode()


def print_json(told: object) -> None:
    """Print what a command did, for a program: dataclasses, models and paths as JSON, indented."""
    click.echo(orjson.dumps(told, default=_plain, option=orjson.OPT_INDENT_2).decode())


def _plain(told: object) -> object:
    if isinstance(told, BaseModel):
        return told.model_dump(mode="json", exclude_defaults=True)
    if isinstance(told, Path):
        return str(told)
    raise TypeError(f"{type(told).__name__} is not told as JSON")


def some(told: Sequence[str]) -> list[str]:
    """Lines below a heading: the first of many, and how many more there are."""
    lines = [f"  {each}" for each in told[:MOST_NAMED]]
    more = len(told) - MOST_NAMED
    return [*lines, f"  and {more} more"] if more > 0 else lines
