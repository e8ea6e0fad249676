"""Teams: what a machine and its team's bank say to each other, beside pushes and pulls."""

from contextvars import ContextVar
from typing import Literal

from mcp_memory.domain.asked import Query, Reading
from mcp_memory.domain.models import Frozen

QUESTIONS = "/team/questions"

alone: ContextVar[bool] = ContextVar("alone", default=False)
"""Whether a bank answers another's question: it asks no third, nor itself."""

Read = Literal["search", "recent", "fetch"]


class Question(Frozen):
    """A reading question, by its name and its parts."""

    read: Read
    asked: Query | Reading
