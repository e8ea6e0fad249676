"""A spring of work: some weeks of sessions in three projects, invented, for pictures of the page."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

PROJECTS = ("shop", "heron-cli", "ledger")
FIRST = datetime(2026, 6, 8, 9, 12, tzinfo=UTC)
WORK = (
    ("shop", "The order export drops every row with an umlaut. Find out why and mend it.",
     "src/export.py", "open(path)", 'open(path, encoding="utf-8")',
     "UnicodeDecodeError: 'charmap' codec can't decode byte 0x81 in position 214"),
    ("heron-cli", "Add a --json flag to `heron list`.", "src/list.rs", "print_table(rows)",
     "if json { print_json(rows) } else { print_table(rows) }", ""),
    ("shop", "Invoices are rounded twice. Round once, at the end.", "src/invoice.py",
     "round(round(x, 3), 2)", "round(x, 2)", "AssertionError: 19.98 != 19.99"),
    ("ledger", "Why is the nightly import so slow since Tuesday?", "import/batch.go",
     "for row := range rows { insert(row) }", "insertMany(rows)", ""),
    ("shop", "Tests fail on a fresh checkout: no such table orders.", "tests/conftest.py",
     "migrate = False", "migrate = True", "sqlite3.OperationalError: no such table: orders"),
    ("heron-cli", "Release 0.4: changelog, tag, and the formula for the tap.", "Cargo.toml",
     'version = "0.3.2"', 'version = "0.4.0"', "error: 3 files in the working directory contain changes"),
    ("ledger", "Move the retention setting from 30 to 90 days, finance wants it.",
     "config/retention.yaml", "days: 30", "days: 90", ""),
    ("shop", "The cart forgets its coupon after login.", "src/cart.py", "session.clear()",
     "session.cycle_key()", "AssertionError: coupon is None"),
)  # fmt: skip


def sessions(folder: Path) -> Iterator[Path]:
    """Transcripts of Claude Code, three rounds of the work, a session every other day."""
    for place in range(3 * len(WORK)):
        project, goal, file, old, new, error = WORK[place % len(WORK)]
        at = FIRST + timedelta(days=2 * place, minutes=37 * (place % 7))
        again = "" if place < len(WORK) else " It is back." if error else " Once more, please."
        root = PurePosixPath("/home/ada") / project
        lines = list(_lines(f"spring-{place}", root.as_posix(), at, f"{goal}{again}",
                            (f"{root.as_posix()}/{file}", old, new, error)))  # fmt: skip
        path = folder / f"spring-{place}.jsonl"
        path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
        yield path


def _lines(
    name: str, cwd: str, at: datetime, goal: str, work: tuple[str, str, str, str]
) -> Iterator[dict[str, object]]:
    file, old, new, error = work
    count = 0

    def line(kind: str, content: object) -> dict[str, object]:
        nonlocal count
        count += 1
        when = (at + timedelta(seconds=41 * count)).isoformat().replace("+00:00", "Z")
        return {"type": kind, "uuid": f"{name}-{count}", "sessionId": name, "cwd": cwd,
                "version": "2.1.0", "timestamp": when,
                "message": {"role": kind, "content": content, "model": "m"}}  # fmt: skip

    def call(tool: str, given: dict[str, str], result: str) -> Sequence[dict[str, object]]:
        id_ = f"{name}-call-{count}"
        used = {"type": "tool_use", "id": id_, "name": tool, "input": given}
        back = {"type": "tool_result", "tool_use_id": id_, "content": result}
        return line("assistant", [used]), line("user", [{**back, "is_error": "Error 1" in result}])

    def said(text: str) -> dict[str, object]:
        return line("assistant", [{"type": "text", "text": text}])

    test, short = {"command": "make test"}, goal[:40]
    yield line("user", goal)
    yield said(f"I look at {file.rsplit('/', 1)[-1]} first.")
    if error:
        yield from call("Bash", test, f"Exit code 2\n{error}\nmake: *** [test] Error 1")
    yield from call("Read", {"file_path": file}, f"     1\t{old}\n")
    change = {"file_path": file, "old_string": old, "new_string": new}
    yield from call("Edit", change, "The file has been updated.")
    yield from call("Bash", test, "ok: 48 passed in 3.1s")
    done = f"[main 4f{count:02d}a9c] {short}\n 1 file changed, 1 insertion(+)"
    yield from call("Bash", {"command": f"git commit -am '{short}'"}, done)
    yield said(f"Done: `{old}` became `{new}`; 48 tests pass.")
