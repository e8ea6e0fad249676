"""Steps as a reader makes them: said, edited, ran, read; for tests of what is made of a session."""

from datetime import UTC, datetime

from mcp_memory.domain.models import Observation, SourceClass, Step, ToolCall

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def said(number: int, text: str, kind: str = "user") -> Step:
    source = SourceClass.USER if kind == "user" else SourceClass.AGENT
    return Step.model_validate(
        {"number": number, "kind": kind, "text": text, "source": source, "at": NOON}
    )


def edited(number: int, path: str, old: str, new: str, *, failed: bool = False) -> Step:
    told = {"file_path": path, "old_string": old, "new_string": new}
    call = ToolCall(id="c", name="Edit", paths=(path,), edits=True, arguments=told)
    return _step(number, call, "done", failed=failed)


def wrote(number: int, path: str, text: str) -> Step:
    told = {"file_path": path, "content": text}
    call = ToolCall(id="c", name="Write", paths=(path,), edits=True, arguments=told)
    return _step(number, call, "done")


def patched(number: int, patch: str) -> Step:
    call = ToolCall(id="c", name="apply_patch", edits=True, arguments={"input": patch})
    return _step(number, call, "done")


def ran(number: int, command: str, text: str = "", code: int = 0) -> Step:
    call = ToolCall(id="c", name="Bash", command=command, arguments={"command": command})
    return _step(number, call, text, failed=code != 0, code=code)


def read(number: int, path: str, text: str) -> Step:
    call = ToolCall(id="c", name="Read", paths=(path,), arguments={"file_path": path})
    return _step(number, call, text)


def _step(
    number: int, call: ToolCall, text: str, *, failed: bool = False, code: int | None = None
) -> Step:
    seen = Observation(call_id="c", text=text, exit_code=code, failed=failed)
    return Step(number=number, kind="agent", calls=(call,), observations=(seen,), at=NOON)
