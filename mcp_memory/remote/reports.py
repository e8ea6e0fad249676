"""Reports: what a push or a pull came to."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Pushed:
    """What a push came to."""

    files: int = 0
    unchanged: int = 0
    """Transcripts that were not opened: the bank has what is in them."""
    sent: int = 0
    grown: int = 0
    """Sessions that the bank had in part, counted in `sent` too."""
    held: int = 0
    steps: int = 0
    bytes: int = 0
    requests: int = 0
    masked: int = 0
    """Secrets masked here, before anything was sent."""
    masked_there: int = 0
    excluded: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)
    """What was not pushed, by its ref or file, and why."""

    @property
    def stands(self) -> bool:
        """Whether anything that was to be pushed is there."""
        return self.sent + self.held + self.unchanged > 0


@dataclass(slots=True)
class Pulled:
    """What a pull came to."""

    project: str = ""
    written: int = 0
    unchanged: int = 0
    removed: int = 0
    bytes: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)
    """Files that were not written, and why."""

    @property
    def stands(self) -> bool:
        """Whether anything that was to be pulled is here."""
        return self.written + self.unchanged > 0
