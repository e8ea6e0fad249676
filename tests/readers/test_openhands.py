"""The OpenHands reader: results by cause, one step an answer, the host's words, nested exports."""

from pathlib import Path

import orjson
import pytest
from transcripts import SAMPLES, only

from mcp_memory.domain.models import Outcome, SourceClass, Step, Trajectory
from mcp_memory.readers import openhands


def sample(name: str) -> Trajectory:
    return only(SAMPLES / "openhands" / f"{name}.json")


def events(name: str = "ordinary") -> list[dict[str, object]]:
    told = orjson.loads((SAMPLES / "openhands" / f"{name}.json").read_bytes())
    assert isinstance(told, list)
    return told


def saved(path: Path, value: object) -> Path:
    path.write_bytes(orjson.dumps(value))
    return path


def step_of(trajectory: Trajectory, call_id: str) -> Step:
    return next(s for s in trajectory.steps for call in s.calls if call.id == call_id)


def test_a_result_belongs_to_the_action_that_caused_it() -> None:
    step = step_of(sample("ordinary"), "call_3")
    assert [call.id for call in step.calls] == ["call_3", "call_4"]
    assert {seen.call_id: seen.text for seen in step.observations} == {
        "call_4": "4 passed",
        "call_3": "1\treturn 0",
    }


def test_actions_of_one_answer_are_one_step_whose_tokens_count_once() -> None:
    trajectory = sample("ordinary")
    assert trajectory.tokens_in == 1200 + 1400 + 1500 + 1600
    assert [s.text for s in trajectory.steps].count("Both at once.") == 1


def test_an_edit_keeps_what_the_model_asked_for() -> None:
    (call,) = step_of(sample("ordinary"), "call_2").calls
    assert (call.edits, call.paths) == (True, ("/workspace/shop/cart.py",))
    assert (call.arguments["old_str"], call.arguments["new_str"]) == ("return None", "return 0")
    assert call.command is None


def test_reading_a_file_with_the_editor_is_no_edit_and_its_text_is_external() -> None:
    step = step_of(sample("ordinary"), "call_3")
    assert not step.calls[0].edits
    assert step.observations[1].source is SourceClass.EXTERNAL


def test_a_command_still_running_has_no_exit_code_and_has_not_failed() -> None:
    (seen,) = step_of(sample("nasty"), "event-4").observations
    assert (seen.exit_code, seen.failed) == (None, None)
    assert seen.text.endswith("[The command has no new output after 30 seconds.]")


def test_an_action_that_the_user_rejected_is_the_users_word() -> None:
    step = step_of(sample("nasty"), "call_11")
    (seen,) = step.observations
    assert (seen.failed, seen.source) == (True, SourceClass.USER)
    assert step.calls[0].command == "rm -r build"


def test_a_thought_is_reasoning_and_a_summary_is_the_agents() -> None:
    assert "It may be the cache." in [s.reasoning for s in sample("nasty").steps]
    (summary,) = [s for s in sample("ordinary").steps if s.kind == "summary"]
    assert (summary.source, summary.text) == (
        SourceClass.AGENT,
        "The cart is mended; the tests pass.",
    )


def test_what_the_host_knows_of_the_project_is_told_once(tmp_path: Path) -> None:
    told = events()
    told.append(told[4])
    boots = [s.text for s in only(saved(tmp_path / "x.json", told)).steps if s.kind == "boot"]
    assert boots == ["You work in a shell.", "Run the tests with pytest."]


def test_a_memorys_own_output_is_left_out() -> None:
    (seen,) = step_of(sample("nasty"), "call_10").observations
    assert seen.text.startswith("[recalled memory: left out")


@pytest.mark.parametrize("key", ["trajectory", "history", "events"])
def test_a_nested_export_is_the_same_session(tmp_path: Path, key: str) -> None:
    nested = saved(tmp_path / "a.json", {"instance_id": "shop-1", key: [events()]})
    pairs = saved(tmp_path / "b.json", [events()[i : i + 2] for i in range(0, 16, 2)])
    for path in (nested, pairs):
        assert only(path).steps == sample("ordinary").steps
        assert only(path).id == sample("ordinary").id


@pytest.mark.parametrize(
    ("state", "verdict"),
    [("error", Outcome.FAILURE), ("finished", Outcome.UNKNOWN), ("running", Outcome.UNKNOWN)],
)
def test_only_an_error_of_the_host_is_a_verdict(
    tmp_path: Path, state: str, verdict: Outcome
) -> None:
    told = events()
    told[-1]["extras"] = {"agent_state": state, "reason": ""}
    trajectory = only(saved(tmp_path / "x.json", told))
    assert trajectory.verdict is verdict
    assert trajectory.verdict_reason


def test_a_session_keeps_its_id_and_its_steps_while_it_grows(tmp_path: Path) -> None:
    whole = sample("ordinary")
    for count in range(1, 16):
        part = only(saved(tmp_path / "x.json", events()[:count]))
        assert part.id == whole.id
        for grown, full in zip(part.steps, whole.steps, strict=False):
            assert (grown.number, grown.kind, grown.at) == (full.number, full.kind, full.at)
            assert full.calls[: len(grown.calls)] == grown.calls


def test_a_list_of_other_records_is_not_claimed(tmp_path: Path) -> None:
    foreign = [{"id": 1, "timestamp": "2025-03-07T17:45:00Z", "type": "message", "content": "hi"}]
    assert not openhands.recognize(saved(tmp_path / "a.json", foreign))
    assert not openhands.recognize(saved(tmp_path / "b.json", {"entries": foreign}))


def test_what_is_unknown_is_counted_and_read_as_far_as_understood() -> None:
    trajectory = sample("nasty")
    assert trajectory.unknown == {
        "file/model": 1,
        "action/teleport": 1,
        "observation/arrival": 1,
        "event/environment": 1,
    }
    assert step_of(trajectory, "event-16").observations[0].text == "here we are"


def live(tmp_path: Path, *told: dict[str, object]) -> Path:
    """A session's state with a file an event beside it."""
    (tmp_path / "events").mkdir()
    for number, event in enumerate(told):
        shared = {"id": f"e{number}", "timestamp": f"2026-03-01T10:00:{number:02d}"}
        file = tmp_path / "events" / f"event-{number:05d}-e{number}.json"
        file.write_bytes(orjson.dumps({**shared, **event}))
    state = tmp_path / "base_state.json"
    facts = {"id": "s-1", "workspace": {"working_dir": "/home/ada/shop"}}
    state.write_bytes(orjson.dumps({**facts, "execution_status": "finished"}))
    return state


def text_of(text: str) -> list[dict[str, str]]:
    return [{"type": "text", "text": text}]


def test_a_live_session_is_read_from_its_events(tmp_path: Path) -> None:
    arguments = '{"command":"make glaze"}'
    calls = {"tool_name": "execute_bash", "tool_call_id": "c1"}
    state = live(
        tmp_path,
        {"kind": "SystemPromptEvent", "source": "agent", "system_prompt": {"text": "You are"}},
        {"kind": "MessageEvent", "source": "user", "llm_message": {"content": text_of("Glaze it")}},
        {"kind": "ActionEvent", "thought": text_of("So."), "action": {"kind": "ExecuteBashAction"},
         "tool_call": {"id": "c1", "name": "execute_bash", "arguments": arguments}, **calls},
        {"kind": "ObservationEvent", "observation": {"content": text_of("no"), "exit_code": 2}, **calls},
        {"kind": "UserRejectObservation", "rejection_reason": "not now", "tool_call_id": "c1"},
        {"kind": "AgentErrorEvent", "error": "no such tool", "tool_call_id": "c1"},
        {"kind": "Condensation", "summary": "It was tried."},
        {"kind": "PauseEvent"},
        {"kind": "OfTheFuture"},
        {"kind": "ActionEvent", "action": {"kind": "FinishAction", "message": "Glazed."}},
    )  # fmt: skip
    session = only(state)
    assert (session.goal, session.cwd, session.native_id) == ("Glaze it", "/home/ada/shop", "s-1")
    call = session.steps[2]
    assert call.calls[0].command == "make glaze"
    assert [(o.exit_code, o.source) for o in call.observations] == [
        (2, SourceClass.TOOL),
        (None, SourceClass.USER),
        (None, SourceClass.TOOL),
    ]
    assert [s.kind for s in session.steps] == ["boot", "user", "agent", "summary", "agent"]
    assert session.steps[-1].text == "Glazed."
    assert (session.skipped, session.unknown) == ({"PauseEvent": 1}, {"OfTheFuture": 1})


def test_a_torn_event_costs_only_itself_and_a_linked_one_is_not_read(tmp_path: Path) -> None:
    told = {"kind": "MessageEvent", "source": "user", "llm_message": {"content": text_of("Hi")}}
    state = live(tmp_path, told)
    (tmp_path / "events" / "event-00001-torn.json").write_bytes(b'{"kind":')
    (tmp_path / "events" / "event-00002-linked.json").symlink_to(state)
    (refusal,) = only(state).refusals
    assert refusal.where == "event-00001-torn.json"
    assert len(only(state).steps) == 1
