"""Speaking: a briefing again when it was forgotten, only news else; as much as the user wants to hear."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mcp_memory.cli import cli
from mcp_memory.domain.rules import read as read_rules
from mcp_memory.hooks import hook, ready, switches
from mcp_memory.hooks.ready import Ready, Saying, Told, Undone

ERROR = "fatal: bad revision 'trunk'"
SESSIONS = tuple(
    Told("Last sessions, newest first", f"- worked on part {n} t:s{n}", f"t:s{n}", name)
    for n, name in ((2, ready.short("n-2")), (1, ready.short("n-1")))
)
MENDED = Saying("use main", ("t:s1#3-7",), ("git rebase",), ("git rebase main",), sure=0.9)
FORM = Saying("take the flag", ("t:s1#9",), follows=("--offline",), sure=0.96)
GUESS = Saying("perhaps so", ("t:s1#5",), ("make",), ("make clean",), sure=0.6)


@pytest.fixture
def stocked(home: Path, project: Path) -> Path:
    undone = Undone(("retries = forever",), Saying("taken back", ("t:s2#4",), sure=0.8))
    made = Ready(
        str(project),
        SESSIONS,
        {ERROR: (MENDED,), "Error: no rule to make it": (GUESS,)},
        undone={"src/net.py": (undone,)},
        forms={"pnpm install": FORM},
    )
    ready.write(home, made)
    return home


def say(home: Path, project: Path, event: str, session: str = "s", **more: Any) -> str:
    names = {**hook.ANSWERING, "before-compaction": "PreCompact"}
    told = {"hook_event_name": names[event], "session_id": session, "cwd": str(project), **more}
    answer = hook.answer(event, told, home)
    return json.loads(answer)["hookSpecificOutput"]["additionalContext"] if answer else ""


def failed(home: Path, project: Path, session: str, command: str = "git rebase trunk") -> str:
    return say(home, project, "tool-failed", session, error=f"Exit code 1\n{ERROR}",
               tool_input={"command": command})  # fmt: skip


@pytest.mark.parametrize("source", ["compact", "clear"])
def test_what_the_model_has_forgotten_is_said_again(
    stocked: Path, project: Path, source: str
) -> None:
    first = say(stocked, project, "session-start", source="startup")
    assert "part 1" in first
    assert failed(stocked, project, "s")
    again = say(stocked, project, "session-start", source=source)
    assert again == first
    assert failed(stocked, project, "s")


def test_where_no_start_follows_a_compaction_the_next_prompt_is_told(
    stocked: Path, project: Path
) -> None:
    first = say(stocked, project, "session-start")
    assert say(stocked, project, "prompt", prompt="go on") == ""
    say(stocked, project, "before-compaction")
    assert say(stocked, project, "prompt", prompt="go on") == first
    assert say(stocked, project, "prompt", prompt="go on") == ""


def test_a_resumed_session_is_told_only_what_is_new(stocked: Path, project: Path) -> None:
    say(stocked, project, "session-start")
    assert say(stocked, project, "session-start", source="resume") == ""
    newer = Told(SESSIONS[0].section, "- 2026-03-03 worked on part 3 t:s3", "t:s3")
    ready.write(stocked, Ready(str(project), (newer, *SESSIONS)))
    told = say(stocked, project, "session-start", source="resume")
    assert "part 3" in told
    assert "part 2" not in told


def test_a_session_is_not_told_of_itself(stocked: Path, project: Path) -> None:
    told = say(stocked, project, "session-start", "n-2", source="resume")
    assert "part 1" in told
    assert "part 2" not in told


def test_a_sub_agent_was_not_told_what_its_session_was(stocked: Path, project: Path) -> None:
    bad = {"error": f"Exit code 1\n{ERROR}", "tool_input": {"command": "git rebase trunk"}}
    assert say(stocked, project, "tool-failed", **bad)
    assert say(stocked, project, "tool-failed", agent_id="a1", **bad)
    assert not say(stocked, project, "tool-failed", agent_id="a1", **bad)


def test_a_change_that_was_taken_back_is_known_when_it_is_made_again(
    stocked: Path, project: Path
) -> None:
    file = str(project / "src" / "net.py")
    other = {"file_path": file, "new_string": "retries = 3\n"}
    assert say(stocked, project, "before-edit", tool_input=other) == ""
    again = {"file_path": file, "new_string": "x = 1\n  retries =   forever\n"}
    assert say(stocked, project, "before-edit", tool_input=again) == "taken back"


def test_the_first_prompt_is_told_who_last_changed_the_file_that_it_names(
    home: Path, project: Path
) -> None:
    changed = {
        "src/net.py": ("`src/net.py`: last changed", "t:s1#5"),
        "a/cli.py": ("`a/cli.py`", "t:s1#6"),
        "b/cli.py": ("`b/cli.py`", "t:s1#7"),
    }
    ready.write(home, Ready(str(project), changed=changed))
    assert say(home, project, "prompt", "n", prompt="mend src/net.py") == "", (
        "it is not sure enough"
    )
    switches.switch(home, "everywhere", "", "talkative")
    told = say(home, project, "prompt", "a", prompt="mend the retries in @src/net.py:12 please")
    assert "- `src/net.py`: last changed" in told
    assert say(home, project, "prompt", "a", prompt="and src/net.py again") == ""
    assert say(home, project, "prompt", "b", prompt="cli.py is slow") == "", "it may be either"
    assert say(home, project, "prompt", "b", prompt="I mean src/net.py") == "", "one look a session"
    assert say(home, project, "prompt", "c", prompt="see other.py and example.com") == ""


def test_a_check_that_failed_behind_a_pipe_is_heard(home: Path, project: Path) -> None:
    mended = Saying("mend it", ("t:s1#1",), ("pytest",), sure=0.9)
    cause = "ModuleNotFoundError: No module named 'flask'"
    ready.write(home, Ready(str(project), errors={cause: (mended,)}))

    def ran(session: str, command: str, printed: str) -> str:
        told = {"hook_event_name": "PostToolUse", "tool_response": {"stdout": printed}}
        return say(home, project, "tool-failed", session, tool_input={"command": command}, **told)

    bad = f"E   {cause}\n=== 1 failed in 0.1s ===\n"
    assert ran("a", "pytest -q 2>&1 | tail -5", bad) == mended.text
    assert ran("b", "pytest -q 2>&1 | tail -5", "=== 3 passed in 0.1s ===\n") == ""
    assert ran("c", "cat log | tail -5", bad) == ""


def test_before_a_command_that_fails_here_its_working_form_is_told_unless_it_is_used(
    stocked: Path, project: Path
) -> None:
    good = {"command": "pnpm install --offline"}
    bare = {"command": "cd web && pnpm install"}
    assert say(stocked, project, "before-command", tool_input=good) == ""
    assert say(stocked, project, "before-command", tool_input={"command": "ls"}) == ""
    assert say(stocked, project, "before-command", tool_input=bare) == FORM.text
    assert say(stocked, project, "before-command", tool_input=bare) == ""


def test_who_ignores_two_sayings_of_a_kind_hears_no_third(home: Path, project: Path) -> None:
    errors = {
        f"fatal: part {word} is broken": (Saying(f"mend {word}", ("t:s1#1",), follows=(f"fix {word}",)),)
        for word in ("one", "two", "three")
    }  # fmt: skip
    ready.write(home, Ready(str(project), errors=errors))

    def fails(word: str, session: str) -> str:
        text = f"Exit code 1\nfatal: part {word} is broken"
        return say(home, project, "tool-failed", session, error=text, tool_input={"command": "x"})

    assert [bool(fails(word, "a")) for word in ("one", "two", "three")] == [True, True, False]
    assert fails("one", "b")
    say(home, project, "before-command", "b", tool_input={"command": "fix one"})
    assert [bool(fails(word, "b")) for word in ("two", "three")] == [True, True]
    say(home, project, "before-compaction", "a")
    assert not fails("one", "a"), "what was ignored stays ignored"


def test_what_stands_on_a_file_that_is_gone_is_not_said(home: Path, project: Path) -> None:
    needs = Saying("run it", ("t:s1#1",), needs=("scripts/mend.sh",))
    ready.write(home, Ready(str(project), errors={ERROR: (needs,)}))
    assert not failed(home, project, "a")
    (project / "scripts").mkdir()
    (project / "scripts" / "mend.sh").touch()
    assert failed(home, project, "a")


@pytest.mark.parametrize("scope", ["session", "host", "project", "everywhere", "kind"])
def test_what_is_switched_off_is_silent_there_and_on_again(
    stocked: Path, project: Path, monkeypatch: pytest.MonkeyPatch, scope: str
) -> None:
    monkeypatch.setenv("MCP_MEMORY_HOME", str(stocked))
    name = {"session": "a", "host": "codex", "project": str(project), "kind": "error"}.get(scope)
    where = [f"--{scope}", name] if name else []

    def heard(session: str) -> bool:
        told = {"hook_event_name": "PostToolUseFailure", "session_id": session, "cwd": str(project),
                "error": f"Exit code 1\n{ERROR}", "tool_input": {"command": "git rebase trunk"}}  # fmt: skip
        return bool(hook.answer("tool-failed", told, stocked, host="codex"))

    assert CliRunner().invoke(cli, ["unasked", "off", *where]).exit_code == 0
    assert not heard("a")
    assert CliRunner().invoke(cli, ["unasked", "on", *where]).exit_code == 0
    assert heard("a")


def test_a_user_switches_a_session_off_and_on_by_a_prompt(stocked: Path, project: Path) -> None:
    assert "`off`" in say(stocked, project, "prompt", prompt="mcp-memory off")
    assert say(stocked, project, "session-start", source="clear") == ""
    assert not failed(stocked, project, "s")
    assert failed(stocked, project, "other")
    assert "`on`" in say(stocked, project, "prompt", prompt=" Memory: on ")
    assert failed(stocked, project, "s")
    off = say(stocked, project, "prompt", prompt="turn memory off in the settings page")
    assert "switched" not in off


def test_a_level_says_how_sure_a_saying_must_be(stocked: Path, project: Path) -> None:
    guess = {"error": "Exit code 2\nError: no rule to make it", "tool_input": {"command": "make"}}
    heard = {}
    for level in ("quiet", "normal", "talkative"):
        switches.switch(stocked, "everywhere", "", level)
        heard[level] = (
            bool(say(stocked, project, "tool-failed", level, **guess)),
            bool(failed(stocked, project, level)),
            bool(say(stocked, project, "session-start", level)),
        )
    assert heard == {
        "quiet": (False, False, True),
        "normal": (False, True, True),
        "talkative": (True, True, True),
    }


def test_a_repository_can_ask_for_less_and_never_for_more(stocked: Path, project: Path) -> None:
    rules = project / ".mcp-memory.toml"
    rules.write_text('unasked = "talkative"\n', encoding="utf-8")
    assert switches.level(stocked, str(project), "", "s") == "normal"
    assert read_rules(stocked, str(project)).faults == ()
    rules.write_text('unasked = "off"\n', encoding="utf-8")
    assert say(stocked, project, "session-start") == ""
    rules.write_text("unasked = [", encoding="utf-8")
    assert say(stocked, project, "session-start")
    (stocked / "rules.toml").write_text('unasked = "quiet"\n', encoding="utf-8")
    assert switches.level(stocked, str(project), "", "s") == "quiet"


def test_a_project_without_history_hears_nothing_in_ten_sessions(
    stocked: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    (other / ".git").mkdir(parents=True)
    said = []
    for n in range(10):
        said.append(say(stocked, other, "session-start", f"q{n}", source="startup"))
        said.append(say(stocked, other, "prompt", f"q{n}", prompt="mend the till"))
        said.append(failed(stocked, other, f"q{n}"))
        said.append(say(stocked, other, "before-edit", f"q{n}", tool_input={"file_path": "a.py"}))
        said.append(say(stocked, other, "before-command", f"q{n}", tool_input={"command": "make"}))
    assert not any(said)
