"""Grounds: what a memory or a task rests on by name: files, flags, symbols and a project's own commands."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Literal, NamedTuple

from mcp_memory.domain.paths import relative
from mcp_memory.text import identifiers


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


Kind = Literal["file", "flag", "symbol", "command"]
MOST = 12
_URL = re.compile(r"[a-z][a-z0-9+.-]*://|www\.", re.IGNORECASE)
_FLAG = re.compile(r"--[A-Za-z][\w-]+")
_ENDINGS = _words(
    "astro bash bat c cc cfg clj conf cpp cs css csv cue dart ex exs fish go gradle graphql h hpp hs"
    " html ini ipynb java jl js json json5 jsonc jsonl jsx kt kts less lock lua m md mdx mjs mk ml mod"
    " nix php pl plist prisma properties proto ps1 py pyi r rb rs rst sass scala scss sh sql sum svelte"
    " swift tex tf toml ts tsx txt vue xml yaml yml zig"
)
"""How names end that are files also without a folder before them."""
_FILE = re.compile(r"[\w.@+~/\\:-]+")
_VERSION = re.compile(r"v?\d[\w.+-]*")
_HEX = re.compile(r"(?:0x)?[0-9a-fA-F-]{7,}")
_SYMBOL = re.compile(r"(?=\w*[A-Za-z])\w+(?:(?:::|\.|#|->)\w+)*(?:\(\))?")
_RUN = re.compile(
    r"(?:make|just|task|npm run|npm|pnpm run|pnpm|yarn run|yarn|bun run|mise run|composer|rake)"
    r" +[a-z][\w:.-]*"
)
"""Commands whose last word a file of the project defines."""
_TICKED = re.compile(r"`([^`\n]{3,80})`")


class Ground(NamedTuple):
    """One thing that is named."""

    kind: Kind
    name: str
    sure: bool = False
    """Whether it is known to have been there, and is not only spelled so."""


def of(
    text: str, files: Iterable[str] = (), *, roots: Iterable[str] = (), most: int = MOST
) -> tuple[Ground, ...]:
    """What a text names, files that are named beside it first; each once."""
    tops = tuple(roots)
    found: dict[str, Ground] = {}
    for one in (*(Ground("file", path, sure=True) for path in files), *_named(text)):
        name = relative(one.name, tops) if one.kind == "file" else one.name
        if name and not name.startswith("~"):
            found.setdefault(name.removesuffix("()"), one._replace(name=name))
    return tuple(found.values())[:most]


@lru_cache(maxsize=4096)
def _named(text: str) -> tuple[Ground, ...]:
    """Memories are asked again and again for what they name."""
    return tuple(_said(text))


def _said(text: str) -> Iterator[Ground]:
    for name in identifiers.names(text):
        if kind := kind_of(name):
            yield Ground(kind, name)
    for ticked in _TICKED.findall(text):
        if _RUN.fullmatch(ticked):
            yield Ground("command", ticked)


def kind_of(name: str) -> Kind | None:
    """What sort of thing a name is; None for addresses, versions, hashes and the like."""
    if _URL.match(name) or "@" in name[1:] or name.startswith("$"):
        return None
    if name.startswith("-"):
        return "flag" if _FLAG.fullmatch(name) else None
    if _is_file(name):
        return "file"
    if _VERSION.fullmatch(name) or _HEX.fullmatch(name) or "/" in name:
        return None
    return "symbol" if _SYMBOL.fullmatch(name) and _coded(name) else None


def _is_file(name: str) -> bool:
    if not _FILE.fullmatch(name) or name.endswith("()"):
        return False
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    ending = last.rpartition(".")[2] if "." in last[1:] else ""
    if ending.lower() in _ENDINGS:
        return True
    # `and/or` and `origin/main` have one stroke, too: a folder is told by two, or by its own stroke.
    return name.count("/") > 1 or (name.endswith("/") and len(name) > 1) or name.startswith("./")


def _coded(name: str) -> bool:
    """Whether a name is one that only code has: `lock_cart`, `lockCart`, `lock()`."""
    bare = name.removesuffix("()")
    camel = re.search(r"[a-z0-9][A-Z]", bare) is not None
    return bare != name or "_" in bare.strip("_") or camel or "::" in bare
