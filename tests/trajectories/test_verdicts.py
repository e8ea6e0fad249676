"""A verdict comes from what judges: not from a look, not from a pipe's last program."""

import pytest

from mcp_memory.domain.models import Observation, SourceClass, Step, ToolCall, Trajectory
from mcp_memory.trajectories import failures, verdicts
from mcp_memory.trajectories.episodes import cut


def ran(command: str, printed: str, code: int | None, number: int = 2) -> Step:
    call = ToolCall(id=f"c{number}", name="Bash", command=command)
    bad = None if code is None else code != 0
    seen = Observation(call_id=f"c{number}", text=printed, exit_code=code, failed=bad)
    return Step(number=number, kind="agent", calls=(call,), observations=(seen,))


def good(command: str, printed: str, code: int | None) -> bool | None:
    (told,) = verdicts.of_steps([ran(command, printed, code)])
    return told.good if told.judges or told.good is False else None


@pytest.mark.parametrize(
    ("command", "printed", "code", "expected"),
    [
        ("pnpm install | tail -3", " ERR_PNPM_NO_TTY  Aborted", 0, None),
        ("pnpm run build | tail -3", " ERR_PNPM_NO_TTY  Aborted", 0, False),
        ("go test ./... 2>&1 | tail -3", "FAIL\tx.org/a\t0.2s", 0, False),
        ("go test ./... 2>&1 | tail -3", "ok  \tx.org/a\t0.2s", 0, True),
        ("go test ./... | grep FAIL", "", 1, None),
        ('go test ./... > out; echo "exit $?"', "exit 1", 0, False),
        ('go test ./... | grep -c FAIL; echo "exit $?"', "0\nexit 1", 0, None),
        ("go test ./... || true", "--- FAIL: TestA (0.0s)", 0, False),
        ("go test ./...; true", "--- FAIL: TestA (0.0s)", 0, False),
        ("go test ./...", "FAIL printed by a test", 0, True),
        ("rg -n heron", "", 1, None),
        ("git commit -m x", "blocked by a hook", 0, None),
        ("git commit -m x", "[main 0a1b2c3] x", 0, True),
        ("go test ./... | head -2", "ok  \tx.org/a\t0.2s\nok  \tx.org/b\t0.2s", 0, None),
    ],
)
def test_what_judges_is_believed(
    command: str,
    printed: str,
    code: int | None,
    expected: bool | None,  # noqa: FBT001 - a case
) -> None:
    assert good(command, printed, code) is expected


def test_the_reason_is_the_line_that_says_so() -> None:
    (told,) = verdicts.of_steps([ran("go test ./... | tail", "--- FAIL: TestNest (0.1s)\nFAIL", 0)])
    assert told.reason == "it printed: --- FAIL: TestNest (0.1s)"


def test_a_process_that_went_on_is_judged_by_its_end() -> None:
    start = ran("go test ./...", "Process running with session ID 7\n", None)
    poll = ToolCall(id="p", name="write_stdin", arguments={"session_id": 7})
    end = Observation(call_id="p", text="--- FAIL: TestNest (0.1s)\n", exit_code=1, failed=True)
    later = Step(number=3, kind="agent", calls=(poll,), observations=(end,))
    (failure,) = failures.met([start, later])
    assert (failure.made.step.number, failure.errors) == (2, ("--- FAIL: TestNest",))


@pytest.mark.parametrize(
    "command", ["rg -n x", "sed -n 1,9p a", "git log", "git diff --stat", "cat a"]
)
def test_an_attempt_does_not_fail_by_a_look(command: str) -> None:
    asked = Step(number=1, kind="user", text="mend it", source=SourceClass.USER)
    session = Trajectory(
        id="0" * 12, format="x", native_id="n", steps=(asked, ran(command, "fatal: no", 128))
    )
    assert [episode.outcome.value for episode in cut(session)] == ["unknown"]


def test_an_error_of_a_tool_names_its_file() -> None:
    def read(path: str) -> Step:
        call = ToolCall(id="r", name="Read", paths=(path,))
        seen = Observation(call_id="r", text="<tool_use_error>File does not exist.</tool_use_error>",
                           failed=True)  # fmt: skip
        return Step(number=1, kind="agent", calls=(call,), observations=(seen,))

    (one,), (other,) = failures.met([read("/r/a.go")]), failures.met([read("/r/b.go")])
    assert one.errors == ("File does not exist: a.go",) != other.errors
