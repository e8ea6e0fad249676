"""A bank in a folder that is gone afterwards, a project, and the tour's sessions in it."""

import json
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


def mended(session: str, place: Path, command: str, error: str, form: str) -> str:
    """A session, as Claude Code writes it, in which a command failed and a form of it went well."""
    told = [
        ("user", f"Write the orders of week {session[-1]} out."),  # a copied session counts once
        *_ran("failed", command, f"Exit code 1\n{error}", bad=True),
        *_ran("mended", form, f"wrote 21{session[-1]} rows", bad=False),
        ("assistant", [{"type": "text", "text": "Written."}]),
    ]
    common = {"sessionId": session, "cwd": place.as_posix(), "version": "2.1.330"}
    lines = [
        {
            **common, "type": role, "uuid": f"{session}-{number}",
            "parentUuid": f"{session}-{number - 1}" if number else None,
            "timestamp": f"2026-03-0{session[-1]}T10:00:{number:02d}.000Z",
            "message": {"role": role, "content": content},
        }
        for number, (role, content) in enumerate(told)
    ]  # fmt: skip
    return "".join(f"{json.dumps(line)}\n" for line in lines)


def _ran(
    id_: str, command: str, result: str, *, bad: bool
) -> list[tuple[str, list[dict[str, object]]]]:
    """A call of a shell and what came of it."""
    use = {"type": "tool_use", "id": id_, "name": "Bash", "input": {"command": command}}
    seen = {"type": "tool_result", "tool_use_id": id_, "content": result, "is_error": bad}
    return [("assistant", [use]), ("user", [seen])]
