"""A session that fails and mends it, and a gotcha that stands."""

import json
from pathlib import Path
from typing import Any

from mcp_memory.bank import MemoryBank
from mcp_memory.domain.models import Draft, Evidence, MemoryKind, Standing

ERROR = "ModuleNotFoundError: No module named 'flask'"


SECRET = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"


def session(
    folder: Path,
    name: str,
    asked: str = "never touch src/db.py without the lock",
    day: str = "2026-03-01",
) -> Path:
    """A session in which a command fails, something is installed, and the command goes well."""
    project = folder / "shop"
    (project / ".git").mkdir(parents=True, exist_ok=True)
    base = {"sessionId": name, "cwd": project.as_posix(), "version": "2.1.330"}
    lines: list[dict[str, Any]] = []

    def line(kind: str, message: dict[str, Any]) -> None:
        number = len(lines)
        lines.append(
            {
                **base,
                "type": kind,
                "uuid": f"{name}-{number}",
                "parentUuid": f"{name}-{number - 1}" if number else None,
                "timestamp": f"{day}T10:00:{number:02d}.000Z",
                "message": message,
            }
        )

    def ran(tool: str, given: dict[str, str], result: str, *, bad: bool) -> None:
        id_ = f"toolu_{len(lines)}"
        use = {"type": "tool_use", "id": id_, "name": tool, "input": given}
        line("assistant", {"id": f"msg_{id_}", "role": "assistant", "content": [use]})
        seen = {"type": "tool_result", "tool_use_id": id_, "content": result, "is_error": bad}
        line("user", {"role": "user", "content": [seen]})
        if not bad:
            lines[-1]["toolUseResult"] = {"stdout": result, "stderr": "", "interrupted": False}

    line("user", {"role": "user", "content": asked})
    ran("Bash", {"command": "pytest -q"}, f"Exit code 1\n{ERROR}", bad=True)
    ran("Bash", {"command": f"pip install flask --token {SECRET}"}, "done", bad=False)
    ran("Bash", {"command": "pytest -q"}, "3 passed", bad=False)
    path = folder / f"{name}.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)) + "\n", encoding="utf-8")
    return path


async def gotcha(bank: MemoryBank) -> str:
    """A gotcha of src/db.py that stands: the user said it."""
    (listed,) = await bank.listing("sessions")
    said = "never touch src/db.py without the lock"
    kept = await bank.retain(
        Draft(
            text=said,
            kind=MemoryKind.GOTCHA,
            when_to_use="editing src/db.py",
            not_when="reading it",
            files=("src/db.py",),
            evidence=(Evidence(ref=f"{listed.ref}#1", quote=said),),
        )
    )
    assert kept.standing is Standing.ESTABLISHED, kept.notes
    await bank.settle()
    return kept.ref
