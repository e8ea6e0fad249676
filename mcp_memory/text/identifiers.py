"""Identifiers: what code calls by name in a text, and the words that such names are made of."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain, islice

MOST_NAMES, MOST_IDENTIFIERS, SHORTEST_NAME, LONGEST_NAME = 300, 400, 3, 160

_CLASS = (
    r"[^\s\"'`<>(){}\[\],;|=\u201c\u201d\u2018\u2019\u00ab\u00bb\u3000-\u303f\uff01-\uff1f\u2026]"
)
# A whole token that is no plain word; possessive, so that reading is linear whatever the text.
_TOKEN = re.compile(
    rf"(?<!{_CLASS})(?![A-Za-z]?[a-z]*+[.:!?]*+(?!{_CLASS}|\(\))){_CLASS}++(?:\(\))?"
)
_TICKED = re.compile(r"`([^\s`]{2,80})`")
_NUMBER = re.compile(r" \d{3,5}\b")
_CAPITALS = re.compile(r"\b[A-Z]{2,8}\Z")
_NUMBERED = re.compile(r"\b[A-Z]{2,8} \d{3,5}\b")
_LINE_NUMBER = re.compile(r"(?::\d+){1,2}$")
_SHAPES = re.compile(
    r"""
      --[A-Za-z][\w-]+                                      # --flag
    | \$[A-Za-z_]\w+                                        # $VARIABLE
    | (?:https?|file|s3|ssh|git)://\S+
    | (?: (?=\S*\w{2})(?:[A-Za-z]:[\\/]|~/|\.\.?/|/)[\w.@+\\/~-]+      # a rooted path
        | @?[\w.+-]+(?:/[\w.@+-]+){2,}/? | @[\w.-]+/[\w.-]+             # deep/path/to, @scope/name
        | [\w.@+-]+/(?:[\w@+-]*\.[A-Za-z]\w{0,9}|[\w@+-]*_[\w.@+-]*)  # folder/file.ending
        | (?=[\w@+.-]*[^\W\d_])(?=\S*\w{2})[\w@+-]+(?:\.[\w@+-]+)*\.[A-Za-z_]\w{0,30}
        | \.[a-z][a-z0-9_-]{2,}                               # .dotfile
      ) (?:::[\w.]+)*
    | \w+(?:(?:::|->|\#)\w+)+                               # a::b
    | v\d+(?:\.\d+)+[\w.+-]* | \d+\.\d+\.\d+[\w.+-]*       # a version
    | [A-Z]{1,8}-?\d{2,8}(?:-\d+)* | E[A-Z]{4,12} | SIG[A-Z]{3,6}         # an error code
    | 0x[0-9A-Fa-f]+ | (?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{7,64}             # a hexadecimal id
    | [0-9a-f]{4,}(?:-[0-9a-f]{4,})+
    | _*[^\W_]+(?:_+[^\W_]+)+_* | __\w+__                   # snake_case
    | [^\W\d_]*[a-z0-9][A-Z]\w* | [A-Z]{2,}[a-z]{2,}\w*     # camelCase, HTTPServer
    | [A-Za-z]{2,}\d+\w*                                    # sha256
    """,
    re.VERBOSE,
)
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
_BREAKS = "\"'`<>(){}[],;|="
_BLANKS = str.maketrans(dict.fromkeys(_BREAKS, " "))
_CALLED = "\x00 "
"""Stands for the brackets of a call while the others are broken at."""


def names(text: str) -> tuple[str, ...]:
    """What code calls by name in a text, each once, in order of first sight, at most 300.

    Paths, symbols, flags, error codes (`E0308`, `HTTP 404`), hexadecimal ids, versions, variables.
    Of more, the first and the last half are kept.
    """
    tokens = dict.fromkeys(_spaced(text).split())
    # Joined and cut again, so that no loop of ours runs over words, of which most name nothing.
    shaped = " ".join(filter(None, map(_named, tokens))).split(" ")
    marked = chain(_numbered(text), _TICKED.findall(text) if "`" in text else ())
    found = tuple(filter(None, dict.fromkeys(chain(shaped, marked))))
    kept = min(len(found), MOST_NAMES)
    return found[: kept - kept // 2] + found[len(found) - kept // 2 :]


def _spaced(text: str) -> str:
    """The text with blanks for what no name holds."""
    called = text.replace("()", _CALLED)
    if called.isascii():
        return called.translate(_BLANKS)
    # A table is slow where there are other letters.
    for mark in _BREAKS:
        called = called.replace(mark, " ")
    return called


@lru_cache(maxsize=1 << 16)
def _named(token: str) -> str:
    """What a run of letters and signs names, blanks between; plain words are known at once.

    Only what is not ASCII is read by pattern.
    """
    if not token.isascii():
        return " ".join(filter(None, map(_shape, _TOKEN.findall(token.replace("\x00", "()")))))
    return "" if _plain(token) else _shape(token.replace("\x00", "()"))


def _numbered(text: str) -> Iterator[str]:
    for number in _NUMBER.finditer(text):
        start = number.start()
        # Most numbers stand in tables, behind nothing of the kind.
        if start and text[start - 1].isupper():
            word = _CAPITALS.search(text, max(0, start - 9), start)
            if word:
                yield word[0] + number[0]


def _plain(token: str) -> bool:
    return token.isalpha() and (token.islower() or token.istitle())


@lru_cache(maxsize=1 << 15)
def parts(identifier: str) -> tuple[str, ...]:
    """The words that an identifier is made of: `getUserName` gives get, user, name."""
    return tuple(dict.fromkeys(p.casefold() for p in _PARTS.findall(identifier) if len(p) > 1))


def indexed(text: str) -> tuple[str, ...]:
    """`names`, then the words they are made of: what an index of identifiers holds, at most 400."""
    found = dict.fromkeys(names(text))
    for name in tuple(found):
        if len(found) >= MOST_IDENTIFIERS:
            break
        found.update(_worded(name))
    return tuple(islice(found, MOST_IDENTIFIERS))


@lru_cache(maxsize=1 << 15)
def _worded(name: str) -> dict[str, None]:
    """Its parts, numbers left out: names come again and again."""
    return dict.fromkeys(part for part in parts(name) if not part.isdigit())


def column(text: str, marks: Iterable[str] = ()) -> str:
    """What is indexed of a text, and marks, as a row of the store holds them: blanks between."""
    return " ".join((*indexed(text), *marks))


def is_name(token: str) -> bool:
    """Whether a token is clearly an identifier by its shape alone."""
    return _shape(token) == token or _NUMBERED.fullmatch(token) is not None


@lru_cache(maxsize=1 << 15)
def _shape(token: str) -> str:
    """The identifier that a token is, without what clings to it; empty when it is none."""
    called = token.removesuffix("()")
    bare = called.strip("*!?~").rstrip(".:,/&\\").lstrip(":&#*")
    bare = (_LINE_NUMBER.sub("", bare) if ":" in bare else bare).removeprefix("./")
    if not SHORTEST_NAME <= len(bare) <= LONGEST_NAME:
        return ""
    if called is token and (bare.isdigit() or _plain(bare)):
        return ""
    named = _SHAPES.fullmatch(bare) or (called != token and bare.isidentifier())
    return bare if named else ""
