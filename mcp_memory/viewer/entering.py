"""Entering: one-time links and cookies, by which a browser shows whose it is."""

import hmac
import secrets
import time
from dataclasses import dataclass, field

from starlette.requests import cookie_parser
from starlette.responses import Response

from mcp_memory.viewer.visiting import PREFIX

COOKIE = "mcp-memory-view"
LINK_SECONDS = 600.0
"""How long a one-time link can be opened."""
STAY_SECONDS = 12 * 3600.0
"""How long a browser stays known without a visit."""
MOST_VISITORS = 200


@dataclass(slots=True)
class Visitor:
    """A browser that has come in: what it showed, and what its forms carry."""

    credential: str
    """The access token that it showed; empty for this machine's user."""
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    seen: float = field(default_factory=time.monotonic)


class Entrance:
    """The visitors of one process; nothing of them is kept beyond it."""

    def __init__(self, *, secure: bool = False) -> None:
        self._secure = secure
        self._links: dict[str, float] = {}
        self._visitors: dict[str, Visitor] = {}

    def link(self) -> str:
        """A path that lets this machine's user in, once."""
        token = secrets.token_urlsafe(24)
        self._links[token] = time.monotonic() + LINK_SECONDS
        return f"{PREFIX}/enter?once={token}"

    def opens(self, token: str) -> bool:
        """Whether a one-time link is good; it is used up by asking."""
        now = time.monotonic()
        self._links = {known: end for known, end in self._links.items() if end > now}
        found = next((k for k in self._links if hmac.compare_digest(k, token)), None)
        return found is not None and self._links.pop(found) > now

    def admit(self, credential: str, answer: Response) -> None:
        """Let a browser in from now on, by a cookie that no script and no other site can use."""
        if len(self._visitors) >= MOST_VISITORS:
            oldest = min(self._visitors, key=lambda name: self._visitors[name].seen)
            del self._visitors[oldest]
        name = secrets.token_urlsafe(32)
        self._visitors[name] = Visitor(credential)
        answer.set_cookie(
            COOKIE, name, path=PREFIX, httponly=True, samesite="strict", secure=self._secure
        )

    def leave(self, cookies: str, answer: Response) -> None:
        """Forget a browser."""
        self._visitors.pop(cookie_parser(cookies).get(COOKIE, ""), None)
        answer.delete_cookie(COOKIE, path=PREFIX)

    def visitor(self, cookies: str) -> Visitor | None:
        """Who shows these cookies; None for a stranger, or one who was away for too long."""
        visitor = self._visitors.get(cookie_parser(cookies).get(COOKIE, ""))
        if visitor is None or time.monotonic() - visitor.seen > STAY_SECONDS:
            return None
        visitor.seen = time.monotonic()
        return visitor
