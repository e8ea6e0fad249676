"""The hook: fast, silent without cause, never a failure, and what it says is told once and as data."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest

from mcp_memory import readers
from mcp_memory.domain.hits import SearchResult
from mcp_memory.hooks import hook, knocking, ledger, ready, spool
from mcp_memory.hooks.ready import Ready, Saying, Told
from mcp_memory.hooks.speaking import written
from mcp_memory.server.door import answer_at_door, ask_server

SIGNATURE = "ModuleNotFoundError: No module named 'flask'"
FAILED = f"Exit code 1\nTraceback (most recent call last):\n  File x\n{SIGNATURE}"
STANDS = Told("What stands", "- what stands", "m:a1")
BRIEFING = written([STANDS])
MENDED = Saying("mended so", ("t:s1#3-7",), ("pytest",), ("pip install flask",))
GOTCHA = Saying("mind the lock", ("m:g1",))


@pytest.fixture
def stocked(home: Path, project: Path) -> Path:
    made = Ready(str(project), (STANDS,), {SIGNATURE: (MENDED,)}, {"src/db.py": GOTCHA})
    ready.write(home, made)
    return home


async def no_search(name: str, asked: dict[str, Any]) -> SearchResult:
    return SearchResult(found=False, hits=(), notes=(f"{name}: {asked['texts'][0]}",))


def told(project: Path, native: str, session: str = "s-1", **more: Any) -> dict[str, Any]:
    return {"hook_event_name": native, "session_id": session, "cwd": str(project), **more}


def said(answer: str) -> str:
    return json.loads(answer)["hookSpecificOutput"]["additionalContext"] if answer else ""


def run(event: str, told: object, home: Path, *more: str) -> subprocess.CompletedProcess[bytes]:
    data = told if isinstance(told, bytes) else json.dumps(told).encode()
    return subprocess.run(
        [sys.executable, "-m", "mcp_memory.hooks.hook", event, *more],
        input=data,
        capture_output=True,
        env={**os.environ, "MCP_MEMORY_HOME": str(home)},
        check=False,
        timeout=30,
    )


def test_it_starts_without_any_library(home: Path) -> None:
    code = (
        "import sys; import mcp_memory.hooks.hook; "
        "print(sorted({m.split('.')[0] for m in sys.modules} & "
        "{'pydantic','anyio','orjson','lancedb','mcp','click','asyncio','socket','platformdirs'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    loaded = subprocess.run(
        [sys.executable, "-c", code.replace("import mcp_memory.hooks.hook; ", "")],
        capture_output=True,
        check=True,
    )
    assert done.stdout == loaded.stdout


def test_a_session_is_told_the_briefing_once_at_its_start_or_its_first_prompt(
    stocked: Path, project: Path
) -> None:
    first = run("session-start", told(project, "SessionStart"), stocked)
    assert json.loads(first.stdout) == {
        "hookSpecificOutput": {"hookEventName": "SessionStart", "additionalContext": BRIEFING}
    }
    again = run("prompt", told(project, "UserPromptSubmit", prompt="go on"), stocked)
    other = run("prompt", told(project, "UserPromptSubmit", "s-2", prompt="hi"), stocked)
    assert (again.stdout, again.returncode, again.stderr) == (b"", 0, b"")
    assert said(other.stdout.decode()) == BRIEFING


def test_what_mended_an_error_is_told_once_an_error_and_session(
    stocked: Path, project: Path
) -> None:
    bad = told(
        project,
        "PostToolUseFailure",
        tool_name="Bash",
        tool_input={"command": "pytest -q"},
        error=FAILED,
    )
    assert said(hook.answer("tool-failed", bad, stocked)) == MENDED.text
    assert hook.answer("tool-failed", bad, stocked) == ""
    other = {**bad, "error": "Exit code 2\nKeyError: 'price'"}
    assert hook.answer("tool-failed", other, stocked) == ""
    assert said(hook.answer("tool-failed", {**bad, "session_id": "s-2"}, stocked))
    stopped = {**bad, "session_id": "s-3", "is_interrupt": True}
    assert hook.answer("tool-failed", stopped, stocked) == ""


def test_an_error_is_known_only_of_the_program_that_met_it(stocked: Path, project: Path) -> None:
    bad = told(project, "PostToolUseFailure", error=FAILED)
    other = {**bad, "tool_input": {"command": "npm test"}}
    assert not hook.answer("tool-failed", other, stocked)
    assert hook.answer("tool-failed", {**bad, "tool_input": {"command": "pytest -x"}}, stocked)


@pytest.mark.parametrize(
    ("native", "tool"),
    [
        ("PreToolUse", {"file_path": "{root}/src/db.py", "content": "x"}),
        ("PreToolUse", {"input": "*** Begin Patch\n*** Update File: src/db.py\n@@\n"}),
        ("PreToolUse", {"command": "*** Begin Patch\n*** Update File: src/db.py\n@@\n"}),
        ("AfterTool", {"file_path": "src/db.py", "new_string": "x"}),
    ],
)
def test_before_an_edit_of_a_file_its_gotcha_is_told_once(
    stocked: Path, project: Path, native: str, tool: Mapping[str, str]
) -> None:
    named = {name: value.replace("{root}", str(project)) for name, value in tool.items()}
    edit = told(project, native, tool_input=named)
    assert said(hook.answer("before-edit", edit, stocked)) == GOTCHA.text
    assert hook.answer("before-edit", edit, stocked) == ""
    other = told(project, native, tool_input={"file_path": "src/other.py"})
    assert hook.answer("before-edit", other, stocked) == ""


@pytest.mark.parametrize(
    ("native", "result"),
    [
        ("AfterTool", {"llmContent": f"Output: {FAILED}\nExit Code: 1\nProcess Group PGID: 7"}),
        ("PostToolUse", json.dumps({"output": FAILED, "metadata": {"exit_code": 1}})),
        ("PostToolUse", {"stdout": "", "stderr": FAILED, "exit_code": 1}),
    ],
)
def test_hosts_that_tell_every_result_are_heard_when_it_failed(
    stocked: Path, project: Path, native: str, result: object
) -> None:
    ran = told(project, native, tool_input={"command": "pytest"}, tool_response=result)
    assert said(hook.answer("tool-failed", ran, stocked)) == MENDED.text
    well = told(
        project,
        native,
        "s-2",
        tool_input={"command": "pytest"},
        tool_response={"llmContent": f"Output: {FAILED}\nExit Code: 0", "exit_code": 0},
    )
    assert hook.answer("tool-failed", well, stocked) == ""


def test_output_that_codex_gives_without_an_exit_code_is_an_error_of_the_same_command_only(
    stocked: Path, project: Path
) -> None:
    ran = told(project, "PostToolUse", turn_id="t", tool_response=f"Traceback\n{SIGNATURE}\n")
    assert not hook.answer("tool-failed", {**ran, "tool_input": {"command": "cat log"}}, stocked)
    assert hook.answer("tool-failed", {**ran, "tool_input": {"command": "pytest"}}, stocked)


def test_events_whose_context_no_model_hears_are_silent_and_told_later(
    stocked: Path, project: Path
) -> None:
    edit = {"tool_input": {"file_path": "src/db.py"}}
    assert hook.answer("before-edit", told(project, "BeforeTool", **edit), stocked) == ""
    assert said(hook.answer("before-edit", told(project, "AfterTool", **edit), stocked))


def test_cursor_gets_its_own_spelling(stocked: Path, project: Path) -> None:
    start = {
        "hook_event_name": "sessionStart",
        "conversation_id": "c-1",
        "workspace_roots": [str(project)],
    }
    assert json.loads(hook.answer("session-start", start, stocked)) == {
        "additional_context": BRIEFING
    }
    prompt = {**start, "hook_event_name": "beforeSubmitPrompt", "conversation_id": "c-2"}
    assert hook.answer("prompt", prompt, stocked) == ""


@pytest.mark.parametrize("event", ["before-compaction", "session-end"])
def test_a_transcript_is_handed_over_by_path_size_and_session_never_content(
    home: Path, tmp_path: Path, event: str
) -> None:
    transcript = tmp_path / "session.jsonl"
    transcript.write_text('{"secret": "heron"}\n', encoding="utf-8")
    done = run(event, {"session_id": "s-9", "transcript_path": str(transcript)}, home)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    (note,) = spool.waiting(home / "spool")
    assert json.loads(note.file.read_text(encoding="utf-8")) == {
        "path": str(transcript),
        "size": transcript.stat().st_size,
        "session": "s-9",
    }


@pytest.mark.parametrize(
    "told",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"\xff\xfe",
        b'{"cwd": 7, "tool_input": [1]}',
        b"[" * 9_999,
    ],
)
@pytest.mark.parametrize("event", ["session-start", "tool-failed", "session-end", "nonsense"])
def test_nothing_that_a_host_says_makes_it_fail_or_speak(
    home: Path, event: str, told: bytes
) -> None:
    home.mkdir()
    done = run(event, told, home)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_a_broken_ready_file_or_an_unwritable_home_is_silence(stocked: Path, project: Path) -> None:
    start = told(project, "SessionStart")
    ready.file_of(stocked, str(project)).write_text('{"version": 1', encoding="utf-8")
    assert run("session-start", start, stocked).stdout == b""
    file = stocked / "file"
    file.write_text("x", encoding="utf-8")
    done = run("session-end", {**start, "transcript_path": "/x.jsonl"}, file / "below")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_a_bank_that_does_not_exist_is_not_made_by_asking(home: Path, project: Path) -> None:
    assert run("session-start", told(project, "SessionStart"), home).stdout == b""
    assert not home.exists()


def test_only_the_user_can_read_what_hooks_keep(stocked: Path, project: Path) -> None:
    hook.answer("session-start", told(project, "SessionStart"), stocked)
    kept = [path for path in ready.folder(stocked).rglob("*") if path.is_file()]
    assert len(kept) == 5
    assert {path.stat().st_mode & 0o077 for path in kept} == {0}


def test_silence_is_counted_too(stocked: Path, project: Path) -> None:
    for _ in range(3):
        hook.answer("session-start", told(project, "SessionStart"), stocked)
    tally = ledger.summary(stocked)["session-start"]
    assert (tally.calls, tally.injected, tally.silent) == (3, 1, 2)
    assert tally.tokens > 0


@pytest.mark.parametrize("name", ["attachment", "codex", "gemini"])
def test_what_was_told_is_not_indexed_as_if_somebody_had_said_it(tmp_path: Path, name: str) -> None:
    path = tmp_path / "session.jsonl"
    lines = {"attachment": _claude, "codex": _codex, "gemini": _gemini}[name]
    path.write_text("\n".join(json.dumps(each) for each in lines()) + "\n", encoding="utf-8")
    reader = readers.detect(path)
    (trajectory,) = list(reader.read(path))
    assert "fix the till" in trajectory.model_dump_json()
    assert "what stands" not in trajectory.model_dump_json()


def _claude() -> list[dict[str, Any]]:
    base = {"sessionId": "s-1", "cwd": "/w", "timestamp": "2026-03-01T10:00:00Z", "version": "2.1"}
    user = {"type": "user", "uuid": "u1", "message": {"role": "user", "content": "fix the till"}}
    attached = {
        "type": "attachment",
        "uuid": "a1",
        "parentUuid": "u1",
        "attachment": {
            "type": "hook_additional_context",
            "content": [BRIEFING],
            "hookName": "SessionStart",
            "hookEvent": "SessionStart",
        },
    }
    return [{**base, "parentUuid": None, **user}, {**base, **attached}]


def _codex() -> list[dict[str, Any]]:
    at = "2026-03-01T10:00:00Z"
    meta = {"id": "019", "cwd": "/w", "timestamp": at, "originator": "cli", "cli_version": "0.169"}

    def message(role: str, text: str) -> dict[str, Any]:
        content = [{"type": "input_text", "text": text}]
        payload = {"type": "message", "role": role, "content": content}
        return {"timestamp": at, "type": "response_item", "payload": payload}

    return [
        {"timestamp": at, "type": "session_meta", "payload": meta},
        message("developer", BRIEFING),
        message("user", "fix the till"),
    ]


def _gemini() -> list[dict[str, Any]]:
    at = "2026-03-01T10:00:00Z"
    head = {"sessionId": "g-1", "projectHash": "p", "startTime": at, "lastUpdated": at}
    told = f"fix the till\n<hook_context>{BRIEFING.replace('<', '&lt;')}</hook_context>"
    return [head, {"id": "m1", "timestamp": at, "type": "user", "content": [{"text": told}]}]


class TestWithAServer:
    async def test_what_no_longer_holds_is_not_told(
        self, stocked: Path, project: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # A busy machine may be slower than a hook waits.
        monkeypatch.setattr(knocking, "SERVER_SECONDS", 5)
        asked: list[tuple[str, ...]] = []
        stands = True

        async def still_holds(refs: tuple[str, ...]) -> bool:
            asked.append(refs)
            return stands

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(answer_at_door, stocked, still_holds, no_search)
            note = ready.folder(stocked) / "server.json"
            with anyio.fail_after(30):
                while not note.exists():
                    await anyio.sleep(0.01)
            socket = Path(json.loads(note.read_text(encoding="utf-8"))["address"])
            assert (note.stat().st_mode & 0o077, socket.stat().st_mode & 0o077) == (0, 0)
            first = await anyio.to_thread.run_sync(
                hook.answer, "session-start", told(project, "SessionStart"), stocked
            )
            stands = False
            later = await anyio.to_thread.run_sync(
                hook.answer, "session-start", told(project, "SessionStart", "s-2"), stocked
            )
            tasks.cancel_scope.cancel()
        assert said(first) == BRIEFING
        assert later == ""
        assert asked == [(STANDS.ref,), (STANDS.ref,)]
        assert not note.exists()
        assert not socket.exists()

    async def test_a_command_is_answered_through_the_door(self, stocked: Path) -> None:
        async def still_holds(_: tuple[str, ...]) -> bool:
            return True

        question = ("search", {"texts": ["where is the till"]}, SearchResult)
        assert await ask_server(stocked, *question) is None
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(answer_at_door, stocked, still_holds, no_search)
            note = ready.folder(stocked) / "server.json"
            with anyio.fail_after(30):
                while not note.exists():
                    await anyio.sleep(0.01)
            answer = await ask_server(stocked, *question)
            other = json.loads(note.read_text(encoding="utf-8"))
            note.write_text(json.dumps({**other, "token": "guess"}), encoding="utf-8")
            refused = await ask_server(stocked, *question)
            note.write_text(json.dumps({**other, "address": "/nowhere.sock"}), encoding="utf-8")
            nobody = await ask_server(stocked, *question)
            tasks.cancel_scope.cancel()
        assert answer == await no_search(*question[:2])
        assert (refused, nobody) == (None, None)

    async def test_whoever_does_not_know_the_token_is_told_nothing(self, stocked: Path) -> None:
        async def still_holds(_: tuple[str, ...]) -> bool:
            return True

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(answer_at_door, stocked, still_holds, no_search)
            note = ready.folder(stocked) / "server.json"
            with anyio.fail_after(30):
                while not note.exists():
                    await anyio.sleep(0.01)
            address = json.loads(note.read_text(encoding="utf-8"))["address"]
            answers = []
            for asked in (
                {"token": "guess", "refs": ["m:a1"]},
                {"refs": ["m:a1"]},
                {"token": 7, "refs": 7},
                [],
            ):
                async with await anyio.connect_unix(address) as line:
                    await line.send(json.dumps(asked).encode() + b"\n")
                    try:
                        answers.append(await line.receive())
                    except anyio.EndOfStream:
                        answers.append(b"")
            tasks.cancel_scope.cancel()
        assert answers == [b"", b"", b"", b""]

    def test_a_server_that_was_killed_or_hangs_does_not_silence_the_ready_file(
        self, stocked: Path, project: Path
    ) -> None:
        import socket

        hung = socket.socket(socket.AF_UNIX)
        address = ready.folder(stocked) / "door.sock"
        hung.bind(str(address))
        hung.listen()
        server = ready.folder(stocked) / "server.json"
        server.write_text(json.dumps({"address": str(address), "token": "t"}))
        assert said(hook.answer("session-start", told(project, "SessionStart"), stocked))
        hung.close()
        start = told(project, "SessionStart", "s-2")
        assert said(hook.answer("session-start", start, stocked))

    async def test_a_real_server_opens_its_door_when_its_bank_is_open(
        self, stocked: Path, project: Path
    ) -> None:
        env = {
            **os.environ,
            "MCP_MEMORY_HOME": str(stocked),
            "MCP_MEMORY_EMBEDDING_MODEL": "none",
            "MCP_MEMORY_INDEX_AUTO": "false",
        }
        serve = [sys.executable, "-m", "mcp_memory", "serve", "--transport", "http", "--port", "0"]
        note = ready.folder(stocked) / "server.json"
        async with await anyio.open_process(serve, env=env, cwd=project) as server:
            with anyio.fail_after(40):
                while not note.exists():
                    await anyio.sleep(0.05)
            # What the ready file says stands on a memory that this bank has never had.
            start = told(project, "SessionStart")
            deadline = anyio.current_time() + 20
            number, answer = 0, "x"
            while answer and anyio.current_time() < deadline:
                number += 1
                start["session_id"] = f"s-{number}"
                answer = await anyio.to_thread.run_sync(
                    hook.answer, "session-start", start, stocked
                )
            server.terminate()
        assert answer == ""
        assert not note.exists()
