"""Naming: texts, paths and sessions as inert lines of Markdown and as safe names of folders."""

import re
import unicodedata

from mcp_memory.domain import refs
from mcp_memory.text import cutting, guard

LINE_CHARS = 140
CODE_CHARS = 200
SLUG_CHARS = 40
_WORD = re.compile(r"[^\W_]+")
_RESERVED = re.compile(r"con|prn|aux|nul|com\d|lpt\d")
_ID = re.compile(r"[0-9a-z]{12}")
_INERT = str.maketrans({"|": "\u00a6", "`": "'", "<": "\u2039"})


def one_line(text: str, chars: int = LINE_CHARS) -> str:
    """A text as one line that Markdown, a table and a terminal show but do not obey."""
    shown = _cut(guard.neutralise(_flat(text, chars)), chars)
    return shown.translate(_INERT).replace("](", "] (")


def code(text: str, chars: int = CODE_CHARS) -> str:
    """A text as a code span on one line, where only backticks and invisible characters differ."""
    shown = _cut(guard.neutralise(_flat(text, chars)), chars)
    return f"`{shown.replace('`', chr(39))}`"


def slug(text: str, fallback: str = "session") -> str:
    """Lower-case ASCII words joined by hyphens, fit for a file name on every system."""
    plain = unicodedata.normalize("NFKD", text[:400]).encode("ascii", "ignore").decode().lower()
    words = "-".join(_WORD.findall(plain))[:SLUG_CHARS].strip("-")
    return fallback if not words or _RESERVED.fullmatch(words) else words


def session_name(day: str, text: str, trajectory: str) -> str:
    """`<day>-<slug>-<id>`; an id that could not be a file name is hashed."""
    id_ = trajectory if _ID.fullmatch(trajectory) else refs.short_hash("folder", trajectory)
    return f"{day}-{slug(text)}-{id_}"


def project_folder(project: str) -> str:
    """A readable folder for a project: its last name, and a hash of the whole for uniqueness."""
    last = re.split(r"[/\\]", project.rstrip("/\\"))[-1]
    return f"{slug(last, 'project')}-{refs.short_hash('project', project)[:6]}"


def _flat(text: str, chars: int) -> str:
    """One line of the beginning, with room for what the cut leaves out."""
    return " ".join(text[: chars * 4].split())


def _cut(line: str, chars: int) -> str:
    """The line, ended between two words."""
    return cutting.head(line, chars)
