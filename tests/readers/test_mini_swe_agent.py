"""The mini-SWE-agent reader: results by position, the issue apart from the instructions, verdicts."""

from pathlib import Path

import orjson
import pytest
from transcripts import SAMPLES, only

from mcp_memory.domain.models import Outcome, Trajectory


def sample(name: str) -> Trajectory:
    return only(SAMPLES / "mini_swe_agent" / f"{name}.json")


def test_a_result_belongs_to_the_command_before_it() -> None:
    ran = [
        (step.calls[0].command, step.observations[0].exit_code)
        for step in sample("ordinary").steps
        if step.calls
    ]
    assert [code for _, code in ran] == [0, 1, None]
    assert ran[1][0] == "python -m pytest -q"


def test_the_issue_is_the_goal_and_the_instructions_are_the_programs() -> None:
    trajectory = sample("ordinary")
    assert trajectory.goal == "The total of an empty cart is None"
    assert [step.kind for step in trajectory.steps[:3]] == ["boot", "user", "boot"]


def test_reasoning_model_times_and_tokens_come_from_the_response() -> None:
    trajectory = sample("ordinary")
    assert trajectory.steps[3].reasoning.startswith("**Looking**")
    assert (trajectory.model, trajectory.tokens_in) == ("vendor/model-1", 306)
    assert trajectory.started_at is not None


def test_a_complaint_of_the_program_is_no_result_and_a_timeout_is_a_failure() -> None:
    steps = sample("nasty").steps
    assert [step.kind for step in steps] == [
        "boot", "user", "agent", "system", "agent", "agent", "system", "agent",
    ]  # fmt: skip
    late = steps[4].observations[0]
    assert (late.failed, late.exit_code) == (True, None)


def test_a_message_with_two_commands_ran_neither() -> None:
    step = sample("nasty").steps[5]
    assert step.calls == ()
    assert "cat a" in step.text


def test_the_output_of_the_last_command_comes_bare() -> None:
    last = sample("ordinary").steps[-1]
    assert last.observations[0].text.startswith("diff --git")
    assert last.observations[0].failed is None


def test_a_command_without_a_result_has_none() -> None:
    assert sample("nasty").steps[-1].observations == ()


def test_what_is_unknown_or_no_message_is_counted() -> None:
    trajectory = sample("nasty")
    assert trajectory.unknown == {"message:prophet": 1, "message:": 1}
    assert trajectory.skipped == {"message:exit": 1}
    assert [refusal.where for refusal in trajectory.refusals] == ["message 9"]


@pytest.mark.parametrize(
    ("status", "verdict"),
    [("Submitted", Outcome.UNKNOWN), ("LimitsExceeded", Outcome.FAILURE), ("", Outcome.UNKNOWN)],
)
def test_an_exit_status_is_no_success_without_a_test(
    tmp_path: Path, status: str, verdict: Outcome
) -> None:
    told = orjson.loads((SAMPLES / "mini_swe_agent" / "ordinary.json").read_bytes())
    told["info"]["exit_status"] = status
    path = tmp_path / "run.traj.json"
    path.write_bytes(orjson.dumps(told))
    assert only(path).verdict is verdict
