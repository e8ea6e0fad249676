"""Linking: a commit is traced to its session by what git printed, or by what was edited."""

from datetime import UTC, datetime, timedelta

from mcp_memory.domain.models import Observation, Step, ToolCall, Trajectory
from mcp_memory.trajectories import linking
from mcp_memory.trajectories.linking import Commit, Edited, Printed, Trace

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HASH = "ab12cd3" + "0" * 33


def made(*files: str, at: datetime = NOON, hash_: str = HASH, subject: str = "Mend it") -> Commit:
    return Commit(hash=hash_, at=at, subject=subject, files=files)


def edited(session: str, *paths: str, at: datetime = NOON - timedelta(minutes=5)) -> Trace:
    return Trace(session=session, edited=tuple(Edited(path=path, step=3, at=at) for path in paths))


def announced(session: str, hash_: str, at: datetime = NOON) -> Trace:
    return Trace(session=session, printed=(Printed(hash=hash_, subject="Mend it", step=7, at=at),))


def test_a_printed_hash_beats_edited_files() -> None:
    links = linking.link([made("a.py")], [edited("other", "a.py"), announced("this", "ab12cd3")])
    assert [(each.session, each.step, each.score) for each in links[HASH]] == [("this", 7, 1.0)]
    assert "hash in step 7" in links[HASH][0].told


def test_a_longer_hash_that_differs_does_not_link() -> None:
    assert (
        linking.link([made("a.py")], [announced("this", "ab12cd3f", NOON - timedelta(days=1))])
        == {}
    )


def test_a_rebased_commit_is_known_by_subject_and_moment() -> None:
    found = linking.link([made("a.py")], [announced("this", "fffffff")])
    assert [each.score for each in found[HASH]] == [0.9]
    later = announced("this", "fffffff", NOON + timedelta(hours=1))
    assert linking.link([made("a.py")], [later]) == {}


def test_half_of_the_files_are_enough_and_less_is_not() -> None:
    assert linking.link([made("a.py", "b.py")], [edited("this", "a.py")])
    assert not linking.link([made("a.py", "b.py", "c.py")], [edited("this", "a.py")])


def test_an_edit_that_an_earlier_commit_took_does_not_count_again() -> None:
    earlier = made("a.py", at=NOON - timedelta(minutes=1), hash_="1" * 40)
    found = linking.link([earlier, made("a.py")], [edited("this", "a.py")])
    assert set(found) == {earlier.hash}


def test_edits_after_the_commit_or_long_before_it_do_not_count() -> None:
    for away in (timedelta(hours=1), -timedelta(days=8)):
        assert not linking.link([made("a.py")], [edited("this", "a.py", at=NOON + away)])


def test_the_trace_of_a_session_is_relative_and_leaves_out_failed_edits() -> None:
    calls = (
        ToolCall(id="1", name="Edit", paths=("/repo/src/a.py",), edits=True),
        ToolCall(id="2", name="Edit", paths=("/repo/src/b.py",), edits=True),
        ToolCall(id="3", name="Bash", command="git commit -m 'Mend it'"),
    )
    seen = (
        Observation(call_id="1", text="ok"),
        Observation(call_id="2", text="no", failed=True),
        Observation(call_id="3", text="[main ab12cd3] Mend it\n 1 file changed"),
    )
    step = Step(number=1, kind="agent", at=NOON, calls=calls, observations=seen)
    told = Trajectory(id="x" * 12, format="f", native_id="n", steps=(step,))
    trace = linking.trace(told, project="/repo")
    assert [each.path for each in trace.edited] == ["src/a.py"]
    assert trace.printed == (Printed(hash="ab12cd3", subject="Mend it", step=1, at=NOON),)
