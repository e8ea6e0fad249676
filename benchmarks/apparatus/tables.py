"""Tables in Markdown, printed line by line while they are measured."""


def begin(*titles: str) -> None:
    """The head of a table."""
    line(*titles)
    print("|" + "---|" * len(titles), flush=True)


def line(*cells: object) -> None:
    """One line of it."""
    print(f"| {' | '.join(map(str, cells))} |", flush=True)
