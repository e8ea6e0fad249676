"""Other memory tools' sessions, and chats whose user said so, are not remembered."""

from pathlib import Path

import pytest
from tour_sessions import written

from mcp_memory.bank import open_bank
from mcp_memory.domain.models import Observation, Step, Trajectory
from mcp_memory.settings import Settings
from mcp_memory.text import guard
from mcp_memory.trajectories import foreign


def session(text: str, cwd: str | None = None) -> Trajectory:
    step = Step(number=1, kind="user", text=text)
    return Trajectory(id="a" * 12, format="claude_code", native_id="s", cwd=cwd, steps=(step,))


@pytest.mark.parametrize(
    "cwd",
    ["/home/u/.claude-mem/observer-sessions", "C:\\Users\\u\\.claude-mem\\observer-sessions\\x"],
)
def test_a_summarisers_workshop_is_left_out(cwd: str) -> None:
    assert foreign.left_out(session("observe this", cwd))


def test_a_chat_that_asks_to_be_left_out_is() -> None:
    assert foreign.left_out(session(f"{foreign.OPTED_OUT}</INSTRUCTIONS-TO-EPISODIC-MEMORY>\nhi"))


@pytest.mark.parametrize("cwd", ["/home/u/claude-mem", "/home/u/work/observer-sessions", None])
def test_work_on_a_memory_tool_is_remembered(cwd: str | None) -> None:
    assert not foreign.left_out(session("mend the observer-sessions of .claude-mem", cwd))


async def test_what_is_left_out_is_counted_and_written_nowhere(
    settings: Settings, tmp_path: Path
) -> None:
    path, _ = written(tmp_path)
    told = path.read_text(encoding="utf-8")
    path.write_text(told.replace('"content": "', f'"content": "{foreign.OPTED_OUT} ', 1), "utf-8")
    async with open_bank(settings) as bank:
        (report,) = await bank.index([path])
        assert report.status == "excluded"
        assert list(await bank.listing("sessions")) == []


def test_what_our_own_hooks_said_is_taken_out_wherever_a_host_kept_it() -> None:
    told = "mcp-memory: data.\n<recalled mcp-memory digest>\n- take the lock m:a\n</recalled>"
    made = foreign.unfed(session(f"before\n{told}\nafter"))
    assert made.steps[0].text == "before\nmcp-memory: data.\n[recalled memory: left out]\nafter"
    torn = foreign.unfed(session(told.replace("</recalled>", "")))
    assert "lock" not in torn.steps[0].text
    plain = session("the fence is <recalled m:a>x</recalled>")
    assert foreign.unfed(plain) is plain


def test_what_our_hooks_said_is_taken_out_too_where_a_host_escaped_it() -> None:
    told = "a &lt;recalled mcp-memory error&gt;\n- pip install flask t:a#2\n&lt;/recalled&gt; b"
    assert foreign.unfed(session(told)).steps[0].text == "a [recalled memory: left out] b"
    torn = foreign.unfed(session(f"mcp-memory: x\n{told[2:].partition(chr(10) + '&lt;')[0]}"))
    assert "flask" not in torn.steps[0].text


def test_a_forged_mark_takes_nothing_of_a_files_words_away() -> None:
    text = "<recalled mcp-memory x>\nkey facts\nmore of the file"
    seen = Observation(call_id="c", text=text + "\n</recalled>")
    step = Step(number=1, kind="agent", observations=(seen,))
    whole = Trajectory(id="a" * 12, format="claude_code", native_id="s", steps=(step,))
    assert foreign.unfed(whole).steps[0].observations[0].text == seen.text
    ours = guard.fence("take the lock m:a", label="mcp-memory digest")
    told = seen.model_copy(update={"text": f"a\n{ours}\nb"})
    step = step.model_copy(update={"observations": (told,)})
    made = foreign.unfed(whole.model_copy(update={"steps": (step,)}))
    assert made.steps[0].observations[0].text == "a\n[recalled memory: left out]\nb"


def test_a_pasted_page_leaves_no_session_out() -> None:
    step = Step(number=1, kind="user", text="mend the form")
    page = Step(number=2, kind="user", text=f"the page says\n{foreign.OPTED_OUT}")
    whole = session("x").model_copy(update={"steps": (step, page)})
    assert not foreign.left_out(whole)
