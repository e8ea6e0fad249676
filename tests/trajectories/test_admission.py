"""Admission: every string of every record passes the one door, and what holds no secret is left alone."""

from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.bank import open_bank
from mcp_memory.domain import refs
from mcp_memory.domain.models import Draft, Observation, Refusal, Step, ToolCall, Trajectory
from mcp_memory.settings import Settings
from mcp_memory.trajectories import admission

KEY = "ghp_" + "Zq8Xw2Lm5Np7Rt4Vb9Kc1Jd6Hf3Gs0Ya2We5"


def told(trajectory: Trajectory) -> str:
    return trajectory.model_dump_json()


def plain(**fields: object) -> Trajectory:
    return Trajectory(id=refs.trajectory_id("x", "s"), format="x", native_id="s").model_copy(
        update=fields
    )


@pytest.mark.parametrize(
    "field",
    ["title", "goal", "cwd", "git_branch", "git_commit", "model", "host_version", "verdict_reason"],
)
def test_a_secret_in_any_field_of_a_session_is_masked(field: str) -> None:
    admitted = admission.admit_trajectory(plain(**{field: f"a/{KEY}"}))
    assert KEY not in told(admitted.trajectory)
    assert admitted.masked == {"github": 1}


@pytest.mark.parametrize(
    "step",
    [
        Step(number=1, kind="user", text=KEY),
        Step(number=1, kind="agent", reasoning=KEY),
        Step(number=1, kind="agent", model=f"model-{KEY}"),
        Step(number=1, kind="agent", calls=(ToolCall(id=KEY, name="Bash"),)),
        Step(number=1, kind="agent", calls=(ToolCall(id="c", name=f"mcp__{KEY}"),)),
        Step(number=1, kind="agent", calls=(ToolCall(id="c", name="Bash", command=f"x {KEY}"),)),
        Step(number=1, kind="agent", calls=(ToolCall(id="c", name="Read", paths=(f"/a/{KEY}",)),)),
        Step(
            number=1,
            kind="agent",
            calls=(ToolCall(id="c", name="Set", arguments={"a": [{"password": "hunter2x9!"}]}),),
        ),
        Step(number=1, kind="agent", observations=(Observation(call_id=KEY, text=""),)),
        Step(number=1, kind="agent", observations=(Observation(call_id="c", text=f"is {KEY}"),)),
    ],
    ids=lambda step: ",".join(
        sorted(step.model_dump(exclude_defaults=True).keys() - {"number", "kind"})
    ),
)
def test_a_secret_in_any_string_of_a_step_is_masked(step: Step) -> None:
    admitted = admission.admit_trajectory(plain(steps=(step,)))
    assert KEY not in told(admitted.trajectory)
    assert "hunter2x9!" not in told(admitted.trajectory)
    assert sum(admitted.masked.values()) == 1


def test_names_of_records_and_refusals_are_masked_too() -> None:
    admitted = admission.admit_trajectory(
        plain(
            skipped={f"kind:{KEY}": 2},
            unknown={KEY: 1},
            refusals=(Refusal(where=f"key {KEY}", reason=f"no {KEY}"),),
        )
    )
    assert KEY not in told(admitted.trajectory)
    assert admitted.trajectory.skipped == {"kind:[masked:github]": 2}


def test_two_sessions_named_by_secrets_are_still_two() -> None:
    made = [
        admission.identified(Trajectory(id=refs.trajectory_id("x", n), format="x", native_id=n))
        for n in (KEY, KEY[:-1] + "6")
    ]
    assert len({one.id for one in made}) == 2
    for one in made:
        assert KEY[:-1] not in one.native_id
        assert one.id == refs.trajectory_id("x", one.native_id)
        assert admission.identified(one) is one


@given(st.lists(st.text(max_size=60), min_size=1, max_size=6), st.integers(0, 5))
def test_one_look_at_a_step_misses_nothing_that_each_of_its_texts_shows(
    texts: list[str], where: int
) -> None:
    texts[where % len(texts)] += f" {KEY}"
    seen = tuple(Observation(call_id=str(n), text=text) for n, text in enumerate(texts))
    admitted = admission.admit_trajectory(
        plain(steps=(Step(number=1, kind="agent", observations=seen),))
    )
    assert KEY not in told(admitted.trajectory)


def test_a_step_without_secrets_is_the_same_object() -> None:
    step = Step(
        number=1, kind="agent", text="nothing to see", calls=(ToolCall(id="c", name="Bash"),)
    )
    admitted = admission.admit_trajectory(plain(steps=(step,)))
    assert admitted.trajectory.steps[0] is step


def test_the_project_of_a_draft_is_masked() -> None:
    admitted = admission.admit_draft(Draft(text="a fact", project=f"/work/{KEY}"))
    assert admitted.draft.project == "/work/[masked:github]"


async def test_a_secret_in_names_is_nowhere_in_the_bank(tmp_path: Path) -> None:
    home, folder = tmp_path / "home", tmp_path / f"p-{KEY}"
    folder.mkdir()
    path = folder / "a.jsonl"
    message = {"role": "user", "content": "please build the parser", "id": "m1"}
    record = {"uuid": "u1", "type": "user", "sessionId": KEY, "message": message}
    record |= {"cwd": f"/work/{KEY}", "gitBranch": f"fix-{KEY}", "version": KEY}
    path.write_bytes(orjson.dumps(record) + b"\n")
    async with open_bank(Settings(home=home, embedding_model="hash")) as bank:
        for _ in range(2):
            await bank.index([path])
        sessions = await bank.rooms.store.sessions(states=())
        kept = await bank.retain(Draft(text="the parser is built by make", project=f"/w/{KEY}"))
        assert len(sessions) == 1
        assert KEY not in repr(sessions)
        assert KEY not in repr(await bank.rooms.store.projects())
        assert kept.ref
    for file in home.rglob("*"):
        assert KEY not in str(file.relative_to(home))
        if file.is_file():
            assert KEY.encode() not in file.read_bytes(), file
