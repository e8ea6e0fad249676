"""The SWE-agent reader: run ids, verdicts and the goal."""

from pathlib import Path

import pytest
from transcripts import only, write


def run(*actions: str, seconds: float | None = None, **info: object) -> dict[str, object]:
    steps = [{"action": action, "observation": "", "thought": "t"} for action in actions]
    if seconds is not None:
        steps[0]["execution_time"] = seconds
    history = [{"role": "user", "content": "ISSUE:\nit breaks\n\nINSTRUCTIONS:\ndo well"}]
    return {"environment": "swe_main", "trajectory": steps, "history": history, "info": info}


def native_id(tmp_path: Path, value: object) -> str:
    return only(write(tmp_path / "x.traj", value)).native_id


def test_two_runs_that_begin_alike_are_two_sessions(tmp_path: Path) -> None:
    assert native_id(tmp_path, run("ls", "a")) != native_id(tmp_path, run("ls", "b"))
    timed = [native_id(tmp_path, run("ls", seconds=s)) for s in (0.25, 0.26)]
    assert timed[0] != timed[1]


def test_a_timed_run_keeps_its_id_while_it_grows(tmp_path: Path) -> None:
    short, longer = (
        run("ls", seconds=0.25),
        run("ls", "submit", seconds=0.25, exit_status="submitted"),
    )
    assert native_id(tmp_path, short) == native_id(tmp_path, longer)


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        ("submitted", "unknown"),
        ("exit_cost", "failure"),
        ("submitted (exit_cost)", "failure"),
        (None, "unknown"),
    ],
)
def test_an_exit_status_is_no_success_without_a_test(
    tmp_path: Path, status: str | None, verdict: str
) -> None:
    trajectory = only(write(tmp_path / "x.traj", run("ls", exit_status=status)))
    assert trajectory.verdict == verdict
    assert trajectory.verdict_reason


def test_the_goal_is_the_issue(tmp_path: Path) -> None:
    assert only(write(tmp_path / "x.traj", run("ls"))).goal == "it breaks"
