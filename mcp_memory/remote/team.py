"""Team: the bank that a project's people share, asked within a bounded time and left alone when silent."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

import anyio.to_thread
from pydantic import BaseModel

from mcp_memory.domain import projects, teams
from mcp_memory.domain.asked import Query, Reading
from mcp_memory.domain.errors import InvalidInput, MemoryBankError, NotAllowed
from mcp_memory.remote import reaching
from mcp_memory.remote.reaching import Remote
from mcp_memory.settings import Settings
from mcp_memory.text import redaction

logger = logging.getLogger(__name__)

RESTS = 30.0
"""Seconds for which a silent bank is not asked: its silence costs a wait once, not at every answer."""
MOST_SECONDS = 60.0
"""How long a request may take at all: whoever asks gives up before."""
ALONE = "this is what this machine alone knows."

Told = TypeVar("Told", bound=BaseModel)


@dataclass(slots=True)
class Heard(Generic[Told]):
    """What came back of a question: an answer, or why there is none."""

    answer: Told | None = None
    note: str = ""


class Team:
    """The team's bank as this machine asks it; nothing it does raises."""

    def __init__(
        self,
        settings: Settings,
        remote: Remote | None,
        *,
        clock: Callable[[], float],
        fault: str = "",
    ) -> None:
        self._settings = settings
        self._remote = remote
        self._clock = clock
        self._fault = fault
        self._silent: dict[str, float] = {}
        self.seconds = settings.team_seconds

    def answers_for(self, project: str) -> bool:
        """Whether it is asked of a project, by what the settings say."""
        wanted = self._settings.team_projects
        if not wanted or projects.EVERY in wanted:
            return True
        if project == projects.EVERY:
            return False  # what is asked of all may be about one that is none of the team's
        return name_of(project) in wanted or projects.resolve(project, wanted) is not None

    async def hear(
        self, read: teams.Read, asked: teams.Asked, kind: type[Told], heard: Heard[Told]
    ) -> None:
        """Ask, and leave in `heard` what came of it; whoever cancels it finds a note there."""
        if self._remote is None or self._clock() < max(
            self._silent.get(read, 0.0), self._silent.get("", 0.0)
        ):
            heard.note = self._fault or f"The team's bank did not answer lately: {ALONE}"
            return
        question = teams.Question(read=read, asked=masked(asked))
        heard.note = f"The team's bank did not answer within {self.seconds:g} s: {ALONE}"
        try:
            heard.answer = await self._remote.answer(question, kind)
            heard.note = ""
        except NotAllowed:
            heard.note = f"The team's bank does not let this token ask that: {ALONE}"
            return
        except (InvalidInput, LookupError):
            heard.note = ""  # it has no such project, or nothing by that ref: not a fault to tell
            return
        except (MemoryBankError, OSError) as error:
            logger.info("the team's bank: %s", error)
            heard.note = f"The team's bank cannot be reached: {ALONE}"
            self.rest()

    def _rests(self, read: teams.Read) -> bool:
        return self._clock() < max(self._silent.get(name, 0.0) for name in ("", read))

    def rest(self, read: teams.Read | Literal[""] = "") -> None:
        """Leave it alone for a while: it was away, or silent to one kind of question."""
        self._silent[read] = self._clock() + RESTS


def masked(asked: teams.Asked) -> teams.Asked:
    """A question without the secrets that somebody pasted into it."""
    match asked:
        case Reading():
            return asked.model_copy(update={"match": _bare(asked.match)})
        case Query():
            told = {"texts": tuple(map(_bare, asked.texts)), "match": _bare(asked.match)}
            return asked.model_copy(update=told)
        case teams.About():
            return asked.model_copy(update={"about": _bare(asked.about)[: teams.MOST_ASKED]})
        case teams.Looking():
            shown = asked.asked.model_copy(update={"match": _bare(asked.asked.match)})
            return asked.model_copy(update={"asked": shown})
    told = {name: tuple(map(_bare, getattr(asked, name))) for name in ("queries", "files")}
    return asked.model_copy(update={**told, "text": _bare(asked.text), "error": _bare(asked.error)})


def _bare(text: str) -> str:
    return redaction.redact(text).text


def name_of(project: str) -> str:
    """How a project of this machine is called there, as `push` calls it: by its folder's name."""
    return projects.pure_path(project).name or project


@asynccontextmanager
async def open_team(settings: Settings, *, clock: Callable[[], float]) -> AsyncIterator[Team]:
    """The team's bank that the settings name; one that cannot be asked says so in its answers."""
    try:
        address = reaching.address_of(settings.team_url, insecure=settings.remote_insecure)
        file = settings.team_token_file or settings.remote_token_file
        token = await anyio.to_thread.run_sync(reaching.token_of, file)
    except InvalidInput as error:
        logger.warning("the team's bank is not asked: %s", error)
        yield Team(settings, None, clock=clock, fault=f"The team's bank is not asked: {error}")
        return
    async with reaching.client_of(address, token, answer_seconds=MOST_SECONDS) as client:
        yield Team(settings, Remote(client, tries=1), clock=clock)
