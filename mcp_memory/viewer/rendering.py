"""Rendering: templates, and how days, sizes, paths and recalled text are written on the page."""

import difflib
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse

from mcp_memory import hosts
from mcp_memory.domain import projects
from mcp_memory.text import cutting, days, guard, wording
from mcp_memory.text.counting import counted
from mcp_memory.viewer.visiting import PREFIX, Visit

MOST_CHARS = 4_000
"""Of one text so much stands on a page; the rest is opened by a link."""
_THOUSAND = 1_000


def page(request: Request, visit: Visit, name: str, **told: Any) -> HTMLResponse:
    """One page, or only its inner part for a script that asks for it."""
    inner = request.headers.get("hx-request") == "true" and "part" in told
    template = told.pop("part") if inner else name
    told.pop("part", None)
    made = (
        _templates()
        .get_template(f"{template}.html")
        .render(**told, visit=visit, at=request.url.path, now=visit.bank.rooms.now(), base=PREFIX)
    )
    return HTMLResponse(made)


def bare(name: str, *, status: int = 200, **told: Any) -> HTMLResponse:
    """A page for somebody who has not come in."""
    return HTMLResponse(
        _templates().get_template(f"{name}.html").render(**told, base=PREFIX), status
    )


@cache
def _templates() -> Environment:
    made = Environment(
        loader=PackageLoader("mcp_memory.viewer"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "ago": ago,
        "day": day,
        "clock": clock,
        "size": size,
        "folder": folder,
        "host": hosts.named,
        "spoken": spoken,
        "cut": cut,
        "marked": marked,
        "counted": counted,
    }
    return made


def ago(at: datetime | None, now: datetime) -> str:
    """How long ago, in the words that the command line uses."""
    return days.ago(at, now) if at else "undated"


def day(at: datetime | None) -> str:
    """A date."""
    return at.date().isoformat() if at else "undated"


def clock(at: datetime | None) -> str:
    """The time of day, UTC."""
    return at.astimezone(UTC).strftime("%H:%M") if at else ""


def size(count: float) -> str:
    """Bytes as people read them."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < _THOUSAND or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= _THOUSAND
    return ""


def folder(project: str) -> str:
    """A project by its folder's name."""
    return projects.pure_path(project).name or project


def spoken(text: str) -> Markup:
    """A sentence of ours, in which backticks mean code; everything in it escaped."""
    parts = guard.neutralise(text).split("`")
    if not len(parts) % 2:
        return escape(text)
    told = (Markup("<code>{}</code>") if n % 2 else Markup("{}") for n in range(len(parts)))
    return Markup("").join(one.format(part) for one, part in zip(told, parts, strict=True))


def cut(text: str, chars: int = MOST_CHARS) -> str:
    """The beginning of a recalled text, marked where it goes on; escapes and hidden letters shown."""
    if len(text) <= chars:
        return guard.neutralise(text)
    return f"{guard.neutralise(text[: cutting.end(text, chars)]).rstrip()} …"


def marked(text: str, question: str) -> Markup:
    """A text with the question's words marked; everything in it escaped."""
    words = sorted(map(str, wording.informative(question)), key=len, reverse=True)
    told, lowered, place = Markup(""), text.casefold(), 0
    while words and place < len(text):
        found = [(at, word) for word in words if (at := lowered.find(word.casefold(), place)) >= 0]
        if not found or len(lowered) != len(text):
            break
        at, word = min(found, key=lambda one: (one[0], -len(one[1])))
        told += escape(text[place:at]) + Markup("<mark>{}</mark>").format(text[at : at + len(word)])
        place = at + len(word)
    return told + escape(text[place:])


def compared(older: str, newer: str) -> Sequence[tuple[str, str]]:
    """Two texts as lines that stayed, went (`-`) and came (`+`)."""
    lines = difflib.ndiff(older.splitlines(), newer.splitlines())
    return [(line[:1], line[2:]) for line in lines if not line.startswith("?")]
