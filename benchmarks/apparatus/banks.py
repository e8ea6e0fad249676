"""A bank in a folder that is gone afterwards, a project, and the tour's sessions in it."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.settings import Settings

SAMPLES = Path(__file__).parent.parent.parent / "mcp_memory" / "cli" / "samples"


@asynccontextmanager
async def temporary(**settings: object) -> AsyncIterator[tuple[MemoryBank, Path]]:
    """A bank, and the folder that its home lies in; both are gone after the block."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        told = Settings.model_validate({"home": folder / "home", "index_auto": False, **settings})
        async with open_bank(told, cwd=str(folder)) as bank:
            yield bank, folder


def project(folder: Path, name: str = "shop") -> Path:
    """A repository's folder, as projects are told from one another."""
    made = folder / name
    (made / ".git").mkdir(parents=True, exist_ok=True)
    return made


def sample(name: str, place: Path) -> str:
    """The text of `orders` or `invoices`, as Claude Code would have written it in a project."""
    text = (SAMPLES / f"{name}.jsonl").read_text(encoding="utf-8")
    return text.replace("{project}", place.as_posix())
