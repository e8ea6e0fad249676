"""Fields: what a browser sends in its addresses and forms, read so that nothing of it is a surprise."""

_DIGITS = 9


def number(text: str, *, otherwise: int = 1) -> int:
    """A whole number from 0 up; what is none, or is absurdly long, is taken for the other one."""
    plain = text.isascii() and text.isdigit() and len(text) <= _DIGITS
    return int(text) if plain else otherwise


def refs(text: str) -> tuple[str, ...]:
    """Refs or names with blanks or commas between them."""
    return tuple(text.replace(",", " ").split())
