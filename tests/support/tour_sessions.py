"""The two sessions of the tour, written into a folder of the test."""

from pathlib import Path

from mcp_memory.bank import MemoryBank
from mcp_memory.domain.models import Evidence
from mcp_memory.settings import Settings
from mcp_memory.store.address import home_of

TOUR = Path(__file__).parent.parent.parent / "mcp_memory" / "cli" / "samples"


SECRET = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"


def written(folder: Path, *, plant: str = "") -> list[Path]:
    """The two sessions of the tour, in a project folder of this test."""
    project = folder / "shop"
    (project / ".git").mkdir(parents=True, exist_ok=True)
    paths = []
    for name in ("invoices.jsonl", "orders.jsonl"):
        text = (TOUR / name).read_text(encoding="utf-8").replace("{project}", project.as_posix())
        if plant and name == "orders.jsonl":
            text = text.replace('"wrote 214 rows"', f'"wrote 214 rows {plant}"')
        paths.append(folder / name)
        paths[-1].write_text(text, encoding="utf-8")
    return paths


async def sessions(bank: MemoryBank) -> list[str]:
    return [each.ref for each in await bank.listing("sessions")]


async def evidence(bank: MemoryBank) -> tuple[Evidence, ...]:
    """A span of each session: enough to make a memory stand."""
    return tuple(Evidence(ref=f"{ref}#1-6") for ref in await sessions(bank))


def archived(settings: Settings) -> dict[str, bytes]:
    shelf = home_of(settings).shelf("archive")
    return {each.name: b"".join(shelf.pieces(each.name)) for each in shelf.listed()}
