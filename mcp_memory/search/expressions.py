"""Expressions: a regular expression as an agent writes it, told as the store reads it: Rust's kind."""

import re
import warnings
from collections.abc import Iterator

from mcp_memory.domain.errors import ExpressionRefused

MOST_CHARS = 300
_BEYOND = re.compile(r"\(\?<?[=!]|\(\?\(|\\[1-9]|\(\?P=|\(\?>|[*+?}]\+|\(\?[a-z]*[aLu]")
"""Look-arounds, back references and the like: a reader in linear time has none of them."""
_TOKEN = re.compile(r"\\.|\[\^?\]?|\{\d+(?:,\d*)?\}|\{,\d+\}|.", re.DOTALL)
_IN_CLASS = re.compile(r"\\.|.", re.DOTALL)
_OTHERWISE = {r"\Z": r"\z", r"\0": r"\x00", r"\<": "<", r"\>": ">", "{": r"\{", "}": r"\}"}
"""What Rust reads as something else than Python does, or not at all: `func main() {` is no count."""


def stored(text: str) -> str:
    """The expression as the store reads it, line by line, without regard to case; empty for none.

    Raises:
        ExpressionRefused: it is none, or one that cannot be read in linear time.
    """
    if not text:
        return ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of signs that a later Python may read otherwise
            re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise ExpressionRefused(f"{text[:80]!r} is none, {error}") from error
    if len(text) > MOST_CHARS or _BEYOND.search(text):
        raise ExpressionRefused("it has look-arounds, back references or more than 300 characters")
    return f"(?im){''.join(_told(text))}"


def _told(text: str) -> Iterator[str]:
    """The parts of an expression that Python reads, as Rust reads the same."""
    place = 0
    while place < len(text):
        token = _TOKEN.match(text, place)
        assert token is not None  # any sign is one
        place = token.end()
        if token[0].startswith("["):
            inside, place = _class(text, place)
            yield token[0].removesuffix("]") + (r"\]" if token[0].endswith("]") else "") + inside
        elif token[0].startswith("{,"):
            yield f"{{0{token[0][1:]}"
        else:
            yield _OTHERWISE.get(token[0], token[0])


def _class(text: str, place: int) -> tuple[str, int]:
    """The rest of a class of signs, and where it ends: within it `[`, `&&`, `--` and `~~` are signs."""
    made: list[str] = []
    while place < len(text):
        token = _IN_CLASS.match(text, place)
        assert token is not None
        sign, place = token[0], token.end()
        if sign == "]":
            made.append(sign)
            break
        twice = sign in "&-~" and made[-1:] == [sign]
        made.append(f"\\{sign}" if sign == "[" or twice else _OTHERWISE.get(sign, sign))
    return "".join(made), place
