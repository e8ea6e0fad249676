"""Visit: one request of a person's browser: whose bank it sees, how far, and what it may change."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from starlette.requests import Request

from mcp_memory.bank import MemoryBank
from mcp_memory.domain import projects
from mcp_memory.domain.access import Access, Scope
from mcp_memory.domain.errors import NotAllowed, UnknownRef
from mcp_memory.domain.models import SourceClass

PREFIX = "/view"
"""Where the page lives below the server's address."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What one request may see and do in an open bank."""

    bank: MemoryBank
    access: Access
    csrf: str
    """What every form of this visitor carries."""
    own: bool = False
    """Whether the visitor is this machine's user, whose word stands by itself."""
    read_only: bool = False

    @property
    def by(self) -> SourceClass:
        """Whose word a memory is that is written here: a token may be an agent's."""
        return SourceClass.USER if self.own else SourceClass.AGENT

    @property
    def writes(self) -> bool:
        """Whether memories may be written, retired and put right."""
        return self.access.holds("write") and not self.read_only

    @property
    def deletes(self) -> bool:
        """Whether anything may be deleted or undone, and tokens made."""
        return self.access.holds("admin") and not self.read_only

    def sees(self, project: str) -> bool:
        """Whether records of a project are shown."""
        bounds = self.access.projects
        return not bounds or project == projects.USER or self._within(project) is not None

    def bounded(self, known: Sequence[str]) -> tuple[str, ...]:
        """Those of the known projects that are shown."""
        return tuple(name for name in known if self.sees(name))

    async def projects(self) -> tuple[str, ...]:
        """The bank's projects that are shown, in the order of their names."""
        return self.bounded(sorted(await self.bank.rooms.store.projects()))

    def must_see(self, project: str, ref: str) -> None:
        """Refuse what is not this visitor's, in the words for what does not exist.

        Raises:
            UnknownRef: the record is of another project.
        """
        if not self.sees(project):
            raise UnknownRef(ref[:80])

    def must(self, needs: Scope, *, whole: bool = False) -> None:
        """Refuse a change that this visitor may not make; `whole`: it reaches beyond any project.

        Raises:
            NotAllowed: the access does not reach so far, or the page only shows.
        """
        if self.read_only:
            raise NotAllowed("this page only shows.", next_step="Start it without --read-only.")
        if not self.access.holds(needs) or (whole and self.access.projects):
            reach = "some projects only" if self.access.holds(needs) else f"`{self.access.scope}`"
            raise NotAllowed(
                f"this token is for {reach}; that needs `{needs}`.",
                next_step="Sign in with another token, or ask the bank's owner for one.",
            )

    def must_administer(self) -> None:
        """Refuse all but the server's own administrators.

        Raises:
            NotAllowed: the access is a tenant's, of some projects, or less than `admin`.
        """
        if not self.administers:
            raise NotAllowed(
                "that is for the server's administrators.",
                next_step="Sign in with a token of scope admin that is bound to nothing.",
            )

    @property
    def administers(self) -> bool:
        """Whether the server's tokens and load are shown."""
        return self.access.holds("admin") and not (self.access.tenant or self.access.projects)

    def _within(self, project: str) -> str | None:
        names = {project: 1}
        return next((name for name in self.access.projects if projects.resolve(name, names)), None)


Visits = Callable[[Request], AbstractAsyncContextManager[Visit]]
"""How a request becomes a visit, for as long as it is answered."""
