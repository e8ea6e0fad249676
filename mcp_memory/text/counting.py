"""Counting: a number with its noun, as one says it."""


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 record`, `2 records`, `3 memories` (with that plural)."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"
