"""Front matter: the YAML that a Markdown file may begin with, and the text below it."""

from typing import Any

FENCE = "---"


def split(text: str) -> tuple[dict[str, Any], str]:
    """What the front matter says, and the text below; nothing where there is none.

    Raises:
        ValueError: it begins and is not YAML of names and values, or does not end.
    """
    import yaml  # 30 ms: only where Markdown is read

    lines = text.removeprefix("\ufeff").splitlines()
    if not lines or lines[0].rstrip() != FENCE:
        return {}, text
    end = next((n for n, line in enumerate(lines[1:], 1) if line.rstrip() in {FENCE, "..."}), 0)
    if not end:
        raise ValueError("its front matter does not end")
    try:
        told = yaml.safe_load("\n".join(lines[1:end]))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ValueError(f"its front matter is no YAML ({type(error).__name__})") from error
    if told is None:
        told = {}
    if not isinstance(told, dict):
        raise ValueError("its front matter has no names and values")  # noqa: TRY004 one fault
    return {str(name): value for name, value in told.items()}, "\n".join(lines[end + 1 :]).strip(
        "\n"
    )


def joined(told: dict[str, Any], text: str) -> str:
    """A Markdown file with this front matter, names in the order given."""
    import yaml  # 30 ms: only where Markdown is written

    head = yaml.safe_dump(told, sort_keys=False, allow_unicode=True, width=10_000)
    return f"{FENCE}\n{head}{FENCE}\n\n{text.strip()}\n"
