"""A word on the terminal before anything heavy is imported; gone once there is an answer."""

import sys

_CLEAR = "\r\x1b[2K"
_said = False


def begin(text: str) -> None:
    """Say that it is being done, where a person looks on."""
    global _said  # noqa: PLW0603 one line of one terminal
    if sys.stderr.isatty() and sys.stdout.isatty():
        sys.stderr.write(f"\x1b[2m{text}\x1b[0m")
        sys.stderr.flush()
        _said = True


def end() -> None:
    """Take it away again."""
    global _said  # noqa: PLW0603 one line of one terminal
    if _said:
        sys.stderr.write(_CLEAR)
        sys.stderr.flush()
        _said = False
